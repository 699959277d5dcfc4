//! Whether a vendor takes this host's own keys: an app's, or the operator's. It is asked without any user, by requests that come
//! to nothing.

use super::answer::{self, Said};
use super::request::{self, Answered, Asked, Written};
use super::{Client, Refused, locate, random_text};
use crate::connectors::answer::Secrets;
use crate::connectors::apps::VendorApp;
use crate::connectors::release::Release;
use crate::connectors::run::Services;
use crate::connectors::signing;
use orla_manifest::{ApiKey, Pkce, Place};
use rand::RngExt as _;
use reqwest::{Method, Request, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};

/// A code that no vendor has given out.
const NO_CODE: &str = "orla-doctor-asks-with-no-code";
/// What the standard lets a vendor say of an app that it does not know, or not by this secret (RFC 6749 section 5.2).
const UNKNOWN_APP: [&str; 2] = ["invalid_client", "unauthorized_client"];

/// What a vendor says of keys. The words are its own, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are right.
    Accepted,
    /// They are wrong.
    Refused(String),
    /// It says the same of keys that are surely wrong.
    Alike(String),
    /// It answered neither yes nor no.
    Unclear(String),
    /// It is at fault itself, or asks to be left alone.
    Unwell(String),
    /// It was not reached.
    Unreached(String),
    /// Nothing could be sent.
    Unsent(String),
}

impl Client<'_> {
    /// Asks the token endpoint to exchange a code that there is not. A vendor looks at the keys first, and what it says of the
    /// code shows that they are right. Where it does not say so in the standard's words, it is asked once more with keys that
    /// are surely wrong: another answer to those means that ours are right.
    pub(crate) async fn check_app(self, redirect_uri: &str) -> Verdict {
        let answered = match self.ask_with_no_code(redirect_uri).await {
            Ok(answered) => answered,
            Err(verdict) => return verdict.blanked(&self),
        };
        let said = Said::of(&answered);
        let told = match read(answered.status, &said) {
            Some(verdict) => verdict,
            None => {
                let wrong = wrong(self.app);
                let control = Client { app: &wrong, ..self };
                match control.ask_with_no_code(redirect_uri).await {
                    Ok(other) if is_alike((answered.status, &said), (other.status, &Said::of(&other))) => {
                        Verdict::Alike(said.words)
                    }
                    Ok(other) if is_unwell(other.status) => Verdict::Unclear(said.words),
                    Ok(_) => Verdict::Accepted,
                    Err(_) => Verdict::Unclear(said.words),
                }
            }
        };
        told.blanked(&self)
    }

    async fn ask_with_no_code(self, redirect_uri: &str) -> Result<Answered, Verdict> {
        let verifier = random_text();
        let mut params = vec![("grant_type", "authorization_code"), ("code", NO_CODE), ("redirect_uri", redirect_uri)];
        if self.oauth.pkce != Pkce::None {
            params.push(("code_verifier", verifier.expose_secret()));
        }
        let (at, secrets) = (&self.oauth.token, vec![&verifier]);
        let asked = Asked { at, params, secrets, encoding: self.oauth.token_request.encoding };
        let request = request::write(self, asked).map_err(|error| Verdict::Unsent(format!("{error:#}")))?;
        send(self.services, request).await
    }
}

/// Asks where the manifest says that a key is checked; `None` where it does not say.
pub(crate) async fn check_key(
    services: &Services,
    release: &Release,
    key: &ApiKey,
    secret: &SecretString,
) -> Option<Verdict> {
    let at = key.check.as_ref()?;
    let secrets = Secrets::default();
    secrets.add(secret);
    let verdict = match ask_with_key(services, release, at, secret).await {
        Err(verdict) => verdict,
        Ok(answered) => {
            let said = Said::of(&answered).words;
            match answered.status {
                status if status.is_success() => Verdict::Accepted,
                // A 403 may mean a key that may do other things than this.
                StatusCode::UNAUTHORIZED => Verdict::Refused(said),
                status if is_unwell(status) => Verdict::Unwell(said),
                _ => Verdict::Unclear(said),
            }
        }
    };
    Some(verdict.without(&secrets, release))
}

async fn ask_with_key(
    services: &Services,
    release: &Release,
    at: &Place,
    secret: &SecretString,
) -> Result<Answered, Verdict> {
    let url = locate(release, at).map_err(|error| Verdict::Unsent(format!("{error:#}")))?;
    let mut request = Request::new(Method::GET, url);
    if let Some(endpoint) = release.manifest.endpoints.get(&at.endpoint) {
        let signed = signing::sign(&mut request, &endpoint.sign, secret, "", services.clock.now());
        signed.map_err(|fault| Verdict::Unsent(fault.message))?;
    }
    send(services, Written::new(request, [secret])).await
}

async fn send(services: &Services, request: Written) -> Result<Answered, Verdict> {
    request::send(services, request).await.map_err(|refused| match refused {
        Refused::Transient { words, .. } | Refused::Revoked(words) | Refused::Misconfigured(words) => {
            Verdict::Unreached(words)
        }
    })
}

/// What an answer to a code that there is not says by itself.
fn read(status: StatusCode, said: &Said) -> Option<Verdict> {
    let words = || said.words.clone();
    match said.code.as_str() {
        _ if is_unwell(status) => Some(Verdict::Unwell(words())),
        "invalid_grant" => Some(Verdict::Accepted),
        code if UNKNOWN_APP.contains(&code) => Some(Verdict::Refused(words())),
        _ if status == StatusCode::UNAUTHORIZED => Some(Verdict::Refused(words())),
        "" if status.is_success() => Some(Verdict::Unclear(words())),
        _ => None,
    }
}

fn is_unwell(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// Whether two answers say the same. Words may hold an id of the request, so they do not count.
fn is_alike(one: (StatusCode, &Said), other: (StatusCode, &Said)) -> bool {
    one.0 == other.0 && one.1.code == other.1.code
}

/// The same app with a secret that is surely wrong, or with such an id where it has none.
fn wrong(app: &VendorApp) -> VendorApp {
    let mut wrong = app.clone();
    match &app.client_secret {
        Some(secret) => wrong.client_secret = Some(SecretString::from(another(secret.expose_secret()))),
        None => wrong.client_id = another(&app.client_id),
    }
    wrong
}

/// A text of the same shape in which every letter and digit is another: some vendors look at the shape first.
fn another(text: &str) -> String {
    let mut random = rand::rng();
    let mut another_of = |among: &str, character: char| {
        let others: Vec<char> = among.chars().filter(|other| *other != character).collect();
        others[random.random_range(0..others.len())]
    };
    let replaced = text.chars().map(|character| match character {
        '0'..='9' => another_of("0123456789", character),
        'a'..='f' => another_of("abcdef", character),
        'g'..='z' => another_of("ghijklmnopqrstuvwxyz", character),
        'A'..='F' => another_of("ABCDEF", character),
        'G'..='Z' => another_of("GHIJKLMNOPQRSTUVWXYZ", character),
        other => other,
    });
    replaced.collect()
}

impl Verdict {
    fn blanked(self, client: &Client<'_>) -> Self {
        let secrets = Secrets::default();
        if let Some(secret) = &client.app.client_secret {
            secrets.add(secret);
            secrets.add(&request::pair(&client.app.client_id, secret));
        }
        self.without(&secrets, client.release)
    }

    /// The verdict without what is secret, should the vendor repeat it.
    fn without(self, secrets: &Secrets, release: &Release) -> Self {
        let blank = |words: String| answer::shown(secrets, release.secret_names.hide_text(secrets, words));
        match self {
            Self::Accepted => Self::Accepted,
            Self::Refused(words) => Self::Refused(blank(words)),
            Self::Alike(words) => Self::Alike(blank(words)),
            Self::Unclear(words) => Self::Unclear(blank(words)),
            Self::Unwell(words) => Self::Unwell(blank(words)),
            Self::Unreached(words) => Self::Unreached(blank(words)),
            Self::Unsent(words) => Self::Unsent(blank(words)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, StatusCode, Verdict, another, is_alike, read};

    fn said(code: &str) -> Said {
        Said { code: code.to_owned(), words: format!("{code}: words") }
    }

    #[test]
    fn the_standards_words_decide_and_all_else_is_compared() {
        let verdict = |status: u16, code: &str| read(StatusCode::from_u16(status).expect("a status"), &said(code));
        assert_eq!(verdict(400, "invalid_grant"), Some(Verdict::Accepted));
        assert_eq!(verdict(200, "invalid_grant"), Some(Verdict::Accepted));
        for (status, code) in [(400, "invalid_client"), (401, "unauthorized_client"), (401, "nonsense"), (401, "")] {
            assert!(matches!(verdict(status, code), Some(Verdict::Refused(_))), "{status} {code}");
        }
        for (status, code) in [(500, "invalid_client"), (503, ""), (429, "slow_down")] {
            assert!(matches!(verdict(status, code), Some(Verdict::Unwell(_))), "{status} {code}");
        }
        assert!(matches!(verdict(200, ""), Some(Verdict::Unclear(_))));
        for (status, code) in [(400, "invalid_request"), (400, "100"), (404, ""), (200, "bad_verification_code")] {
            assert_eq!(verdict(status, code), None, "{status} {code}");
        }
        let (bad, same) = (StatusCode::BAD_REQUEST, Said { words: "1: id 7".to_owned(), ..said("1") });
        assert!(is_alike((bad, &said("1")), (bad, &same)) && !is_alike((bad, &said("1")), (bad, &said("100"))));
    }

    #[test]
    fn another_secret_has_the_same_shape_and_no_character_in_common() {
        for secret in ["0a1b2c3d4e5f", "orla-demo-SECRET_7.x"] {
            let other = another(secret);
            assert_eq!(other.len(), secret.len());
            for (one, two) in secret.chars().zip(other.chars()) {
                assert_eq!(one != two, one.is_ascii_alphanumeric(), "{secret} {other}");
                assert_eq!(one.is_ascii_hexdigit(), two.is_ascii_hexdigit(), "{secret} {other}");
            }
        }
    }
}
