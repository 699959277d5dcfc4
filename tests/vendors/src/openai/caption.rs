//! What the simulated model writes: a short post about what the user said last, the same for the same request.

use sha2::{Digest, Sha256};

/// A word of the user's that says little alone.
const SHORT_CHARS: usize = 3;
/// How many of the user's words are repeated.
const WORDS: usize = 6;

/// A caption about the last thing said, which differs wherever the whole context or the model does.
pub(super) fn about(last: &str, context: &str, model: &str) -> String {
    let digest = Sha256::digest(format!("{model}\n{context}"));
    let tag = hex::encode(digest.get(..4).unwrap_or_default());
    let words = words(last).join(" ");
    let words = if words.is_empty() { "Today".to_owned() } else { words };
    match digest.first().map_or(0, |byte| byte % 4) {
        0 => format!("{words} – here is why it matters to us. What do you think? #take{tag}"),
        1 => format!("✨ {words}: the story behind it, in one minute. #story{tag}"),
        2 => format!("We could not keep this to ourselves: {words}! Tell us yours below. #news{tag}"),
        _ => format!("{words}. Three things we learned, and one that surprised us. #notes{tag}"),
    }
}

/// Filler of so many pieces.
pub(super) fn filler(pieces: u32, piece_chars: usize) -> Vec<String> {
    let piece: String = "lorem ipsum ".chars().cycle().take(piece_chars.max(1)).collect();
    vec![piece; usize::try_from(pieces).unwrap_or(usize::MAX)]
}

/// The first words that are not short, each once; short ones where there is nothing else.
fn words(text: &str) -> Vec<&str> {
    let all = || text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut long: Vec<&str> = Vec::new();
    for word in all().filter(|word| word.chars().count() > SHORT_CHARS) {
        if long.len() < WORDS && !long.contains(&word) {
            long.push(word);
        }
    }
    if long.is_empty() { all().take(WORDS).collect() } else { long }
}

#[cfg(test)]
mod tests {
    use super::about;

    #[test]
    fn a_caption_is_about_its_input_and_of_no_other() {
        let one = about("Write a post on our new coffee from Huila", "a", "m");
        assert!(one.contains("coffee from Huila"), "{one}");
        assert_eq!(one, about("Write a post on our new coffee from Huila", "a", "m"));
        assert_ne!(one, about("Write a post on our new coffee from Huila", "b", "m"));
        assert_ne!(one, about("Write a post on our new coffee from Huila", "a", "n"));
        assert!(about("", "", "").contains("Today"));
    }
}
