//! What users have granted: consents in progress, codes, and families of tokens.
//!
//! A family is everything that stems from one consent. Whoever presents a code or a refresh token a second time shows
//! that it has leaked, so the whole family is revoked (RFC 6749, 4.1.2 and 10.4; RFC 9700, 4.14.2). X documents less;
//! a client that survives this survives X.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};

use super::authorize::Ask;
use super::clock::Moment;
use super::settings::Settings;
use super::token::Refusal;

const CONSENT_LIFETIME_S: u64 = 600;

/// A code or token that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// What it is.
    pub kind: Kind,
    /// The secret itself.
    pub value: String,
    /// The id of the user who granted it.
    pub user_id: String,
}

/// The kinds of secrets that are issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An authorization code.
    Code,
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
}

/// All grants.
#[derive(Default)]
pub(super) struct Grants {
    consents: HashMap<String, (Ask, Moment)>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Token>,
    refresh: HashMap<String, Token>,
    families: Vec<Family>,
    issued: Vec<Issued>,
}

struct Code {
    ask: Ask,
    user_id: String,
    expires: Moment,
    spent: bool,
    family: Option<usize>,
}

struct Token {
    family: usize,
    expires: Moment,
    spent: bool,
}

struct Family {
    user_id: String,
    scopes: Vec<String>,
    revoked: bool,
}

impl Grants {
    pub(super) fn issued(&self) -> &[Issued] {
        &self.issued
    }

    /// Keep a request while its user decides; returns the id that the consent page carries.
    pub(super) fn ask(&mut self, ask: Ask, now: Moment) -> String {
        let id = secret("");
        self.consents.insert(id.clone(), (ask, now.after_s(CONSENT_LIFETIME_S)));
        id
    }

    /// The request that a user has decided about; each can be decided once.
    pub(super) fn decided(&mut self, consent: &str, now: Moment) -> Option<Ask> {
        self.consents.remove(consent).filter(|(_, expires)| now < *expires).map(|(ask, _)| ask)
    }

    pub(super) fn issue_code(&mut self, settings: &Settings, ask: Ask, user_id: &str, now: Moment) -> String {
        let value = self.issue(settings, Kind::Code, user_id);
        let (user_id, expires) = (user_id.to_owned(), now.after_s(settings.code_lifetime_s));
        self.codes.insert(value.clone(), Code { ask, user_id, expires, spent: false, family: None });
        value
    }

    /// Exchange a code. It is spent by the first attempt, successful or not.
    pub(super) fn exchange(
        &mut self,
        settings: &Settings,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now: Moment,
    ) -> Result<Value, Refusal> {
        let invalid = || Refusal::invalid("Value passed for the authorization code was invalid.");
        let found = self.codes.get_mut(code).ok_or_else(invalid)?;
        if std::mem::replace(&mut found.spent, true) {
            if let Some(family) = found.family {
                self.families[family].revoked = true;
            }
            return Err(invalid());
        }
        if found.expires <= now {
            return Err(invalid());
        }
        // One that was taken out of the app's settings since the consent is no better than a wrong one.
        if found.ask.redirect_uri != redirect_uri || !settings.redirect_uris.iter().any(|known| known == redirect_uri) {
            return Err(Refusal::invalid(
                "Value passed for the redirect uri did not match the uri of the authorization code.",
            ));
        }
        if !found.ask.challenge.is_met_by(verifier) {
            return Err(Refusal::invalid("Value passed for the code verifier did not match the code challenge."));
        }
        let family = self.families.len();
        found.family = Some(family);
        let (user_id, scopes) = (found.user_id.clone(), found.ask.scopes.clone());
        self.families.push(Family { user_id, scopes, revoked: false });
        Ok(self.mint(settings, family, now))
    }

    /// Exchange a refresh token for new tokens; the old one is spent if there is a new one.
    pub(super) fn refresh(&mut self, settings: &Settings, token: &str, now: Moment) -> Result<Value, Refusal> {
        let refused = || Refusal::grant(&settings.refresh_refusal, "Value passed for the token was invalid.");
        let found = self.refresh.get_mut(token).ok_or_else(refused)?;
        let family = found.family;
        let was_spent = found.spent;
        found.spent |= !settings.omit_refresh_token;
        if was_spent {
            self.families[family].revoked = true;
        }
        if self.families[family].revoked || found.expires <= now {
            return Err(refused());
        }
        Ok(self.mint(settings, family, now))
    }

    /// Revoke a token; a refresh token takes its whole family along (RFC 7009, 2.1). An unknown one is revoked already.
    pub(super) fn revoke(&mut self, token: &str) {
        self.access.remove(token);
        if let Some(found) = self.refresh.get(token) {
            self.families[found.family].revoked = true;
        }
    }

    /// The user id and scopes of a valid access token.
    pub(super) fn holder(&self, token: &str, now: Moment) -> Option<(&str, &[String])> {
        let found = self.access.get(token).filter(|found| now < found.expires)?;
        let family = &self.families[found.family];
        (!family.revoked).then_some((&family.user_id, &family.scopes))
    }

    pub(super) fn expire_access_tokens(&mut self) {
        self.access.clear();
    }

    pub(super) fn revoke_all(&mut self) {
        self.families.iter_mut().for_each(|family| family.revoked = true);
    }

    /// The token answer. Earlier access tokens of the family go on until they expire.
    fn mint(&mut self, settings: &Settings, family: usize, now: Moment) -> Value {
        let Family { user_id, scopes, .. } = &self.families[family];
        let (user_id, scope) = (user_id.clone(), scopes.join(" "));
        let offline = scopes.iter().any(|scope| scope == "offline.access");

        let access = self.issue(settings, Kind::Access, &user_id);
        let expires = now.after_s(settings.access_lifetime_s);
        self.access.insert(access.clone(), Token { family, expires, spent: false });
        let expires_in = settings.access_lifetime_s;
        let mut answer =
            json!({ "token_type": "bearer", "expires_in": expires_in, "access_token": access, "scope": scope });
        if offline && !settings.omit_refresh_token {
            let refresh = self.issue(settings, Kind::Refresh, &user_id);
            let expires = now.after_s(settings.refresh_lifetime_s);
            self.refresh.insert(refresh.clone(), Token { family, expires, spent: false });
            answer["refresh_token"] = refresh.into();
        }
        answer
    }

    fn issue(&mut self, settings: &Settings, kind: Kind, user_id: &str) -> String {
        let value = secret(&settings.token_prefix);
        self.issued.push(Issued { kind, value: value.clone(), user_id: user_id.to_owned() });
        value
    }
}

fn secret(prefix: &str) -> String {
    let bytes: [u8; 32] = rand::random();
    format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
