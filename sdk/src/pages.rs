//! Lists that come page by page.

use crate::{Fault, Request, Response, Result};
use std::collections::BTreeSet;
use std::fmt;

/// The pages of a list, one request each, made by [`pages`].
///
/// As an iterator it gives `Ok` a page, and ends with the list. What keeps the list from being read to its end is one
/// `Err`, after which it ends as well: a list is never silently shorter than it is.
///
/// ```
/// use orla_sdk::testing::{answer, play};
/// use orla_sdk::{Api, cursor, pages};
///
/// const API: Api = Api::new("api");
///
/// // The newest two pages of a list that goes on.
/// let played = play(
///     |_line| answer(200, &serde_json::json!({ "next": "b" })),
///     || pages(20, |at| API.get("/v1/posts").query("at", at.unwrap_or("a")), cursor("/next")).take(2).count(),
/// );
/// assert_eq!(played.result, 2);
/// ```
pub struct Pages<Ask, Next> {
    ask: Ask,
    next: Next,
    most: usize,
    read: usize,
    seen: BTreeSet<String>,
    turn: Turn,
}

/// What the iterator gives next.
enum Turn {
    First,
    At(String),
    Broken(Fault),
    Ended,
}

/// Reads a list page by page.
///
/// `ask` makes the request of the first page from `None`, and that of each further page from its cursor, which `next` finds
/// in the page before; a page without one is the last. The cursor is whatever the vendor calls it, or a link that the host
/// sealed in the answer (`links` in the manifest), which [`Api::follow`](crate::Api::follow) takes. [`cursor`] finds either
/// in a member.
///
/// The list ends in a fault `vendor` when a cursor comes back that was there before, and when there are more than `most`
/// pages: whoever looks for something must not take a part of a list for all of it. Whoever wants only the first pages
/// says [`take`](Iterator::take). A link is sealed anew in every answer, so a circle of links ends at `most`.
///
/// ```
/// use orla_sdk::testing::{answer, play};
/// use orla_sdk::{Api, Result, cursor, pages};
/// use serde_json::json;
///
/// const API: Api = Api::new("api");
///
/// /// The ids of all posts.
/// fn posts() -> Result<Vec<u64>> {
///     let ask = |after: Option<&str>| match after {
///         None => API.get("/v1/posts"),
///         Some(after) => API.get("/v1/posts").query("after", after),
///     };
///     let mut ids = Vec::new();
///     for page in pages(20, ask, cursor("/next")) {
///         let page: serde_json::Value = page?.json()?;
///         ids.extend(page["posts"].as_array().into_iter().flatten().filter_map(|post| post.as_u64()));
///     }
///     Ok(ids)
/// }
///
/// let played = play(
///     |line| match line {
///         "read GET /v1/posts" => answer(200, &json!({ "posts": [1, 2], "next": "b" })),
///         _ => answer(200, &json!({ "posts": [3], "next": null })),
///     },
///     posts,
/// );
/// assert_eq!(played.result, Ok(vec![1, 2, 3]));
/// assert_eq!(played.lines, ["read GET /v1/posts", "read GET /v1/posts?after=b"]);
/// ```
pub fn pages<'a, Ask, Next>(most: usize, ask: Ask, next: Next) -> Pages<Ask, Next>
where
    Ask: FnMut(Option<&str>) -> Request<'a>,
    Next: FnMut(&Response) -> Result<Option<String>>,
{
    Pages { ask, next, most, read: 0, seen: BTreeSet::new(), turn: Turn::First }
}

/// Finds the next page's cursor, or the link to it, in the member of a JSON answer that a pointer (RFC 6901) names. It is
/// a text or a number; without it, or where it is `null`, `false` or empty, the page is the last.
///
/// ```
/// use orla_sdk::{Api, Response, cursor, pages};
///
/// let next = cursor("/meta/next_token");
/// let page = Response::new(200, &[], r#"{ "data": [], "meta": { "next_token": "b26v89c19zqg8o3f" } }"#);
/// assert_eq!(next(&page), Ok(Some("b26v89c19zqg8o3f".to_owned())));
/// assert_eq!(next(&Response::new(200, &[], r#"{ "data": [], "meta": {} }"#)), Ok(None));
///
/// // A link to the next page, where the manifest has a link at the pointer `/paging/next` of this endpoint.
/// const API: Api = Api::new("api");
/// let all = pages(
///     20,
///     |link| link.map_or_else(|| API.get("/v1/pages"), |link| API.follow(link)),
///     cursor("/paging/next"),
/// );
/// # drop(all);
/// ```
pub fn cursor(pointer: &'static str) -> impl Fn(&Response) -> Result<Option<String>> {
    move |page| {
        let page: serde_json::Value = page.json()?;
        Ok(match page.pointer(pointer) {
            Some(serde_json::Value::String(cursor)) if !cursor.is_empty() => Some(cursor.clone()),
            Some(serde_json::Value::Number(cursor)) => Some(cursor.to_string()),
            _ => None,
        })
    }
}

impl<'a, Ask, Next> Pages<Ask, Next>
where
    Ask: FnMut(Option<&str>) -> Request<'a>,
    Next: FnMut(&Response) -> Result<Option<String>>,
{
    /// Reads a page and finds out what comes after it.
    fn read(&mut self, at: Option<&str>) -> Result<Response> {
        let page = (self.ask)(at).read()?;
        self.read += 1;
        if let Some(next) = (self.next)(&page)? {
            let (asked, most) = (page.asked(), self.most);
            self.turn = if !self.seen.insert(next.clone()) {
                Turn::Broken(Fault::vendor(format!(
                    "The vendor's list never ends: {asked} names an earlier page again."
                )))
            } else if self.read >= most {
                Turn::Broken(Fault::vendor(format!("The vendor's list has more than {most} pages; no more are read.")))
            } else {
                Turn::At(next)
            };
        }
        Ok(page)
    }
}

impl<'a, Ask, Next> Iterator for Pages<Ask, Next>
where
    Ask: FnMut(Option<&str>) -> Request<'a>,
    Next: FnMut(&Response) -> Result<Option<String>>,
{
    type Item = Result<Response>;

    /// Asks for the next page.
    fn next(&mut self) -> Option<Self::Item> {
        match std::mem::replace(&mut self.turn, Turn::Ended) {
            Turn::First => Some(self.read(None)),
            Turn::At(cursor) => Some(self.read(Some(&cursor))),
            Turn::Broken(fault) => Some(Err(fault)),
            Turn::Ended => None,
        }
    }
}

impl<'a, Ask, Next> std::iter::FusedIterator for Pages<Ask, Next>
where
    Ask: FnMut(Option<&str>) -> Request<'a>,
    Next: FnMut(&Response) -> Result<Option<String>>,
{
}

impl<Ask, Next> fmt::Debug for Pages<Ask, Next> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pages").field("read", &self.read).field("most", &self.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{cursor, pages};
    use crate::testing::{Answer, Played, answer, play};
    use crate::{Api, FaultKind, Response, Result};
    use serde_json::json;

    const API: Api = Api::new("api");

    /// Reads the whole list of a vendor, and gives the status of each page or the fault.
    fn all(most: usize, vendor: impl FnMut(&str) -> Answer + 'static) -> Played<Vec<Result<u16>>> {
        let ask = |at: Option<&str>| match at {
            None => API.get("/v1/posts"),
            Some(at) => API.get("/v1/posts").query("at", at),
        };
        let status = |page: Result<Response>| page.map(|page| page.status());
        play(vendor, move || pages(most, ask, cursor("/next")).map(status).collect())
    }

    #[test]
    fn a_list_is_read_to_its_end() {
        let played = all(3, |line| match line.rsplit('=').next() {
            Some("3") => answer(200, &json!({ "next": "" })),
            Some("2") => answer(200, &json!({ "next": 3 })),
            _ => answer(200, &json!({ "next": "2" })),
        });
        assert_eq!(played.result, [Ok(200), Ok(200), Ok(200)]);
        assert_eq!(played.lines[1..], ["read GET /v1/posts?at=2", "read GET /v1/posts?at=3"]);
    }

    #[test]
    fn a_list_that_is_too_long_says_so_and_asks_no_more() {
        let mut count = 0;
        let played = all(2, move |_line| {
            count += 1;
            answer(200, &json!({ "next": count }))
        });
        assert_eq!(played.lines.len(), 2);
        assert_eq!(played.result[..2], [Ok(200), Ok(200)]);
        let fault = played.result[2].as_ref().unwrap_err();
        assert_eq!((played.result.len(), fault.kind), (3, FaultKind::Vendor));
        assert!(fault.message.contains("more than 2 pages"), "{fault}");
    }

    #[test]
    fn a_cursor_that_comes_back_ends_the_list() {
        let played = all(9, |line| match line.rsplit('=').next() {
            Some("2") => answer(200, &json!({ "next": "3" })),
            _ => answer(200, &json!({ "next": "2" })),
        });
        assert_eq!((played.lines.len(), played.result.len()), (3, 4));
        let fault = played.result[3].as_ref().unwrap_err();
        assert_eq!(fault.message, "The vendor's list never ends: GET /v1/posts names an earlier page again.");
    }

    #[test]
    fn a_page_that_fails_or_cannot_be_read_ends_the_list() {
        let played = all(9, |line| match line.rsplit('=').next() {
            Some("2") => answer(503, &json!({})),
            _ => answer(200, &json!({ "next": "2" })),
        });
        assert_eq!(played.result.len(), 2);
        assert_eq!(played.result[1].as_ref().unwrap_err().kind, FaultKind::VendorDown);
        let played = all(9, |_line| Answer::Response(Response::new(200, &[], "<html>")));
        assert_eq!(played.result[0].as_ref().unwrap_err().kind, FaultKind::Vendor);
    }

    #[test]
    fn links_are_followed() {
        let played = play(
            |line| match line {
                "read GET /v1/posts" => answer(200, &json!({ "next": "orla-link:abc" })),
                _ => answer(200, &json!({})),
            },
            || {
                let ask = |link: Option<&str>| link.map_or_else(|| API.get("/v1/posts"), |link| API.follow(link));
                pages(9, ask, cursor("/next")).count()
            },
        );
        assert_eq!((played.result, played.lines[1].as_str()), (2, "read GET orla-link:abc"));
    }
}
