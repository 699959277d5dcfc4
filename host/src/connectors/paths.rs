//! How paths are read: as they stand where something is granted, as the most lenient server would where something is refused.

/// Whether a segment is `.` or `..`, however often it is encoded and whichever slash a server would see in it.
pub(super) fn has_dots(path: &str) -> bool {
    plain(path).split('/').any(|segment| matches!(segment, "." | ".."))
}

/// A path as the most lenient server would read it: decoded until nothing is left to decode, with slashes for backslashes,
/// in lower case.
fn plain(path: &str) -> String {
    /// No server decodes as often.
    const MAX_ROUNDS: usize = 5;
    let mut path = path.to_owned();
    for _ in 0..MAX_ROUNDS {
        let decoded = percent_encoding::percent_decode_str(&path).decode_utf8_lossy().into_owned();
        if decoded == path {
            break;
        }
        path = decoded;
    }
    path.replace('\\', "/").to_lowercase()
}

/// Whether some server may take a path for one that fits the pattern, in which `*` stands for one segment. Empty segments
/// and parameters of segments (`;…`) do not tell paths apart.
pub(super) fn may_reach(pattern: &str, path: &str) -> bool {
    let plain = plain(path);
    let segments = plain.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    let segments: Vec<&str> = segments.filter(|segment| !segment.is_empty()).collect();
    let pattern: Vec<String> =
        pattern.split('/').filter(|wanted| !wanted.is_empty()).map(str::to_ascii_lowercase).collect();
    pattern.len() == segments.len()
        && pattern.iter().zip(segments).all(|(wanted, segment)| wanted == "*" || wanted == segment)
}

/// Whether a path fits a pattern in which `*` stands for one segment and `*:verb` for a name with this verb behind it, to the
/// letter.
pub(super) fn matches_path(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(wanted, segment)| fits(wanted, segment))
}

fn fits(wanted: &str, segment: &str) -> bool {
    match wanted.strip_prefix('*') {
        Some("") => true,
        // Nothing that a lenient server could take for another verb or for an end of the path.
        Some(verb) => segment.strip_suffix(verb).is_some_and(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }),
        None => wanted == segment,
    }
}

#[cfg(test)]
mod tests {
    use super::matches_path;

    #[test]
    fn a_verb_behind_a_name_is_that_verb_alone() {
        let pattern = "/v1/models/*:fetch";
        assert!(matches_path(pattern, "/v1/models/veo-3.1_x:fetch"));
        for other in [
            "/v1/models/veo:start",
            "/v1/models/:fetch",
            "/v1/models/veo",
            "/v1/models/veo:start:fetch",
            "/v1/models/veo:start%3F:fetch",
            "/v1/models/veo;x:fetch",
            "/v1/models/veo/a:fetch",
        ] {
            assert!(!matches_path(pattern, other), "{other}");
        }
    }
}
