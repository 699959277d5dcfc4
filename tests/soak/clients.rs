//! The load: clients who ask for one post after the other, each until a host has taken it in, whichever that is.

use crate::harness::{PASSWORD, Person};
use crate::stage::Network;
use orla::clock::Clock;
use rand::RngExt as _;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// What all clients know.
pub(crate) struct World {
    /// Of all nodes, also of those that are dead.
    pub(crate) urls: Vec<String>,
    /// Where pictures are.
    pub(crate) web: String,
    pub(crate) next: AtomicUsize,
    pub(crate) over: AtomicBool,
}

/// A publication that a host has taken in.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) id: String,
    pub(crate) network: Network,
    /// Of its parts.
    pub(crate) texts: Vec<String>,
}

/// What a client asks for.
struct Wish {
    key: String,
    path: &'static str,
    body: Value,
    texts: Vec<String>,
}

/// A client with its number, which is its name as well.
pub(crate) struct Client {
    pub(crate) number: usize,
    pub(crate) person: Person,
    pub(crate) taken: Vec<Taken>,
}

/// Asks for one after the other until it is over.
pub(crate) async fn work(mut client: Client, world: Arc<World>) -> Client {
    while !world.over.load(Ordering::SeqCst) {
        let wish = wish(world.next.fetch_add(1, Ordering::SeqCst), &world.web);
        let taken = asked(&mut client, &world, &wish).await;
        client.taken.extend(taken);
        let pause = rand::rng().random_range(500..2_500);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    client
}

/// Threads with pictures, posts for later, and posts to all networks at once.
fn wish(n: usize, web: &str) -> Wish {
    let kind = n % 6;
    let count = [3, 2, 2, 1, 1, 2][kind];
    let texts: Vec<String> = (0..count).map(|part| format!("wish {n} part {part}")).collect();
    let mut parts: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
    if kind < 2 {
        parts[0]["media"] = json!([{"url": format!("{web}/pictures/square.png"), "alt_text": "A square"}]);
    }
    let later = Clock::System.now().after(Duration::from_secs(10));
    let (path, body) = match kind {
        0 | 3 => ("/social/publish", json!({"platform": "twitter", "parts": parts})),
        1 => ("/social/publish", json!({"platform": "mastodon", "parts": parts})),
        2 => ("/social/publish", json!({"platform": "webhook", "parts": parts})),
        4 => ("/social/publish", json!({"platform": "mastodon", "parts": parts, "publish_at": later})),
        _ => {
            let variants = Network::ALL.map(|network| json!({"platform": network.platform()}));
            ("/posts", json!({"parts": parts, "variants": variants}))
        }
    };
    Wish { key: format!("wish {n}"), path, body, texts }
}

/// Asks until it is taken in; now and then two hosts at the same time.
async fn asked(client: &mut Client, world: &World, wish: &Wish) -> Vec<Taken> {
    loop {
        let url = || world.urls[rand::rng().random_range(0..world.urls.len())].clone();
        let (one, other) = (url(), url());
        let answers = if rand::rng().random_ratio(1, 5) {
            let (one, other) = tokio::join!(ask(&client.person, &one, wish), ask(&client.person, &other, wish));
            vec![one, other]
        } else {
            vec![ask(&client.person, &one, wish).await]
        };
        let mut taken: Vec<Vec<Taken>> = Vec::new();
        for (status, body) in answers.into_iter().flatten() {
            match status {
                202 => taken.push(publications(&body, wish)),
                401 => sign_in(client, &one).await,
                // It was never taken in, and its time is past.
                422 if wish.body["publish_at"].is_string() => return Vec::new(),
                429 | 502 | 503 => {}
                _ => panic!("{} was answered {status}: {body:#}", wish.key),
            }
        }
        if let Some(first) = taken.pop() {
            let ids = |taken: &[Taken]| taken.iter().map(|taken| taken.id.clone()).collect::<Vec<_>>();
            assert!(taken.iter().all(|other| ids(other) == ids(&first)), "one key, two wishes: {taken:?}, {first:?}");
            return first;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An answer, unless the host died or is dead.
async fn ask(person: &Person, url: &str, wish: &Wish) -> Option<(u16, Value)> {
    let request = person.http.post(format!("{url}{}", wish.path)).bearer_auth(&person.token);
    let answer = request.header("idempotency-key", &wish.key).json(&wish.body).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.json().await.ok()?))
}

fn publications(body: &Value, wish: &Wish) -> Vec<Taken> {
    let one = |publication: &Value| Taken {
        id: publication["id"].as_str().unwrap().to_owned(),
        network: Network::named(&publication["platform"]),
        texts: wish.texts.clone(),
    };
    match body["publications"].as_array() {
        Some(all) => all.iter().map(one).collect(),
        None => vec![one(body)],
    }
}

/// An hour has passed, and the token with it.
async fn sign_in(client: &mut Client, url: &str) {
    let login = json!({"email": format!("client{}@example.org", client.number), "password": PASSWORD});
    let Ok(answer) = client.person.http.post(format!("{url}/auth/login")).json(&login).send().await else { return };
    if let Ok(tokens) = answer.json::<Value>().await
        && let Some(token) = tokens["access_token"].as_str()
    {
        client.person.token = token.to_owned();
    }
}
