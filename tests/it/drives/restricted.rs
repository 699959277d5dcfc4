//! A connection that is restricted to a folder, and ids that are nobody else's.

use super::stage::{Stage, named, names};
use crate::harness::{BOTH, Person};
use orla_vendors::dropbox::Settings;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_of_the_folder_is_shown_found_or_fetched() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        let ada = stage.connected("ada", "orla_demo").await;
        let root = stage.browse(&ada, &[]).await;
        let (campaigns, gif) = (named(&root, "Campaigns")["id"].clone(), named(&root, "Wave.gif")["id"].clone());
        let brand = named(&root, "Brand")["id"].clone();
        stage.restrict(&ada, &gif).await.refused(422, "invalid_input");
        stage.restrict(&ada, &json!("made-up")).await.refused(404, "not_found");
        assert_eq!(stage.restrict(&ada, &campaigns).await.status, 204);
        // What was handed out before names nothing any more, inside or outside.
        let before = stage.dropbox.requests().len();
        for id in [&brand, &campaigns] {
            stage.look(&ada, &[("folder_id", id)]).await.refused(404, "not_found");
        }
        stage.import(&ada, &gif, None).await.refused(404, "not_found");
        stage.restrict(&ada, &brand).await.refused(404, "not_found");
        assert_eq!(stage.dropbox.requests().len(), before, "nobody asked Dropbox");
        // The folder is the root now, and what is below it can be walked, found and fetched.
        let inside = stage.browse(&ada, &[]).await;
        assert_eq!(names(&inside), ["Spring"]);
        let spring = stage.browse(&ada, &[("folder_id", &named(&inside, "Spring")["id"])]).await;
        assert_eq!(names(&spring), ["Hills.jpg", "Teaser.mp4"]);
        let hills = stage.browse(&ada, &[("query", &json!("hills"))]).await;
        stage.import(&ada, &named(&hills, "Hills.jpg")["id"], None).await.expect(201);
        for outside in ["logo", "wave", "brand"] {
            assert!(names(&stage.browse(&ada, &[("query", &json!(outside))]).await).is_empty(), "{outside}");
        }
        // Connecting again lifts nothing; saying so does, and leaving it out says nothing.
        stage.connect(&ada, "orla_demo").await;
        assert_eq!(names(&stage.browse(&ada, &[]).await), ["Spring"]);
        let silent = ada.call(reqwest::Method::PUT, "/cloud-storage/connections/dropbox", Some(&json!({}))).await;
        silent.refused(400, "malformed_request");
        assert_eq!(stage.restrict(&ada, &Value::Null).await.status, 204);
        stage.import(&ada, &named(&hills, "Hills.jpg")["id"], None).await.refused(404, "not_found");
        assert_eq!(names(&stage.browse(&ada, &[]).await), ["Brand", "Campaigns", "Wave.gif"]);
        // No id of any time before comes back to life.
        stage.import(&ada, &gif, None).await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_out_before_a_change_never_holds_again() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        stage.dropbox.change(|settings| settings.accounts[0].files.extend(super::many()));
        let ada = stage.connected("ada", "orla_demo").await;
        let at_the_root = async |name: &str| named(&stage.browse(&ada, &[]).await, name)["id"].clone();
        let (before, first) = (at_the_root("Wave.gif").await, at_the_root("Many").await);
        assert_eq!(stage.restrict(&ada, &first).await.status, 204);
        let page = stage.browse(&ada, &[]).await;
        let (file, cursor) = (page["items"][0]["id"].clone(), page["next_cursor"].clone());
        assert_eq!(names(&stage.browse(&ada, &[("cursor", &cursor)]).await)[0], "0500.txt");
        let is_dead = async |what: &str| {
            for id in [&before, &file] {
                let answer = stage.import(&ada, id, None).await;
                assert_eq!(answer.status, 404, "{what}: {}", answer.body);
            }
            let answer = stage.look(&ada, &[("folder_id", &first)]).await;
            assert_eq!(answer.status, 404, "{what}: {}", answer.body);
            let answer = stage.look(&ada, &[("cursor", &cursor)]).await;
            assert_eq!(answer.status, 422, "{what}: {}", answer.body);
        };
        // Lifted, the same folder once more, and lifted again: all that was as it is now.
        assert_eq!(stage.restrict(&ada, &Value::Null).await.status, 204);
        is_dead("lifted").await;
        assert_eq!(stage.restrict(&ada, &at_the_root("Many").await).await.status, 204);
        is_dead("the same folder").await;
        assert_eq!(stage.restrict(&ada, &Value::Null).await.status, 204);
        is_dead("lifted again").await;
        // Lifting what is not there counts as well.
        let now = at_the_root("Wave.gif").await;
        assert_eq!(stage.restrict(&ada, &Value::Null).await.status, 204);
        stage.import(&ada, &now, None).await.refused(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_drive_is_restricted_to_is_shown_to_its_workspace_alone() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        let ada = stage.connected("ada", "orla_demo").await;
        let mallory = stage.person("mallory").await;
        // An account elsewhere is no drive.
        ada.connect(&stage.host.sim, "twitter", "orla_demo").await;
        let drives = async |person: &Person| {
            person.get("/cloud-storage/connections").await.expect(200)["items"].as_array().unwrap().clone()
        };
        let shown = drives(&ada).await;
        assert_eq!(
            (shown.len(), &shown[0]["platform"], &shown[0]["restricted_to"]),
            (1, &json!("dropbox"), &Value::Null)
        );
        let campaigns = named(&stage.browse(&ada, &[]).await, "Campaigns")["id"].clone();
        let earliest = json!(stage.host.app.now());
        assert_eq!(stage.restrict(&ada, &campaigns).await.status, 204);
        let shown = drives(&ada).await;
        assert_eq!(shown[0]["restricted_to"]["name"], "Campaigns");
        assert!(shown[0]["restricted_to"]["since"].as_str() >= earliest.as_str(), "{shown:#?}");
        assert!(shown[0]["vendor_id"].is_string() && !json!(shown).to_string().contains("root_folder"), "{shown:#?}");
        assert!(drives(&mallory).await.is_empty());
        assert_eq!(stage.restrict(&ada, &Value::Null).await.status, 204);
        assert_eq!(drives(&ada).await[0]["restricted_to"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_restrict_at_once_one_is_told() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        let ada = stage.connected("ada", "orla_demo").await;
        let root = stage.browse(&ada, &[]).await;
        let folders = [named(&root, "Brand")["id"].clone(), named(&root, "Campaigns")["id"].clone()];
        let wishes = (0..8).map(|n| stage.restrict(&ada, &folders[n % 2]));
        let answers = futures_util::future::join_all(wishes).await;
        let done = answers.iter().filter(|answer| answer.status == 204).count();
        assert_eq!(done, 1, "each names what was listed before any of them: {answers:#?}");
        for answer in answers {
            // Too late to be written, or to be read.
            assert!(matches!(answer.status.as_u16(), 204 | 404 | 409), "{answer:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_gone_is_told() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        let ada = stage.connected("ada", "orla_demo").await;
        let campaigns = named(&stage.browse(&ada, &[]).await, "Campaigns")["id"].clone();
        assert_eq!(stage.restrict(&ada, &campaigns).await.status, 204);
        stage.dropbox.change(|settings| settings.accounts[0].files.retain(|file| !file.path.starts_with("/Campaigns")));
        stage.look(&ada, &[]).await.refused(409, "root_folder_gone");
        assert_eq!(stage.restrict(&ada, &Value::Null).await.status, 204);
        assert_eq!(names(&stage.browse(&ada, &[]).await), ["Brand", "Wave.gif"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_cursors_are_nobody_elses() {
    for backend in BOTH {
        let stage = Stage::set(backend, Settings::default()).await;
        let (ada, mallory) = (stage.connected("ada", "orla_demo").await, stage.connected("mallory", "orla_demo").await);
        let (hers, his) = (stage.browse(&ada, &[]).await, stage.browse(&mallory, &[]).await);
        let (folder, file) = (&named(&hers, "Brand")["id"], &named(&hers, "Wave.gif")["id"]);
        stage.look(&mallory, &[("folder_id", folder)]).await.refused(404, "not_found");
        stage.import(&mallory, file, None).await.refused(404, "not_found");
        stage.restrict(&mallory, folder).await.refused(404, "not_found");
        // Nor is a vendor's own id, a made-up one, or one that was altered.
        let altered = format!("{}A", file.as_str().unwrap());
        let altered = altered.as_str();
        for made_up in ["id:a4ayc", "/Wave.gif", "", "AAAA", altered] {
            stage.import(&ada, &json!(made_up), None).await.refused(404, "not_found");
            stage.look(&ada, &[("cursor", &json!(made_up))]).await.refused(422, "invalid_input");
        }
        // A cursor is no id, and the other way round.
        stage.look(&ada, &[("cursor", file)]).await.refused(422, "invalid_input");
        assert_eq!((names(&hers), stage.blobs().await), (names(&his), 0));
    }
}
