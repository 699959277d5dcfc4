//! Looking for a status whose answer was lost.

use super::{account, address, status};
use crate::{Mastodon, html};
use orla_sdk::testing::{Answer, Played, answer, part, play, variant};
use orla_sdk::{Attempt, Committed, FaultKind, Reconcile, Response, Result, Variant, Verdict, time};
use serde_json::{Value, json};

const LIST: &str = "read GET /api/v1/accounts/14715/statuses?limit=40&exclude_reblogs=true";
const SOON: &str = "2026-05-04T09:00:02.000Z";
const BEFORE: &str = "2026-05-03T09:00:00.000Z";

fn lost(key: &str, earlier: &[(&str, &str)]) -> Attempt {
    let committed = |id: &str| Committed { id: id.to_owned(), url: None };
    let earlier = earlier.iter().map(|(key, id)| ((*key).to_owned(), committed(id))).collect();
    Attempt { key: key.to_owned(), sent_at_ms: time::rfc3339_ms("2026-05-04T09:00:00Z").unwrap(), earlier }
}

fn there(id: &str) -> Result<Verdict> {
    Ok(Verdict::Done(Committed { id: id.to_owned(), url: Some(address(id)) }))
}

fn texts(texts: &[&str]) -> &'static Variant {
    variant(texts.iter().map(|text| part(text, vec![])).collect())
}

/// Looks in a list of one page.
fn look(post: &'static Variant, attempt: Attempt, statuses: Vec<Value>) -> Played<Result<Verdict>> {
    let page = Value::Array(statuses);
    play(move |_line| answer(200, &page), move || Mastodon::reconcile(&account(), post, &attempt))
}

#[test]
fn a_status_with_the_text_is_the_one() {
    let statuses =
        vec![status("101", "<p>Other</p>", SOON, Some("5"), 0), status("100", "<p>Hello</p>", SOON, None, 0)];
    let played = look(texts(&["Hello"]), lost("part/0", &[]), statuses);
    assert_eq!((played.lines.as_slice(), played.result), (&[LIST.to_owned()][..], there("100")));
}

#[test]
fn an_older_status_with_the_text_is_another_one() {
    let statuses = vec![status("90", "<p>Hello</p>", BEFORE, None, 0)];
    assert_eq!(look(texts(&["Hello"]), lost("part/0", &[]), statuses).result, Ok(Verdict::Absent));
    assert_eq!(look(texts(&["Hello"]), lost("part/0", &[]), Vec::new()).result, Ok(Verdict::Absent));
}

#[test]
fn the_clocks_may_differ_by_minutes() {
    let statuses = vec![status("100", "<p>Hello</p>", "2026-05-04T08:57:00.000Z", None, 0)];
    assert_eq!(look(texts(&["Hello"]), lost("part/0", &[]), statuses).result, there("100"));
}

#[test]
fn a_post_of_a_thread_is_a_reply_to_the_one_before() {
    let statuses = || {
        vec![
            status("102", "<p>Same</p>", SOON, Some("101"), 0),
            status("101", "<p>Same</p>", SOON, Some("100"), 0),
            status("100", "<p>Same</p>", SOON, None, 0),
        ]
    };
    let thread = texts(&["Same", "Same", "Same"]);
    assert_eq!(look(thread, lost("part/0", &[]), statuses()).result, there("100"));
    assert_eq!(look(thread, lost("part/1", &[("part/0", "100")]), statuses()).result, there("101"));
    let last = lost("part/2", &[("part/0", "100"), ("part/1", "101")]);
    assert_eq!(look(thread, last, statuses()).result, there("102"));
}

#[test]
fn what_the_run_made_before_is_not_found_again() {
    let thread = texts(&["Same", "Same"]);
    let statuses = vec![status("100", "<p>Same</p>", SOON, None, 0)];
    assert_eq!(look(thread, lost("part/1", &[("part/0", "100")]), statuses).result, Ok(Verdict::Absent));
}

#[test]
fn a_status_with_other_media_is_another_one() {
    let statuses = vec![status("100", "<p>Hello</p>", SOON, None, 1)];
    assert_eq!(look(texts(&["Hello"]), lost("part/0", &[]), statuses).result, Ok(Verdict::Absent));
}

/// Looks in a list of two pages, the second of which answers this.
fn look_further(second: Answer) -> Played<Result<Verdict>> {
    let first = json!([status("102", "<p>Other</p>", SOON, Some("5"), 0)]).to_string();
    let link = [("link", r#"<orla-link:next>; rel="next""#)];
    let first = Answer::Response(Response::new(200, &link, first));
    let server = move |line: &str| if line == LIST { first.clone() } else { second.clone() };
    play(server, || Mastodon::reconcile(&account(), texts(&["Hello"]), &lost("part/0", &[])))
}

#[test]
fn further_pages_are_read() {
    let played = look_further(answer(200, &json!([status("100", "<p>Hello</p>", SOON, None, 0)])));
    assert_eq!((played.lines[1].as_str(), played.result), ("read GET orla-link:next", there("100")));
    assert_eq!(look_further(answer(200, &json!([]))).result, Ok(Verdict::Absent));
    let fault = look_further(answer(503, &json!({}))).result.unwrap_err();
    assert_eq!(fault.kind, FaultKind::VendorDown);
}

#[test]
fn nothing_is_read_behind_older_statuses() {
    let page = json!([status("90", "<p>Old</p>", BEFORE, None, 0)]).to_string();
    let page = Answer::Response(Response::new(200, &[("link", r#"<orla-link:next>; rel="next""#)], page));
    let look = || Mastodon::reconcile(&account(), texts(&["Hello"]), &lost("part/0", &[]));
    let played = play(move |_line| page.clone(), look);
    assert_eq!((played.lines.len(), played.result), (1, Ok(Verdict::Absent)));
}

#[test]
fn a_list_that_does_not_end_is_no_proof() {
    let mut page = 0;
    let server = move |_line: &str| {
        page += 1;
        let link = format!(r#"<orla-link:{page}>; rel="next""#);
        Answer::Response(Response::new(200, &[("link", link.as_str())], "[]"))
    };
    let played = play(server, || Mastodon::reconcile(&account(), texts(&["Hello"]), &lost("part/0", &[])));
    assert_eq!((played.lines.len(), played.result.unwrap_err().kind), (20, FaultKind::Vendor));
}

#[test]
fn a_full_page_without_a_next_one_is_no_proof() {
    let statuses = |count: usize| vec![status("102", "<p>Other</p>", SOON, Some("5"), 0); count];
    assert_eq!(look(texts(&["Hello"]), lost("part/0", &[]), statuses(40)).result, Ok(Verdict::Unknown));
    assert_eq!(look(texts(&["Hello"]), lost("part/0", &[]), statuses(39)).result, Ok(Verdict::Absent));
}

/// Looks for a text that the server shows otherwise, where its source answers this.
fn look_at_source(source: Answer) -> Played<Result<Verdict>> {
    let page = json!([status("100", "<p>Some <strong>bold</strong> words</p>", SOON, None, 0)]);
    let server = move |line: &str| if line == LIST { answer(200, &page) } else { source.clone() };
    play(server, || Mastodon::reconcile(&account(), texts(&["Some **bold** words"]), &lost("part/0", &[])))
}

#[test]
fn a_text_that_is_shown_otherwise_is_known_by_its_source() {
    let played = look_at_source(answer(200, &json!({ "id": "100", "text": "Some **bold** words\n" })));
    assert_eq!((played.lines[1].as_str(), played.result), ("read GET /api/v1/statuses/100/source", there("100")));
    let other = look_at_source(answer(200, &json!({ "id": "100", "text": "Some other words" })));
    assert_eq!(other.result, Ok(Verdict::Absent));
    assert_eq!(look_at_source(answer(404, &json!({}))).result, Ok(Verdict::Unknown));
    assert_eq!(look_at_source(answer(500, &json!({}))).result.unwrap_err().kind, FaultKind::VendorDown);
}

#[test]
fn what_cannot_be_looked_for_is_a_bug() {
    for attempt in [lost("part/7", &[]), lost("part/1", &[])] {
        let played = look(texts(&["One", "Two"]), attempt, Vec::new());
        assert_eq!((played.lines.len(), played.result.unwrap_err().kind), (0, FaultKind::Bug));
    }
}

#[test]
fn a_status_without_its_time_is_the_servers_fault() {
    let played = look(texts(&["Hello"]), lost("part/0", &[]), vec![json!({ "id": "1" })]);
    assert_eq!(played.result.unwrap_err().kind, FaultKind::Vendor);
}

#[test]
fn content_is_held_against_the_text() {
    let same = [
        ("<p>Hello</p>", "Hello"),
        ("<p>One<br>two<br />three</p><p>four</p>", "One\ntwo\nthree\n\nfour"),
        ("<p>1 &lt; 2 &amp;&amp; &quot;x&quot; &#39;y&#39; &#x2013;</p>", "1 < 2 && \"x\" 'y' –"),
        ("<p>R&D &nosuch; a&b</p>", "R&D &nosuch; a&b"),
        (r##"<p><a href="https://s.example/tags/tea" class="mention hashtag">#<span>tea</span></a></p>"##, "#tea"),
        (r#"<p>By <span><a href="https://o.example/@bob">@<span>bob</span></a></span>!</p>"#, "By @bob@o.example!"),
        (
            r#"<p><a href="https://t.example/m"><span class="invisible">https://</span><span>t.example/m</span></a></p>"#,
            "https://t.example/m",
        ),
    ];
    for (content, text) in same {
        assert!(html::says(content, text), "{content}");
    }
    for (content, text) in [("<p>Hello</p>", "Hallo"), ("<p>Hello", ""), ("<p>Hi &#xZZ;</p>", "Hi"), ("", "Hello")] {
        assert!(!html::says(content, text), "{content}");
    }
}
