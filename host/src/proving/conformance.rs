//! What is true of every connector, whatever its vendor: held against it with inputs and answers that no case has.

mod films;

use super::asked::{Answer, LostAnswer, VideoAsk};
use super::case::{Ask, Call, Case, Delivery, Look, Part, Post};
use super::course::{self, Course, script};
use super::ends::End;
use super::outcome;
use super::plot::Plot;
use super::report::{Flaw, Line, Report, count};
use super::stand::Stand;
use crate::connectors::Inspection;
use crate::connectors::blob::{Blob, Shape};
use crate::connectors::fault::FaultKind;
use crate::connectors::filming::VideoWish;
use crate::connectors::variant::{Variant, VariantMedium, VariantMore, VariantPart};
use crate::connectors::work::Verdict;
use crate::id::BlobId;
use orla_manifest::Publishing;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Statuses that a vendor may answer with and no case has to have.
const STATUSES: [u16; 14] = [302, 400, 401, 402, 403, 404, 408, 409, 413, 422, 451, 500, 501, 502];
/// Those of them that are tried with what is out of the ordinary.
const FEW_STATUSES: [u16; 2] = [400, 500];
/// Longest thread that is tried.
const MAX_PARTS: usize = 1_000;

/// Texts that people do write, and some that they should not.
fn strange_texts() -> Vec<(&'static str, String)> {
    vec![
        ("an empty text", String::new()),
        ("a text of blanks", " \n\t\u{a0}\u{3000}".to_owned()),
        ("a text of 100,000 letters", "a".repeat(100_000)),
        ("a text of 100,000 letters outside of ASCII", "Ж".repeat(100_000)),
        ("emoji", "👨‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿🇬🇧❤️".repeat(50)),
        ("letters with combining marks", format!("Z{}", "\u{301}\u{323}".repeat(500))),
        ("text from right to left", "\u{202e}שלום עליכם \u{2067}السلام عليكم\u{2069} abc\u{200f}".to_owned()),
        ("control characters", "a\0b\u{1}\u{7f}\u{85}\u{feff}\u{fffd}\u{10ffff}".to_owned()),
        ("what other formats escape", r#"</p><!-- "quoted" \u0000 &amp; %00 ${x} {{y}} \' ; -- "#.to_owned()),
        ("half a link", "https:// http://[::1 www. @ # https://例え.jp/%zz?#".to_owned()),
    ]
}

/// What is true of the component, whatever its cases.
pub(super) async fn of_component(stand: &Stand, report: &mut Report) {
    let mut flaws = Vec::new();
    let first = stand.connectors().describe(&stand.release).await;
    let second = stand.connectors().describe(&stand.release).await;
    if first.is_err() || first != second {
        flaws.push(Flaw::new("`describe` does not give the same manifest each time"));
    }
    report.add(line("the manifest", "asked for twice".to_owned(), flaws));
    if stand.release.films.is_some() {
        report.add(films::of_check(stand).await);
    }
    let Some(publishing) = &stand.release.manifest.publishing else { return };
    if stand.release.publish.is_some() {
        let inputs = variants(stand, publishing);
        let tried = format!("{} strange posts", inputs.len());
        let mut flaws = Vec::new();
        for Strange { what, variant, refused } in inputs {
            if let Err(flaw) = check(stand, &variant, refused).await {
                flaws.push(flaw.at(what));
            }
        }
        report.add(line("check", tried, flaws));
    }
}

fn line(subject: &str, tried: String, flaws: Vec<Flaw>) -> Line {
    Line { subject: format!("conformance of {subject}"), about: String::new(), tried, flaws, notes: Vec::new() }
}

/// A post that is out of the ordinary.
struct Strange {
    what: String,
    variant: Variant,
    refused: Refused,
}

/// Whether a post has to be refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    Must,
    May,
}

fn variants(stand: &Stand, publishing: &Publishing) -> Vec<Strange> {
    let part = |text: &str, media| VariantPart { text: text.to_owned(), media };
    let medium = |content_type: &str, bytes: u64| VariantMedium {
        blob: Arc::new(Blob {
            id: BlobId::new(),
            workspace_id: stand.workspace(),
            sha256: "0".repeat(64),
            size_bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            content_type: content_type.to_owned(),
            shape: Shape::default(),
        }),
        alt_text: Some("A picture of something.".to_owned()),
    };
    let mut all: Vec<Strange> = strange_texts()
        .into_iter()
        .map(|(what, text)| {
            let variant = Variant::of(vec![part(&text, Vec::new())]);
            Strange { what: what.to_owned(), variant, refused: Refused::May }
        })
        .collect();
    let mut add = |what: String, refused, parts| all.push(Strange { what, refused, variant: Variant::of(parts) });
    let (max_parts, max_media) = (publishing.max_parts as usize, publishing.max_media as usize);
    if max_parts < MAX_PARTS {
        let parts = vec![part("One of many.", Vec::new()); max_parts + 1];
        add(format!("a thread of {} parts", max_parts + 1), Refused::Must, parts);
    }
    let first = publishing.media.first().map_or("image/png", |rule| &rule.content_type);
    let many = vec![medium(first, 1_000); max_media + 1];
    add(format!("{} media of {first}", max_media + 1), Refused::Must, vec![part("Look.", many)]);
    let odd = ["application/x-msdownload", "text/plain", "", "image/png; charset=utf-8", "IMAGE/PNG"];
    for content_type in odd {
        add(
            format!("a medium of type `{content_type}`"),
            Refused::May,
            vec![part("Look.", vec![medium(content_type, 10)])],
        );
    }
    for rule in &publishing.media {
        for bytes in [0, rule.max_bytes.saturating_add(1), u64::MAX >> 1] {
            let media = vec![medium(&rule.content_type, bytes)];
            add(format!("{} of {bytes} bytes", rule.content_type), Refused::May, vec![part("", media)]);
        }
    }
    all
}

/// `check` of anything ends without a trap, says the same twice, and names members that are there.
async fn check(stand: &Stand, variant: &Variant, refused: Refused) -> Result<(), Flaw> {
    let ask = || stand.connectors().check(&stand.release, stand.workspace(), variant, &[]);
    let violations = ask().await.map_err(|fault| Flaw::new(End::Fault(fault).to_string()))?;
    if refused == Refused::Must && violations.is_empty() {
        return Err(Flaw::new("it is more than the manifest allows, and nothing is said against it"));
    }
    for violation in &violations {
        if !has(variant, &violation.field) {
            return Err(Flaw::new(format!("a violation names `{}`, which the post does not have", violation.field)));
        }
        if violation.message.trim().is_empty() {
            return Err(Flaw::new(format!("the violation of `{}` says nothing", violation.field)));
        }
    }
    let again = ask().await.map_err(|fault| Flaw::new(End::Fault(fault).to_string()))?;
    let told = |end| End::Violations(end).to_string();
    if told(again) != told(violations) {
        return Err(Flaw::new("it is judged differently the second time"));
    }
    Ok(())
}

/// Whether a post has this member, such as `parts/0/media/1`, or could have it.
fn has(variant: &Variant, field: &str) -> bool {
    let mut names = field.split('/');
    let index = |name: Option<&str>| name.and_then(|name| name.parse::<usize>().ok());
    match (names.next(), names.next()) {
        (Some("parts"), None) => true,
        (Some("parts"), Some(position)) => {
            let Some(part) = index(Some(position)).and_then(|index| variant.parts.get(index)) else { return false };
            match (names.next(), names.next()) {
                (None | Some("text" | "media"), None) => true,
                (Some("media"), position) => {
                    let there = index(position).is_some_and(|index| index < part.media.len());
                    there && matches!((names.next(), names.next()), (None | Some("alt_text"), None))
                }
                _ => false,
            }
        }
        // What is missing is named as well.
        (Some("title" | "link" | "first_comment" | "privacy"), None) => true,
        (Some("extras"), Some(name)) => names.next().is_none() && variant.more.extras.contains_key(name),
        _ => false,
    }
}

/// What is true of every call that a connector has cases of.
pub(super) async fn of_cases(stand: &Stand, cases: &[&Case], report: &mut Report) {
    let mut calls: BTreeMap<&'static str, (usize, Vec<Flaw>)> = BTreeMap::new();
    // A check asks for nothing.
    for case in cases.iter().filter(|case| !matches!(case.call, Call::Check(_) | Call::CheckVideo(_))) {
        let (tried, flaws) = calls.entry(case.call.name()).or_default();
        // What is strange enough for one case is for the others.
        let strange = if *tried == 0 { strange_calls(case) } else { Vec::new() };
        let lost = lost_calls(stand, case).await;
        let own = ("its own input".to_owned(), (*case).clone(), STATUSES.as_slice());
        let others = strange.into_iter().chain(lost).map(|(what, case)| (what, case, FEW_STATUSES.as_slice()));
        for (what, case, statuses) in others.chain([own]) {
            for status in statuses {
                *tried += 1;
                if let Err(flaw) = Box::pin(refuse(stand, &case, *status)).await {
                    let name = &case.name;
                    flaws.push(flaw.at(format!("{name}, {what}, a vendor that answers {status} to everything")));
                }
            }
        }
    }
    for (call, (tried, flaws)) in calls.into_iter().filter(|(_, (tried, _))| *tried > 0) {
        report.add(line(call, count(tried, "refusal"), flaws));
    }
}

/// Calls like a case's that are out of the ordinary.
fn strange_calls(case: &Case) -> Vec<(String, Case)> {
    let like = |(what, text): (&str, String)| {
        let call = match &case.call {
            Call::Publish(_) => {
                let parts = vec![Part { text, media: Vec::new() }];
                Call::Publish(Post { parts, more: VariantMore::default() })
            }
            Call::Complete(ask) => Call::Complete(Ask { message: text, ..ask.clone() }),
            Call::Reply(answer) => Call::Reply(Answer { text, ..answer.clone() }),
            Call::GenerateVideo(ask) => {
                let wish = VideoWish { prompt: text, ..ask.wish.clone() };
                Call::GenerateVideo(VideoAsk { wish, ..ask.clone() })
            }
            Call::Whoami
            | Call::Check(_)
            | Call::CheckVideo(_)
            | Call::Reconcile(_)
            | Call::List(_)
            | Call::Comments(_)
            | Call::FindReply(_) => return None,
        };
        Some((what.to_owned(), Case { call, ..case.clone() }))
    };
    strange_texts().into_iter().filter_map(like).collect()
}

/// Looking for what a case publishes.
async fn lost_calls(stand: &Stand, case: &Case) -> Vec<(String, Case)> {
    if let Call::Reply(Answer { comment, text }) = &case.call {
        let (comment, text) = (comment.clone(), text.clone());
        let call = Call::FindReply(LostAnswer { comment, text, sent_at: None, others: Vec::new() });
        return vec![("looking for the reply".to_owned(), Case { call, ..case.clone() })];
    }
    if stand.release.reconcile.is_none() || !matches!(case.call, Call::Publish(_)) {
        return Vec::new();
    }
    // A case that cannot be played was told of before.
    let course = course::play(stand, case).await;
    let looks = course.map(|course| looks(stand, case, &course)).unwrap_or_default().into_iter();
    let like =
        |look: Look| (format!("looking for `{}`", look.key), Case { call: Call::Reconcile(look), ..case.clone() });
    looks.map(like).collect()
}

/// The commits of a case as things to look for.
fn looks(stand: &Stand, case: &Case, course: &Course) -> Vec<Look> {
    let mut earlier = Vec::new();
    let mut looks = Vec::new();
    for call in &course.calls {
        let Some(key) = &call.once else { continue };
        let parts = case.parts().unwrap_or_default().to_vec();
        looks.push(Look { parts, more: case.more(), key: key.clone(), sent_at: None, earlier: earlier.clone() });
        let made = outcome::made(stand.release.committed_id(), &case.exchanges[call.exchange].answer, key);
        earlier.extend(made.map(|id| (key.clone(), id)));
    }
    looks
}

/// Nothing comes of a vendor that refuses everything but a fault, and no verdict.
async fn refuse(stand: &Stand, case: &Case, status: u16) -> Result<(), Flaw> {
    let script = script(stand, case, Plot::Always(status), Vec::new());
    let work = Box::pin(stand.begin(case, script)).await?;
    let executed = stand.execute(&work).await?;
    let complaint = stand.vendor.scene(|scene| scene.complaint());
    if let Some(complaint) = complaint {
        return Err(Flaw::new(complaint));
    }
    match executed.end {
        End::Fault(fault) if fault.kind != FaultKind::Bug && fault.kind != FaultKind::Budget => Ok(()),
        End::Verdict(Verdict::Unknown) => Ok(()),
        end => Err(Flaw::new(format!("it ended in {end}"))),
    }
}

/// Whether every interface that the host uses has cases.
pub(super) fn of_interfaces(inspection: &Inspection, cases: &[Case], report: &mut Report) {
    let calls = |wanted: &str| cases.iter().any(|case| case.call.name() == wanted);
    let delivers = |wanted| {
        cases.iter().any(|case| matches!(&case.call, Call::Complete(Ask { delivery, .. }) if *delivery == wanted))
    };
    let looks = cases.iter().any(|case| case.exchanges.iter().any(|exchange| exchange.lost.is_some()));
    for ability in inspection.abilities() {
        let missing = match *ability {
            "identity" if !calls("whoami") => Some("write one whose `call` is `\"whoami\"`"),
            "publish" if !calls("publish") => Some("write one whose `call` is `{\"publish\": …}`"),
            "reconcile" if !looks && !calls("reconcile") => {
                Some("give a commit of a `publish` case its `lost`, or write one whose `call` is `{\"reconcile\": …}`")
            }
            "text-model" if !delivers(Delivery::Whole) => {
                Some("write one whose `call` is `{\"complete\": …}` with `\"delivery\": \"whole\"`")
            }
            "text-model" if !delivers(Delivery::Pieces) => {
                Some("write another whose `call` is `{\"complete\": …}` with `\"delivery\": \"pieces\"`")
            }
            "video-model" if !calls("check_video") => Some("write one whose `call` is `{\"check_video\": …}`"),
            "video-model" if !calls("generate_video") => Some("write one whose `call` is `{\"generate_video\": …}`"),
            "drive" if !calls("list") => Some("write one whose `call` is `{\"list\": …}`"),
            "comments" if !calls("comments") => Some("write one whose `call` is `{\"comments\": …}`"),
            "reply" if !calls("reply") => Some("write one whose `call` is `{\"reply\": …}`"),
            "reply" if !looks && !calls("find_reply") => {
                Some("give the commit of a `reply` case its `lost`, or write one whose `call` is `{\"find_reply\": …}`")
            }
            _ => None,
        };
        let flaws = missing.map(|cure| Flaw::new(format!("the interface lacks a case: {cure}"))).into_iter().collect();
        let tried = match *ability {
            "remove" => "the host has no use for it yet",
            _ => "its cases",
        };
        report.add(line(&format!("interface {ability}"), tried.to_owned(), flaws));
    }
}

#[cfg(test)]
mod tests {
    use super::has;
    use crate::connectors::variant::{Variant, VariantPart};

    #[test]
    fn members_of_a_post() {
        let variant = Variant::of(vec![VariantPart::default()]);
        for there in ["parts", "parts/0", "parts/0/text", "parts/0/media"] {
            assert!(has(&variant, there), "{there}");
        }
        for absent in
            ["", "text", "parts/1", "parts/x", "parts/0/title", "parts/0/media/0", "parts/0/text/0", "parts/0/media/"]
        {
            assert!(!has(&variant, absent), "{absent}");
        }
    }
}
