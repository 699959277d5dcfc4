//! The tokens of a session: JSON Web Tokens (RFC 7519), signed by HMAC-SHA-256 with a key of the vault.
//!
//! A token proves only who was signed in when it was made. Whether the session still lives is asked of the database.

use super::Role;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::id::{SessionId, UserId};
use crate::vault::Key;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// How long an access token counts.
pub const ACCESS_LIFETIME: Duration = Duration::from_secs(60 * 60);

const NOT_OURS: Error = Error::Unauthenticated("The token is not valid. Sign in again.");

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Claims {
    Access(Access),
    Refresh(Refresh),
}

/// What a token says that calls the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Access {
    pub(super) sub: UserId,
    pub(super) email: String,
    pub(super) role: Role,
    pub(super) sid: SessionId,
    pub(super) iat: i64,
    pub(super) exp: i64,
}

/// What a token says that gets new tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refresh {
    pub(super) sub: UserId,
    pub(super) sid: SessionId,
    pub(super) jti: Uuid,
    pub(super) iat: i64,
    pub(super) exp: i64,
}

/// Makes and checks tokens.
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Tokens")
    }
}

impl Tokens {
    /// With this key: all nodes that have the same take the same tokens.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // `exp` must be there, but is compared with the host's clock and not with the library's.
        validation.validate_exp = false;
        Self { signing: EncodingKey::from_secret(&**key), checking: DecodingKey::from_secret(&**key), validation }
    }

    pub(super) fn sign_access(&self, claims: Access) -> Result<String> {
        self.sign(&Claims::Access(claims))
    }

    pub(super) fn sign_refresh(&self, claims: Refresh) -> Result<String> {
        self.sign(&Claims::Refresh(claims))
    }

    /// # Errors
    /// [`Error::Unauthenticated`] for anything but a token of ours, of this type, that has not expired.
    pub(super) fn read_access(&self, token: &str, now: Timestamp) -> Result<Access> {
        match self.read(token)? {
            Claims::Access(claims) if claims.exp > now.seconds() => Ok(claims),
            Claims::Access(_) => Err(Error::Unauthenticated("The access token has expired. Refresh it.")),
            Claims::Refresh(_) => Err(Error::Unauthenticated("This is a refresh token. Send the access token.")),
        }
    }

    /// # Errors
    /// As [`Tokens::read_access`].
    pub(super) fn read_refresh(&self, token: &str, now: Timestamp) -> Result<Refresh> {
        match self.read(token)? {
            Claims::Refresh(claims) if claims.exp > now.seconds() => Ok(claims),
            Claims::Refresh(_) => Err(Error::Unauthenticated("The refresh token has expired. Sign in again.")),
            Claims::Access(_) => Err(Error::Unauthenticated("This is an access token. Send the refresh token.")),
        }
    }

    fn sign(&self, claims: &Claims) -> Result<String> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.signing)
            .map_err(|cause| Error::Internal(anyhow::Error::new(cause).context("a token could not be signed")))
    }

    fn read(&self, token: &str) -> Result<Claims> {
        let read = jsonwebtoken::decode(token, &self.checking, &self.validation);
        read.map(|token| token.claims).map_err(|_| NOT_OURS)
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Refresh, Tokens};
    use crate::clock::Timestamp;
    use crate::id::{SessionId, UserId};
    use crate::identity::Role;
    use crate::vault::Key;
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use jsonwebtoken::{Algorithm, EncodingKey, Header};
    use serde_json::{Value, json};
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    struct Keys {
        key: Key,
        tokens: Tokens,
    }

    fn keys() -> Keys {
        let key = Key::random();
        let tokens = Tokens::new(&key);
        Keys { key, tokens }
    }

    fn access() -> Access {
        let (iat, exp) = (NOW.seconds(), NOW.seconds() + 60);
        Access {
            sub: UserId::new(),
            email: "ann@example.com".into(),
            role: Role::User,
            sid: SessionId::new(),
            iat,
            exp,
        }
    }

    fn refresh() -> Refresh {
        let (iat, exp) = (NOW.seconds(), NOW.seconds() + 60);
        Refresh { sub: UserId::new(), sid: SessionId::new(), jti: Uuid::new_v4(), iat, exp }
    }

    fn claims() -> Value {
        let mut claims = serde_json::to_value(access()).unwrap();
        claims["type"] = json!("access");
        claims
    }

    fn part(json: &Value) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
    }

    fn complaint(tokens: &Tokens, token: &str, now: Timestamp) -> String {
        tokens.read_access(token, now).unwrap_err().to_string()
    }

    #[test]
    fn a_token_says_what_it_was_told_until_it_expires() {
        let Keys { tokens, .. } = keys();
        let (access, refresh) = (access(), refresh());
        let (signed_access, signed_refresh) =
            (tokens.sign_access(access.clone()).unwrap(), tokens.sign_refresh(refresh.clone()).unwrap());
        let last = Timestamp((access.exp * 1_000_000) - 1);
        assert_eq!(tokens.read_access(&signed_access, last).unwrap(), access);
        assert_eq!(tokens.read_refresh(&signed_refresh, last).unwrap(), refresh);
        let end = Timestamp(access.exp * 1_000_000);
        assert_eq!(complaint(&tokens, &signed_access, end), "The access token has expired. Refresh it.");
        tokens.read_refresh(&signed_refresh, end).unwrap_err();
    }

    #[test]
    fn one_type_does_not_pass_for_the_other() {
        let Keys { tokens, .. } = keys();
        let access = tokens.sign_access(access()).unwrap();
        let refresh = tokens.sign_refresh(refresh()).unwrap();
        assert_eq!(complaint(&tokens, &refresh, NOW), "This is a refresh token. Send the access token.");
        assert!(tokens.read_refresh(&access, NOW).unwrap_err().to_string().starts_with("This is an access token"));
    }

    #[test]
    fn a_token_without_signature_does_not_count() {
        let Keys { tokens, .. } = keys();
        for algorithm in ["none", "None", "NONE", ""] {
            let token = format!("{}.{}.", part(&json!({"alg": algorithm, "typ": "JWT"})), part(&claims()));
            assert_eq!(complaint(&tokens, &token, NOW), "The token is not valid. Sign in again.");
        }
        for garbage in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "\u{0}"] {
            tokens.read_access(garbage, NOW).unwrap_err();
        }
    }

    #[test]
    fn a_token_that_was_altered_does_not_count() {
        let Keys { tokens, .. } = keys();
        let token = tokens.sign_access(access()).unwrap();
        let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
        let mut promoted = claims();
        promoted["role"] = json!("system_admin");
        tokens.read_access(&format!("{header}.{}.{signature}", part(&promoted)), NOW).unwrap_err();
        tokens.read_access(&format!("{header}.{}.", part(&promoted)), NOW).unwrap_err();
        let another_host = keys().tokens.sign_access(access()).unwrap();
        tokens.read_access(&another_host, NOW).unwrap_err();
    }

    #[test]
    fn even_a_token_with_our_key_must_be_of_our_algorithm_and_have_an_end() {
        let Keys { key, tokens } = keys();
        let key = EncodingKey::from_secret(&*key);
        let sign = |algorithm, claims: &Value| jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap();
        tokens.read_access(&sign(Algorithm::HS256, &claims()), NOW).unwrap();
        tokens.read_access(&sign(Algorithm::HS384, &claims()), NOW).unwrap_err();
        tokens.read_access(&sign(Algorithm::HS512, &claims()), NOW).unwrap_err();
        for member in ["exp", "type", "sid"] {
            let mut without = claims();
            without.as_object_mut().unwrap().remove(member);
            tokens.read_access(&sign(Algorithm::HS256, &without), NOW).unwrap_err();
        }
    }
}
