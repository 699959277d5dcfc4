//! How long a post is: the weighted length of twitter-text, configuration version 3 (documented under "Counting
//! characters"; <https://github.com/twitter/twitter-text/blob/master/config/v3.json>).
//!
//! Two simplifications err only where it hardly matters: links count as such with `http://` or `https://` before
//! them, and every well-formed emoji sequence counts as one emoji, whether any font has it or not.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::links;

/// The weighted length that a post may have.
pub(super) const LONGEST_POST: usize = 280;

/// What a link counts, whatever its length: that of a `https://t.co/…` link.
const LINK: usize = 23;

/// The weighted length of a text: what X compares with 280.
pub fn weighted_length(text: &str) -> usize {
    let text: String = text.nfc().collect();
    let mut length = 0;
    let mut rest = 0;
    for link in links::find(&text) {
        length += weigh(&text[rest..link.start]) + LINK;
        rest = link.end;
    }
    length + weigh(&text[rest..])
}

/// The weight of a text without links.
fn weigh(text: &str) -> usize {
    let weigh_cluster = |cluster: &str| if is_emoji(cluster) { 2 } else { cluster.chars().map(weight).sum() };
    text.graphemes(true).map(weigh_cluster).sum()
}

fn weight(character: char) -> usize {
    match character {
        '\0'..='\u{10FF}' | '\u{2000}'..='\u{200D}' | '\u{2010}'..='\u{201F}' | '\u{2032}'..='\u{2037}' => 1,
        _ => 2,
    }
}

/// Whether a grapheme cluster is shown as an emoji: by nature, or because a keycap or U+FE0F asks for it.
fn is_emoji(cluster: &str) -> bool {
    let as_text = cluster.contains('\u{FE0E}');
    !as_text
        && match cluster.chars().next() {
            Some('#' | '*' | '0'..='9') => cluster.ends_with('\u{20E3}'),
            Some('©' | '®') => cluster.contains('\u{FE0F}'),
            Some(
                '\u{203C}'
                | '\u{2049}'
                | '\u{2122}'
                | '\u{2139}'
                | '\u{2194}'..='\u{21AA}'
                | '\u{231A}'..='\u{23FF}'
                | '\u{24C2}'
                | '\u{25AA}'..='\u{27BF}'
                | '\u{2934}'..='\u{2935}'
                | '\u{2B05}'..='\u{2B55}'
                | '\u{3030}'
                | '\u{303D}'
                | '\u{3297}'
                | '\u{3299}'
                | '\u{1F000}'..='\u{1FAFF}',
            ) => true,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::weighted_length;

    /// From twitter-text's conformance suite, `WeightedTweetsWithDiscountedEmojiCounterTest`.
    #[test]
    fn the_conformance_suite_of_twitter_text_holds() {
        let cases = [
            ("Hi http://test.co", 26),
            ("http://test.co", 23),
            ("H🐱☺👨‍👩‍👧‍👦", 7),
            ("😷👾😡🔥💩", 10),
            ("🙋🏽👨‍🎤", 4),
            ("1\u{20E3}", 2),
            ("Unicode 10.0 emoji: 🤪; 🧕; 🧕🏾; 🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", 34),
            ("Unicode 9.0 emoji: 🤠; 💃; 💃🏾", 29),
            (
                "This is a tweet with general punctuation characters: \u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200A}\u{200B} ‐ ‑ ‒ – — ― ‖  ‗ ‘ ’ ‚ ‛ “ ” „ ‟ ′ ″ ‴ ‵ ‶ ‷",
                110,
            ),
            ("randomurlrandomurlrandomurlrandomurlrandomurlrandomurlrandomurls.com", 68),
        ];
        for (text, length) in cases {
            assert_eq!(weighted_length(text), length, "{text}");
        }
        assert_eq!(weighted_length(&"👨‍👩‍👧‍👦".repeat(140)), 280);
        assert_eq!(weighted_length(&"https://www.twitter.com/aloha ".repeat(10)), 240);
    }

    #[test]
    fn international_domains_count_as_links_only_if_a_resolver_could_know_them() {
        let label =
            "あいうえおかきくけこあいうえおかきくけこあいうえおかきくけこあいうえおかきくけこあいうえおかきくけこあい";
        assert_eq!(weighted_length(&format!("http://{label}.com")), 23);
        let longer = format!("http://{label}う.com");
        assert_eq!(weighted_length(&longer), 7 + 2 * 53 + 4);
    }

    #[test]
    fn text_is_normalised_before_it_is_counted() {
        assert_eq!(weighted_length("A\u{301}B"), 2);
        assert_eq!(weighted_length("漢字かな"), 8);
        assert_eq!(weighted_length("한국어"), 6);
        assert_eq!(weighted_length("©"), 1);
        assert_eq!(weighted_length("©\u{FE0F}"), 2);
    }
}
