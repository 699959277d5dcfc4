//! OAuth 2 as the manifest describes it (RFC 6749, 7009, 7636): the authorize URL, the exchange, the refresh and the
//! revocation. It knows the protocol and no tables.

mod answer;
mod assertion;
pub(crate) mod keys;
mod request;

pub(crate) use answer::Refused;
pub(crate) use assertion::{Asserting, ServiceKey, read_pem};

use super::apps::VendorApp;
use super::release::Release;
use super::run::Services;
use crate::clock::Timestamp;
use answer::Reading;
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use orla_manifest::{Encoding, Exchange, Granted, OAuth2, Pkce, Place, Refresh, Revoke, RevokeBy, TokenRequest};
use rand::RngExt as _;
use request::{Asked, Written};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// Tokens that a vendor minted.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: SecretString,
    pub(crate) refresh: Option<SecretString>,
    pub(crate) expires_at: Option<Timestamp>,
    /// The scopes that were granted, where the vendor says so.
    pub(crate) scopes: Option<Vec<String>>,
}

/// A vendor's OAuth, as one app uses it.
#[derive(Clone, Copy)]
pub(crate) struct Client<'a> {
    pub(crate) services: &'a Services,
    pub(crate) release: &'a Release,
    pub(crate) oauth: &'a OAuth2,
    pub(crate) app: &'a VendorApp,
}

/// 256 random bits in base64url: state, verifier, cookie.
pub(crate) fn random_text() -> SecretString {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    rand::rng().fill(&mut *bytes);
    SecretString::from(URL_SAFE_NO_PAD.encode(*bytes))
}

/// A place of the manifest as a URL.
fn locate(release: &Release, place: &Place) -> anyhow::Result<Url> {
    let origin =
        release.origins.get(&place.endpoint).context("the manifest names an endpoint that it does not declare")?;
    Ok(origin.join(&place.path)?)
}

impl Client<'_> {
    /// Where the browser goes to ask for the person's consent.
    ///
    /// # Errors
    /// The manifest names no such place.
    pub(crate) fn authorize_url(
        self,
        redirect_uri: &str,
        state: &SecretString,
        verifier: &SecretString,
    ) -> anyhow::Result<Url> {
        let Self { release, oauth, app, .. } = self;
        let mut url = locate(release, &oauth.authorize)?;
        let scopes = oauth.asked_scopes();
        let challenge = challenge(oauth.pkce, verifier);
        let mut params = vec![
            ("response_type", "code"),
            ("client_id", app.client_id.as_str()),
            ("redirect_uri", redirect_uri),
            ("scope", scopes.as_str()),
            ("state", state.expose_secret()),
        ];
        if let Some((challenge, method)) = &challenge {
            params.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", method)]);
        }
        let names = &oauth.token_request.names;
        let mut query = url.query_pairs_mut();
        for (name, value) in params {
            query.append_pair(names.get(name).map_or(name, String::as_str), value);
        }
        query.extend_pairs(&oauth.authorize_params);
        drop(query);
        Ok(url)
    }

    /// Exchanges an authorization code for tokens, and those for what the vendor wants to be used instead.
    ///
    /// # Errors
    /// [`Refused`], in words for the person who is connecting.
    pub(crate) async fn exchange(
        self,
        code: &SecretString,
        redirect_uri: &str,
        verifier: &SecretString,
    ) -> Result<Tokens, Refused> {
        let mut params =
            vec![("grant_type", "authorization_code"), ("code", code.expose_secret()), ("redirect_uri", redirect_uri)];
        if self.oauth.pkce != Pkce::None {
            params.push(("code_verifier", verifier.expose_secret()));
        }
        let mut tokens = self.mint(&self.oauth.token, params, vec![code, verifier], &self.oauth.revoked_errors).await?;
        for exchange in &self.oauth.exchange {
            let Tokens { refresh, scopes, .. } = tokens;
            let exchanged = self.exchange_token(exchange, &tokens.access, &[]).await?;
            tokens =
                Tokens { refresh: exchanged.refresh.or(refresh), scopes: exchanged.scopes.or(scopes), ..exchanged };
        }
        Ok(tokens)
    }

    /// Gets new tokens for those that are stored. `refresh` is the refresh token, where there is one.
    ///
    /// # Errors
    /// [`Refused`], of which only `Revoked` says anything about the connection.
    pub(crate) async fn refresh(
        self,
        access: Option<&SecretString>,
        refresh: Option<&SecretString>,
    ) -> Result<Tokens, Refused> {
        let gone = |words: &str| Refused::Revoked(words.to_owned());
        match &self.oauth.refresh {
            Refresh::None => Err(gone("its token has ended, and the network renews none: connect the account again")),
            Refresh::Token => {
                let refresh =
                    refresh.ok_or_else(|| gone("the network gave no refresh token: connect the account again"))?;
                let params = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
                self.mint(&self.oauth.token, params, vec![refresh], &self.oauth.revoked_errors).await
            }
            Refresh::Exchange { exchange, .. } => {
                let access = access.ok_or_else(|| gone("no token is stored: connect the account again"))?;
                self.exchange_token(exchange, access, &self.oauth.revoked_errors).await
            }
        }
    }

    async fn exchange_token(
        self,
        exchange: &Exchange,
        access: &SecretString,
        revoked: &[String],
    ) -> Result<Tokens, Refused> {
        let mut params: Vec<(&str, &str)> =
            exchange.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        params.push((exchange.token_param.as_str(), access.expose_secret()));
        self.mint(&exchange.at, params, vec![access], revoked).await
    }

    /// Asks for tokens; `secrets` are those of the parameters' values that are.
    async fn mint(
        self,
        at: &Place,
        params: Vec<(&str, &str)>,
        secrets: Vec<&SecretString>,
        revoked: &[String],
    ) -> Result<Tokens, Refused> {
        let asked = Asked { at, params, secrets, encoding: self.oauth.token_request.encoding };
        let written = request::write(self, asked).map_err(|error| Refused::Misconfigured(format!("{error:#}")))?;
        let answer = request::send(self.services, written).await?;
        let TokenRequest { answer: at, .. } = &self.oauth.token_request;
        let reading = Reading { at, default_lifetime_s: self.oauth.default_lifetime_s, revoked };
        answer::tokens(reading, &answer, self.services.clock.now())
    }

    /// The scopes that a person granted: what the vendor says of the token, or else all that were asked for.
    ///
    /// # Errors
    /// The vendor did not say.
    pub(crate) async fn granted(self, tokens: &Tokens) -> Result<Vec<String>, Refused> {
        let asked = || self.oauth.scopes.iter().chain(&self.oauth.optional_scopes).cloned().collect();
        match (&self.oauth.granted, &tokens.scopes) {
            (Some(granted), _) => self.ask_for_scopes(granted, &tokens.access).await,
            (None, Some(scopes)) => Ok(scopes.clone()),
            (None, None) => Ok(asked()),
        }
    }

    async fn ask_for_scopes(self, granted: &Granted, access: &SecretString) -> Result<Vec<String>, Refused> {
        let answer = self.signed(Method::GET, &granted.at, access).await?;
        let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let list = document.pointer(&granted.each).and_then(Value::as_array).filter(|_| answer.status.is_success());
        let list = list.ok_or_else(|| Refused::Transient {
            words: "the network did not say what was granted".to_owned(),
            retry_after: None,
        })?;
        let is_granted = |one: &&Value| {
            granted.when.as_ref().is_none_or(|(at, text)| one.pointer(at).and_then(Value::as_str) == Some(text))
        };
        let names = list.iter().filter(is_granted).filter_map(|one| one.pointer(&granted.name)?.as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// A request of the host's own, signed with an access token.
    async fn signed(self, method: Method, at: &Place, access: &SecretString) -> Result<request::Answered, Refused> {
        let misconfigured = |error: anyhow::Error| Refused::Misconfigured(format!("{error:#}"));
        let mut request = Request::new(method, locate(self.release, at).map_err(misconfigured)?);
        request::bear(&mut request, access).map_err(misconfigured)?;
        if let Some(proof) = self.release.manifest.endpoints.get(&at.endpoint).and_then(|at| at.proof.as_ref()) {
            super::signing::prove(&mut request, proof, access, self.app.client_secret.as_ref());
        }
        request::send(self.services, Written::new(request, [access])).await
    }

    /// Tells the vendor that tokens are no longer needed. The connection is gone either way.
    ///
    /// # Errors
    /// The vendor did not take it.
    pub(crate) async fn revoke(
        self,
        revoke: &Revoke,
        access: Option<&SecretString>,
        refresh: Option<&SecretString>,
    ) -> Result<(), Refused> {
        match revoke.by {
            RevokeBy::Token => {
                // The refresh token first: with it goes, at most vendors, the access token.
                for token in refresh.into_iter().chain(access) {
                    let params = vec![("token", token.expose_secret())];
                    let asked = Asked { at: &revoke.at, params, secrets: vec![token], encoding: Encoding::Form };
                    let written =
                        request::write(self, asked).map_err(|error| Refused::Misconfigured(format!("{error:#}")))?;
                    answer::done(&request::send(self.services, written).await?)?;
                }
                Ok(())
            }
            RevokeBy::BearerPost | RevokeBy::BearerDelete => {
                let method = if revoke.by == RevokeBy::BearerPost { Method::POST } else { Method::DELETE };
                let Some(access) = access else { return Ok(()) };
                answer::done(&self.signed(method, &revoke.at, access).await?)
            }
        }
    }
}

/// The challenge to a verifier, and the name of the method.
fn challenge(pkce: Pkce, verifier: &SecretString) -> Option<(String, &'static str)> {
    let digest = || Sha256::digest(verifier.expose_secret());
    match pkce {
        Pkce::S256 => Some((URL_SAFE_NO_PAD.encode(digest()), "S256")),
        Pkce::S256Hex => Some((hex::encode(digest()), "S256")),
        Pkce::Plain => Some((verifier.expose_secret().to_owned(), "plain")),
        Pkce::None => None,
    }
}

/// How long before its end a token is renewed.
pub(crate) fn margin(oauth: &OAuth2) -> Duration {
    match &oauth.refresh {
        Refresh::Exchange { before_s, .. } => Duration::from_secs(u64::from(*before_s)),
        Refresh::Token | Refresh::None => MARGIN,
    }
}

/// A token that ends sooner than this is refreshed before it is used.
const MARGIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::challenge;
    use orla_manifest::Pkce;
    use secrecy::SecretString;

    #[test]
    fn challenges_follow_from_the_verifier() {
        // RFC 7636, appendix B.
        let verifier = SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let s256 = ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(), "S256");
        assert_eq!(challenge(Pkce::S256, &verifier), Some(s256));
        let hex = "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3".to_owned();
        assert_eq!(challenge(Pkce::S256Hex, &verifier), Some((hex, "S256")));
        assert_eq!(challenge(Pkce::None, &verifier), None);
    }
}
