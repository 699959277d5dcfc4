//! The way of an account: registering, proving the address, logging in, and who may not.

mod host;
mod operators;
mod sessions;

use crate::harness::BOTH;
use axum::body::Body;
use axum::http::{Method, Request};
use host::Accounts;
use orla::identity::verification;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_registers_verifies_logs_in_and_out() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let new = json!({"email": "Ann@Example.com", "password": "Passw0rd", "name": "Ann's"});
        host.post("/auth/register", new).await.expect(201);
        assert_eq!(host.planned().await.len(), 1);
        host.mail_links().await;
        host.login("ann@example.com", "Passw0rd").await.expect(403);
        host.login("ann@example.com", "Passw0rb").await.expect(401);
        host.verify(&host.newest_token()).await.expect(200);
        let login = host.login("ANN@example.com", "Passw0rd").await.expect(200);
        assert_eq!((&login.body["token_type"], &login.body["expires_in"]), (&json!("bearer"), &json!(3600)));
        assert_eq!(login.headers["cache-control"], "no-store");
        let access = login.tokens().access;
        let me = host.get("/auth/me", &access).await.expect(200).body;
        assert_eq!(me["id"], me["workspace"]["id"]);
        assert_eq!((&me["email"], &me["role"]), (&json!("Ann@Example.com"), &json!("user")));
        assert_eq!(me["workspace"]["name"], "Ann's");
        let balance = host.get("/credits/balance", &access).await.expect(200).body;
        assert_eq!([&balance["posted"], &balance["held"], &balance["available"]], [1000, 0, 1000]);
        host.call(Method::POST, "/auth/logout", &access).await.expect(204);
        host.get("/auth/me", &access).await.expect(401);
        let mut tx = host.app.db().read().await.unwrap();
        assert!(orla::ledger::audit(&mut tx).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_again_is_answered_alike_and_mailed_once_a_minute_until_verified() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let first = host.register("ann@example.com", "Passw0rd").await.expect(201).body;
        host.mail_links().await;
        for (seconds, mails) in [(0, 0), (59, 0), (1, 1)] {
            host.wait(seconds);
            let again = host.register("Ann@example.com", "0therPass").await.expect(201).body;
            assert_eq!((again, host.planned().await.len()), (first.clone(), mails), "{seconds} s later");
        }
        host.mail_links().await;
        host.verify(&host.newest_token()).await.expect(200);
        host.wait(61);
        assert_eq!(host.register("ann@example.com", "Passw0rd").await.expect(201).body, first);
        assert_eq!((host.planned().await.len(), host.mails().len()), (0, 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_registrations_at_once_are_mailed_once() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        host.register("ann@example.com", "Passw0rd").await.expect(201);
        host.mail_links().await;
        host.wait(61);
        let all = (0..8).map(|_| host.register("ann@example.com", "Passw0rd"));
        for answer in futures_util::future::join_all(all).await {
            answer.expect(201);
        }
        assert_eq!(host.planned().await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn within_a_minute_the_link_under_way_sets_its_own_password() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let link = host.register_for_link("ann@example.com", "F1rstPass").await;
        host.register("ann@example.com", "Sec0ndPass").await.expect(201);
        host.verify(&link).await.expect(200);
        host.login("ann@example.com", "Sec0ndPass").await.expect(401);
        host.login("ann@example.com", "F1rstPass").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_expire() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let link = host.register_for_link("ann@example.com", "Passw0rd").await;
        host.wait(24 * 3600);
        let expired = "This link has expired. Register again to be sent a new one.";
        let late = host.verify(&link).await.expect(422).body;
        assert_eq!((&late["field"], &late["detail"]), (&json!("token"), &json!(expired)));
        let next = host.register_for_link("ann@example.com", "Passw0rd").await;
        // Its row is gone by now, yet it is known for ours.
        assert_eq!(host.verify(&link).await.expect(422).body["detail"], expired);
        host.verify(&next).await.expect(200);
        host.login("ann@example.com", "Passw0rd").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_mailed_alike_twice_and_opened_again_without_harm() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        host.register("ann@example.com", "Passw0rd").await.expect(201);
        let [link] = host.planned().await[..] else { panic!("one link is planned") };
        verification::send(&host.app, link).await.unwrap();
        let first = host.newest_token();
        verification::send(&host.app, link).await.unwrap();
        assert_eq!((host.mails().len(), &host.newest_token()), (2, &first));
        let path = format!("/auth/verify-email?token={first}");
        for _ in 0..2 {
            host.send(Request::get(&path).body(Body::empty()).unwrap()).await.expect(200);
            host.verify(&first).await.expect(200);
        }
        verification::send(&host.app, link).await.unwrap();
        assert_eq!(host.mails().len(), 2, "a link that does not count any more is not mailed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_we_did_not_make_is_refused() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let link = host.register_for_link("ann@example.com", "Passw0rd").await;
        let (id, mac) = link.split_once('.').unwrap();
        let elsewhere = Accounts::fresh(backend).await.register_for_link("ann@example.com", "Passw0rd").await;
        let (_, another_mac) = elsewhere.split_once('.').unwrap();
        let altered = if mac.starts_with('A') { mac.replacen('A', "B", 1) } else { format!("A{}", &mac[1..]) };
        let forged = [
            String::new(),
            "nonsense".to_owned(),
            ".".to_owned(),
            id.to_owned(),
            format!("{id}."),
            format!("{id}.{}", &mac[..mac.len() - 2]),
            format!("{id}.{altered}"),
            format!("{id}.{another_mac}"),
            format!("{link}.{mac}"),
            elsewhere.clone(),
        ];
        for token in forged {
            let answer = host.verify(&token).await.expect(422).body;
            assert!(answer["detail"].as_str().unwrap().starts_with("This link is not one of ours."), "{answer}");
        }
        host.login("ann@example.com", "Passw0rd").await.expect(403);
        host.verify(&link).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_registers_first_does_not_choose_the_password() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let strangers = host.register_for_link("ann@example.com", "Str4nger").await;
        host.wait(61);
        let anns = host.register_for_link("ann@example.com", "Passw0rd").await;
        host.verify(&anns).await.expect(200);
        host.login("ann@example.com", "Str4nger").await.expect(401);
        host.login("ann@example.com", "Passw0rd").await.expect(200);
        // Void: it is answered as any link of a verified account, and changes nothing.
        host.verify(&strangers).await.expect(200);
        host.login("ann@example.com", "Str4nger").await.expect(401);
        host.login("ann@example.com", "Passw0rd").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_registers_last_does_not_choose_the_password_of_another_link() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let anns = host.register_for_link("ann@example.com", "Passw0rd").await;
        host.wait(61);
        let strangers = host.register_for_link("ann@example.com", "Str4nger").await;
        assert_ne!(anns, strangers);
        host.verify(&anns).await.expect(200);
        host.verify(&strangers).await.expect(200);
        host.login("ann@example.com", "Str4nger").await.expect(401);
        host.login("ann@example.com", "Passw0rd").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_links_opened_at_once_one_counts() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let one = host.register_for_link("ann@example.com", "F1rstPass").await;
        host.wait(61);
        let two = host.register_for_link("ann@example.com", "Sec0ndPass").await;
        let opened = (0..10).map(|turn| host.verify(if turn % 2 == 0 { &one } else { &two }));
        for answer in futures_util::future::join_all(opened).await {
            answer.expect(200);
        }
        let mut logins = Vec::new();
        for password in ["F1rstPass", "Sec0ndPass"] {
            logins.push(host.login("ann@example.com", password).await.status);
        }
        logins.sort_unstable();
        assert_eq!(logins, [200, 401]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        host.signed_in("ann@example.com").await;
        for _ in 0..10 {
            host.login("ann@example.com", "Wr0ngpass").await.expect(401);
        }
        let refused = host.login("Ann@example.com", "Passw0rd").await.expect(429);
        assert_eq!(refused.headers["retry-after"], "30");
        host.wait(30);
        host.login("ann@example.com", "Passw0rd").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_that_cannot_be_read_are_refused_in_our_words() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let large = vec![b' '; (1 << 20) + 1];
        let bodies: [(&[u8], &str, u16); 11] = [
            (b"{", "application/json", 400),
            (b"", "application/json", 400),
            (b"\xff\xfe", "application/json", 400),
            (b"{\"email\": \"\xff\"}", "application/json", 400),
            (br#"{"email": "a@b.c", "password": "Passw0rd", "role": "system_admin"}"#, "application/json", 400),
            (br#"{"email": 1}"#, "application/json", 400),
            (b"[]", "application/json", 400),
            (b"{}", "text/plain", 415),
            (br#"{"email": "a@b.c", "password": "short"}"#, "application/json", 422),
            (br#"{"email": "nonsense", "password": "Passw0rd"}"#, "application/json", 422),
            (&large, "application/json", 413),
        ];
        for (body, kind, status) in bodies {
            let request = Request::post("/auth/register").header("content-type", kind);
            let answer = host.send(request.body(Body::from(body.to_vec())).unwrap()).await.expect(status).body;
            let told = |name: &str| answer[name].as_str().is_some_and(|text| !text.is_empty());
            assert!(told("detail") && told("code"), "{answer}");
        }
        assert!(host.planned().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_cannot_be_asked_for_are_refused() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let access = host.signed_in("ann@example.com").await.access;
        let page = host.get("/credits/transactions?limit=1", &access).await.expect(200).body;
        assert_eq!((page["items"].as_array().unwrap().len(), &page["next_cursor"]), (1, &Value::Null));
        for (query, status) in [("limit=0", 422), ("limit=x", 400), ("cursor=x", 400), ("page=1", 400)] {
            host.get(&format!("/credits/transactions?{query}"), &access).await.expect(status);
        }
    }
}
