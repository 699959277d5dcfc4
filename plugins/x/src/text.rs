//! How long a text is for X, which weighs characters: <https://docs.x.com/fundamentals/counting-characters>.
//!
//! The weights are version 3 of the configuration of twitter-text, X's own library.

use crate::link;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The most that a post's text may weigh. Paying accounts may write more; the API does not say who pays.
pub(crate) const MAX_WEIGHT: usize = 280;

/// What a link weighs, whatever its length: X replaces it with one of its own.
const LINK_WEIGHT: usize = 23;

/// What an emoji weighs, of however many characters it is made.
const EMOJI_WEIGHT: usize = 2;

/// The weight of a text.
pub(crate) fn weight(text: &str) -> usize {
    let text: String = text.nfc().collect();
    let mut total = 0;
    let mut end_of_last = 0;
    for link in link::find_all(&text) {
        total += weight_without_links(&text[end_of_last..link.start]) + LINK_WEIGHT;
        end_of_last = link.end;
    }
    total + weight_without_links(&text[end_of_last..])
}

fn weight_without_links(text: &str) -> usize {
    text.graphemes(true)
        .map(|cluster| if is_emoji(cluster) { EMOJI_WEIGHT } else { cluster.chars().map(char_weight).sum() })
        .sum()
}

fn char_weight(character: char) -> usize {
    match character {
        // Most of the alphabets, and the punctuation and spaces that go with them.
        '\0'..='\u{10FF}' | '\u{2000}'..='\u{200D}' | '\u{2010}'..='\u{201F}' | '\u{2032}'..='\u{2037}' => 1,
        _ => 2,
    }
}

/// Whether a cluster of several characters is shown as one emoji. Emoji of one character weigh 2 anyway.
fn is_emoji(cluster: &str) -> bool {
    let mut characters = cluster.chars();
    let (Some(first), false) = (characters.next(), characters.as_str().is_empty()) else {
        return false;
    };
    characters.any(|character| match character {
        // Keycap, and "show the character before as an emoji".
        '\u{20E3}' | '\u{FE0F}' => true,
        // Joiner, regional letter, skin tone and tag; the joiner also stands in words of Indic scripts.
        '\u{200D}' | '\u{1F1E6}'..='\u{1F1FF}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}' => {
            first >= '\u{2190}'
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::weight;

    #[test]
    fn letters_weigh_one_or_two() {
        assert_eq!(weight(""), 0);
        assert_eq!(weight("This is a test."), 15);
        assert_eq!(weight("Привет, Ελλάδα"), 14);
        assert_eq!(weight("저찀쯿쿿"), 8);
        assert_eq!(weight("the故人西辞黄鹤楼，"), 3 + 16);
        assert_eq!(weight("\u{10000}\u{10FFFF}"), 4);
    }

    #[test]
    fn punctuation_keeps_the_weight_of_its_range() {
        assert_eq!(weight("\u{2000}\u{200D}\u{2010}\u{201F}\u{2032}\u{2037}"), 6);
        assert_eq!(weight("\u{200E}\u{2020}…\u{2038}€"), 10);
    }

    #[test]
    fn text_is_composed_first() {
        assert_eq!(weight("e\u{301}"), 1);
        assert_eq!(weight("A\u{301}x"), 2);
    }

    #[test]
    fn an_emoji_weighs_two_however_it_is_made() {
        assert_eq!(weight("😷👾😡🔥💩"), 10);
        assert_eq!(weight("🙋🏽👨‍🎤"), 4);
        assert_eq!(weight("H🐱☺👨‍👩‍👧‍👦"), 7);
        assert_eq!(weight("1⃣ 1️⃣"), 5);
        assert_eq!(weight("🇬🇧🇫🇷"), 4);
        assert_eq!(weight("🏴󠁧󠁢󠁥󠁮󠁧󠁿"), 2);
        assert_eq!(weight("❤️"), 2);
        assert_eq!(weight(&"👨‍👩‍👧‍👦".repeat(140)), 280);
    }

    #[test]
    fn a_joiner_within_a_word_makes_no_emoji() {
        assert_eq!(weight("क्\u{200D}ष"), 4);
    }

    #[test]
    fn a_link_weighs_twenty_three() {
        assert_eq!(weight("http://test.co"), 23);
        assert_eq!(weight("Hi http://test.co"), 26);
        assert_eq!(weight("Test https://test.com test https://test.com test.com test"), 86);
        assert_eq!(weight(&format!("https://example.com/{}", "a".repeat(300))), 23);
        assert_eq!(weight("(see https://en.wikipedia.org/wiki/Primer_(film)), 日本"), 5 + 23 + 3 + 4);
    }
}
