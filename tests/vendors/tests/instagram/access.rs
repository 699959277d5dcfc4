//! Who may do what.

use serde_json::json;

use crate::{ACCOUNT, ARCHIVE, Bench, MEDIA, SCOPES, code};

#[tokio::test]
async fn accounts_are_those_of_pages_and_shown_with_the_permission() {
    let bench = Bench::start().await;
    let fields = "me/accounts?fields=tasks,instagram_business_account{id,username}";
    let list = bench.person(SCOPES).read(fields).await;
    let accounts: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|page| &page["instagram_business_account"]).collect();
    assert_eq!(accounts[0], &json!({ "id": ACCOUNT, "username": "orla.coffee" }));
    assert!(accounts[1].is_null(), "the second page has none");
    assert_eq!(accounts[2]["id"], ARCHIVE);
    let account = bench.person(SCOPES).read(&format!("{ACCOUNT}?fields=username")).await;
    assert_eq!(account, json!({ "id": ACCOUNT, "username": "orla.coffee" }));
}

#[tokio::test]
async fn without_the_permission_no_account_is_shown() {
    let bench = Bench::start().await;
    let list = bench.person("pages_show_list").read("me/accounts?fields=instagram_business_account{id}").await;
    assert!(list["data"][0].get("instagram_business_account").is_none(), "{list}");
}

#[tokio::test]
async fn each_call_needs_its_permission_and_its_task() {
    let bench = Bench::start().await;
    let url = bench.picture("photo.jpg");
    let image = [("image_url", url.as_str())];
    let reader = bench.person("instagram_basic,pages_read_engagement");
    assert_eq!(code(reader.post(MEDIA, &image)).await, (10, 0));
    assert_eq!(code(reader.get(&format!("{ACCOUNT}/content_publishing_limit"))).await, (10, 0));
    let full = bench.person(SCOPES);
    assert_eq!(code(full.post(&format!("{ARCHIVE}/media"), &image)).await, (200, 0), "analysts do not post");
    assert_eq!(code(full.post("17841400000000009/media", &image)).await, (100, 33));
    assert_eq!(code(full.get(&format!("{ACCOUNT}/insights"))).await, (100, 0));
    assert_eq!(code(full.post(&format!("{ACCOUNT}/photos"), &image)).await, (2_500, 0));
    bench.sim.change_password(crate::PERSON);
    assert_eq!(code(full.post(MEDIA, &image)).await, (190, 460));
    assert_eq!(bench.sim.instagram_made().containers, 0);
}

#[tokio::test]
async fn a_proof_is_asked_for_and_looked_at() {
    let bench = Bench::of(orla_vendors::facebook::Settings { require_proof: true, ..Default::default() }).await;
    let person = bench.person(SCOPES);
    assert_eq!(code(person.get(&format!("{ACCOUNT}/media"))).await, (100, 0));
    assert_eq!(code(person.get(&format!("{ACCOUNT}/media?appsecret_proof=00"))).await, (100, 0));
}
