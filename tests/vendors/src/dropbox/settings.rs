//! What a test may choose about the simulated Dropbox, at the start and while it runs.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::content::Content;

/// Which app is registered, who uses Dropbox, and how it behaves. The default is Dropbox as documented.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The app key of the one app there is.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its redirect URIs, compared byte for byte. None are accepted that are not listed.
    pub redirect_uris: Vec<String>,
    /// The scopes that are ticked in its console. Nobody can be asked for others.
    pub app_scopes: Vec<String>,
    /// Who has an account, and what is in it.
    pub accounts: Vec<Account>,
    /// What every code and token has in it, so that a test can search logs and databases for leaked ones.
    pub token_mark: String,
    /// Who decides about consent.
    pub consent: Consent,
    /// Whether there are refresh tokens, and how long they last.
    pub refresh_tokens: RefreshTokens,
    /// What the next requests for tokens are answered with instead, in this order; each is used up.
    pub token_failures: Vec<TokenFailure>,
    /// How many of the next `list_folder/continue` find that their cursor has been invalidated; each is used up.
    pub resets: u32,
    /// How long a code can be exchanged.
    pub code_lifetime_s: u64,
    /// How long an access token works: 4 h (observed).
    pub access_lifetime_s: u64,
    /// How long a temporary link works: 4 h (documented).
    pub link_lifetime_s: u64,
    /// How many entries a page of a folder has when no limit is asked for.
    pub page_entries: usize,
}

/// Who decides about consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// A person does, on a page.
    Ask,
    /// The first account agrees at once.
    Grant,
    /// The first account cancels at once.
    Deny,
}

/// What becomes of refresh tokens. Online access never has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokens {
    /// They work until they are revoked, and a refresh brings no new one (documented).
    Lasting,
    /// There are none, even for offline access.
    Absent,
    /// Not Dropbox's way: each refresh brings a new one and spends the old. Whoever shows a spent one revokes all that
    /// stems from the same consent (RFC 9700, 4.14.2).
    Rotating,
}

/// How a request for tokens fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFailure {
    /// 500, and nothing has happened.
    ServerError,
    /// 400 with `invalid_grant`, and nothing has happened.
    InvalidGrant,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            client_id: "orla-demo".to_owned(),
            client_secret: "orla-demo-secret".to_owned(),
            redirect_uris: Vec::new(),
            app_scopes: ["account_info.read", "files.metadata.read", "files.content.read"].map(str::to_owned).to_vec(),
            accounts: vec![
                Account { files: demo_files(), ..Account::new("orla_demo", "Orla Demo") },
                Account::new("second_account", "Second Account"),
            ],
            token_mark: String::new(),
            consent: Consent::Ask,
            refresh_tokens: RefreshTokens::Lasting,
            token_failures: Vec::new(),
            resets: 0,
            code_lifetime_s: 600,
            access_lifetime_s: 14_400,
            link_lifetime_s: 14_400,
            page_entries: 500,
        }
    }
}

fn demo_files() -> Vec<File> {
    vec![
        File::new("/Brand/Logo.png", Content::SquarePng),
        File::new("/Brand/Größe “M” 🦀.png", Content::Png { size_bytes: 250_000 }),
        File::new("/Brand/Guide.gdoc", Content::Text(String::new())).exported_as("docx"),
        File::new("/Campaigns/Spring/Hills.jpg", Content::PhotoJpg),
        File::new("/Campaigns/Spring/Teaser.mp4", Content::Mp4 { size_bytes: 3 << 20 }),
        File::new("/Wave.gif", Content::AnimGif),
    ]
}

impl Settings {
    /// The account with this name or id.
    pub(super) fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name || account.id() == name)
    }
}

/// Somebody's Dropbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// What tests call it; its mail address is this, at example.com.
    pub name: String,
    /// The name shown.
    pub display_name: String,
    /// Whether the mail address is verified; without, there are no temporary links.
    pub email_verified: bool,
    /// The namespace of its home folder: digits.
    pub home_namespace_id: String,
    /// Its team, if the team has a space of its own.
    pub team: Option<TeamSpace>,
    /// Folders that may be empty. Those on the way to a file need not be here.
    #[serde(default)]
    pub folders: Vec<String>,
    /// All files: of the team space, if there is one.
    #[serde(default)]
    pub files: Vec<File>,
}

/// The space of a team, of which the home folders of its members are a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamSpace {
    /// The name of the team.
    pub name: String,
    /// The namespace of the space: digits.
    pub root_namespace_id: String,
    /// The member's home folder in it, such as `/Orla Demo`: one level deep.
    pub home_path: String,
}

impl Account {
    /// A personal account with nothing in it.
    pub fn new(name: &str, display_name: &str) -> Self {
        let number = u32::from_be_bytes(digest(name)[..4].try_into().unwrap_or_default());
        Self {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            email_verified: true,
            home_namespace_id: number.to_string(),
            team: None,
            folders: Vec::new(),
            files: Vec::new(),
        }
    }

    /// The account id: 40 characters.
    pub fn id(&self) -> String {
        format!("dbid:AA{}", &hex::encode(digest(&self.name))[..33])
    }

    /// The namespace that `Dropbox-API-Path-Root` can name to see everything.
    pub fn root_namespace_id(&self) -> &str {
        self.team.as_ref().map_or(&self.home_namespace_id, |team| &team.root_namespace_id)
    }
}

/// A file of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where it is, such as `/Brand/Logo.png`.
    pub path: String,
    /// What it contains.
    pub content: Content,
    /// When it was modified, such as `2026-01-02T03:04:05Z`.
    pub modified: String,
    /// The format that it has to be exported to, such as `docx`; it cannot be downloaded, then.
    #[serde(default)]
    pub export_as: Option<String>,
}

impl File {
    /// A file that can be downloaded.
    pub fn new(path: &str, content: Content) -> Self {
        let modified = "2026-01-02T03:04:05Z".to_owned();
        Self { path: path.to_owned(), content, modified, export_as: None }
    }

    /// A file of so many bytes of noise, which differs from those elsewhere.
    pub fn noise(path: &str, size_bytes: u64) -> Self {
        let seed = u64::from_be_bytes(digest(path)[..8].try_into().unwrap_or_default());
        Self::new(path, Content::Noise { size_bytes, seed })
    }

    /// The same file, modified then.
    #[must_use]
    pub fn modified(self, modified: &str) -> Self {
        Self { modified: modified.to_owned(), ..self }
    }

    /// The same file as one that must be exported.
    #[must_use]
    pub fn exported_as(self, format: &str) -> Self {
        Self { export_as: Some(format.to_owned()), ..self }
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}
