//! Cases: one call of a connector each, with the script that its vendor plays and how it has to end.

use super::asked::{Answer, Commented, Listing, LostAnswer, VideoAsk};
use super::ends::Ends;
use super::keys;
use super::script::{AnswerBody, Exchange, Source, WantedBody, WantedContent};
use crate::clock::Timestamp;
use crate::connectors::variant::VariantMore;
use anyhow::{Context as _, bail, ensure};
use orla_manifest::{FieldKind, Fields, Manifest, Origin};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The moment at which cases play that name none: 2026-01-15T12:00:00Z.
const NOON: Timestamp = Timestamp(1_768_478_400_000_000);
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// A case, as its file has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The file's name without `.json`.
    #[serde(skip)]
    pub(super) name: String,
    /// Where the case lies, and the files that it names.
    #[serde(skip)]
    pub(super) folder: PathBuf,
    /// What it shows, for those who read the report.
    #[serde(default)]
    pub(super) about: String,
    pub(super) call: Call,
    #[serde(default)]
    pub(super) account: Account,
    /// The operator's settings.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    /// What a person entered in the fields of text, by name.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, String>,
    /// When it plays, in RFC 3339.
    #[serde(default = "noon")]
    pub(super) now: Timestamp,
    /// What the connector asks, in this order, over all executions that it needs.
    #[serde(default)]
    pub(super) exchanges: Vec<Exchange>,
    /// What it may ask besides when something fails.
    #[serde(default)]
    pub(super) also: Vec<Exchange>,
    pub(super) ends: Ends,
}

fn noon() -> Timestamp {
    NOON
}

/// Whom the call acts for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) vendor_id: String,
    pub(super) handle: String,
    /// The page, blog or board that the call is for.
    #[serde(default)]
    pub(super) target: Option<String>,
    /// Slots that were filled before, such as `page:1`.
    #[serde(default)]
    pub(super) slots: Vec<String>,
    /// Whether it is a service account, where people connect their own accounts, too.
    #[serde(default)]
    pub(super) service_account: bool,
}

impl Default for Account {
    fn default() -> Self {
        let (vendor_id, handle) = ("1000".to_owned(), "ada".to_owned());
        Self { vendor_id, handle, target: None, slots: Vec::new(), service_account: false }
    }
}

/// The call. `remove` is missing: the host has no use for it yet. So are a drive's `search` and `fetch`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Call {
    Whoami,
    Check(Post),
    Publish(Post),
    Reconcile(Look),
    Complete(Ask),
    /// Of a drive.
    List(Listing),
    Comments(Commented),
    Reply(Answer),
    /// `find` of the interface `reply`.
    FindReply(LostAnswer),
    /// `check` of the interface `video-model`.
    CheckVideo(VideoAsk),
    /// `generate` of it.
    GenerateVideo(VideoAsk),
}

/// What a person wants to say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Post {
    pub(super) parts: Vec<Part>,
    /// What it has besides.
    #[serde(default)]
    pub(super) more: VariantMore,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) media: Vec<Medium>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Medium {
    /// The bytes, from which the host tells the media type.
    pub(super) bytes: Source,
    #[serde(default)]
    pub(super) alt_text: Option<String>,
}

/// A lost commit to look for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Look {
    pub(super) parts: Vec<Part>,
    /// What the post has besides.
    #[serde(default)]
    pub(super) more: VariantMore,
    /// The commit's key.
    pub(super) key: String,
    /// When it may have left; the case's `now` where absent.
    #[serde(default)]
    pub(super) sent_at: Option<SentAt>,
    /// The commits before it, each its key and the vendor's id of what it made.
    #[serde(default)]
    pub(super) earlier: Vec<(String, String)>,
}

/// When a commit may have left.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "a time in RFC 3339, or {\"before_s\": seconds before `now`}")]
pub(super) enum SentAt {
    /// In RFC 3339.
    Moment(Timestamp),
    Before(Before),
}

/// So long before the case's `now`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Before {
    before_s: u32,
}

impl SentAt {
    /// The time that it names in a case that plays now.
    pub(super) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Moment(moment) => moment,
            Self::Before(Before { before_s }) => Timestamp(now.0 - i64::from(before_s) * 1_000_000),
        }
    }
}

/// What a language model is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    pub(super) instructions: String,
    pub(super) message: String,
    #[serde(default)]
    pub(super) form: Option<Form>,
    pub(super) max_output_tokens: u32,
    pub(super) delivery: Delivery,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    pub(super) name: String,
    /// JSON Schema.
    pub(super) schema: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Delivery {
    Whole,
    Pieces,
}

/// Reads the cases of a connector, by their names; or one of them.
///
/// # Errors
/// A sentence that names the file and what is wrong with it.
pub(super) fn load(folder: &Path, only: Option<&str>, manifest: &Manifest) -> anyhow::Result<Vec<Case>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("there are no cases in {}; write one, as sdk/README.md shows", folder.display()))?;
    let mut cases = Vec::new();
    for entry in entries {
        let file = entry?.path();
        let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if file.extension().is_none_or(|extension| extension != "json") || only.is_some_and(|only| only != name) {
            continue;
        }
        let read = || -> anyhow::Result<Case> {
            let mut case: Case = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
            (case.name, case.folder) = (name, folder.to_owned());
            case.check(manifest)?;
            Ok(case)
        };
        cases.push(read().with_context(|| format!("{} is no case", file.display()))?);
    }
    match only {
        Some(name) if cases.is_empty() => {
            bail!("there is no case {name}: {} does not exist", folder.join(name).with_extension("json").display())
        }
        _ => {
            ensure!(!cases.is_empty(), "there are no cases in {}; write one, as sdk/README.md shows", folder.display())
        }
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(cases)
}

impl Case {
    fn check(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let (call, ends) = (self.call.name(), self.ends.of());
        let others = ends.join("` or `");
        ensure!(ends.is_empty() || ends.contains(&call), "a call of `{call}` cannot end as one of `{others}` does");
        for name in self.settings.keys() {
            ensure!(manifest.settings.contains_key(name), "the connector has no setting `{name}`");
        }
        self.check_fields(manifest)?;
        let has_both = manifest.auth.oauth2().is_some() && manifest.auth.service_account().is_some();
        ensure!(!self.account.service_account || has_both, "people connect no service accounts besides their own");
        ensure!(
            !self.account.service_account || call != "whoami",
            "a service account is who its key says: nobody asks"
        );
        ensure!(!self.parts().is_some_and(<[Part]>::is_empty), "a post has at least one part");
        for part in self.parts().unwrap_or_default() {
            for medium in &part.media {
                medium.bytes.bytes(&self.folder)?;
            }
        }
        if let Call::CheckVideo(VideoAsk { image: Some(image), .. })
        | Call::GenerateVideo(VideoAsk { image: Some(image), .. }) = &self.call
        {
            image.bytes(&self.folder)?;
        }
        for exchange in self.exchanges.iter().chain(&self.also) {
            self.check_exchange(exchange, manifest)?;
            let lost = exchange.lost.as_ref();
            for look in lost.iter().flat_map(|lost| lost.there.iter().chain(&lost.absent)) {
                self.check_exchange(look, manifest)?;
            }
        }
        Ok(())
    }

    fn check_fields(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let fields = keys::fields(manifest);
        for name in self.fields.keys() {
            let kind = fields.and_then(|fields| fields.named(name)).map(|field| field.kind);
            ensure!(kind.is_some(), "the connector has no field `{name}`");
            ensure!(kind == Some(FieldKind::Text), "the test kit fills in `{name}` itself: a case sets texts only");
        }
        match fields {
            Some(fields) => keys::fill_in(manifest, fields, &self.fields, "http://localhost", "a case").map(drop),
            None => Ok(()),
        }
    }

    fn check_exchange(&self, exchange: &Exchange, manifest: &Manifest) -> anyhow::Result<()> {
        let (wanted, answer) = (&exchange.request, &exchange.answer);
        let line = wanted.line();
        let endpoint = manifest.endpoints.get(&wanted.endpoint);
        let endpoint =
            endpoint.with_context(|| format!("{line}: the manifest has no endpoint `{}`", wanted.endpoint))?;
        ensure!(METHODS.contains(&wanted.method.as_str()), "{line}: a method is one of {}", METHODS.join(", "));
        ensure!(wanted.path.starts_with('/'), "{line}: a path begins with `/`");
        let is_whole = matches!(endpoint.origin, Origin::Entered { .. })
            && keys::fields(manifest).and_then(Fields::address).is_some_and(|field| field.kind == FieldKind::Url);
        ensure!(
            !is_whole || wanted.path == "/" && wanted.query.is_empty(),
            "{line}: `{}` is one whole URL, whose path is `/` in cases, without a query",
            wanted.endpoint
        );
        ensure!((200..600).contains(&answer.status), "{line}: {} is no status of an answer", answer.status);
        if let AnswerBody::Bytes(source) = &answer.body {
            source.bytes(&self.folder)?;
        }
        match &wanted.body {
            WantedBody::Bytes(source) => drop(source.bytes(&self.folder)?),
            WantedBody::Multipart(parts) => {
                for part in parts {
                    if let WantedContent::Bytes(source) = &part.content {
                        source.bytes(&self.folder)?;
                    }
                }
            }
            WantedBody::None
            | WantedBody::Any
            | WantedBody::Json(_)
            | WantedBody::JsonSubset(_)
            | WantedBody::Form(_)
            | WantedBody::Text(_) => {}
        }
        Ok(())
    }

    /// The parts of the post that the call is about, where it is about one.
    pub(super) fn parts(&self) -> Option<&[Part]> {
        match &self.call {
            Call::Check(post) | Call::Publish(post) => Some(&post.parts),
            Call::Reconcile(look) => Some(&look.parts),
            Call::Whoami
            | Call::Complete(_)
            | Call::List(_)
            | Call::Comments(_)
            | Call::Reply(_)
            | Call::FindReply(_)
            | Call::CheckVideo(_)
            | Call::GenerateVideo(_) => None,
        }
    }

    /// What the post that the call is about has besides its parts.
    pub(super) fn more(&self) -> VariantMore {
        match &self.call {
            Call::Check(post) | Call::Publish(post) => post.more.clone(),
            Call::Reconcile(look) => look.more.clone(),
            Call::Whoami
            | Call::Complete(_)
            | Call::List(_)
            | Call::Comments(_)
            | Call::Reply(_)
            | Call::FindReply(_)
            | Call::CheckVideo(_)
            | Call::GenerateVideo(_) => VariantMore::default(),
        }
    }

    /// What the connector may ask: its script, and what may come besides.
    pub(super) fn all_exchanges(&self) -> Vec<Exchange> {
        self.exchanges.iter().chain(&self.also).cloned().collect()
    }
}

impl Call {
    /// The function's name.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Whoami => "whoami",
            Self::Check(_) => "check",
            Self::Publish(_) => "publish",
            Self::Reconcile(_) => "reconcile",
            Self::Complete(_) => "complete",
            Self::List(_) => "list",
            Self::Comments(_) => "comments",
            Self::Reply(_) => "reply",
            Self::FindReply(_) => "find_reply",
            Self::CheckVideo(_) => "check_video",
            Self::GenerateVideo(_) => "generate_video",
        }
    }

    /// Whether it is done by a run with a journal, which may be executed again.
    pub(super) fn is_run(&self) -> bool {
        matches!(self, Self::Publish(_) | Self::Complete(_) | Self::Reply(_) | Self::GenerateVideo(_))
    }
}
