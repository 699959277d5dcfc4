//! What is in a text: links, mentions and hashtags, as Mastodon finds them.
//!
//! What counts as a mention is observed: a name, and after a second `@` the domain of another instance.

use crate::links;

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Words(&'a str),
    Link(&'a str),
    /// The whole, such as `@ann@example.com`, and the name in it.
    Mention {
        whole: &'a str,
        name: &'a str,
    },
    /// The hashtag without its `#`.
    Hashtag(&'a str),
}

/// All of a text, in pieces.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = 0;
    for link in links::find(text) {
        split_words(text, rest..link.start, &mut pieces);
        pieces.push(Piece::Link(&text[link.clone()]));
        rest = link.end;
    }
    split_words(text, rest..text.len(), &mut pieces);
    pieces
}

/// The names of the hashtags of a text.
pub(super) fn hashtags(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Hashtag(name) => Some(name),
        Piece::Words(_) | Piece::Link(_) | Piece::Mention { .. } => None,
    })
}

/// A stretch of a text that has no links.
fn split_words<'a>(text: &'a str, stretch: std::ops::Range<usize>, pieces: &mut Vec<Piece<'a>>) {
    let mut rest = stretch.start;
    let inside = &text[stretch.clone()];
    for (at, sign) in inside.match_indices(['@', '#']) {
        let at = stretch.start + at;
        let before = text[..at].chars().next_back();
        let glued = before.is_some_and(|c| is_word(c) || c == '/' || (sign == "@" && c == '='));
        if at < rest || glued {
            continue;
        }
        let after = &text[at + 1..stretch.end];
        let found = if sign == "@" { mention(after) } else { hashtag(after) };
        if let Some((length, piece)) = found {
            if rest < at {
                pieces.push(Piece::Words(&text[rest..at]));
            }
            rest = at + 1 + length;
            pieces.push(match piece {
                Piece::Mention { name, .. } => Piece::Mention { whole: &text[at..rest], name },
                other => other,
            });
        }
    }
    if rest < stretch.end {
        pieces.push(Piece::Words(&text[rest..stretch.end]));
    }
}

/// The mention after an `@`, and its length.
fn mention(after: &str) -> Option<(usize, Piece<'_>)> {
    let name = dotted(after, |c| c.is_ascii_alphanumeric() || c == '_');
    if name == 0 {
        return None;
    }
    let domain = after[name..].strip_prefix('@').map_or(0, |domain| dotted(domain, is_word));
    let length = if domain > 0 { name + 1 + domain } else { name };
    Some((length, Piece::Mention { whole: after, name: &after[..name] }))
}

/// The hashtag after a `#`: word characters, of which one at least is no digit.
fn hashtag(after: &str) -> Option<(usize, Piece<'_>)> {
    let length = after.find(|c| !is_word(c)).unwrap_or(after.len());
    let name = &after[..length];
    name.chars().any(|c| !c.is_numeric()).then_some((length, Piece::Hashtag(name)))
}

/// The length of the words at the beginning of a text, joined by dots and hyphens, neither of them at the end.
fn dotted(text: &str, word: impl Fn(char) -> bool) -> usize {
    let mut length = 0;
    for (at, c) in text.char_indices() {
        if word(c) {
            length = at + c.len_utf8();
        } else if at == 0 || !".-".contains(c) {
            break;
        }
    }
    length
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::{Piece, hashtags, pieces};

    fn mentions(text: &str) -> Vec<(&str, &str)> {
        let mention = |piece| if let Piece::Mention { whole, name } = piece { Some((whole, name)) } else { None };
        pieces(text).into_iter().filter_map(mention).collect()
    }

    #[test]
    fn a_mention_is_a_name_and_perhaps_a_domain() {
        assert_eq!(
            mentions("@ann, (@bob.b@example.co.uk). @c-"),
            [("@ann", "ann"), ("@bob.b@example.co.uk", "bob.b"), ("@c", "c")]
        );
        assert_eq!(mentions("@ann@ @ann@bücher.example"), [("@ann", "ann"), ("@ann@bücher.example", "ann")]);
        assert!(mentions("mail@example.com /@ann =@ann @ @ä https://example.com/@ann").is_empty());
    }

    #[test]
    fn a_hashtag_has_more_than_digits() {
        assert_eq!(hashtags("#one #2 #3a x#no /#no #grün-gelb").collect::<Vec<_>>(), ["one", "3a", "grün"]);
    }

    #[test]
    fn pieces_are_the_whole_text() {
        assert_eq!(
            pieces("Hi @ann: https://example.com/#a #b!"),
            [
                Piece::Words("Hi "),
                Piece::Mention { whole: "@ann", name: "ann" },
                Piece::Words(": "),
                Piece::Link("https://example.com/#a"),
                Piece::Words(" "),
                Piece::Hashtag("b"),
                Piece::Words("!"),
            ]
        );
    }
}
