//! Cloud drives, end to end: the API, the connector `dropbox` and a strict simulator of Dropbox.

mod doctor;
mod restricted;
mod stage;

use crate::harness::BOTH;
use orla_vendors::dropbox::{Content, Fault, File, Mode, Settings, too_many_requests};
use serde_json::{Value, json};
use stage::{Stage, named, names, sha256};

/// More than two pages in one folder.
fn many() -> Vec<File> {
    (0..1_100).map(|n| File::new(&format!("/Many/{n:04}.txt"), Content::Text(n.to_string()))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drive_is_browsed_page_by_page_and_searched() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        stage.dropbox.change(|settings| settings.accounts[0].files.extend(many()));
        let ada = stage.connected("ada", "orla_demo").await;
        let root = stage.browse(&ada, &[]).await;
        assert_eq!(names(&root), ["Brand", "Campaigns", "Many", "Wave.gif"], "{root:#}");
        assert_eq!(root["next_cursor"], Value::Null);
        let gif = named(&root, "Wave.gif");
        assert_eq!((&gif["type"], &gif["content_type"]), (&json!("file"), &json!("image/gif")));
        assert_eq!((&gif["fetchable"], &gif["modified_at"]), (&json!(true), &json!("2026-01-02T03:04:05Z")));
        let brand = named(&root, "Brand");
        assert_eq!(
            (&brand["type"], &brand["size"], &brand["fetchable"]),
            (&json!("folder"), &Value::Null, &json!(false))
        );
        let inside = stage.browse(&ada, &[("folder_id", &brand["id"])]).await;
        assert_eq!(names(&inside), ["Größe “M” 🦀.png", "Guide.gdoc", "Logo.png"]);
        assert_eq!(named(&inside, "Größe “M” 🦀.png")["size"], 250_000);
        assert_eq!(named(&inside, "Guide.gdoc")["fetchable"], false);
        // Page by page, with a place that Dropbox gives up on the way.
        let many = named(&root, "Many")["id"].clone();
        let first = stage.browse(&ada, &[("folder_id", &many)]).await;
        let second = stage.browse(&ada, &[("folder_id", &many), ("cursor", &first["next_cursor"])]).await;
        let third = stage.browse(&ada, &[("folder_id", &many), ("cursor", &second["next_cursor"])]).await;
        let all: Vec<String> = [&first, &second, &third].into_iter().flat_map(names).collect();
        assert_eq!((all.len(), all[0].as_str(), all[1_099].as_str()), (1_100, "0000.txt", "1099.txt"));
        assert_eq!(third["next_cursor"], Value::Null);
        stage.dropbox.change(|settings| settings.resets = 1);
        let anew = stage.browse(&ada, &[("folder_id", &many), ("cursor", &first["next_cursor"])]).await;
        assert_eq!(names(&anew)[0], "0000.txt");
        // A cursor is of one list; a folder is a folder.
        stage.look(&ada, &[("cursor", &first["next_cursor"])]).await.refused(422, "invalid_input");
        stage.look(&ada, &[("folder_id", &gif["id"])]).await.refused(422, "invalid_input");
        // Words in names, everywhere and in a folder.
        let found = stage.browse(&ada, &[("query", &json!("größe"))]).await;
        assert_eq!(names(&found), ["Größe “M” 🦀.png"]);
        let found = stage.browse(&ada, &[("query", &json!("logo")), ("folder_id", &many)]).await;
        assert_eq!((names(&found).len(), &found["next_cursor"]), (0, &Value::Null));
        stage.look(&ada, &[("query", &json!("  "))]).await.refused(422, "invalid_input");
        // Dropbox asks to slow down.
        stage.dropbox.fault(Fault::on("POST", "/2/files/list_folder", too_many_requests(2)));
        stage.look(&ada, &[]).await.refused(503, "vendor_busy");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_uri_that_dropbox_does_not_know_is_told() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        let ada = stage.person("ada").await;
        let begun = ada.get("/cloud-storage/oauth/dropbox/auth").await;
        let cookie = begun.cookie.clone().unwrap();
        let back = stage.dropbox.authorize(begun.expect(200)["auth_url"].as_str().unwrap(), "orla_demo");
        stage.dropbox.change(|settings| settings.redirect_uris.clear());
        let answer = ada.http.get(back).header("cookie", cookie).send().await.unwrap();
        let (status, page) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 409, "{page}");
        let uri = format!("there: {}/cloud-storage/oauth/dropbox/callback Then begin again", stage.host.url);
        assert!(page.contains("redirect_uri mismatch") && page.contains(&uri), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_once_a_key_and_is_what_it_was() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        let ada = stage.connected("ada", "orla_demo").await;
        let brand = named(&stage.browse(&ada, &[]).await, "Brand")["id"].clone();
        let inside = stage.browse(&ada, &[("folder_id", &brand)]).await;
        let crab = named(&inside, "Größe “M” 🦀.png")["id"].clone();
        let imported = stage.import(&ada, &crab, Some("k")).await.expect(201);
        let bytes = stage.at_dropbox("/Brand/Größe “M” 🦀.png").await;
        assert_eq!((&imported["sha256"], &imported["size"]), (&json!(sha256(&bytes)), &json!(250_000)));
        assert_eq!((&imported["name"], &imported["content_type"]), (&json!("Größe “M” 🦀.png"), &json!("image/png")));
        // The same wish again, by another listing's id: nothing is fetched.
        let downloads = stage.dropbox.tally().downloads;
        let again = named(&stage.browse(&ada, &[("folder_id", &brand)]).await, "Größe “M” 🦀.png")["id"].clone();
        assert_ne!(again, crab);
        assert_eq!(stage.import(&ada, &again, Some("k")).await.expect(201)["id"], imported["id"]);
        assert_eq!(stage.dropbox.tally().downloads, downloads);
        let logo = named(&inside, "Logo.png")["id"].clone();
        stage.import(&ada, &logo, Some("k")).await.refused(409, "idempotency_key_reused");
        assert_ne!(stage.import(&ada, &crab, None).await.expect(201)["id"], imported["id"]);
        // What has no bytes.
        let guide = stage.import(&ada, &named(&inside, "Guide.gdoc")["id"], None).await;
        assert!(
            guide.body["detail"].as_str().is_some_and(|words| words.contains("no bytes to fetch")),
            "{}",
            guide.body
        );
        guide.refused(422, "invalid_input");
        stage.import(&ada, &brand, None).await.refused(422, "invalid_input");
        assert_eq!(stage.blobs().await, 2);
        // What is gone.
        stage.dropbox.change(|settings| settings.accounts[0].files.retain(|file| !file.path.ends_with("Logo.png")));
        stage.import(&ada, &logo, None).await.refused(404, "not_found");
        stage.host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_cut_leaves_nothing_and_can_be_repeated() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        stage.dropbox.change(|settings| settings.accounts[0].files.push(File::noise("/Large.bin", 5 << 20)));
        let ada = stage.connected("ada", "orla_demo").await;
        let large = named(&stage.browse(&ada, &[]).await, "Large.bin")["id"].clone();
        stage.dropbox.fault(Fault::on("*", "/2/files/download", Mode::TruncatedBody));
        let cut = stage.import(&ada, &large, Some("k")).await;
        assert!(cut.body["detail"].as_str().is_some_and(|words| words.contains("broke off")), "{}", cut.body);
        cut.refused(503, "vendor_busy");
        assert_eq!((stage.blobs().await, stage.stored_files()), (0, 0));
        let imported = stage.import(&ada, &large, Some("k")).await.expect(201);
        let bytes = stage.at_dropbox("/Large.bin").await;
        assert_eq!((&imported["size"], &imported["sha256"]), (&json!(5 << 20), &json!(sha256(&bytes))));
        assert_eq!((stage.blobs().await, stage.stored_files()), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_renewed_on_the_way_and_a_revoked_one_is_told() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        let ada = stage.connected("ada", "orla_demo").await;
        stage.dropbox.advance(5 * 3_600);
        let gif = named(&stage.browse(&ada, &[]).await, "Wave.gif")["id"].clone();
        assert_eq!(stage.dropbox.tally().refreshes, 1);
        stage.dropbox.expire_access_tokens();
        stage.import(&ada, &gif, None).await.expect(201);
        assert_eq!(stage.dropbox.tally().refreshes, 2);
        stage.dropbox.revoke_all();
        stage.look(&ada, &[]).await.refused(409, "connection_revoked");
        stage.look(&ada, &[]).await.refused(409, "connection_revoked");
        // Connecting again heals it.
        stage.connect(&ada, "orla_demo").await;
        stage.browse(&ada, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_revokes_at_dropbox_even_when_the_token_has_ended() {
    for (backend, access_lifetime_s) in BOTH.into_iter().zip([14_400, 30]) {
        let stage = Stage::set(backend, Settings { access_lifetime_s, ..Settings::default() }).await;
        let ada = stage.person("ada").await;
        stage.look(&ada, &[]).await.refused(409, "not_connected");
        stage.connect(&ada, "orla_demo").await;
        stage.dropbox.advance(31);
        assert_eq!(stage.disconnect(&ada, "").await.status, 204);
        assert_eq!(stage.dropbox.tally().revocations, 1);
        stage.look(&ada, &[]).await.refused(409, "not_connected");
        stage.disconnect(&ada, "").await.refused(409, "not_connected");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_accounts_has_to_be_named() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        let ada = stage.connected("ada", "orla_demo").await;
        stage.connect(&ada, "second_account").await;
        stage.look(&ada, &[]).await.refused(409, "ambiguous_target");
        let list = ada.get("/social/connections").await.expect(200);
        let (first, second) = (&list["items"][0]["id"], &list["items"][1]["id"]);
        assert_eq!(names(&stage.browse(&ada, &[("connection_id", first)]).await).len(), 3);
        assert!(names(&stage.browse(&ada, &[("connection_id", second)]).await).is_empty());
        let query = format!("?connection_id={}", second.as_str().unwrap());
        assert_eq!(stage.disconnect(&ada, &query).await.status, 204);
        stage.browse(&ada, &[]).await;
        let mallory = stage.connected("mallory", "second_account").await;
        stage.look(&mallory, &[("connection_id", first)]).await.refused(404, "not_found");
        // Networks are no drives.
        for path in ["oauth/twitter/auth", "browse/twitter", "browse/myspace"] {
            ada.get(&format!("/cloud-storage/{path}")).await.refused(404, "not_found");
        }
    }
}
