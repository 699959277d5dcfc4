//! What operators do by hand, the statement as a file, and the audit by a command.

use crate::harness::{BOTH, Host, Person, client, program};
use crate::operating::operator;
use orla::ledger;
use serde_json::{Value, json};
use std::process::{Command, Output};

async fn keyed(person: &Person, path: &str, key: &str, body: &Value) -> Value {
    let request = client().post(format!("{}{path}", person.url)).bearer_auth(&person.token);
    let response = request.header("idempotency-key", key).json(body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_give_correct_and_give_back_with_a_reason_and_a_record() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, operator) = (host.person("ada").await, operator(&host).await);
        let at = |what: &str| format!("/admin/credits/{}/{what}", ada.workspace);
        let given = json!({"credits": 30, "origin": "purchased", "reason": "Paid by bank transfer"});
        for is_new in [true, false] {
            let done = keyed(&operator, &at("grant"), "transfer", &given).await;
            assert_eq!((&done["is_new"], &done["balance"]["posted"]), (&json!(is_new), &json!(30)), "{done:#}");
        }
        let down = json!({"credits": -5, "reason": "Counted twice"});
        assert_eq!(operator.post(&at("adjust"), &down).await.expect(200)["balance"]["available"], 25);
        let written = ada.post("/social-caption/generate", &json!({"topic": "bread"})).await.expect(200);
        let path = format!("/credits/receipts/{}", written["id"].as_str().unwrap());
        let hold = ada.get(&path).await.expect(200)["hold_id"].clone();
        let back = json!({"hold_id": hold, "credits": 4, "reason": "It was bad"});
        for is_new in [true, false] {
            let done = operator.post(&at("refund"), &back).await.expect(200);
            assert_eq!((&done["is_new"], &done["balance"]["available"]), (&json!(is_new), &json!(19)), "{done:#}");
        }
        let receipt = ada.get(&path).await.expect(200);
        assert_eq!((&receipt["outcome"], &receipt["credits_refunded"]), (&json!("refunded"), &json!(4)), "{receipt:#}");
        let records = operator.get("/admin/records").await.expect(200);
        let actions: Vec<&str> =
            records["items"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["credits.refund", "credits.adjust", "credits.grant"], "{records:#}");
        assert!(records["items"][0]["actor"].as_str().unwrap().starts_with("user:"), "{records:#}");
        for (what, body) in [("grant", &given), ("adjust", &down), ("refund", &back)] {
            ada.post(&at(what), body).await.refused(403, "forbidden");
        }
        ada.get("/admin/records").await.refused(403, "forbidden");
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_operators_cannot_mean_is_refused() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, bob, operator) = (host.person("ada").await, host.person("bob").await, operator(&host).await);
        host.grant(bob.workspace, 10).await;
        let written = bob.post("/social-caption/generate", &json!({"topic": "bread"})).await.expect(200);
        let path = format!("/credits/receipts/{}", written["id"].as_str().unwrap());
        let hold = bob.get(&path).await.expect(200)["hold_id"].clone();
        let at = |what: &str| format!("/admin/credits/{}/{what}", ada.workspace);
        for credits in [0, -1, i64::MIN, i64::MAX] {
            let given = json!({"credits": credits, "reason": "r"});
            operator.post(&at("grant"), &given).await.refused(422, "invalid_input");
            let back = json!({"credits": credits, "reason": "r", "hold_id": hold});
            operator.post(&at("refund"), &back).await.refused(422, "invalid_input");
        }
        for credits in [0, -1, i64::MIN, i64::MAX] {
            operator
                .post(&at("adjust"), &json!({"credits": credits, "reason": "r"}))
                .await
                .refused(422, "invalid_input");
        }
        operator.post(&at("grant"), &json!({"credits": 1, "reason": ""})).await.refused(422, "invalid_input");
        let ended = json!({"credits": 1, "reason": "r", "expires_at": "2020-01-01T00:00:00Z"});
        operator.post(&at("grant"), &ended).await.refused(422, "invalid_input");
        // Of another workspace.
        let back = json!({"credits": 1, "reason": "r", "hold_id": hold});
        operator.post(&at("refund"), &back).await.refused(404, "not_found");
        let nobody = format!("/admin/credits/{}/grant", uuid::Uuid::now_v7());
        operator.post(&nobody, &json!({"credits": 1, "reason": "r"})).await.refused(404, "not_found");
        let transactions = ada.get("/credits/transactions").await.expect(200);
        assert_eq!(transactions["items"], json!([]));
        assert_eq!(operator.get("/admin/records").await.expect(200)["items"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statement_is_a_file_without_formulas() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, operator) = (host.person("ada").await, operator(&host).await);
        let empty = ada.get("/credits/export").await.expect(200);
        assert_eq!(empty.as_str().unwrap().lines().count(), 1, "{empty}");
        let mut tx = host.app.db().begin().await.unwrap();
        for n in 0..1_200 {
            let key = n.to_string();
            ledger::adjust(&mut tx, ada.workspace, 1, &key, "One more", host.app.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        let formula = json!({"credits": 7, "reason": "=HYPERLINK(\"http://evil\";\"a, b\")"});
        operator.post(&format!("/admin/credits/{}/grant", ada.workspace), &formula).await.expect(200);
        let file = ada.get("/credits/export").await.expect(200);
        let mut rows = csv::Reader::from_reader(file.as_str().unwrap().as_bytes());
        let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 1_201);
        assert_eq!((&rows[0][1], &rows[0][6], &rows[1_200][1], &rows[1_200][6]), ("adjust", "1", "grant", "1207"));
        assert!(rows[1_200][9].starts_with("'=HYPERLINK"), "{:?}", rows[1_200]);
        let later = ada.get("/credits/export?from=2099-01-01T00:00:00Z").await.expect(200);
        assert_eq!(later.as_str().unwrap().lines().count(), 1, "{later}");
        ada.get("/credits/export?from=yesterday").await.refused(400, "malformed_request");
    }
}

fn audit(host: &Host) -> Output {
    let config = host.app.config();
    let mut command = Command::new(program());
    command.env_clear().args(["ledger", "audit"]).env("ORLA_DATA", &config.data);
    command.env("DATABASE_URL", config.database_url.as_ref().unwrap()).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_says_in_a_sentence_where_the_books_break() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        host.grant(ada.workspace, 10).await;
        let right = audit(&host);
        assert!(right.status.success(), "{right:?}");
        assert_eq!(String::from_utf8_lossy(&right.stdout), "The ledger adds up.\n");
        let mut tx = host.app.db().begin().await.unwrap();
        let tamper = "update credit_accounts set posted = posted + 1";
        orla::on!(&mut tx, conn => sqlx::query(tamper).execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        let wrong = audit(&host);
        assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
        let said = String::from_utf8_lossy(&wrong.stderr);
        assert!(said.contains(&format!("workspace {} has 11 posted", ada.workspace)), "{said}");
    }
}
