//! Finding out what became of a status whose answer was lost, in the account's own list of statuses.

use crate::{API, Mastodon, Status, html, publish};
use orla_sdk::{
    Account, Attempt, Fault, FaultKind, Part, Reconcile, Response, Result, Variant, Verdict, pages, path, time,
};
use serde::Deserialize;

/// How far the server's clock may be behind ours.
const CLOCKS_DIFFER_MS: u64 = 5 * 60 * 1_000;

/// Statuses of a page, the most that a server gives at once.
const PAGE: usize = 40;

/// Most pages of statuses to read.
const MAX_PAGES: usize = 20;

impl Reconcile for Mastodon {
    fn reconcile(account: &Account, variant: &Variant, attempt: &Attempt) -> Result<Verdict> {
        let lost = Lost::new(variant, attempt)?;
        let mut seen_all = true;
        let first = || {
            let list = API.get(path!("/api/v1/accounts/{}/statuses", account.vendor_id));
            list.query("limit", PAGE.to_string()).query("exclude_reblogs", "true")
        };
        let ask = |link: Option<&str>| link.map_or_else(first, |link| API.follow(link));
        let next = |page: &Response| Ok(page.link("next").map(str::to_owned));
        for page in pages(MAX_PAGES, ask, next) {
            let page = page?;
            let statuses: Vec<Status> = page.json()?;
            // A full page without a link to the next one may hide what comes after it.
            let cut_off = statuses.len() >= PAGE && page.link("next").is_none();
            for status in statuses {
                if lost.is_older(&status)? {
                    return Ok(absent(seen_all));
                }
                match lost.is(&status)? {
                    Some(true) => return Ok(Verdict::Done(status.committed())),
                    Some(false) => {}
                    None => seen_all = false,
                }
            }
            seen_all &= !cut_off;
        }
        Ok(absent(seen_all))
    }
}

fn absent(seen_all: bool) -> Verdict {
    if seen_all { Verdict::Absent } else { Verdict::Unknown }
}

/// The status that is looked for.
struct Lost<'a> {
    part: &'a Part,
    reply_to: Option<&'a str>,
    attempt: &'a Attempt,
}

impl<'a> Lost<'a> {
    fn new(variant: &'a Variant, attempt: &'a Attempt) -> Result<Self> {
        let found = variant.parts.iter().enumerate().find(|(index, _)| publish::key(*index) == attempt.key);
        let (index, part) = found.ok_or_else(|| Fault::bug("No part of this post is committed with that key."))?;
        let reply_to = match index.checked_sub(1).map(publish::key) {
            None => None,
            Some(before) => {
                let earlier = attempt.earlier.iter().find(|(key, _)| *key == before);
                let (_, made) = earlier.ok_or_else(|| Fault::bug("The post before this one is not known."))?;
                Some(made.id.as_str())
            }
        };
        Ok(Self { part, reply_to, attempt })
    }

    /// Whether a status, and so all behind it in the list, is older than the attempt.
    fn is_older(&self, status: &Status) -> Result<bool> {
        let created_ms = time::rfc3339_ms(&status.created_at)
            .ok_or_else(|| Fault::vendor(format!("The status {} does not say when it was made.", status.id)))?;
        Ok(created_ms.saturating_add(CLOCKS_DIFFER_MS) < self.attempt.sent_at_ms)
    }

    /// Whether a status is the one; none where the server does not let us tell.
    fn is(&self, status: &Status) -> Result<Option<bool>> {
        let other = status.in_reply_to_id.as_deref() != self.reply_to
            || status.media_attachments.len() != self.part.media.len()
            || self.attempt.earlier.iter().any(|(_, made)| made.id == status.id);
        if other {
            return Ok(Some(false));
        }
        if html::says(&status.content, &self.part.text) {
            return Ok(Some(true));
        }
        // A server may show a text otherwise than it was written, such as with Markdown in it, so its source decides.
        Ok(source(&status.id)?.map(|text| text.trim() == self.part.text.trim()))
    }
}

/// The text that a status was made from; none at a server that does not tell.
fn source(id: &str) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Source {
        text: String,
    }
    match API.get(path!("/api/v1/statuses/{}/source", id)).read() {
        Ok(answer) => answer.json().map(|Source { text }| Some(text)),
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}
