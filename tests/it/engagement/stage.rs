//! A page with a post that was published here, and a person who answers what is said below it.

use crate::facebook::{COFFEE, connected, host, published};
use crate::harness::{Answer, Backend, Host, Person};
use orla::connectors::Memories;
use orla_vendors::facebook::{Comment, Settings, Sim};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) sim: Sim,
    pub(crate) ada: Person,
    /// Her connection's id.
    pub(crate) connection: String,
    pub(crate) publication: String,
    /// The network's id of the post.
    pub(crate) post: String,
}

pub(crate) async fn set(backend: Backend, facebook: Settings, credits: i64) -> Stage {
    let (host, sim) = host(backend, facebook, Memories::Pooled).await;
    let (ada, connection) = connected(&host, &sim).await;
    host.grant(ada.workspace, credits).await;
    let post = json!({"platform": "facebook", "content": "Open now", "target": COFFEE});
    let done = published(&ada, "post", post).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Stage {
        connection: text(&connection["id"]),
        publication: text(&done["id"]),
        post: text(&done["receipt"][0]["id"]),
        host,
        sim,
        ada,
    }
}

/// All comments on a post, page by page.
pub(crate) async fn listed(person: &Person, connection: &str, post: &str) -> Vec<Value> {
    let list = format!("/social/engagement/comments?connection_id={connection}&post={post}&target={COFFEE}");
    all(person, &list).await
}

/// All items of a list of comments.
pub(crate) async fn all(person: &Person, list: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..10 {
        let at = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = person.get(&format!("{list}{at}")).await.expect(200);
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return items;
        }
    }
    panic!("the list of comments does not end");
}

/// Waits until a reply is in one of these states.
pub(crate) async fn wait(person: &Person, id: &str, states: &[&str]) -> Value {
    let mut last = Value::Null;
    for _ in 0..600 {
        last = person.get(&format!("/social/engagement/replies/{id}")).await.expect(200);
        if states.contains(&last["state"].as_str().unwrap()) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the reply did not become {states:?}: {last:#}");
}

impl Stage {
    /// Somebody asks something below the post, and Ada is shown it.
    pub(super) async fn asked(&self, words: &str) -> Value {
        let id = self.sim.comment(&self.post, "Ann", words).unwrap();
        let comments = listed(&self.ada, &self.connection, &self.post).await;
        comments.into_iter().find(|comment| comment["vendor_id"] == id).expect("the comment is listed")
    }

    /// Ada replies to a comment as it was listed.
    pub(super) async fn reply(&self, comment: &Value, text: &str, key: &str) -> Answer {
        let body = json!({"connection_id": self.connection, "comment_id": comment["id"], "text": text});
        reply(&self.ada, &body, key).await
    }

    /// Ada replies, and waits until that is in one of these states.
    pub(super) async fn replied(&self, comment: &Value, text: &str, key: &str, states: &[&str]) -> Value {
        let taken = self.reply(comment, text, key).await.expect(202);
        wait(&self.ada, taken["id"].as_str().unwrap(), states).await
    }

    /// What the page has said.
    pub(super) fn said(&self) -> Vec<Comment> {
        self.sim.comments().into_iter().filter(|comment| comment.author_id == COFFEE).collect()
    }

    /// Ada's credits, and those reserved.
    pub(super) async fn credits(&self) -> (i64, i64) {
        let balance = self.ada.get("/credits/balance").await.expect(200);
        (balance["posted"].as_i64().unwrap(), balance["held"].as_i64().unwrap())
    }
}

/// Asks for a reply with an idempotency key.
pub(super) async fn reply(person: &Person, body: &Value, key: &str) -> Answer {
    let request = person.http.post(format!("{}/social/engagement/replies", person.url)).bearer_auth(&person.token);
    Answer::of(request.header("idempotency-key", key).json(body).send().await.unwrap()).await
}
