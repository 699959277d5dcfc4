//! Files of posts: each row once, however often its file is sent.

use crate::harness::{Answer, BOTH, Person, price};
use crate::schedules::stage::Stage;
use serde_json::{Value, json};
use std::time::Duration;

async fn send(person: &Person, query: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = person.http.post(format!("{}/social/import{query}", person.url)).bearer_auth(&person.token);
    Answer::of(request.header("content-type", kind).body(body).send().await.unwrap()).await
}

/// Sends a file, and waits until its rows were looked at.
async fn imported(person: &Person, query: &str, kind: &str, body: impl Into<reqwest::Body>) -> Value {
    let id = send(person, query, kind, body).await.expect(202)["id"].as_str().unwrap().to_owned();
    ended(person, &id).await
}

async fn ended(person: &Person, id: &str) -> Value {
    for _ in 0..400 {
        let import = person.get(&format!("/social/imports/{id}")).await.expect(200);
        if import["state"] != "running" {
            return import;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the import did not end");
}

/// The publications, by text and time, the earliest asked for first.
async fn published(person: &Person) -> Vec<(String, String)> {
    let listed = person.get("/social/publications?limit=100").await.expect(200);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let items = listed["items"].as_array().unwrap().iter().rev();
    items.map(|item| (text(&item["parts"][0]["text"]), text(&item["publish_at"]))).collect()
}

const FILE: &str = "\u{feff}platform;content;publish_at;zone;media_urls\r\n\
    twitter;=SUM(A1:A9) is no formula here;2027-03-28 02:30;Europe/Berlin;\r\n\
    twitter;\"Two lines,\r\nand a \"\"quote\"\"\";2027-10-31T02:30:00;Europe/Berlin;\r\n\
    twitter;@ann says hello;2027-06-01T09:00:00-04:00;;https://example.com/1.png https://example.com/2.png\r\n\
    ;;;;\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_twice_makes_one_set() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-02-01T06:00:00Z").await;
        let ada = &stage.ada;
        let trial = send(ada, "?dry_run=true", "text/csv", FILE).await.expect(200);
        assert_eq!((&trial["ok"], published(ada).await.len()), (&json!(3), 0), "{trial:#}");
        let wanted = [
            ("=SUM(A1:A9) is no formula here".to_owned(), "2027-03-28T01:30:00Z".to_owned()),
            ("Two lines,\r\nand a \"quote\"".to_owned(), "2027-10-31T00:30:00Z".to_owned()),
            ("@ann says hello".to_owned(), "2027-06-01T13:00:00Z".to_owned()),
        ];
        let first = imported(ada, "", "text/csv; charset=utf-8", FILE).await;
        assert_eq!(
            (&first["state"], &first["taken"], &first["total"]),
            (&json!("done"), &json!(3), &json!(3)),
            "{first:#}"
        );
        let again = imported(ada, "", "text/csv", FILE).await;
        assert_eq!((again["rows"].clone(), again["id"] == first["id"]), (first["rows"].clone(), false));
        // Also where a row was added before, and where the same came twice on purpose.
        let more = FILE.replace(
            "zone;media_urls\r\n",
            "zone;media_urls\r\ntwitter;first;2027-05-01T00:00:00Z;;\r\ntwitter;first;2027-05-01T00:00:00Z;;\r\n",
        );
        let more = imported(ada, "", "text/csv", more).await;
        assert_eq!(more["rows"][4]["publication_id"], first["rows"][2]["publication_id"]);
        let all = published(ada).await;
        assert_eq!((&all[..3], all.len()), (&wanted[..], 5), "{all:#?}");
        let bob = stage.host.person("bob").await;
        bob.get(&format!("/social/imports/{}", first["id"].as_str().unwrap())).await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_row_is_told_and_the_good_ones_are_taken_in() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-02-01T06:00:00Z").await;
        let (ada, row) = (&stage.ada, |more: Value| {
            let mut row =
                json!({"platform": "twitter", "content": "a post like others", "publish_at": "2027-03-01T09:00:00"});
            row.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
            row
        });
        let rows = json!([
            row(json!({"key": "good"})),
            row(json!({"publish_at": "2020-01-01T09:00:00"})),
            row(json!({"zone": "Mars/Olympus"})),
            row(json!({"content": "a".repeat(281)})),
            row(json!({"platform": "myspace"})),
            row(json!({"publish_at": "soon"})),
            row(json!({"surprise": 1})),
            row(json!({"connection_id": uuid::Uuid::now_v7()})),
            row(json!({"publish_at": "next_free_slot"})),
            row(json!({"key": "good", "content": "another post with the same key"})),
            row(json!({"key": "k".repeat(200)})),
            row(json!({"key": 1})),
            17,
            row(json!({"publish_at": null, "content": null, "parts": [{"text": "one"}, {"text": "two"}]})),
        ]);
        let expected = [
            None,
            Some("publish_at"),
            Some("zone"),
            Some("parts/0/text"),
            Some("platform"),
            None,
            None,
            None,
            None,
            None,
            Some("key"),
            None,
            None,
            None,
        ];
        let codes = [
            "",
            "invalid_input",
            "invalid_input",
            "invalid_input",
            "invalid_input",
            "malformed_request",
            "malformed_request",
            "not_found",
            "no_slots",
            "idempotency_key_reused",
            "invalid_input",
            "malformed_request",
            "malformed_request",
            "",
        ];
        let import = imported(ada, "?zone=Europe/Berlin", "application/json", rows.to_string()).await;
        for (index, (field, code)) in expected.iter().zip(codes).enumerate() {
            let row = &import["rows"][index];
            let state = if code.is_empty() { "taken" } else { "refused" };
            assert_eq!(
                (row["state"].as_str().unwrap(), row["code"].as_str().unwrap_or_default()),
                (state, code),
                "{row:#}"
            );
            assert_eq!(row["field"].as_str(), *field, "{row:#}");
        }
        assert_eq!((&import["state"], &import["taken"], &import["refused"]), (&json!("done"), &json!(2), &json!(12)));
        assert_eq!(published(ada).await[0], ("a post like others".to_owned(), "2027-03-01T08:00:00Z".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_tells_the_same_and_of_neighbours() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-02-01T06:00:00Z").await;
        let ada = &stage.ada;
        let row = json!({"platform": "twitter", "content": "a post like others", "publish_at": "2027-03-01T09:00:00"});
        let zoned = |mut row: Value| {
            row["zone"] = "Europe/Berlin".into();
            row
        };
        imported(ada, "", "application/json", json!([zoned(row.clone())]).to_string()).await;
        // Without a zone there is no saying when that is.
        let rows = json!([row, zoned(row.clone())]).to_string();
        let trial = send(ada, "?dry_run=true", "application/json", rows).await.expect(200);
        assert_eq!(
            (&trial["rows"][0]["problem"]["field"], &trial["ok"]),
            (&json!("publish_at"), &json!(1)),
            "{trial:#}"
        );
        assert_eq!(trial["rows"][1]["warnings"][0]["code"], "near_duplicate");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing_is_all_or_nothing() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-02-01T06:00:00Z").await;
        price(&stage.host.app, 3).await;
        stage.host.grant(stage.ada.workspace, 7).await;
        let ada = &stage.ada;
        let file = |count: usize, last: &str| {
            let rows: Vec<String> = (0..count)
                .map(|n| format!("twitter,post number {n} of many,2027-03-{:02}T09:00:00Z\n", n + 1))
                .collect();
            format!("platform,content,publish_at\n{}{last}", rows.concat())
        };
        // A row that cannot be; then more than there are credits for.
        let bad = imported(ada, "?all_or_nothing=true", "text/csv", file(2, "myspace,x,\n")).await;
        assert_eq!((&bad["state"], &bad["rows"][2]["field"]), (&json!("failed"), &json!("platform")), "{bad:#}");
        let dear = imported(ada, "?all_or_nothing=true", "text/csv", file(3, "")).await;
        let codes: Vec<&str> =
            dear["rows"].as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["not_taken", "not_taken", "insufficient_credits"]);
        assert_eq!((published(ada).await.len(), stage.balance().await), (0, (7, 0)));
        let good = imported(ada, "?all_or_nothing=true", "text/csv", file(2, "")).await;
        assert_eq!((&good["state"], stage.balance().await), (&json!("done"), (7, 6)), "{good:#}");
        // One by one, what can be paid for is taken in; what was taken in before is not paid for again.
        let part = imported(ada, "", "text/csv", file(3, "")).await;
        assert_eq!(
            (&part["state"], &part["taken"], stage.balance().await),
            (&json!("done"), &json!(2), (7, 6)),
            "{part:#}"
        );
        for publication in ada.get("/social/publications").await.expect(200)["items"].as_array().unwrap() {
            ada.post(&format!("/social/publications/{}/cancel", publication["id"].as_str().unwrap()), &json!({}))
                .await
                .expect(200);
        }
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_names_a_file_and_forms_are_read() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-02-01T06:00:00Z").await;
        let ada = &stage.ada;
        let keyed = async |content: &str| {
            let file = format!("platform,content,publish_at\ntwitter,{content},2027-03-01T09:00:00Z\n");
            let part = reqwest::multipart::Part::bytes(file.into_bytes()).file_name("posts.csv");
            let part = part.mime_str("application/vnd.ms-excel").unwrap();
            let request = ada.http.post(format!("{}/social/import", ada.url)).bearer_auth(&ada.token);
            let request =
                request.header("idempotency-key", "file").multipart(reqwest::multipart::Form::new().part("file", part));
            Answer::of(request.send().await.unwrap()).await
        };
        let (one, two) = tokio::join!(keyed("hello"), keyed("hello"));
        let id = one.expect(202)["id"].clone();
        assert_eq!(two.expect(202)["id"], id);
        keyed("another").await.refused(409, "idempotency_key_reused");
        assert_eq!(ended(ada, id.as_str().unwrap()).await["taken"], 1);
        assert_eq!(published(ada).await.len(), 1);
        let form = async |form: reqwest::multipart::Form| {
            let request = ada.http.post(format!("{}/social/import", ada.url)).bearer_auth(&ada.token);
            Answer::of(request.multipart(form).send().await.unwrap()).await
        };
        form(reqwest::multipart::Form::new()).await.refused(400, "malformed_request");
        form(reqwest::multipart::Form::new().text("other", "x")).await.refused(400, "malformed_request");
        form(reqwest::multipart::Form::new().text("file", "x")).await.refused(415, "unsupported_media_type");
        send(ada, "", "multipart/form-data", "no boundary").await.refused(400, "malformed_request");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_are_refused_in_words() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-02-01T06:00:00Z").await;
        let ada = &stage.ada;
        let many = format!("platform,content\n{}", "twitter,x\n".repeat(1_001));
        let huge = format!("platform,content\ntwitter,{}\n", "x".repeat(2 << 20));
        let bytes = |text: &str| text.as_bytes().to_vec();
        for (status, code, kind, body) in [
            (422, "invalid_input", "text/csv", b"platform,content\ntwitter,\xff\n".to_vec()),
            (422, "invalid_input", "text/csv", b"\xff\xfep\0".to_vec()),
            (422, "invalid_input", "text/csv", b"platform,content\ntwitter,a\0b\n".to_vec()),
            (422, "invalid_input", "text/csv", bytes("platform,surprise\ntwitter,x\n")),
            (422, "invalid_input", "text/csv", bytes("platform,content\n")),
            (422, "invalid_input", "text/csv", Vec::new()),
            (422, "invalid_input", "text/csv", many.into_bytes()),
            (413, "body_too_large", "text/csv", huge.into_bytes()),
            (400, "malformed_request", "application/json", bytes("[")),
            (400, "malformed_request", "application/json", bytes(&"[".repeat(200_000))),
            (422, "invalid_input", "application/json", bytes("{\"rows\": {}}")),
            (415, "unsupported_media_type", "text/plain", bytes("hello")),
            (415, "unsupported_media_type", "application/vnd.ms-excel", bytes("hello")),
        ] {
            send(ada, "", kind, body).await.refused(status, code);
        }
        send(ada, "?zone=Mars/Olympus", "text/csv", FILE).await.refused(422, "invalid_input");
        send(ada, "?surprise=1", "text/csv", FILE).await.refused(400, "malformed_request");
        // A text that is far too long is the row's mistake.
        let long = format!("platform,content\ntwitter,{}\n", "x".repeat(150_000));
        let import = imported(ada, "", "text/csv", long).await;
        assert_eq!(
            (&import["rows"][0]["state"], &import["rows"][0]["field"]),
            (&json!("refused"), &json!("parts/0/text"))
        );
        assert!(published(ada).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_after_the_host_was_off() {
    for backend in BOTH {
        let stage = Stage::at(backend, "2027-02-01T06:00:00Z").await;
        let rows: Vec<Value> = (0..150).map(|n| json!({"platform": "twitter", "content": format!("number {n}"), "publish_at": "2027-06-01T09:00:00Z"})).collect();
        let id = send(&stage.ada, "", "application/json", json!({"rows": rows}).to_string()).await.expect(202)["id"]
            .as_str()
            .unwrap()
            .to_owned();
        // Nothing waits for it to end: what was under way is cut off, or goes on.
        let stage = stage.off_until("2027-02-01T07:00:00Z").await;
        let import = ended(&stage.ada, &id).await;
        assert_eq!((&import["state"], &import["taken"]), (&json!("done"), &json!(150)));
        let mut publications: Vec<&str> =
            import["rows"].as_array().unwrap().iter().map(|row| row["publication_id"].as_str().unwrap()).collect();
        publications.sort_unstable();
        publications.dedup();
        assert_eq!(publications.len(), 150);
    }
}
