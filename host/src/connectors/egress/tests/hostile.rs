//! Servers that answer slowly, endlessly or elsewhere.

use super::super::{ChosenBy, Connection, NoAnswer, Owner, Stage};
use super::stage::{Raw, body, egress, url};
use reqwest::{Method, Request, Response};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

/// What comes of fetching from a server.
async fn fetched(server: &Raw) -> Result<Response, NoAnswer> {
    egress(&[server]).fetch(server.url("/")).await
}

#[tokio::test]
async fn heads_have_an_end() {
    const BEGINNING: &str = "HTTP/1.1 200 OK\r\n";
    let huge: &'static str = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1 << 20)).leak();
    let many: &'static str = format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "x: y\r\n".repeat(200)).leak();
    for (what, server) in [
        ("endless headers", Raw::repeating(BEGINNING, "x: y\r\n").await),
        ("an endless header", Raw::repeating("HTTP/1.1 200 OK\r\nx: ", "y").await),
        ("an endless status line", Raw::repeating("HTTP/1.1 200 ", "O").await),
        ("endless answers before the answer", Raw::repeating("", "HTTP/1.1 103 Early Hints\r\n\r\n").await),
        ("a huge header", Raw::stalling_after(huge).await),
        ("many headers", Raw::stalling_after(many).await),
        ("half a head", Raw::stalling_after(BEGINNING).await),
        ("silence", Raw::stalling_after("").await),
        ("no http", Raw::stalling_after("220 mail.example.com ESMTP\r\n").await),
    ] {
        let none = fetched(&server).await.expect_err(what);
        assert_eq!(none.stage, Stage::Lost, "{what}: {none}");
    }
}

#[tokio::test]
async fn bodies_have_an_end() {
    let silent = Raw::stalling_after("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
    let why = body(fetched(&silent).await).await.expect_err("silence");
    assert_eq!(why, "the other side was silent for 500 ms");
    let short = Raw::doing(|mut stream| async move {
        super::stage::head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
    });
    let why = body(fetched(&short.await).await).await.expect_err("half a body");
    assert!(why.contains("before message completed") || why.contains("end of file"), "{why}");
    // Never silent, and never done.
    let endless = Raw::repeating("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n").await;
    let mut request = Request::new(Method::GET, endless.url("/"));
    *request.timeout_mut() = Some(Duration::from_millis(300));
    let answer = egress(&[&endless]).send(Owner::Host, request, Connection::Shared, ChosenBy::User).await;
    let why = body(answer).await.expect_err("an endless body");
    assert_eq!(why, "the answer took too long in all");
}

#[tokio::test]
async fn redirects_lead_nowhere_inside() {
    let inside = Raw::answering(OK).await;
    let port = inside.at.port();
    for target in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("//2130706433:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://user:password@example.com/".to_owned(),
        "http://example.com:25/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://example.com/".to_owned(),
        "data:text/plain,hi".to_owned(),
    ] {
        let answer = format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
        let server = Raw::answering(answer).await;
        let none = fetched(&server).await.expect_err("a redirect inwards");
        assert_eq!(none.stage, Stage::Forbidden, "{target}: {none}");
    }
    assert_eq!(inside.accepted(), 0);
}

#[tokio::test]
async fn redirects_end_and_carry_nothing() {
    let end = Raw::answering(OK).await;
    let answer = format!(
        "HTTP/1.1 307 Onwards\r\nlocation: {}\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n",
        end.url("/end")
    );
    let start = Raw::answering(answer).await;
    let answer = egress(&[&start, &end]).fetch(start.url("/start")).await;
    assert_eq!(body(answer).await.expect("an answer"), b"hi");
    let heads = [start.heads(), end.heads()].concat();
    assert_eq!(heads.len(), 2);
    assert!(heads[1].starts_with("get /end "), "{heads:?}");
    for head in heads {
        assert!(!head.contains("authorization") && !head.contains("cookie") && !head.contains("referer"), "{head}");
    }
    let circle = Raw::answering("HTTP/1.1 301 Round\r\nlocation: /\r\ncontent-length: 0\r\n\r\n").await;
    let none = fetched(&circle).await.expect_err("a circle");
    assert_eq!((none.stage, none.message.as_str()), (Stage::Forbidden, "more than 5 redirects"));
    assert_eq!(circle.heads().len(), 6);
}

#[tokio::test]
async fn a_signed_request_follows_nothing() {
    let end = Raw::answering(OK).await;
    let answer = format!("HTTP/1.1 307 Onwards\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", end.url("/"));
    let start = Raw::answering(answer).await;
    let mut request = Request::new(Method::POST, start.url("/"));
    request.headers_mut().insert("authorization", "Bearer secret".parse().expect("a header's value"));
    let owner = Owner::Connector("x".to_owned());
    let sent = egress(&[&start, &end]).send(owner, request, Connection::Fresh, ChosenBy::Operator).await;
    assert_eq!(sent.expect("an answer").status(), 307);
    assert_eq!((start.accepted(), end.accepted()), (1, 0));
}

#[tokio::test]
async fn connections_are_kept_for_their_owner_alone() {
    let server = Raw::answering(OK).await;
    let egress = egress(&[&server]);
    let ask = async |owner: &Owner, connection| {
        let request = Request::new(Method::GET, server.url("/"));
        let answer = egress.send(owner.clone(), request, connection, ChosenBy::Operator).await;
        assert_eq!(body(answer).await.expect("an answer"), b"hi");
        // A connection goes back to its pool in a task of its own.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        server.accepted()
    };
    let [x, y] = ["x", "y"].map(|id| Owner::Connector(id.to_owned()));
    assert_eq!(ask(&x, Connection::Shared).await, 1);
    assert_eq!(ask(&x, Connection::Shared).await, 1);
    assert_eq!(ask(&y, Connection::Shared).await, 2);
    assert_eq!(ask(&Owner::Host, Connection::Shared).await, 3);
    assert_eq!(ask(&x, Connection::Fresh).await, 4);
    assert_eq!(ask(&x, Connection::Fresh).await, 5);
    assert_eq!(ask(&y, Connection::Shared).await, 5);
}

#[tokio::test]
async fn an_endpoint_that_the_operator_moved_is_nothing_to_users() {
    let server = Raw::answering(OK).await;
    let mut config = crate::config::Config::default();
    let moved = [("api".to_owned(), format!("http://{}", server.at))].into();
    let connector = crate::config::ConnectorConfig { endpoints: moved, ..Default::default() };
    config.connectors.insert("x".to_owned(), connector);
    let egress = super::super::Egress::with(&config, super::stage::everything_at(&["127.0.0.1"])).expect("an egress");
    let ask = async |chosen_by| {
        let request = Request::new(Method::GET, server.url("/"));
        egress.send(Owner::Host, request, Connection::Shared, chosen_by).await
    };
    assert_eq!(body(ask(ChosenBy::Operator).await).await.expect("an answer"), b"hi");
    // Not even on the connection that is open.
    assert_eq!(ask(ChosenBy::User).await.expect_err("inside").stage, Stage::Forbidden);
    assert!(egress.look_up(&url("https://localhost/")).await.is_err());
}
