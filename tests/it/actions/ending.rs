//! What has to hold once all is quiet.

use super::actor::Actor;
use super::stage::{CREDITS, PRICE, Stage};
use orla::ledger;
use orla_vendors::x::Posted;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// All publications of a person, each with what happened to it.
async fn publications(actor: &Actor) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = actor.person.get(&format!("/social/publications?limit=100{cursor}")).await.expect(200);
        for item in page["items"].as_array().unwrap() {
            let id = item["id"].as_str().unwrap();
            all.push(actor.person.get(&format!("/social/publications/{id}")).await.expect(200));
        }
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

/// Of one person: what the network has, what was paid, and how each publication came to where it is.
pub(super) async fn check(stage: &Stage, actor: &Actor, network: &[Posted]) {
    let publications = publications(actor).await;
    publications.iter().for_each(check_course);
    check_network(actor, &publications, network);
    let of = |wanted: &[&str]| {
        let in_it = publications.iter().filter(|one| wanted.contains(&one["state"].as_str().unwrap()));
        in_it.map(|one| one["price"].as_i64().unwrap()).sum::<i64>()
    };
    let mut tx = stage.host.app.db().read().await.unwrap();
    let balance = ledger::balance(&mut tx, actor.person.workspace).await.unwrap();
    let expected = (CREDITS - of(&["published"]), of(&["scheduled", "uncertain"]));
    assert_eq!((balance.posted, balance.held), expected, "{}", actor.name);
    assert!(publications.iter().all(|one| [0, PRICE].contains(&one["price"].as_i64().unwrap())));
}

/// Each state follows the one before as the diagram in the host's `publications.rs` has it, and the last is where it stands.
fn check_course(publication: &Value) {
    let states: Vec<&str> =
        publication["timeline"].as_array().unwrap().iter().map(|event| event["state"].as_str().unwrap()).collect();
    assert!(matches!(states[0], "scheduled" | "due"), "{publication:#}");
    for pair in states.windows(2) {
        let follows: &[&str] = match pair[0] {
            // Another time was set, where it stays what it is.
            "scheduled" => &["scheduled", "running", "cancelled"],
            "due" => &["running", "cancelled"],
            // Its worker stopped, where another one begins.
            "running" => &["running", "published", "failed", "pending", "uncertain"],
            "pending" => &["running", "cancelled"],
            "uncertain" => &["pending", "failed"],
            _ => &[],
        };
        assert!(follows.contains(&pair[1]), "{} after {}: {publication:#}", pair[1], pair[0]);
    }
    let state = publication["state"].as_str().unwrap();
    assert_eq!(states.last(), Some(&state), "{publication:#}");
    let rests = ["published", "failed", "cancelled", "scheduled", "uncertain"];
    assert!(rests.contains(&state), "{publication:#}");
}

/// Each part that is said to be live is at the network, once; and nothing else is, but what nobody could find out.
fn check_network(actor: &Actor, publications: &[Value], network: &[Posted]) {
    // By their ids, since what is tried again says the same, and what completes another names what is live already.
    let (mut live, mut unsure) = (BTreeMap::<&str, &str>::new(), BTreeMap::<&str, usize>::new());
    for publication in publications {
        let is_unsure = publication["state"] == "uncertain" || publication["fault"]["kind"] == "uncertain";
        for (n, part) in publication["parts"].as_array().unwrap().iter().enumerate() {
            let (outcome, text) = (&publication["receipt"][n], part["text"].as_str().unwrap());
            if outcome["outcome"] == "done" {
                live.insert(outcome["id"].as_str().unwrap(), text);
            } else if is_unsure && publication["state"] != "published" {
                *unsure.entry(text).or_default() += 1;
            }
        }
    }
    // What failed although a part was live, as where the account was disconnected meanwhile, names that part.
    let faults: Vec<&str> = publications.iter().filter_map(|one| one["fault"]["message"].as_str()).collect();
    let own: Vec<&Posted> = network.iter().filter(|post| post.text.starts_with(&format!("{} ", actor.name))).collect();
    let ids: BTreeSet<&str> = own.iter().map(|post| post.id.as_str()).collect();
    for (id, text) in &live {
        assert!(ids.contains(id), "`{text}` is said to be live as {id}, and is not");
    }
    for post in own {
        match live.get(post.id.as_str()) {
            Some(text) => assert_eq!(*text, post.text),
            None if faults.iter().any(|fault| fault.contains(&post.id)) => {}
            None => {
                let left = unsure.get_mut(post.text.as_str()).filter(|left| **left > 0);
                let left = left.unwrap_or_else(|| {
                    let says =
                        |one: &&Value| one["parts"].as_array().unwrap().iter().any(|part| part["text"] == post.text);
                    let of_it: Vec<&Value> = publications.iter().filter(says).collect();
                    panic!("{post:?} is at the network, and nothing says so: {of_it:#?}")
                });
                *left -= 1;
            }
        }
    }
}

/// Of all: the ledger, and that whatever is not ended has its job and nothing else has one.
pub(super) async fn check_all(stage: &Stage) {
    const WITHOUT: &str = "select count(*) from publications where finished_at is null
        and not exists (select 1 from jobs where subject = publications.id and kind in ('publish', 'reconcile'))";
    const BEYOND: &str = "select count(*) from jobs join publications on publications.id = jobs.subject
        where finished_at is not null and kind in ('publish', 'reconcile')";
    const HOLDS: &str = "select count(*) from credit_holds where state = 'open' and not exists
        (select 1 from publications where hold_id = credit_holds.id and finished_at is null)";
    assert_eq!(stage.count(WITHOUT, None).await, 0, "publications without a job");
    assert_eq!(stage.count(BEYOND, None).await, 0, "jobs of what has ended");
    assert_eq!(stage.count(HOLDS, None).await, 0, "credits reserved for what has ended");
    let broken = ledger::audit(&mut stage.host.app.db().read().await.unwrap()).await.unwrap();
    assert!(broken.is_empty(), "{broken:?}");
}
