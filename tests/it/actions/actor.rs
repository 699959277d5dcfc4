//! What a person may do, each as a request whose answer has to be one that the API documents.

use crate::harness::{Answer, Person};
use orla::clock::{Clock, Timestamp};
use orla_vendors::x::{Canned, Fault, Mode, X};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What all know.
#[derive(Clone)]
pub(super) struct Shared(Arc<Common>);

struct Common {
    /// Method, path and status of every answer that is documented.
    documented: BTreeSet<(String, String, u16)>,
    network: X,
    clock: Clock,
    told: Mutex<Vec<String>>,
    /// Publications, with the name of whose they are.
    publications: Mutex<Vec<(&'static str, String)>>,
}

impl Shared {
    pub(super) fn new(document: &Value, network: X, clock: Clock) -> Self {
        let mut documented = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let statuses = operation["responses"].as_object().unwrap().keys();
                let statuses = statuses.filter_map(|status| status.parse().ok());
                documented.extend(statuses.map(|status| (method.to_uppercase(), path.clone(), status)));
            }
        }
        let (told, publications) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Common { documented, network, clock, told, publications }))
    }

    pub(super) fn tell(&self, what: String) {
        self.0.told.lock().unwrap().push(what);
    }

    pub(super) fn told(&self) -> Vec<String> {
        self.0.told.lock().unwrap().clone()
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

/// A person, and what that person will do.
pub(super) struct Actor {
    pub(super) name: &'static str,
    pub(super) person: Person,
    rng: StdRng,
    /// Publications that were taken in: the key, the wish, and the id.
    wishes: Vec<(String, Value, String)>,
    made: usize,
}

const PUBLICATION: &str = "/social/publications/{id}";
const SCHEDULE: &str = "/schedules/{id}";

impl Actor {
    pub(super) fn new(name: &'static str, person: Person, seed: u64) -> Self {
        Self { name, person, rng: StdRng::seed_from_u64(seed), wishes: Vec::new(), made: 0 }
    }

    /// Does so many things.
    pub(super) async fn act(&mut self, shared: &Shared, count: usize) {
        for _ in 0..count {
            match self.rng.random_range(0..40) {
                0..7 => self.publish(shared, None).await,
                7..12 => {
                    let at = self.later(shared);
                    self.publish(shared, Some(json!(at))).await;
                }
                12..14 => self.publish(shared, Some(json!("next_free_slot"))).await,
                14..17 => self.reschedule(shared).await,
                17..20 => self.change(shared, "cancel").await,
                20..22 => self.change(shared, "retry").await,
                22..24 => self.change(shared, "complete").await,
                24..26 => self.wish_again(shared).await,
                26 => self.disconnect(shared).await,
                27..29 => self.connect(shared).await,
                29..31 => self.schedule(shared).await,
                31..34 => self.change_schedule(shared).await,
                34 => self.touch_anothers(shared).await,
                35 => shared.0.network.clear_faults(),
                _ => self.trouble(shared),
            }
        }
    }

    /// Asks, and holds the answer against what is documented. `{id}` stands for the id.
    async fn ask(&self, shared: &Shared, method: Method, path: &str, id: &str, body: Option<&Value>) -> Answer {
        let answer = self.person.call(method.clone(), &path.replace("{id}", id), body).await;
        self.hold(shared, (method.as_str(), path, id), &answer);
        answer
    }

    fn hold(&self, shared: &Shared, (method, path, id): (&str, &str, &str), answer: &Answer) {
        let status = answer.status.as_u16();
        let code = answer.body["code"].as_str().unwrap_or_default();
        shared.tell(format!("{}: {method} {path} {id} → {status} {code}", self.name));
        let documented = shared.0.documented.contains(&(method.to_owned(), path.to_owned(), status));
        assert!(documented && status < 500, "{method} {path} was answered {status}: {:#}", answer.body);
    }

    fn later(&mut self, shared: &Shared) -> Timestamp {
        let minutes = self.rng.random_range(1..3 * 24 * 60);
        shared.now().after(Duration::from_secs(60 * minutes))
    }

    async fn publish(&mut self, shared: &Shared, publish_at: Option<Value>) {
        self.made += 1;
        let key = format!("{} {}", self.name, self.made);
        let parts = self.rng.random_range(1..=3);
        let parts: Vec<Value> = (0..parts).map(|part| json!({"text": format!("{key} part {part}")})).collect();
        let mut post = json!({"platform": "twitter", "parts": parts});
        if let Some(at) = publish_at {
            post["publish_at"] = at;
        }
        let answer = self.person.publish(&post, &key).await;
        self.hold(shared, ("POST", "/social/publish", &key), &answer);
        if answer.status == 202 {
            let id = answer.body["id"].as_str().unwrap().to_owned();
            shared.0.publications.lock().unwrap().push((self.name, id.clone()));
            self.wishes.push((key, post, id));
        }
    }

    /// The same wish with the same key is the same publication.
    async fn wish_again(&mut self, shared: &Shared) {
        let Some((key, post, id)) = self.wishes.choose(&mut self.rng).cloned() else { return };
        let answer = self.person.publish(&post, &key).await;
        self.hold(shared, ("POST", "/social/publish", &key), &answer);
        assert_eq!((answer.status.as_u16(), answer.body["id"].as_str()), (202, Some(id.as_str())), "{key}");
    }

    /// One of this person's publications, of those as well that came of a schedule.
    async fn any_publication(&mut self, shared: &Shared) -> Option<String> {
        let list = self.ask(shared, Method::GET, "/social/publications", "", None).await.expect(200);
        let one = list["items"].as_array().unwrap().choose(&mut self.rng)?;
        Some(one["id"].as_str().unwrap().to_owned())
    }

    async fn reschedule(&mut self, shared: &Shared) {
        let Some(id) = self.any_publication(shared).await else { return };
        let when = if self.rng.random_ratio(1, 3) { json!("next_free_slot") } else { json!(self.later(shared)) };
        self.ask(shared, Method::PATCH, PUBLICATION, &id, Some(&json!({"publish_at": when}))).await;
    }

    async fn change(&mut self, shared: &Shared, how: &str) {
        let Some(id) = self.any_publication(shared).await else { return };
        let later = self.later(shared);
        let later = (how == "retry" && self.rng.random_ratio(1, 3)).then(|| json!({"publish_at": later}));
        self.ask(shared, Method::POST, &format!("{PUBLICATION}/{how}"), &id, later.as_ref()).await;
    }

    async fn connection(&self, shared: &Shared) -> Option<String> {
        let list = self.ask(shared, Method::GET, "/social/connections", "", None).await.expect(200);
        list["items"][0]["id"].as_str().map(str::to_owned)
    }

    async fn disconnect(&self, shared: &Shared) {
        let Some(id) = self.connection(shared).await else { return };
        self.ask(shared, Method::DELETE, "/social/connections/{id}", &id, None).await;
    }

    /// Connects the account, anew where it was; and gives it a queue.
    async fn connect(&self, shared: &Shared) {
        let begun = self.person.get("/social/oauth/twitter/auth").await;
        self.hold(shared, ("GET", "/social/oauth/{platform}/auth", ""), &begun);
        let cookie = begun.cookie.clone().expect("a cookie that binds the browser");
        let url = begun.expect(200)["auth_url"].as_str().unwrap().to_owned();
        let callback = shared.0.network.authorize(&url, self.name);
        let done = self.person.http.get(callback).header("cookie", cookie).send().await.unwrap();
        assert_eq!(done.status(), 200, "{}", done.text().await.unwrap());
        let id = self.connection(shared).await.expect("it was connected");
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let slots = days.map(|weekday| json!({"weekday": weekday, "time": "09:00"}));
        let slots = json!({"zone": "Europe/Berlin", "slots": slots});
        self.ask(shared, Method::PUT, "/social/connections/{id}/slots", &id, Some(&slots)).await;
    }

    fn wanted_schedule(&mut self, shared: &Shared) -> Value {
        self.made += 1;
        let starts_at = json!(self.later(shared));
        let content = format!("{} {} again and again", self.name, self.made);
        json!({
            "post": {"platform": "twitter", "content": content},
            "rule": "FREQ=DAILY",
            "zone": "America/New_York",
            "starts_at": starts_at.as_str().unwrap()[..19],
            "missed": (["skip", "publish"][self.rng.random_range(0..2)]),
        })
    }

    async fn schedule(&mut self, shared: &Shared) {
        let wanted = self.wanted_schedule(shared);
        self.ask(shared, Method::POST, "/schedules", "", Some(&wanted)).await;
    }

    async fn change_schedule(&mut self, shared: &Shared) {
        let list = self.ask(shared, Method::GET, "/schedules", "", None).await.expect(200);
        let Some(one) = list["items"].as_array().unwrap().choose(&mut self.rng) else { return };
        let id = one["id"].as_str().unwrap();
        match self.rng.random_range(0..5) {
            0 => drop(self.ask(shared, Method::POST, &format!("{SCHEDULE}/pause"), id, None).await),
            1 => drop(self.ask(shared, Method::POST, &format!("{SCHEDULE}/resume"), id, None).await),
            2 => drop(self.ask(shared, Method::DELETE, SCHEDULE, id, None).await),
            _ => {
                let change = self.wanted_schedule(shared);
                self.ask(shared, Method::PATCH, SCHEDULE, id, Some(&change)).await;
            }
        }
    }

    /// What is another's is not there.
    async fn touch_anothers(&mut self, shared: &Shared) {
        let all = shared.0.publications.lock().unwrap().clone();
        let others: Vec<String> = all.into_iter().filter(|(name, _)| *name != self.name).map(|(_, id)| id).collect();
        let Some(id) = others.choose(&mut self.rng) else { return };
        let acts =
            [(Method::GET, ""), (Method::POST, "/cancel"), (Method::POST, "/retry"), (Method::POST, "/complete")];
        let (method, act) = acts.choose(&mut self.rng).cloned().expect("one of them");
        self.ask(shared, method, &format!("{PUBLICATION}{act}"), id, None).await.refused(404, "not_found");
    }

    /// Something goes wrong at the network.
    fn trouble(&mut self, shared: &Shared) {
        let canned = |status, retry_after_s| Mode::Status(Canned { status, retry_after_s, ..Canned::default() });
        let modes = [
            ("cut before", Mode::CutBefore),
            ("cut after", Mode::CutAfter),
            ("500", Mode::status(500)),
            ("503 after all", Mode::executed_then_status(503)),
            ("429", canned(429, Some(1))),
            ("403", canned(403, None)),
            ("slow", Mode::DelayMs(100)),
        ];
        let (name, mode) = modes.choose(&mut self.rng).cloned().expect("one of them");
        let (skip, times) = (self.rng.random_range(0..3), self.rng.random_range(1..3));
        shared.tell(format!("{name} at the network, after {skip} posts, {times} times"));
        shared.0.network.fault(Fault::on("POST", "/2/tweets", mode).skip(skip).times(times));
        if self.rng.random_ratio(1, 4) {
            shared.0.network.fault(Fault::on("GET", "/2/users/*/tweets", Mode::status(503)));
        }
    }
}
