//! What the host makes of an answer of the script: whether the vendor did what was asked, and how it names what it made.

use super::mishap::Did;
use super::script::{Answer, AnswerBody};
use crate::connectors::answer::{self, Body};
use orla_manifest::{AnswerPlace, Meaning, Verdict};
use serde_json::json;
use std::collections::BTreeMap;

/// What an answer says that the vendor did, by the manifest's verdicts where its status misleads.
pub(super) fn did(verdicts: &[Verdict], answer: &Answer) -> Did {
    match answer::meaning(verdicts, &received(answer)) {
        Meaning::Done => Did::All,
        // What may be sent again is not asked.
        Meaning::Refused | Meaning::Unfinished => Did::Refused,
        Meaning::Unknown => Did::Nothing,
    }
}

/// What an answer of the script says that the commit of a key made.
pub(super) fn made(places: &[AnswerPlace], answer: &Answer, key: &str) -> Option<String> {
    received(answer).named(places, key)
}

/// An answer of this status that tells back what the vendor knows.
pub(super) fn told_back(status: u16, told: &[String]) -> Answer {
    Answer { status, headers: BTreeMap::new(), body: AnswerBody::Json(json!({ "told_back": told })) }
}

fn received(answer: &Answer) -> answer::Answer {
    let body = match &answer.body {
        AnswerBody::Json(value) => Body::Text(value.to_string()),
        AnswerBody::Text(text) => Body::Text(text.clone()),
        AnswerBody::None | AnswerBody::Bytes(_) | AnswerBody::Events(_) => Body::None,
    };
    let headers = answer.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    answer::Answer { status: answer.status, headers, body }
}

#[cfg(test)]
mod tests {
    use super::{did, told_back};
    use crate::proving::mishap::Did;
    use crate::proving::script::{Answer, AnswerBody};
    use orla_manifest::{Meaning, Verdict};
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn the_manifests_verdicts_come_before_the_status() {
        let verdict = |status, pointer: &str, contains: &str, means| Verdict {
            status,
            pointer: Some(pointer.to_owned()),
            contains: Some(contains.to_owned()),
            means,
        };
        let verdicts = [
            verdict(200, "/ok", "false", Meaning::Refused),
            verdict(409, "/error", "duplicate", Meaning::Refused),
            Verdict { status: 503, pointer: None, contains: None, means: Meaning::Refused },
            Verdict { status: 308, pointer: None, contains: None, means: Meaning::Unfinished },
        ];
        let of =
            |status, body| did(&verdicts, &Answer { status, headers: BTreeMap::new(), body: AnswerBody::Json(body) });
        assert_eq!(of(200, json!({ "ok": true })), Did::All);
        assert_eq!(of(200, json!({ "ok": false })), Did::Refused);
        assert_eq!(of(409, json!({ "error": "Duplicate post" })), Did::Refused);
        assert_eq!(of(409, json!({ "error": "busy" })), Did::Nothing);
        assert_eq!(of(400, json!({})), Did::Refused);
        assert_eq!(did(&verdicts, &told_back(503, &[])), Did::Refused);
        assert_eq!(did(&verdicts, &told_back(500, &[])), Did::Nothing);
        assert_eq!(did(&verdicts, &told_back(308, &[])), Did::Refused);
    }
}
