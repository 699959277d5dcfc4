//! Links in posts: where they are.
//!
//! The grammar follows twitter-text's `extractUrl`, for links with a scheme; X and Mastodon both go by it. Its list of
//! top-level domains is not repeated here: two letters or more will do.

use std::ops::Range;

use url::Url;

const LONGEST_LINK: usize = 4_096;
const LONGEST_LABEL: usize = 63;
/// In UTF-8; more cannot be a name of 253 bytes in punycode, and would take long to find out.
const LONGEST_HOST: usize = 1_024;

/// The links of a text, as byte ranges, in order.
pub(crate) fn find(text: &str) -> Vec<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let mut links: Vec<Range<usize>> = Vec::new();
    for (start, _) in lower.match_indices("http") {
        let inside = links.last().is_some_and(|last| start < last.end);
        let before = text[..start].chars().next_back();
        let glued = before.is_some_and(|c| c.is_ascii_alphanumeric() || "@＠$#＃".contains(c));
        let after = &lower[start..];
        let scheme = ["https://", "http://"].into_iter().find(|scheme| after.starts_with(scheme));
        if let (false, false, Some(scheme)) = (inside, glued, scheme)
            && let Some(length) = after_scheme(&text[start + scheme.len()..])
            && scheme.len() + length <= LONGEST_LINK
        {
            links.push(start..start + scheme.len() + length);
        }
    }
    links
}

/// How many bytes after the scheme belong to the link; nothing if no host follows.
fn after_scheme(text: &str) -> Option<usize> {
    let mut end = host(text)?;
    if let Some(port) = text[end..].strip_prefix(':') {
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        end += if digits > 0 { 1 + digits } else { 0 };
    }
    if text[end..].starts_with('/') {
        end += path(&text[end..]);
    }
    if let Some(query) = text[end..].strip_prefix('?') {
        let inner = |c: char| c.is_ascii_alphanumeric() || "!?*'@();:&=+$/%#[]-_.,~|".contains(c);
        let query = &query[..query.find(|c| !inner(c)).unwrap_or(query.len())];
        let last = query.rfind(|c: char| c.is_ascii_alphanumeric() || "-_&=#/".contains(c));
        end += last.map_or(0, |last| last + 2);
    }
    Some(end)
}

/// The length of the host at the beginning of a text: at least two labels, the last of them a top-level domain.
fn host(text: &str) -> Option<usize> {
    let run = &text[..text.find(|c: char| !c.is_alphanumeric() && !"-_.".contains(c)).unwrap_or(text.len())];
    let dots = run.match_indices('.').map(|(at, _)| at).rev();
    let mut ends = dots.filter_map(|dot| Some(dot + 1 + top_level(run[dot + 1..].split('.').next()?)?));
    ends.find(|end| {
        let resolvable = Some(&run[..*end]).filter(|host| host.len() <= LONGEST_HOST);
        let resolvable = resolvable.and_then(|host| Url::parse(&format!("http://{host}")).ok());
        let ascii = resolvable.as_ref().and_then(Url::host_str).unwrap_or_default();
        ascii.contains('.') && ascii.split('.').all(|label| (1..=LONGEST_LABEL).contains(&label.len()))
    })
}

/// The length of the top-level domain at the beginning of a label: letters of ASCII up to a letter of another
/// script, or all of a label without ASCII, or punycode.
fn top_level(label: &str) -> Option<usize> {
    let letters = label.bytes().take_while(u8::is_ascii_alphabetic).count();
    if label.starts_with("xn--") || (!label.is_empty() && label.chars().all(|c| !c.is_ascii())) {
        return Some(label.len());
    }
    let ended = label[letters..].chars().next().is_none_or(|next| !next.is_ascii());
    (letters >= 2 && ended).then_some(letters)
}

/// The length of the path at the beginning of a text. Punctuation at its end and parentheses without their partner
/// belong to the sentence around it.
fn path(text: &str) -> usize {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, 'À'..='ɏ' | 'Ḁ'..='ỿ' | '\u{400}'..='\u{4FF}');
    let (mut end, mut depth) = (0, 0_u32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            c if letter(c) || "!*';:=+,.$/%#[]-–_~@|&".contains(c) => {}
            _ => break,
        }
        if depth == 0 && (letter(c) || "+-=_#/)".contains(c)) {
            end = at + c.len_utf8();
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::find;

    fn links(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_link_ends_where_a_reader_would_end_it() {
        assert_eq!(
            links("See https://example.com/a?b=c&d. (HTTP://x.org/y_(z))!"),
            ["https://example.com/a?b=c&d", "HTTP://x.org/y_(z)"]
        );
        assert_eq!(
            links("https://example.com你好 http://例え.テスト/道"),
            ["https://example.com", "http://例え.テスト/"]
        );
        assert_eq!(links("http://example.com:8080/, http://a.io:"), ["http://example.com:8080/", "http://a.io"]);
        assert_eq!(links("http://one.com/http://two.com"), ["http://one.com/http://two.com"]);
        assert_eq!(links("http://foo.com.123 http://a.com/("), ["http://foo.com", "http://a.com/"]);
    }

    #[test]
    fn what_only_looks_like_a_link_is_none() {
        for text in
            ["http://localhost", "xhttp://a.com", "@https://a.com", "https://", "http://a.b1", "http://.com", "http"]
        {
            assert!(links(text).is_empty(), "{text}");
        }
    }
}
