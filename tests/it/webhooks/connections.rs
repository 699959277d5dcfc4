//! What is told of accounts: that they are connected, no longer honoured, and disconnected.

use super::receiver::Receiver;
use super::{endpoint, host};
use crate::harness::BOTH;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_told_of_from_beginning_to_end() {
    for backend in BOTH {
        let receiver = Receiver::start().await;
        let host = host(backend, &[&receiver]).await;
        let ada = host.person("ada").await;
        let types = ["connection.connected", "connection.revoked", "connection.disconnected"];
        endpoint(&ada, &receiver, &types).await;
        ada.connect(&host.sim, "twitter", "orla_demo").await;
        let told = receiver.takes(1).await[0].json();
        let connection = ada.get("/social/connections").await.expect(200)["items"][0].clone();
        for member in ["id", "platform", "connector", "handle"] {
            assert_eq!(told["data"][member], connection[member], "{told:#}");
        }
        host.sim.revoke_all();
        host.sim.expire_access_tokens();
        ada.publish(&json!({"platform": "twitter", "content": "lost"}), "k").await.expect(202);
        let revoked = receiver.takes(2).await[1].json();
        assert!(revoked["data"]["words"].is_string(), "{revoked:#}");
        ada.connect(&host.sim, "twitter", "orla_demo").await;
        receiver.takes(3).await;
        let way = format!("/social/connections/{}", connection["id"].as_str().unwrap());
        ada.delete(&way).await.expect(204);
        let took = receiver.takes(4).await;
        assert_eq!(receiver.kinds(), [types[0], types[1], types[0], types[2]]);
        let sequences: Vec<i64> = took.iter().map(|got| got.json()["sequence"].as_i64().unwrap()).collect();
        assert!(sequences.is_sorted_by(|one, next| one < next), "{sequences:?}");
        assert!(took.iter().all(|got| got.subject() == connection["id"].as_str().unwrap()));
    }
}
