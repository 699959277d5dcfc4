//! How long a status is (documented under "Posting to your profile" and "Guidelines"; that grapheme clusters are
//! counted, and that links count as such in the text but not in the warning, is observed).

use unicode_segmentation::UnicodeSegmentation;

use super::text::{Piece, pieces};

/// The length of a text and its content warning: what Mastodon compares with its limit. `per_link` is what a link
/// counts, whatever its length.
///
/// Mentions count without the domain. Joined, the two are counted as one text.
pub fn countable_length(text: &str, spoiler_text: &str, per_link: usize) -> usize {
    let mut counted = spoiler_text.to_owned();
    for piece in pieces(text) {
        match piece {
            Piece::Words(words) => counted += words,
            Piece::Link(_) => counted += &"x".repeat(per_link),
            Piece::Mention { name, .. } => {
                counted.push('@');
                counted += name;
            }
            Piece::Hashtag(name) => {
                counted.push('#');
                counted += name;
            }
        }
    }
    counted.graphemes(true).count()
}

#[cfg(test)]
mod tests {
    use super::countable_length;

    #[test]
    fn clusters_count_once_links_23_and_mentions_without_their_domain() {
        for (text, length) in [
            ("", 0),
            ("Grüße", 5),
            ("e\u{301}", 1),
            ("👨‍👩‍👧‍👦🏳️‍🌈", 2),
            ("漢字", 2),
            ("https://example.com", 23),
            ("https://example.com/a/very/long/path?that=goes&on=and#on", 23),
            ("(see https://a.io)", 29),
            ("example.com", 11),
            ("@ann@example.com", 4),
            ("@ann @ann@social.example.org!", 10),
            ("ann@example.com", 15),
            ("#hashtag", 8),
        ] {
            assert_eq!(countable_length(text, "", 23), length, "{text}");
        }
        assert_eq!(countable_length("abc", "warning", 23), 10);
        assert_eq!(countable_length("abc", "https://example.com @ann@example.com", 23), 39);
        assert_eq!(countable_length("https://example.com", "", 30), 30);
    }
}
