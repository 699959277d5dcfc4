//! Sessions: refreshing, their end, and what does not pass for a token.

use super::host::Accounts;
use crate::harness::BOTH;
use axum::body::Body;
use axum::http::Request;
use orla::on;

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_rotates_and_a_reuse_ends_the_session() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let first = host.signed_in("ann@example.com").await;
        host.wait(5);
        let second = host.refresh(&first.refresh).await.expect(200).tokens();
        assert_ne!(first.refresh, second.refresh);
        host.wait(9);
        let raced = host.refresh(&first.refresh).await.expect(200).tokens();
        host.refresh(&first.access).await.expect(401);
        host.get("/auth/me", &raced.refresh).await.expect(401);
        // The raced token is the current one: it and `second` are of one rotation.
        let third = host.refresh(&raced.refresh).await.expect(200).tokens();
        host.get("/auth/me", &third.access).await.expect(200);
        host.wait(11);
        host.refresh(&second.refresh).await.expect(401);
        host.get("/auth/me", &third.access).await.expect(401);
        host.refresh(&third.refresh).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_refreshes_at_once_rotate_once() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let first = host.signed_in("ann@example.com").await.refresh;
        for answer in futures_util::future::join_all((0..20).map(|_| host.refresh(&first))).await {
            answer.expect(200);
        }
        let mut tx = host.app.db().read().await.unwrap();
        let live: i64 = on!(&mut tx, conn =>
            sqlx::query_scalar("select count(*) from sessions where revoked_at is null").fetch_one(conn).await)
        .unwrap();
        assert_eq!(live, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_elsewhere_holds_within_a_second() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let session = host.signed_in("ann@example.com").await;
        host.get("/auth/me", &session.access).await.expect(200);
        host.execute("update sessions set revoked_at = 1").await;
        host.get("/auth/me", &session.access).await.expect(200);
        host.wait(1);
        host.get("/auth/me", &session.access).await.expect(401);
        host.refresh(&session.refresh).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_expire() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let session = host.signed_in("ann@example.com").await;
        host.wait(3599);
        host.get("/auth/me", &session.access).await.expect(200);
        host.wait(1);
        let expired = host.get("/auth/me", &session.access).await.expect(401);
        assert_eq!(expired.headers["www-authenticate"], "Bearer");
        host.wait(30 * 86_400 - 3601);
        host.refresh(&session.refresh).await.expect(200);
        let session = host.signed_in("ben@example.com").await;
        host.wait(30 * 86_400);
        host.refresh(&session.refresh).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_does_not_sign_in() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        for header in ["Basic abc", "Bearer", "Bearer ", "Bearer a.b.c", "garbled"] {
            let request = Request::get("/auth/me").header("authorization", header);
            let answer = host.send(request.body(Body::empty()).unwrap()).await.expect(401);
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
        host.send(Request::get("/auth/me").body(Body::empty()).unwrap()).await.expect(401);
    }
}
