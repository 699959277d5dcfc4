//! Several nodes on one database share the work.

use super::receiver::{Got, Receiver};
use super::{endpoint, host, publish, settled};
use crate::harness::{Backend, Person};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_send_each_event_once() {
    let receiver = Receiver::start().await;
    let one = host(Backend::Postgres, &[&receiver]).await;
    let (two, three) = (one.another_node().await, one.another_node().await);
    let ada = one.connected("ada", "twitter").await;
    endpoint(&ada, &receiver, &[]).await;
    let wishes = (0..45).map(|n| {
        let url = [&one.url, &two.url, &three.url][n % 3].clone();
        let ada = Person { url, ..ada.clone() };
        tokio::spawn(async move { publish(&ada, &format!("post {n}")).await })
    });
    for wish in wishes.collect::<Vec<_>>() {
        assert_eq!(wish.await.unwrap()["state"], "published");
    }
    let took = receiver.takes(45).await;
    settled(&one).await;
    assert_eq!(receiver.got().len(), 45, "each once");
    assert_eq!(took.iter().map(Got::subject).collect::<BTreeSet<_>>().len(), 45);
    two.app.stop().await;
    three.app.stop().await;
    one.check_books().await;
}
