//! Posting part after part, and what to call the result.

use crate::{Committed, Confirmed, Fault, FaultKind, Part, PartOutcome, Progress, Receipt, Result, Variant, Violation};
use std::time::Duration;

/// How far one part came.
///
/// ```
/// use orla_sdk::{Api, Committed, Response, Result, Step};
/// use std::time::Duration;
///
/// /// Posts a video once the vendor has worked on it.
/// fn post(id: &str) -> Result<Step> {
///     let video: serde_json::Value = Api::new("api").get(orla_sdk::path!("/v1/videos/{}", id)).read()?.json()?;
///     if video["state"] == "processing" {
///         return Ok(Step::Wait(Duration::from_secs(10)));
///     }
///     let made = |answer: &Response| Ok(Committed { id: answer.text().into_owned(), url: None });
///     Api::new("api").post("/v1/posts").json(&video).commit("part/0", made).map(Step::Done)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It is live.
    Done(Confirmed),
    /// The vendor is still working on it; run again after this.
    Wait(Duration),
}

/// Posts the parts of a variant in order, each knowing the one before it.
///
/// A first part that fails is the variant's fault. Once a part is live the variant is published: what fails after it is
/// listed in the receipt with all parts behind it, which are not tried. Two faults end the run instead, because a re-run
/// decides them: a commit whose outcome is uncertain, and a run that was cancelled.
///
/// ```
/// use orla_sdk::{Account, Api, Committed, Fault, Progress, Result, Step, Variant, in_order};
///
/// fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
///     in_order(&variant.parts, |index, part, previous| {
///         let body = serde_json::json!({ "text": part.text, "reply_to": previous.map(|post| &post.id) });
///         let made = |answer: &orla_sdk::Response| Ok(Committed { id: answer.text().into_owned(), url: None });
///         Api::new("api").post("/v1/posts").json(&body).commit(format!("part/{index}"), made).map(Step::Done)
///     })
/// }
/// ```
///
/// # Errors
/// The first part's fault, or one that only a re-run decides.
pub fn in_order(
    parts: &[Part],
    mut post: impl FnMut(usize, &Part, Option<&Committed>) -> Result<Step>,
) -> Result<Progress> {
    let mut live: Vec<Confirmed> = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        match post(index, part, live.last().map(|confirmed| &confirmed.committed)) {
            Ok(Step::Done(confirmed)) => live.push(confirmed),
            Ok(Step::Wait(wait)) => return Ok(Progress::Pending(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))),
            Err(fault) if live.is_empty() || needs_rerun(fault.kind) => return Err(fault),
            Err(fault) => return Ok(Progress::Published(receipt(live, parts.len(), Some(fault)))),
        }
    }
    if live.is_empty() {
        return Err(Fault::invalid("parts", "There is nothing to publish."));
    }
    Ok(Progress::Published(receipt(live, parts.len(), None)))
}

/// Says a variant's first comment once its first part is live: `say` gets the words and what the vendor calls that part.
///
/// A comment that fails does not undo the post: the receipt says that it is missing, and why. Below a thread that broke off
/// nothing is said: it is said once the rest is live, so that every run asks for the same commits in the same order. What only a
/// re-run decides ends the run, as in [`in_order`].
///
/// ```
/// use orla_sdk::{Account, Api, Committed, Progress, Response, Result, Step, Variant, in_order, path, say_first_comment};
///
/// fn publish(_account: &Account, variant: &Variant) -> Result<Progress> {
///     let made = |answer: &Response| Ok(Committed { id: answer.text().into_owned(), url: None });
///     let api = Api::new("api");
///     let progress = in_order(&variant.parts, |index, part, _| {
///         api.post("/v1/posts").json(&part.text).commit(format!("part/{index}"), made).map(Step::Done)
///     })?;
///     say_first_comment(progress, variant, |words, post| {
///         api.post(path!("/v1/posts/{}/comments", post.id)).json(&words).commit("first-comment", made)
///     })
/// }
/// ```
///
/// # Errors
/// A fault that only a re-run decides.
pub fn say_first_comment(
    progress: Progress,
    variant: &Variant,
    say: impl FnOnce(&str, &Committed) -> Result<Confirmed>,
) -> Result<Progress> {
    let (Progress::Published(mut receipt), Some(words)) = (progress.clone(), &variant.first_comment) else {
        return Ok(progress);
    };
    let Some(PartOutcome::Done(first)) = receipt.parts.first() else { return Ok(progress) };
    let missing = receipt.parts.iter().find(|part| matches!(part, PartOutcome::Missing(_)));
    if let Some(missing) = missing {
        receipt.first_comment = Some(missing.clone());
        return Ok(Progress::Published(receipt));
    }
    receipt.first_comment = Some(match say(words, &first.committed) {
        Ok(confirmed) => PartOutcome::Done(confirmed),
        Err(fault) if needs_rerun(fault.kind) => return Err(fault),
        Err(fault) => PartOutcome::Missing(fault),
    });
    Ok(Progress::Published(receipt))
}

fn needs_rerun(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Uncertain | FaultKind::Cancelled)
}

fn receipt(live: Vec<Confirmed>, parts: usize, fault: Option<Fault>) -> Receipt {
    let missing = parts - live.len();
    let done = live.into_iter().map(PartOutcome::Done);
    let rest = fault.into_iter().flat_map(|fault| std::iter::repeat_n(PartOutcome::Missing(fault), missing));
    Receipt { parts: done.chain(rest).collect(), first_comment: None }
}

impl Violation {
    /// A rule that a variant breaks: the member at fault, a stable code and a sentence that says limit and excess.
    ///
    /// ```
    /// let message = "A post may have 500 characters; this one has 512.";
    /// let violation = orla_sdk::Violation::new("parts/0/text", "text_too_long", message);
    /// assert_eq!(violation.code, "text_too_long");
    /// ```
    #[must_use]
    pub fn new(field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Step, in_order, say_first_comment};
    use crate::testing;
    use crate::{Committed, Confirmed, Fault, FaultKind, Part, PartOutcome, Progress, Receipt, Result};
    use std::time::Duration;

    fn parts(texts: &[&str]) -> Vec<Part> {
        texts.iter().map(|text| Part { text: (*text).to_owned(), media: Vec::new() }).collect()
    }

    fn confirmed(id: &str) -> Confirmed {
        Confirmed { key: format!("key of {id}"), committed: Committed { id: id.to_owned(), url: None } }
    }

    /// A part's text says what becomes of it: `wait`, a fault's kind, or the id that it gets.
    fn post(_index: usize, part: &Part, _previous: Option<&Committed>) -> Result<Step> {
        match part.text.as_str() {
            "wait" => Ok(Step::Wait(Duration::from_secs(5))),
            "uncertain" => Err(Fault::new(FaultKind::Uncertain, "?")),
            "cancelled" => Err(Fault::new(FaultKind::Cancelled, "?")),
            "invalid" => Err(Fault::new(FaultKind::Invalid, "no")),
            id => Ok(Step::Done(confirmed(id))),
        }
    }

    #[test]
    fn each_part_knows_the_one_before() {
        let mut seen = Vec::new();
        let progress = in_order(&parts(&["a", "b", "c"]), |index, part, previous| {
            seen.push((index, part.text.clone(), previous.map(|post| post.id.clone())));
            post(index, part, previous)
        });
        assert!(matches!(progress, Ok(Progress::Published(Receipt { parts, .. })) if parts.len() == 3));
        let befores: Vec<_> = seen.into_iter().map(|(_, _, before)| before).collect();
        assert_eq!(befores, [None, Some("a".to_owned()), Some("b".to_owned())]);
    }

    #[test]
    fn what_fails_later_is_missing_with_all_behind_it() {
        let progress = in_order(&parts(&["a", "invalid", "c"]), post).unwrap();
        let missing = PartOutcome::Missing(Fault::new(FaultKind::Invalid, "no"));
        let parts = vec![PartOutcome::Done(confirmed("a")), missing.clone(), missing];
        assert_eq!(progress, Progress::Published(Receipt { parts, first_comment: None }));
    }

    #[test]
    fn what_only_a_rerun_decides_ends_the_run() {
        for kind in ["uncertain", "cancelled"] {
            assert!(in_order(&parts(&["a", kind, "c"]), post).is_err(), "{kind}");
        }
    }

    #[test]
    fn a_first_part_that_fails_is_the_variants_fault() {
        assert_eq!(in_order(&parts(&["invalid", "b"]), post).unwrap_err().kind, FaultKind::Invalid);
        assert_eq!(in_order(&[], post).unwrap_err().kind, FaultKind::Invalid);
    }

    #[test]
    fn a_first_comment_is_said_once_the_post_is_live() {
        let mut variant = testing::post(&["a"]);
        let live = Progress::Published(Receipt { parts: vec![PartOutcome::Done(confirmed("a"))], first_comment: None });
        let nobody = |_: &str, _: &Committed| panic!("there is nothing to say");
        assert_eq!(say_first_comment(live.clone(), &variant, nobody), Ok(live.clone()));
        variant.first_comment = Some("#bread".to_owned());
        assert_eq!(say_first_comment(Progress::Pending(5), &variant, nobody), Ok(Progress::Pending(5)));
        let said = say_first_comment(live.clone(), &variant, |words, post| {
            assert_eq!((words, post.id.as_str()), ("#bread", "a"));
            Ok(confirmed("c"))
        });
        let Ok(Progress::Published(receipt)) = said else { panic!("it is live") };
        assert_eq!(receipt.first_comment, Some(PartOutcome::Done(confirmed("c"))));
        let broken = in_order(&parts(&["a", "invalid"]), post).unwrap();
        let Ok(Progress::Published(receipt)) = say_first_comment(broken, &variant, nobody) else {
            panic!("the thread is live in part")
        };
        assert_eq!(receipt.first_comment.as_ref(), receipt.parts.get(1), "it is missing as the rest is");
        let refuse = |kind| move |_: &str, _: &Committed| Err(Fault::new(kind, "no"));
        let Ok(Progress::Published(receipt)) = say_first_comment(live.clone(), &variant, refuse(FaultKind::Invalid))
        else {
            panic!("the post stays live")
        };
        assert!(matches!(receipt.first_comment, Some(PartOutcome::Missing(fault)) if fault.kind == FaultKind::Invalid));
        assert!(say_first_comment(live, &variant, refuse(FaultKind::Uncertain)).is_err());
    }

    #[test]
    fn a_part_that_waits_pauses_the_run() {
        assert_eq!(in_order(&parts(&["a", "wait"]), post), Ok(Progress::Pending(5_000)));
    }
}
