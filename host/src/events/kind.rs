//! Everything that is told: a closed list.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub enum EventType {
    /// A publication was taken in for later, or was given another time.
    #[serde(rename = "publication.scheduled")]
    PublicationScheduled,
    /// An attempt failed in passing, and others follow. Told of the first failure in a row.
    #[serde(rename = "publication.delayed")]
    PublicationDelayed,
    /// Nobody knows whether a part of it reached the network; it is being found out.
    #[serde(rename = "publication.uncertain")]
    PublicationUncertain,
    /// At least its first part is live. Nothing follows.
    #[serde(rename = "publication.published")]
    PublicationPublished,
    /// It was not published, or what became of it could not be found out. Nothing follows.
    #[serde(rename = "publication.failed")]
    PublicationFailed,
    /// A person took it back. Nothing follows.
    #[serde(rename = "publication.cancelled")]
    PublicationCancelled,
    /// A video was made, and charged. Nothing follows.
    #[serde(rename = "video.finished")]
    VideoFinished,
    /// A video was not made, or nobody knows whether it was; nothing was charged. Nothing follows.
    #[serde(rename = "video.failed")]
    VideoFailed,
    /// An account was connected, or connected again.
    #[serde(rename = "connection.connected")]
    ConnectionConnected,
    /// The vendor no longer honours a connection.
    #[serde(rename = "connection.revoked")]
    ConnectionRevoked,
    /// A person removed a connection.
    #[serde(rename = "connection.disconnected")]
    ConnectionDisconnected,
    /// The available credits sank below what the workspace set. Told once each time.
    #[serde(rename = "credits.low")]
    CreditsLow,
    /// Somebody tries an endpoint out. It comes whatever the endpoint wants to be told.
    #[serde(rename = "ping")]
    Ping,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::PublicationScheduled,
        Self::PublicationDelayed,
        Self::PublicationUncertain,
        Self::PublicationPublished,
        Self::PublicationFailed,
        Self::PublicationCancelled,
        Self::VideoFinished,
        Self::VideoFailed,
        Self::ConnectionConnected,
        Self::ConnectionRevoked,
        Self::ConnectionDisconnected,
        Self::CreditsLow,
        Self::Ping,
    ];

    /// The word in the database and the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::PublicationScheduled => "publication.scheduled",
            Self::PublicationDelayed => "publication.delayed",
            Self::PublicationUncertain => "publication.uncertain",
            Self::PublicationPublished => "publication.published",
            Self::PublicationFailed => "publication.failed",
            Self::PublicationCancelled => "publication.cancelled",
            Self::VideoFinished => "video.finished",
            Self::VideoFailed => "video.failed",
            Self::ConnectionConnected => "connection.connected",
            Self::ConnectionRevoked => "connection.revoked",
            Self::ConnectionDisconnected => "connection.disconnected",
            Self::CreditsLow => "credits.low",
            Self::Ping => "ping",
        }
    }

    /// Whether it is one of those that an endpoint wants to be told, separated by spaces; none stands for all.
    pub(super) fn is_among(self, wanted: &str) -> bool {
        wanted.is_empty() || wanted.split(' ').any(|word| word == self.word())
    }
}

impl FromStr for EventType {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|one| one.word() == word);
        found.with_context(|| format!("`{word}` is no type of event"))
    }
}

#[cfg(test)]
mod tests {
    use super::EventType;

    #[test]
    fn the_api_and_the_database_call_it_alike() {
        for one in EventType::ALL {
            assert_eq!(serde_json::to_value(one).expect("a word"), one.word());
            assert_eq!(one.word().parse::<EventType>().expect("its own word"), one);
        }
    }

    #[test]
    fn who_names_nothing_wants_everything() {
        let wanted = "publication.published credits.low";
        let told: Vec<EventType> = EventType::ALL.into_iter().filter(|one| one.is_among(wanted)).collect();
        assert_eq!(told, [EventType::PublicationPublished, EventType::CreditsLow]);
        assert!(EventType::ALL.into_iter().all(|one| one.is_among("")));
        assert!(!EventType::Ping.is_among("publication"));
    }
}
