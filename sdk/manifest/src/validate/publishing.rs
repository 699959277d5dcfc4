//! Whether the rules of publishing make sense.

use super::{Flaw, flaw, is_name};
use crate::{AnswerPlace, Bounds, ExtraKind, MediaRule, Publishing};

pub(super) fn validate_publishing(publishing: &Publishing, flaws: &mut Vec<Flaw>) {
    if publishing.max_parts == 0 {
        flaws.push(flaw("publishing/max_parts", "must be at least 1".to_owned()));
    }
    validate_committed_id(&publishing.committed_id, flaws);
    for (index, rule) in publishing.media.iter().enumerate() {
        validate_rule(&format!("publishing/media/{index}"), rule, &publishing.media, flaws);
    }
    for (index, member) in publishing.takes.iter().enumerate() {
        if publishing.takes[..index].contains(member) {
            flaws.push(flaw(&format!("publishing/takes/{index}"), "is listed before".to_owned()));
        }
    }
    for (name, extra) in &publishing.extras {
        let at = format!("publishing/extras/{name}");
        if !is_name(name) {
            flaws.push(flaw(&at, "must be a name such as `category`".to_owned()));
        }
        if extra.about.trim().is_empty() || extra.about.len() > 500 {
            flaws.push(flaw(&format!("{at}/about"), "must say in a sentence what it does".to_owned()));
        }
        if matches!(&extra.kind, ExtraKind::OneOf(words) if words.is_empty()) {
            flaws.push(flaw(&format!("{at}/kind"), "must leave a choice".to_owned()));
        }
    }
}

fn validate_rule(at: &str, rule: &MediaRule, all: &[MediaRule], flaws: &mut Vec<Flaw>) {
    let bounds = [
        ("width", rule.width),
        ("height", rule.height),
        ("ratio_percent", rule.ratio_percent),
        ("duration_ms", rule.duration_ms),
    ];
    for (member, bounds) in bounds {
        if let Some(Bounds { min: Some(min), max: Some(max) }) = bounds
            && min > max
        {
            flaws.push(flaw(&format!("{at}/{member}"), "the least is more than the most".to_owned()));
        }
    }
    if let Some(becomes) = &rule.becomes
        && (*becomes == rule.content_type || !all.iter().any(|other| other.content_type == *becomes))
    {
        flaws.push(flaw(&format!("{at}/becomes"), format!("no other rule is for `{becomes}`")));
    }
}

fn validate_committed_id(places: &[AnswerPlace], flaws: &mut Vec<Flaw>) {
    let mut refuse = |problem: &str| flaws.push(flaw("publishing/committed_id", problem.to_owned()));
    if places.is_empty() {
        refuse("must name at least one place");
    }
    if places.iter().any(|place| matches!(place, AnswerPlace::LinkHeader(_))) {
        refuse("a link is followed, it names nothing that was made");
    }
    if places.iter().rev().skip(1).any(|place| *place == AnswerPlace::Key) {
        refuse("a commit always has its key, so no place behind it is ever looked at");
    }
}
