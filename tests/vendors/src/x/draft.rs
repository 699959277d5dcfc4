//! The body of `POST /2/tweets`: a closed object (documented in the OpenAPI document, `CreatePostsRequest`).

use serde::Deserialize;

use super::length::{LONGEST_POST, weighted_length};
use super::problem::Problem;
use super::snowflake::id;

/// Twelve links of 4,096 bytes and what else fits beside them; there is no need to weigh more than that.
const MOST_TEXT_BYTES: usize = 64 << 10;

/// What somebody wants to post.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "members without effect here are named so that they are accepted and typed")]
pub(super) struct Draft {
    #[serde(default)]
    pub(super) text: String,
    media: Option<Media>,
    reply: Option<Reply>,
    quote_tweet_id: Option<String>,
    poll: Option<Poll>,
    reply_settings: Option<ReplySettings>,
    community_id: Option<String>,
    share_with_followers: Option<bool>,
    for_super_followers_only: Option<bool>,
    geo: Option<Geo>,
    card_uri: Option<String>,
    nullcast: Option<bool>,
    direct_message_deep_link: Option<String>,
    edit_options: Option<EditOptions>,
    made_with_ai: Option<bool>,
    paid_partnership: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Media {
    media_ids: Vec<String>,
    #[serde(default)]
    tagged_user_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    in_reply_to_tweet_id: String,
    #[serde(default)]
    exclude_reply_user_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Poll {
    options: Vec<String>,
    duration_minutes: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum ReplySettings {
    Following,
    MentionedUsers,
    Subscribers,
    Verified,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that it is accepted and typed")]
struct Geo {
    place_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "named so that it is accepted and typed")]
struct EditOptions {
    previous_post_id: String,
}

impl Draft {
    /// Refuse what is wrong by itself, whatever else is on X.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let Self { text, media, reply, quote_tweet_id, poll, card_uri, .. } = self;
        let attachments = [media.is_some(), poll.is_some(), quote_tweet_id.is_some(), card_uri.is_some()];
        if attachments.into_iter().filter(|present| *present).count() > 1 {
            return Err(Problem::malformed("media, poll, quote_tweet_id and card_uri exclude each other."));
        }
        if text.trim().is_empty() && media.is_none() {
            return Err(Problem::invalid("text", text, "text is required unless there is media"));
        }
        if let Some(bad) = text.chars().find(|bad| matches!(bad, '\u{FFFE}' | '\u{FEFF}' | '\u{FFFF}')) {
            return Err(Problem::invalid("text", "", format!("text holds {}", bad.escape_unicode())));
        }
        if text.len() > MOST_TEXT_BYTES || weighted_length(text) > LONGEST_POST {
            // Observed: X refuses a text that is too long with 403, and says no more than this.
            return Err(Problem::forbidden("You are not permitted to perform this action."));
        }
        if let Some(Media { media_ids, tagged_user_ids }) = media {
            all_ids("media.media_ids", media_ids, 1..=4)?;
            all_ids("media.tagged_user_ids", tagged_user_ids, 0..=10)?;
        }
        if let Some(Reply { exclude_reply_user_ids, .. }) = reply {
            all_ids("reply.exclude_reply_user_ids", exclude_reply_user_ids, 0..=usize::MAX)?;
        }
        if let Some(Poll { options, duration_minutes }) = poll {
            let fits = |option: &String| (1..=25).contains(&option.chars().count());
            if !(2..=4).contains(&options.len()) || !options.iter().all(fits) {
                return Err(Problem::invalid("poll.options", "", "2 to 4 options of 1 to 25 characters are required"));
            }
            if !(5..=10_080).contains(duration_minutes) {
                let given = duration_minutes.to_string();
                return Err(Problem::invalid("poll.duration_minutes", &given, "must be between 5 and 10080"));
            }
        }
        if quote_tweet_id.is_some() {
            // Documented for self-serve access: quoting through the API was taken away.
            return Err(Problem::client_forbidden("Quoting posts is not available at this access level."));
        }
        if cashtags(text) > 1 {
            // Documented as a limit, the words are observed.
            return Err(Problem::forbidden("Posts are limited to a maximum of one cashtag."));
        }
        Ok(())
    }

    pub(super) fn media_ids(&self) -> Result<Vec<u64>, Problem> {
        let ids = self.media.iter().flat_map(|media| &media.media_ids);
        ids.map(|text| id("media.media_ids", text)).collect()
    }

    pub(super) fn reply_to(&self) -> Result<Option<u64>, Problem> {
        let reply = self.reply.as_ref();
        reply.map(|reply| id("reply.in_reply_to_tweet_id", &reply.in_reply_to_tweet_id)).transpose()
    }
}

/// So many ids, no two of them the same.
fn all_ids(parameter: &str, given: &[String], count: std::ops::RangeInclusive<usize>) -> Result<(), Problem> {
    if !count.contains(&given.len()) {
        let message = format!("{parameter} must have {} to {} items", count.start(), count.end());
        return Err(Problem::invalid(parameter, "", message));
    }
    for (at, text) in given.iter().enumerate() {
        id(parameter, text)?;
        if given[..at].contains(text) {
            return Err(Problem::invalid(parameter, text, format!("{parameter} holds [{text}] twice")));
        }
    }
    Ok(())
}

/// How many words are a dollar sign and one to six letters.
fn cashtags(text: &str) -> usize {
    let is_cashtag = |word: &str| {
        let symbol = word.strip_prefix('$').map(|rest| rest.trim_end_matches(|c: char| c.is_ascii_punctuation()));
        symbol.is_some_and(|s| (1..=6).contains(&s.len()) && s.bytes().all(|byte| byte.is_ascii_alphabetic()))
    };
    text.split_whitespace().filter(|word| is_cashtag(word)).count()
}
