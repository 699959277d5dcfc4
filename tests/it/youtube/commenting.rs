//! Comments on a video, and the channel's replies.

use super::{CHANNEL, clip, connected, film, host, published, was_uncertain};
use crate::engagement::stage;
use crate::harness::{Answer, BOTH, Person};
use orla::connectors::Memories;
use orla_vendors::youtube::{Fault, Mode, Settings};
use serde_json::{Value, json};

/// All comments on a publication, page by page.
async fn listed(ada: &Person, publication: &Value) -> Vec<Value> {
    let id = publication["id"].as_str().unwrap();
    stage::all(ada, &format!("/social/engagement/comments?publication_id={id}")).await
}

/// Replies to a comment as it was listed, and waits for the outcome.
async fn replied(ada: &Person, connection: &Value, comment: &Value, text: &str) -> Value {
    let body = json!({"connection_id": connection["id"], "comment_id": comment["id"], "text": text});
    let request = ada.http.post(format!("{}/social/engagement/replies", ada.url)).bearer_auth(&ada.token);
    let taken = Answer::of(request.header("idempotency-key", text).json(&body).send().await.unwrap()).await.expect(202);
    stage::wait(ada, taken["id"].as_str().unwrap(), &["published", "failed"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_are_listed_with_all_their_replies() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let video = published(&ada, "film", &film(&clip(&host, 99))).await;
        let id = &sim.videos()[0].id;
        let asked = sim.comment(id, "Ann", "When do you open?").unwrap();
        for number in 0..7 {
            sim.comment(&asked, "Ben", &format!("At {number}")).unwrap();
        }
        for number in 0..55 {
            sim.comment(id, "Cleo", &format!("Nice {number}")).unwrap();
        }
        let items = listed(&ada, &video).await;
        let vendor_ids: std::collections::BTreeSet<&str> =
            items.iter().map(|item| item["vendor_id"].as_str().unwrap()).collect();
        assert_eq!((items.len(), vendor_ids.len()), (63, 63), "each once");
        assert_eq!((&items[0]["text"], &items[0]["author"]["name"]), (&json!("Nice 54"), &json!("Cleo")));
        let replies = items.iter().filter(|item| item["parent_vendor_id"] == asked).count();
        assert_eq!(replies, 7);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_said_once_whatever_becomes_of_its_answer() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, connection) = connected(&host, &sim).await;
        host.grant(ada.workspace, 50).await;
        let video = published(&ada, "film", &film(&clip(&host, 99))).await;
        let asked = sim.comment(&sim.videos()[0].id, "Ann", "When do you open?").unwrap();
        let deeper = sim.comment(&asked, "Ben", "Yes, when?").unwrap();
        let items = listed(&ada, &video).await;
        let comment = |id: &str| items.iter().find(|item| item["vendor_id"] == id).unwrap().clone();
        let done = replied(&ada, &connection, &comment(&asked), "At seven, Ann").await;
        assert_eq!((done["state"].as_str(), &done["price"]), (Some("published"), &json!(5)), "{done:#}");
        sim.fault(Fault::on("POST", "/youtube/v3/comments", Mode::CutAfter));
        let found = replied(&ada, &connection, &comment(&deeper), "At seven, Ben").await;
        assert!(found["state"] == "published" && was_uncertain(&found), "{found:#}");
        sim.fault(Fault::on("POST", "/youtube/v3/comments", Mode::CutBefore));
        let again = replied(&ada, &connection, &comment(&deeper), "At seven, both").await;
        assert!(again["state"] == "published" && was_uncertain(&again), "{again:#}");
        let said: Vec<_> = sim.comments().into_iter().filter(|comment| comment.author_id == CHANNEL).collect();
        assert!(said.iter().all(|reply| reply.parent_id.as_ref() == Some(&asked)), "{said:#?}");
        let words: Vec<&str> = said.iter().map(|reply| reply.text.as_str()).collect();
        assert_eq!(words, ["At seven, Ann", "At seven, Ben", "At seven, both"]);
        assert_eq!(
            [&done, &found, &again].map(|reply| &reply["receipt"]["id"]),
            [0, 1, 2].map(|at| json!(said[at].id)).each_ref()
        );
        host.check_books().await;
    }
}
