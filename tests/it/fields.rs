//! Accounts that are connected by fields, at instances of the person's own choice.

mod receiver;
mod secrecy;
mod testing;
mod webhooks;

use crate::harness::{BOTH, Backend, Host, Person, settings};
use orla::connectors::Memories;
use orla::on;
use receiver::Receiver;
use serde_json::{Value, json};

const TOKEN: &str = "token-of-the-first-instance";
const OTHER_TOKEN: &str = "token-of-the-second-instance";
/// 24 bytes.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A host that may call these receivers.
async fn host(backend: Backend, receivers: &[&Receiver]) -> Host {
    let allowed: Vec<String> = receivers.iter().map(|receiver| receiver.address.clone()).collect();
    Host::start_with(backend, settings(), |config| {
        config.egress_allow.extend(allowed);
        Memories::Pooled
    })
    .await
}

fn instance(origin: &str, token: &str) -> Value {
    json!({"fields": {"instance": origin, "token": token}})
}

async fn connect(person: &Person, receiver: &Receiver, token: &str) -> Value {
    person.post("/social/connections/fields", &instance(&receiver.origin(), token)).await.expect(201)
}

/// How many connections and secrets the database holds, of everybody.
async fn stored(host: &Host) -> (i64, i64) {
    const CONNECTIONS: &str = "select count(*) from connections";
    const SECRETS: &str = "select count(*) from connection_secrets";
    let mut tx = host.app.db().read().await.unwrap();
    (
        on!(&mut tx, conn => sqlx::query_scalar(CONNECTIONS).fetch_one(conn).await).unwrap(),
        on!(&mut tx, conn => sqlx::query_scalar(SECRETS).fetch_one(conn).await).unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_published_to_connected_again_and_disconnected() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        let post = json!({"platform": "fields", "content": "Good day"});
        let told = ada.publish(&post, "early").await;
        assert!(told.body["detail"].as_str().unwrap().contains("POST /social/connections/fields"), "{}", told.body);
        told.refused(409, "not_connected");
        let first = connect(&ada, &receiver, TOKEN).await;
        assert_eq!(first["vendor_id"], format!("7@elsewhere.example@{}", receiver.address));
        assert_eq!((first["handle"].as_str(), first["state"].as_str()), (Some("ada"), Some("active")));
        let done = ada.published(&post, "first", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        assert_eq!(done["receipt"][0]["id"], "post-1", "{done:#}");
        // The token is made anew at the instance, and entered once more.
        receiver.tell(|wishes| wishes.token = "a-new-token".to_owned());
        let failed = ada.published(&post, "between", &["published", "failed"]).await;
        assert_eq!(failed["fault"]["kind"], "auth-expired", "{failed:#}");
        let second = connect(&ada, &receiver, "a-new-token").await;
        assert_eq!((&second["id"], &second["created_at"]), (&first["id"], &first["created_at"]));
        assert_eq!(stored(&host).await, (1, 2));
        let done = ada.published(&post, "again", &["published", "failed"]).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let path = format!("/social/connections/{}", first["id"].as_str().unwrap());
        assert_eq!(ada.call(reqwest::Method::DELETE, &path, None).await.status, 204);
        assert_eq!(stored(&host).await, (0, 0));
        assert_eq!(receiver.told().posts, ["Good day", "Good day"]);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_told_and_nothing_is_stored() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        let answer = ada.post("/social/connections/fields", &instance(&receiver.origin(), "not-the-token")).await;
        assert_eq!(
            answer.body["detail"],
            "`Access token` was not accepted (This access token is not valid here): make a new one at \
             https://instances.example/tokens and enter it."
        );
        assert_eq!(answer.body["field"], "fields/token");
        answer.refused(400, "invalid_field");
        // A server that is no instance at all.
        let answer = ada.post("/social/connections/fields", &instance(&host.sim.origin(), TOKEN)).await;
        answer.refused(502, "vendor_error");
        assert_eq!(stored(&host).await, (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_make_no_sense_are_named_and_nothing_is_stored() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        let origin = receiver.origin();
        for (fields, field, words) in [
            (json!({"instance": origin, "token": TOKEN, "colour": "red"}), "colour", "Instance (`instance`)"),
            (json!({"token": TOKEN}), "instance", "`Instance` is missing"),
            (json!({"instance": origin}), "token", "`Access token` is missing"),
            (json!({"instance": origin, "token": "  "}), "token", "`Access token` is missing"),
            (json!({"instance": origin, "token": "short"}), "token", "`Access token` must have at least 8"),
            (json!({"instance": origin, "token": "two\nlines and more"}), "token", "`Access token` must be one line"),
            (json!({"instance": "social.example", "token": TOKEN}), "instance", "`Instance` must be an address"),
            (json!({"instance": format!("{origin}/path"), "token": TOKEN}), "instance", "without a path"),
            (json!({"instance": "https://ada:pw@social.example", "token": TOKEN}), "instance", "user name"),
        ] {
            let answer = ada.post("/social/connections/fields", &json!({"fields": fields})).await;
            assert!(answer.body["detail"].as_str().unwrap().contains(words), "{fields}: {}", answer.body);
            assert_eq!(answer.body["field"], format!("fields/{field}"));
            answer.refused(400, "invalid_field");
        }
        for body in [json!({}), json!({"fields": {"token": 1}}), json!({"fields": {}, "other": 1})] {
            ada.post("/social/connections/fields", &body).await.refused(400, "malformed_request");
        }
        assert_eq!(stored(&host).await, (0, 0));
        assert_eq!(receiver.told().requests, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_inside_the_network_are_refused() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        // Nothing names this receiver, and the simulated OpenAI only as an endpoint that the operator moved.
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        let port = receiver.address.rsplit(':').next().unwrap();
        for origin in [
            receiver.origin(),
            format!("https://{}", receiver.address),
            format!("https://localhost:{port}"),
            format!("https://localhost.:{port}"),
            format!("https://2130706433:{port}"),
            format!("https://0x7f.1:{port}"),
            format!("https://[::1]:{port}"),
            format!("https://[::ffff:127.0.0.1]:{port}"),
            "https://169.254.169.254".to_owned(),
            "https://10.0.0.1".to_owned(),
            "https://93.184.216.34".to_owned(),
            "http://social.example".to_owned(),
            host.openai.origin(),
        ] {
            let answer = ada.post("/social/connections/fields", &instance(&origin, TOKEN)).await;
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.starts_with("`Instance` ") && !detail.contains(TOKEN), "{origin}: {detail}");
            answer.refused(400, "invalid_field");
            let hook = json!({"fields": {"url": format!("{origin}/hook"), "secret": SECRET}});
            ada.post("/social/connections/hook", &hook).await.refused(400, "invalid_field");
        }
        assert_eq!(stored(&host).await, (0, 0));
        assert_eq!(receiver.told().requests, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_connect_says_where_the_other_is() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        let answer = ada.post("/social/connections/twitter", &json!({"fields": {}})).await;
        assert!(answer.body["detail"].as_str().unwrap().contains("OAuth"), "{}", answer.body);
        answer.refused(409, "connect_by_oauth");
        let answer = ada.get("/social/oauth/fields/auth").await;
        assert!(answer.body["detail"].as_str().unwrap().contains("POST /social/connections/fields"), "{}", answer.body);
        answer.refused(409, "connect_by_fields");
        for platform in ["openai", "myspace"] {
            ada.post(&format!("/social/connections/{platform}"), &json!({"fields": {}}))
                .await
                .refused(404, "not_found");
        }
        let platforms = ada.get("/social/platforms").await.expect(200);
        let listed: Vec<(&str, &str)> = platforms["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| (item["platform"].as_str().unwrap(), item["auth"].as_str().unwrap()))
            .collect();
        let all = [("fields", "fields"), ("hook", "fields"), ("probe", "oauth2"), ("twitter", "oauth2")];
        assert_eq!(listed, all);
        let form = json!({
            "platform": "fields", "name": "Instances", "abilities": ["identity", "publish"], "auth": "fields",
            "fields": [
                {"name": "instance", "label": "Instance", "kind": "origin", "help": "Where you log in."},
                {"name": "token", "label": "Access token", "kind": "secret"},
            ],
            "obtained_at": "https://instances.example/tokens",
        });
        assert_eq!(platforms["items"][0], form);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_never_get_each_others_token() {
    for backend in BOTH {
        let (one, other) = (Receiver::start(TOKEN, SECRET).await, Receiver::start(OTHER_TOKEN, SECRET).await);
        let host = host(backend, &[&one, &other]).await;
        let (ada, ben) = (host.person("ada").await, host.person("ben").await);
        let ids = [connect(&ada, &one, TOKEN).await, connect(&ada, &other, OTHER_TOKEN).await];
        // The same account name at two instances is two accounts; a neighbour's is a third.
        let bens = connect(&ben, &other, OTHER_TOKEN).await;
        assert!(ids[0]["id"] != ids[1]["id"] && bens["id"] != ids[1]["id"]);
        let posts = (0..10).flat_map(|n| ids.each_ref().map(|connection| (n, connection["id"].clone())));
        let posts = posts.map(|(n, id)| {
            let ada = ada.clone();
            tokio::spawn(async move {
                let post = json!({"platform": "fields", "content": format!("post {n}"), "connection_id": id});
                ada.published(&post, &format!("{id} {n}"), &["published", "failed"]).await
            })
        });
        for post in posts.collect::<Vec<_>>() {
            let done = post.await.unwrap();
            assert_eq!(done["state"], "published", "{done:#}");
        }
        for (receiver, token) in [(&one, TOKEN), (&other, OTHER_TOKEN)] {
            let wishes = receiver.told();
            assert_eq!(wishes.posts.len(), 10);
            let own = format!("Bearer {token}");
            assert!(wishes.authorizations.iter().all(|sent| *sent == own), "{:?}", wishes.authorizations);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_finds_nothing() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        let host = host(backend, &[&receiver]).await;
        let (ada, mallory) = (host.person("ada").await, host.person("mallory").await);
        let connection = connect(&ada, &receiver, TOKEN).await;
        let path = format!("/social/connections/{}", connection["id"].as_str().unwrap());
        mallory.get(&path).await.refused(404, "not_found");
        mallory.call(reqwest::Method::DELETE, &path, None).await.refused(404, "not_found");
        mallory.post(&path, &instance(&receiver.origin(), TOKEN)).await.refused(404, "not_found");
        let post = json!({"platform": "fields", "content": "mine?", "connection_id": connection["id"]});
        mallory.publish(&post, "k").await.refused(404, "not_found");
        assert!(mallory.get("/social/connections").await.expect(200)["items"].as_array().unwrap().is_empty());
        ada.get(&path).await.expect(200);
        assert!(receiver.told().posts.is_empty());
    }
}
