//! Folders in pages, and what has changed since.

use orla_vendors::dropbox::{Account, Content, File, Settings, TeamSpace};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{Bench, Caller, bad_input, body, each, sent, text};

impl Caller<'_> {
    /// All pages from this one on: their paths, and the last cursor.
    async fn pages(&self, first: Value) -> (Vec<Vec<String>>, String) {
        let (mut pages, mut page) = (Vec::new(), first);
        loop {
            pages.push(each(&page["entries"], "path_display"));
            let cursor = text(&page["cursor"]);
            if page["has_more"] == false {
                return (pages, cursor);
            }
            page = self.read("files/list_folder/continue", &json!({ "cursor": cursor })).await;
        }
    }
}

fn small(path: &str) -> File {
    File::new(path, Content::SquarePng)
}

#[tokio::test]
async fn a_folder_comes_in_pages_of_what_is_in_it() {
    let names = ["b.png", "A “quoted” 'n'.png", "Größe 🦀.png", "c/deep.png", "d.png"];
    let bench = Bench::of(names.iter().map(|name| small(&format!("/{name}"))).collect()).await;
    let caller = bench.caller().await;
    let first = caller.read("files/list_folder", &json!({ "path": "", "limit": 2 })).await;
    let (pages, _) = caller.pages(first.clone()).await;
    assert_eq!(pages, [vec!["/A “quoted” 'n'.png", "/b.png"], vec!["/c", "/d.png"], vec!["/Größe 🦀.png"]]);
    let again = caller.read("files/list_folder/continue", &json!({ "cursor": first["cursor"] })).await;
    assert_eq!(each(&again["entries"], "path_display"), ["/c", "/d.png"], "a cursor means the same each time");
    let tally = bench.sim.tally();
    assert_eq!((tally.lists, tally.list_continues), (1, 3));

    let all = caller.read("files/list_folder", &json!({ "path": "", "recursive": true })).await;
    assert_eq!(all["entries"].as_array().map(Vec::len), Some(6));
    let inner = caller.read("files/list_folder", &json!({ "path": "/C", "recursive": true })).await;
    assert_eq!(each(&inner["entries"], "path_display"), ["/c", "/c/deep.png"], "it begins with itself");
    let empty = caller.read("files/list_folder", &json!({ "path": "/c" })).await;
    assert_eq!(each(&empty["entries"], "name"), ["deep.png"]);
}

#[tokio::test]
async fn entries_have_all_that_is_documented() {
    let text_file = File::new("/Notes/Hello.TXT", Content::Text("Hello".to_owned())).modified("2025-12-31T23:59:59Z");
    let bench =
        Bench::of(vec![text_file, File::new("/Plan.gdoc", Content::Text(String::new())).exported_as("docx")]).await;
    let caller = bench.caller().await;
    let all = caller.read("files/list_folder", &json!({ "path": "", "recursive": true })).await;
    let [folder, file, plan] = &all["entries"].as_array().unwrap()[..] else { panic!("{all}") };
    assert_eq!((&folder[".tag"], &folder["name"], folder.get("size")), (&json!("folder"), &json!("Notes"), None));
    assert_eq!((&file[".tag"], &file["name"], &file["size"]), (&json!("file"), &json!("Hello.TXT"), &json!(5)));
    assert_eq!((&file["path_lower"], &file["path_display"]), (&json!("/notes/hello.txt"), &json!("/Notes/Hello.TXT")));
    assert_eq!(file["server_modified"], "2025-12-31T23:59:59Z");
    // SHA-256 of SHA-256 of "Hello".
    assert_eq!(file["content_hash"], Content::Text("Hello".to_owned()).content_hash());
    assert_eq!((&plan["is_downloadable"], &plan["export_info"]["export_as"]), (&json!(false), &json!("docx")));

    let without = json!({ "path": "", "include_non_downloadable_files": false });
    let without = caller.read("files/list_folder", &without).await;
    assert_eq!(each(&without["entries"], "name"), ["Notes"]);
    for path in [text(&file["id"]), format!("rev:{}", text(&file["rev"])), "/NOTES/hello.txt".to_owned()] {
        assert_eq!(caller.read("files/get_metadata", &json!({ "path": path })).await, *file);
    }
    let by_id = caller.read("files/list_folder", &json!({ "path": folder["id"] })).await;
    assert_eq!(each(&by_id["entries"], "name"), ["Hello.TXT"]);
}

#[tokio::test]
async fn a_cursor_tells_later_what_has_changed() {
    let bench = Bench::of(vec![small("/a.png"), small("/b.png")]).await;
    let caller = bench.caller().await;
    let first = caller.read("files/list_folder", &json!({ "path": "", "limit": 2 })).await;
    let (_, cursor) = caller.pages(first).await;
    let ask = async |cursor: &str| caller.read("files/list_folder/continue", &json!({ "cursor": cursor })).await;
    let calm = ask(&cursor).await;
    assert_eq!((&calm["entries"], &calm["has_more"]), (&json!([]), &json!(false)));

    bench.sim.change(|settings| {
        let files = &mut settings.accounts[0].files;
        files[0] = File::new("/a.png", Content::PhotoJpg);
        files[1] = small("/c/d.png");
        files.push(small("/e.png"));
    });
    let (pages, cursor) = caller.pages(ask(&text(&calm["cursor"])).await).await;
    assert_eq!(pages, [["/b.png", "/a.png"], ["/c", "/e.png"]]);
    let gone = ask(&text(&calm["cursor"])).await["entries"][0].take();
    assert_eq!((&gone[".tag"], &gone["name"]), (&json!("deleted"), &json!("b.png")));
    assert_eq!(ask(&cursor).await["entries"], json!([]));
}

#[tokio::test]
async fn a_cursor_can_be_invalidated_and_is_nobody_elses() {
    let bench = Bench::start().await;
    let caller = bench.caller().await;
    let first = caller.read("files/list_folder", &json!({ "path": "", "limit": 1 })).await;
    bench.sim.change(|settings| settings.resets = 1);
    let cursor = json!({ "cursor": first["cursor"] });
    let refusal = body(sent(caller.call("files/list_folder/continue", &cursor)).await, StatusCode::CONFLICT).await;
    assert_eq!((&refusal["error"][".tag"], &refusal["error_summary"]), (&json!("reset"), &json!("reset/..")));
    let words = bad_input(caller.call("files/list_folder/continue", &cursor)).await;
    assert!(words.contains("Invalid \"cursor\" parameter"), "{words}");
    let again = caller.read("files/list_folder", &json!({ "path": "", "limit": 1 })).await;

    let code = crate::parameter(&bench.sim.authorize(&bench.authorize_url(), "second_account"), "code");
    let tokens = body(bench.exchange(&code).await, StatusCode::OK).await;
    let other = Caller { bench: &bench, token: text(&tokens["access_token"]) };
    bad_input(other.call("files/list_folder/continue", &json!({ "cursor": again["cursor"] }))).await;
    let mine = other.read("files/list_folder", &json!({ "path": "" })).await;
    assert_eq!(mine["entries"], json!([]), "an account sees its own files");
}

#[tokio::test]
async fn a_large_folder_is_listed_whole() {
    let files = (0..5_000).map(|number| File::noise(&format!("/f/{number:04}.bin"), number)).collect();
    let bench = Bench::of(files).await;
    let caller = bench.caller().await;
    let (pages, _) = caller.pages(caller.read("files/list_folder", &json!({ "path": "/f" })).await).await;
    assert_eq!((pages.len(), pages.concat().len()), (10, 5_000));
    assert!(pages.concat().is_sorted());
}

#[tokio::test]
async fn a_team_space_is_seen_by_its_namespace() {
    let team =
        TeamSpace { name: "Acme".to_owned(), root_namespace_id: "7001".to_owned(), home_path: "/Orla Demo".to_owned() };
    let account = Account {
        team: Some(team),
        home_namespace_id: "7002".to_owned(),
        files: vec![small("/Orla Demo/Mine.png"), small("/Shared/Ours.png")],
        ..Account::new("orla_demo", "Orla Demo")
    };
    let bench = Bench::with(Settings { accounts: vec![account], ..Settings::default() }).await;
    let caller = bench.caller().await;
    let me = body(sent(caller.post("users/get_current_account")).await, StatusCode::OK).await;
    let info = json!({
        ".tag": "team", "root_namespace_id": "7001", "home_namespace_id": "7002", "home_path": "/Orla Demo",
    });
    assert_eq!((&me["root_info"], &me["account_type"][".tag"]), (&info, &json!("business")));

    let list = |root: &Value| {
        let request = caller.call("files/list_folder", &json!({ "path": "", "recursive": true }));
        if root.is_null() { request } else { request.header("dropbox-api-path-root", root.to_string()) }
    };
    let seen =
        async |root: Value| each(&body(sent(list(&root)).await, StatusCode::OK).await["entries"], "path_display");
    let everything = ["/Orla Demo", "/Orla Demo/Mine.png", "/Shared", "/Shared/Ours.png"];
    assert_eq!(seen(Value::Null).await, ["/Mine.png"]);
    assert_eq!(seen(json!({ ".tag": "home" })).await, ["/Mine.png"]);
    assert_eq!(seen(json!({ ".tag": "root", "root": "7001" })).await, everything);
    assert_eq!(seen(json!({ ".tag": "namespace_id", "namespace_id": "7002" })).await, ["/Mine.png"]);
    let refused = async |root: Value| body(sent(list(&root)).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(refused(json!({ ".tag": "root", "root": "7002" })).await["error"]["invalid_root"], info);
    let stranger = refused(json!({ ".tag": "namespace_id", "namespace_id": "9" })).await;
    assert_eq!(stranger["error_summary"], "no_permission/..");
    let shared = caller.read("files/list_folder", &json!({ "path": "ns:7001/shared" })).await;
    assert_eq!(each(&shared["entries"], "path_display"), ["/Shared/Ours.png"]);
    assert_eq!(caller.conflict("files/get_metadata", &json!({ "path": "/Shared" })).await["path"][".tag"], "not_found");
}
