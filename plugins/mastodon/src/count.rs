//! Counting characters as Mastodon does: in grapheme clusters, a link as 23 of them, a mention without its domain.

use unicode_segmentation::UnicodeSegmentation;

/// What a link counts, however long it is.
const LINK_CHARS: usize = 23;

/// A stretch of a text.
enum Piece<'a> {
    Plain(&'a str),
    /// A link, with its scheme.
    Link(&'a str),
    /// The mention of an account at a named server: its `@user`, without the server.
    Mention(&'a str),
}

/// The characters that a post's text counts.
pub(crate) fn characters(text: &str) -> usize {
    let mut counted = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Plain(plain) => counted.push_str(plain),
            Piece::Link(_) => counted.extend(std::iter::repeat_n('x', LINK_CHARS)),
            Piece::Mention(user) => counted.push_str(user),
        }
    }
    graphemes(&counted)
}

/// The grapheme clusters of a text.
pub(crate) fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

/// The text with its mentions as a server shows them, which is without the domain.
pub(crate) fn without_domains(text: &str) -> String {
    let shown = |piece| match piece {
        Piece::Plain(text) | Piece::Link(text) | Piece::Mention(text) => text,
    };
    pieces(text).into_iter().map(shown).collect()
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut plain_from, mut at, mut before) = (0, 0, None);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if let Some((piece, length)) = link(rest, before).or_else(|| mention(rest, before)) {
            if plain_from < at {
                pieces.push(Piece::Plain(&text[plain_from..at]));
            }
            pieces.push(piece);
            at += length;
            plain_from = at;
            before = text[..at].chars().next_back();
        } else {
            at += first.len_utf8();
            before = Some(first);
        }
    }
    if plain_from < text.len() {
        pieces.push(Piece::Plain(&text[plain_from..]));
    }
    pieces
}

/// The link that a text begins with, and its length in bytes. A link has its scheme and a host with a dot.
fn link(text: &str, before: Option<char>) -> Option<(Piece<'_>, usize)> {
    if before.is_some_and(|before| before.is_alphanumeric() || matches!(before, '@' | '_' | '/' | '#' | '$')) {
        return None;
    }
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let end = text.find(ends_link).unwrap_or(text.len());
    let url = without_trailing_marks(&text[..end]);
    let host = url.get(scheme.len()..)?.split(['/', '?', '#', ':']).next()?;
    let (name, top) = host.rsplit_once('.')?;
    let sound = !name.is_empty() && top.chars().count() >= 2 && top.chars().all(char::is_alphanumeric);
    (sound || top.starts_with("xn--")).then_some((Piece::Link(url), url.len()))
}

/// Whether a character ends a link wherever it stands.
fn ends_link(one: char) -> bool {
    one.is_whitespace() || one.is_control() || "<>\"'`{}|\\^、。，！？；：「」『』（）【】《》“”‘’".contains(one)
}

/// The link without the marks of the sentence around it. A closing bracket that was opened inside belongs to the link.
fn without_trailing_marks(mut url: &str) -> &str {
    while let Some(last) = url.chars().next_back() {
        let drop = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '*' | '(' | '[' => true,
            ')' => url.matches(')').count() > url.matches('(').count(),
            ']' => url.matches(']').count() > url.matches('[').count(),
            _ => false,
        };
        if !drop {
            break;
        }
        url = &url[..url.len() - last.len_utf8()];
    }
    url
}

/// The mention of an account at a named server that a text begins with, and its length in bytes.
fn mention(text: &str, before: Option<char>) -> Option<(Piece<'_>, usize)> {
    if before.is_some_and(|before| before.is_alphanumeric() || matches!(before, '_' | '/' | '@')) {
        return None;
    }
    let user = name(text.strip_prefix('@')?, |one| one.is_ascii_alphanumeric());
    let domain = name(text.get(1 + user.len()..)?.strip_prefix('@')?, char::is_alphanumeric);
    if user.is_empty() || domain.is_empty() {
        return None;
    }
    Some((Piece::Mention(&text[..=user.len()]), 2 + user.len() + domain.len()))
}

/// The name of a user or a server that a text begins with: letters, digits and `_`, with dots and hyphens between them.
fn name(text: &str, is_letter: fn(char) -> bool) -> &str {
    let end = text.find(|one: char| !(is_letter(one) || matches!(one, '_' | '.' | '-'))).unwrap_or(text.len());
    text[..end].trim_end_matches(['.', '-'])
}
