//! What is made up for a run: the secrets that sign its requests, and what a person would have entered to connect its
//! account.

use super::came::Came;
use super::webhook;
use crate::connectors::credentials::Way;
use crate::connectors::entered::Entered;
use crate::connectors::oauth::{ServiceKey, read_pem};
use anyhow::anyhow;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use orla_manifest::{Auth, Field, FieldKind, Fields, Manifest, Place, Refresh, Sign};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::fmt::Display;

/// What stands in a field of text that the case does not fill in.
const TEXT: &str = "proving";

/// The secrets of a run. No connector may have one.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) access: SecretString,
    pub(super) refresh: SecretString,
    /// What the slots of the account hold, by their names.
    pub(super) slots: BTreeMap<String, SecretString>,
    /// What a person entered, by the names of the fields.
    fields: BTreeMap<String, SecretString>,
    /// All that a person entered and nobody may read, in the forms in which it is recognised.
    entered: Vec<SecretString>,
}

impl Keys {
    /// Those of an app at its vendor, or of the operator.
    pub(super) fn minted(access: SecretString, refresh: SecretString) -> Self {
        Self { access, refresh, ..Self::default() }
    }

    /// Those that a person entered.
    pub(super) fn entered(entered: &Entered, fields: &Fields) -> Self {
        let value = |field: &str| entered.value(field).cloned().unwrap_or_default();
        Self {
            access: fields.token.as_deref().map(value).unwrap_or_default(),
            refresh: SecretString::default(),
            slots: BTreeMap::new(),
            fields: fields.fields.iter().map(|field| (field.name.clone(), value(&field.name))).collect(),
            entered: entered.secrets(fields),
        }
    }

    /// All of them.
    fn all(&self) -> impl Iterator<Item = &str> {
        let all = [&self.access, &self.refresh].into_iter().chain(self.slots.values()).chain(&self.entered);
        all.map(|secret| secret.expose_secret()).filter(|secret| !secret.is_empty())
    }

    /// Whether any stands in a text.
    pub(super) fn are_in(&self, text: &str) -> bool {
        self.all().any(|secret| text.contains(secret))
    }

    /// Whether a request holds one where the host puts none.
    pub(super) fn are_told_by(&self, came: &Came) -> bool {
        self.all().any(|secret| came.tells(secret))
    }

    /// What a careless vendor repeats of a request.
    pub(super) fn told_back(&self, came: &Came) -> Vec<String> {
        let entered = self.entered.iter().map(|secret| secret.expose_secret().to_owned());
        came.signature().map(str::to_owned).into_iter().chain(entered).collect()
    }

    /// What is wrong with how a request is signed, to be read on after its line; `None` where nothing is.
    pub(super) fn flaw(&self, sign: &Sign, came: &Came) -> Option<String> {
        let is_signed = match sign {
            Sign::None => came.signature().is_none(),
            Sign::Bearer => self.tokens().any(|token| came.signature() == Some(format!("Bearer {token}").as_str())),
            Sign::Header { name, value } => {
                self.tokens().any(|token| came.header(name) == Ok(value.replace("{token}", token).as_str()))
            }
            Sign::Query { name } => self.tokens().any(|token| came.query(name).as_deref() == Some(token)),
            Sign::Basic { user, password } => {
                let field = |name| self.fields.get(name).map_or("", |value| value.expose_secret());
                let pair = STANDARD.encode(format!("{}:{}", field(user), field(password)));
                came.signature() == Some(format!("Basic {pair}").as_str())
            }
            Sign::StandardWebhooks { secret } => {
                return match self.fields.get(secret) {
                    Some(_) if came.signature().is_some() => Some("is not signed as the manifest says".to_owned()),
                    Some(secret) => webhook::flaw(came, secret),
                    None => Some("is signed for an account that nobody has connected".to_owned()),
                };
            }
        };
        (!is_signed).then(|| "is not signed as the manifest says".to_owned())
    }

    /// What may stand for the account: its own token, or one out of a slot.
    fn tokens(&self) -> impl Iterator<Item = &str> {
        [&self.access].into_iter().chain(self.slots.values()).map(|token| token.expose_secret())
    }
}

/// How the host renews an account's token.
#[derive(Debug)]
pub(super) struct Renewal {
    at: Place,
    /// The parameter that holds what is shown for a new one.
    param: String,
    shown: Shown,
}

/// What is shown for a new token.
#[derive(Debug, Clone, Copy)]
enum Shown {
    RefreshToken,
    /// The token itself.
    Token,
    /// An assertion that the account's key has signed.
    Assertion,
}

impl Renewal {
    /// That of an account that was connected by OAuth, or signs its own way in.
    pub(super) fn of(way: Way<'_>) -> Option<Self> {
        let oauth = match way {
            Way::Oauth2(oauth) => oauth,
            Way::ServiceAccount(account) => {
                let (at, param) = (account.token.clone(), "assertion".to_owned());
                return Some(Self { at, param, shown: Shown::Assertion });
            }
            Way::Other => return None,
        };
        Some(match &oauth.refresh {
            Refresh::Exchange { exchange, .. } => {
                Self { at: exchange.at.clone(), param: exchange.token_param.clone(), shown: Shown::Token }
            }
            Refresh::Token | Refresh::None => {
                Self { at: oauth.token.clone(), param: "refresh_token".to_owned(), shown: Shown::RefreshToken }
            }
        })
    }

    /// Whether a request is for the place where it is asked for.
    pub(super) fn is(&self, came: &Came) -> bool {
        came.is_at(&self.at.endpoint, &self.at.path)
    }

    /// Whether it shows what the host was given.
    pub(super) fn is_right(&self, keys: &Keys, came: &Came) -> bool {
        let shown = came.field(&self.param).or_else(|| came.query(&self.param));
        match self.shown {
            Shown::RefreshToken => shown.as_deref() == Some(keys.refresh.expose_secret()),
            Shown::Token => shown.as_deref() == Some(keys.access.expose_secret()),
            // Whether it is sound is the host's own affair, and tested there.
            Shown::Assertion => shown.is_some_and(|shown| shown.split('.').count() == 3),
        }
    }
}

/// A key that was made for cases alone.
const SERVICE_KEY: &str = include_str!("key.pem");

/// The key of a service account that is called so.
///
/// # Errors
/// Never: the key is sound.
pub(super) fn service_account(address: &str) -> anyhow::Result<ServiceKey> {
    let private_key = read_pem(SERVICE_KEY).map_err(|wrong| anyhow!("the key of cases {wrong}"))?;
    Ok(ServiceKey { issuer: address.to_owned(), key_id: Some("proving".to_owned()), subject: None, private_key })
}

/// The fields of a connector whose accounts are connected by them.
pub(super) fn fields(manifest: &Manifest) -> Option<&Fields> {
    match &manifest.auth {
        Auth::Fields(fields) => Some(fields),
        Auth::None | Auth::Oauth2(_) | Auth::ApiKey(_) | Auth::ServiceAccount(_) => None,
    }
}

/// Fills in a connector's fields: texts as a case says, the address of our server, and secrets that are made up `made_for`
/// one run.
///
/// # Errors
/// A text that a person could not have entered.
pub(super) fn fill_in(
    manifest: &Manifest,
    fields: &Fields,
    texts: &BTreeMap<String, String>,
    address: &str,
    made_for: impl Display,
) -> anyhow::Result<Entered> {
    let value = |field: &Field| match field.kind {
        FieldKind::Text => texts.get(&field.name).map_or(TEXT, String::as_str).to_owned(),
        FieldKind::Origin | FieldKind::Url => address.to_owned(),
        FieldKind::Secret if signs_webhooks(manifest, &field.name) => {
            webhook::secret(&format!("{}/{made_for}", field.name))
        }
        FieldKind::Secret => format!("proving-{}-{made_for}", field.name),
    };
    let given = fields.fields.iter().map(|field| (field.name.clone(), SecretString::from(value(field)))).collect();
    Entered::take(manifest, fields, given).map_err(|refused| anyhow!("{}", refused.detail.trim_end_matches('.')))
}

fn signs_webhooks(manifest: &Manifest, field: &str) -> bool {
    let mut signs = manifest.endpoints.values().map(|endpoint| &endpoint.sign);
    signs.any(|sign| matches!(sign, Sign::StandardWebhooks { secret } if secret == field))
}

#[cfg(test)]
mod tests {
    use super::{Came, Keys, fields, fill_in};
    use crate::clock::Timestamp;
    use axum::body::Body;
    use axum::extract::Request;
    use orla_manifest::{Manifest, Sign};
    use secrecy::ExposeSecret as _;
    use serde_json::json;
    use std::collections::BTreeMap;

    const ADDRESS: &str = "http://127.0.0.1:4010/hook/of-this-account";

    /// A hook with a secret and a token, and a text that says where it posts.
    fn manifest() -> Manifest {
        let field = |name: &str, kind: &str| json!({ "name": name, "label": name, "kind": kind });
        let manifest = json!({
            "schema": orla_manifest::SCHEMA, "id": "example", "name": "Example", "version": "1.0.0",
            "auth": { "fields": {
                "fields": [
                    field("url", "url"), field("room", "text"), field("token", "secret"), field("key", "secret"),
                ],
                "token": "token",
            } },
            "endpoints": {
                "api": { "origin": "https://api.example", "sign": "bearer" },
                "hook": { "origin": { "field": "url" }, "sign": { "standard_webhooks": { "secret": "key" } } },
            },
        });
        Manifest::parse(&manifest.to_string()).expect("a sound manifest")
    }

    #[test]
    fn fields_are_filled_in_as_a_person_would() {
        let manifest = manifest();
        let fields = fields(&manifest).expect("fields");
        let fill_in = |texts: &[(&str, &str)]| {
            let texts = texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
            fill_in(&manifest, fields, &texts, ADDRESS, "a-run")
        };
        let entered = fill_in(&[("room", "the lobby")]).expect("sound fields");
        let value = |name: &str| entered.value(name).expect("a value").expose_secret().to_owned();
        assert_eq!([value("url"), value("room")], [ADDRESS, "the lobby"]);
        assert_eq!(value("token"), "proving-token-a-run");
        assert!(value("key").starts_with("whsec_"));
        assert!(fill_in(&[]).is_ok(), "a text has a default");
        let refused = fill_in(&[("room", "two\nlines")]).expect_err("two lines").to_string();
        assert_eq!(refused, "`room` must be one line of at most 4000 bytes");
    }

    #[tokio::test]
    async fn what_was_entered_signs_and_is_found_where_it_is_told() {
        let manifest = manifest();
        let fields = fields(&manifest).expect("fields");
        let entered = fill_in(&manifest, fields, &BTreeMap::new(), ADDRESS, "a-run").expect("sound fields");
        let keys = Keys::entered(&entered, fields);
        let key = entered.value("key").expect("a key").expose_secret().to_owned();
        for secret in ["proving-token-a-run", &key, &key["whsec_".len()..], ADDRESS, "/hook/of-this-account"] {
            assert!(keys.are_in(&format!("it said {secret} to me")), "{secret}");
            let request = Request::new(Body::from(secret.to_owned()));
            let came = Came::read(["api".to_owned()].into(), None, Timestamp(0), request).await.expect("a request");
            assert!(keys.are_told_by(&came) && keys.told_back(&came).iter().any(|told| told == secret), "{secret}");
            assert_eq!(keys.flaw(&Sign::Bearer, &came).as_deref(), Some("is not signed as the manifest says"));
        }
        assert!(!keys.are_in("proving at http://127.0.0.1:4010/"), "texts and origins are no secrets");
        let signed = Request::builder().header("authorization", "Bearer proving-token-a-run").body(Body::empty());
        let signed = Came::read(["api".to_owned()].into(), None, Timestamp(0), signed.expect("a request")).await;
        let signed = signed.expect("a request");
        assert_eq!(keys.flaw(&Sign::Bearer, &signed), None);
        assert!(!keys.are_told_by(&signed));
        let webhook = keys.flaw(&Sign::StandardWebhooks { secret: "key".to_owned() }, &signed);
        assert_eq!(webhook.as_deref(), Some("is not signed as the manifest says"), "a token does not sign webhooks");
    }
}
