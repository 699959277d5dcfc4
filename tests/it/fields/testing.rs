//! Trying out what a person entered.

use super::receiver::Receiver;
use super::{OTHER_TOKEN, SECRET, TOKEN, connect, host};
use crate::harness::BOTH;
use crate::testing::tested;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_asked_and_a_webhook_can_not_be() {
    for backend in BOTH {
        let receiver = Receiver::start(TOKEN, SECRET).await;
        let host = host(backend, &[&receiver]).await;
        let (ada, bob) = (host.person("ada").await, host.person("bob").await);
        connect(&ada, &receiver, TOKEN).await;
        let test = tested(&ada).await;
        assert_eq!((&test["works"], &test["account"]["handle"]), (&json!(true), &json!("ada")), "{test:#}");
        assert_eq!((&test["scopes"], &test["token"]), (&Value::Null, &Value::Null));
        receiver.tell(|wishes| wishes.token = OTHER_TOKEN.to_owned());
        let test = tested(&ada).await;
        assert_eq!((&test["works"], &test["fault"]["kind"]), (&json!(false), &json!("auth-expired")), "{test:#}");
        assert!(test["reconnect"].as_str().unwrap().contains("POST /social/connections/fields"), "{test:#}");
        assert!(!test.to_string().contains(TOKEN) && !test.to_string().contains(OTHER_TOKEN), "{test:#}");
        let filled = json!({"fields": {"url": receiver.hook(), "secret": SECRET}});
        bob.post("/social/connections/hook", &filled).await.expect(201);
        let before = receiver.told().requests;
        let test = tested(&bob).await;
        assert_eq!((&test["works"], receiver.told().requests), (&Value::Null, before), "{test:#}");
        assert!(test["summary"].as_str().unwrap().contains("the first post shows"), "{test:#}");
        assert!(!test.to_string().contains(SECRET), "{test:#}");
    }
}
