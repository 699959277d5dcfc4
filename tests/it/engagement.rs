//! Comments below a page's posts, and the page's replies: listed page by page, said once, paid for once.

mod refused;
pub(crate) mod stage;
mod uncertain;

use crate::facebook::{COFFEE, strict};
use crate::harness::BOTH;
use serde_json::{Value, json};
use stage::Stage;

const BOTH_ENDS: [&str; 2] = ["published", "failed"];

#[tokio::test(flavor = "multi_thread")]
async fn comments_are_listed_page_by_page_and_the_newest_first() {
    for backend in BOTH {
        // Of a list, Facebook shows 100 at once, and here an empty page before.
        let Stage { sim, ada, connection, publication, post, host } = stage::set(backend, strict(), 0).await;
        let first = sim.comment(&post, "Ann", "Comment 0").unwrap();
        for number in 1..130 {
            sim.comment(&post, "Ben", &format!("Comment {number}")).unwrap();
        }
        let reply = sim.comment(&first, "Cleo", "A reply\nof two lines").unwrap();
        let of_publication = format!("/social/engagement/comments?publication_id={publication}");
        let items = stage::all(&ada, &of_publication).await;
        let mut words: Vec<String> = (0..130).map(|number| format!("Comment {number}")).collect();
        words.push("A reply\nof two lines".to_owned());
        words.reverse();
        assert_eq!(items.iter().map(|item| item["text"].as_str().unwrap()).collect::<Vec<_>>(), words);
        assert_eq!(items[0]["vendor_id"], reply);
        assert_eq!((&items[0]["parent_vendor_id"], &items[0]["author"]["name"]), (&json!(first), &json!("Cleo")));
        assert_eq!((&items[130]["parent_vendor_id"], &items[130]["replies"]), (&Value::Null, &json!(1)));
        assert!(items.iter().all(|item| item["can_reply"] == true && item["created_at"].is_string()));
        // The post by the network's id shows the same, and ids that tell nothing of Facebook's.
        let named = stage::listed(&ada, &connection, &post).await;
        let ids = |items: &[Value]| items.iter().map(|item| item["vendor_id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&named), ids(&items));
        assert!(named.iter().all(|item| !item["id"].as_str().unwrap().contains(item["vendor_id"].as_str().unwrap())));
        // A cursor is of its list alone.
        let cursor = ada.get(&of_publication).await.expect(200)["next_cursor"].as_str().unwrap().to_owned();
        let other = format!("/social/engagement/comments?connection_id={connection}&post=615_9&target={COFFEE}");
        ada.get(&format!("{other}&cursor={cursor}")).await.refused(422, "invalid_input");
        ada.get(&format!("{of_publication}&cursor=x")).await.refused(422, "invalid_input");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_said_by_the_page_and_costs_five_credits() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("When do you open?").await;
        let done = stage.replied(&comment, "At seven, Ann", "hello", &BOTH_ENDS).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let said = stage.said();
        let [reply] = said.as_slice() else { panic!("one reply: {said:?}") };
        assert_eq!(
            (reply.message.as_str(), reply.parent_id.as_deref()),
            ("At seven, Ann", comment["vendor_id"].as_str())
        );
        assert_eq!((&done["receipt"]["id"], &done["price"]), (&json!(reply.id), &json!(5)));
        assert_eq!((&done["comment_vendor_id"], &done["target"]), (&comment["vendor_id"], &json!(COFFEE)));
        assert_eq!(stage.credits().await, (45, 0));
        // The same key asks for the same reply, though the comment has another id each time that it is listed.
        let again = stage.asked("And on Sunday?").await;
        let listed = stage::listed(&stage.ada, &stage.connection, &stage.post).await;
        let same = listed.iter().find(|item| item["vendor_id"] == comment["vendor_id"]).unwrap();
        assert_ne!(same["id"], comment["id"]);
        assert_eq!(stage.reply(same, "At seven, Ann", "hello").await.expect(202)["id"], done["id"]);
        stage.reply(same, "At eight, Ann", "hello").await.refused(409, "idempotency_key_reused");
        stage.reply(&again, "At seven, Ann", "hello").await.refused(409, "idempotency_key_reused");
        assert_eq!((stage.said().len(), stage.credits().await), (1, (45, 0)));
        // A reply to a reply hangs on the comment, and the page's own words are listed as well.
        let own = listed.iter().find(|item| item["vendor_id"] == done["receipt"]["id"]).expect("the reply is listed");
        assert_eq!(own["parent_vendor_id"], comment["vendor_id"]);
        let deeper = stage.replied(own, "And on Sunday at nine", "deeper", &BOTH_ENDS).await;
        assert_eq!(deeper["state"], "published", "{deeper:#}");
        assert_eq!(stage.said()[1].parent_id.as_deref(), comment["vendor_id"].as_str());
        assert_eq!(stage.credits().await, (40, 0));
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_and_posts_are_listed_apart() {
    for backend in BOTH {
        let stage = stage::set(backend, strict(), 50).await;
        let comment = stage.asked("When do you open?").await;
        let reply = stage.replied(&comment, "At seven", "key", &BOTH_ENDS).await;
        let id = reply["id"].as_str().unwrap();
        let items = async |path: &str| stage.ada.get(path).await.expect(200)["items"].as_array().unwrap().clone();
        let (posts, replies) = (items("/social/publications").await, items("/social/engagement/replies").await);
        assert_eq!((posts.len(), &posts[0]["id"]), (1, &json!(stage.publication)));
        assert_eq!((replies.len(), &replies[0]["id"], &replies[0]["text"]), (1, &json!(id), &json!("At seven")));
        stage.ada.get(&format!("/social/publications/{id}")).await.refused(404, "not_found");
        stage.ada.get(&format!("/social/engagement/replies/{}", stage.publication)).await.refused(404, "not_found");
        // What it did, and what it was charged for, is told.
        assert_eq!((&reply["steps"][0]["key"], &reply["steps"][0]["state"]), (&json!("reply"), &json!("done")));
        let charged = items("/credits/transactions").await;
        assert_eq!(charged[0]["description"], "Charged for comment reply");
    }
}
