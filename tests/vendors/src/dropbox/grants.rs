//! What people have granted: consents in progress, codes, and families of tokens.
//!
//! A family is everything that stems from one consent. Whoever presents a code a second time shows that it has leaked,
//! so the whole family is revoked (RFC 6749, 4.1.2), and the same goes for refresh tokens that rotate.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;

use super::authorize::{Access, Ask, Earlier};
use super::settings::{RefreshTokens, Settings};
use crate::clock::Moment;

const CONSENT_LIFETIME_S: u64 = 600;

/// A code or token that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// What it is.
    pub kind: Kind,
    /// The secret itself.
    pub value: String,
    /// The id of the account that granted it.
    pub account_id: String,
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
    access: HashMap<String, AccessToken>,
    refresh: HashMap<String, RefreshToken>,
    pub(super) families: Vec<Family>,
    /// Who agreed to what, the latest last.
    agreed: Vec<(String, Vec<String>)>,
    issued: Vec<Issued>,
}

pub(super) struct Code {
    pub(super) ask: Ask,
    pub(super) account_id: String,
    pub(super) expires: Moment,
    /// Whether it was presented before, and what came of that.
    pub(super) spent: bool,
    pub(super) family: Option<usize>,
}

struct AccessToken {
    family: usize,
    expires: Moment,
    scopes: Vec<String>,
}

/// A refresh token that was found.
#[derive(Clone, Copy)]
pub(super) struct RefreshToken {
    pub(super) family: usize,
    pub(super) spent: bool,
}

pub(super) struct Family {
    pub(super) account_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) proof: Proof,
    pub(super) access: Access,
    pub(super) revoked: bool,
}

/// How the app proved itself when it exchanged the code, and has to from then on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    Secret,
    /// By the verifier of PKCE: the app may have no secret.
    Verifier,
}

/// Why an access token does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Unknown,
    Expired,
}

/// Whose access token it is, and for what.
pub(super) struct Holder {
    pub(super) family: usize,
    pub(super) account_id: String,
    pub(super) scopes: Vec<String>,
}

impl Grants {
    pub(super) fn issued(&self) -> &[Issued] {
        &self.issued
    }

    /// Keep a request while somebody decides; returns the id that the consent page carries.
    pub(super) fn ask(&mut self, ask: Ask, now: Moment) -> String {
        let id = random();
        self.consents.insert(id.clone(), (ask, now.after_s(CONSENT_LIFETIME_S)));
        id
    }

    /// The request that somebody has decided about; each can be decided once.
    pub(super) fn asked(&mut self, consent: &str, now: Moment) -> Option<Ask> {
        self.consents.remove(consent).filter(|(_, expires)| now < *expires).map(|(ask, _)| ask)
    }

    /// The account that was the last to agree, if it agreed to all of these scopes and has not taken that back.
    pub(super) fn agreed(&self, scopes: &[String]) -> Option<&str> {
        let (account_id, before) = self.agreed.last()?;
        scopes.iter().all(|scope| before.contains(scope)).then_some(account_id)
    }

    pub(super) fn issue_code(&mut self, settings: &Settings, mut ask: Ask, account_id: &str, now: Moment) -> String {
        let at = self.agreed.iter().position(|(before, _)| before == account_id);
        let mut scopes = at.map_or_else(Vec::new, |at| self.agreed.remove(at).1);
        scopes.extend(ask.scopes.iter().filter(|scope| !scopes.contains(scope)).cloned().collect::<Vec<_>>());
        if ask.earlier == Earlier::Included {
            ask.scopes.clone_from(&scopes);
        }
        self.agreed.push((account_id.to_owned(), scopes));
        let value = format!("{}{}", settings.token_mark, random());
        self.issue(Kind::Code, &value, account_id);
        let (account_id, expires) = (account_id.to_owned(), now.after_s(settings.code_lifetime_s));
        self.codes.insert(value.clone(), Code { ask, account_id, expires, spent: false, family: None });
        value
    }

    pub(super) fn code(&mut self, code: &str) -> Option<&mut Code> {
        self.codes.get_mut(code)
    }

    pub(super) fn refresh_token(&mut self, token: &str) -> Option<&mut RefreshToken> {
        self.refresh.get_mut(token)
    }

    /// A new access token of a family.
    pub(super) fn new_access(
        &mut self,
        settings: &Settings,
        family: usize,
        scopes: Vec<String>,
        now: Moment,
    ) -> String {
        let value = format!("sl.u.{}{}", settings.token_mark, random());
        let account_id = self.families[family].account_id.clone();
        self.issue(Kind::Access, &value, &account_id);
        let expires = now.after_s(settings.access_lifetime_s);
        self.access.insert(value.clone(), AccessToken { family, expires, scopes });
        value
    }

    /// A new refresh token of a family, if it may have one.
    pub(super) fn new_refresh(&mut self, settings: &Settings, family: usize) -> Option<String> {
        let Family { account_id, access, .. } = &self.families[family];
        if *access == Access::Online || settings.refresh_tokens == RefreshTokens::Absent {
            return None;
        }
        let (value, account_id) = (format!("{}{}", settings.token_mark, random()), account_id.clone());
        self.issue(Kind::Refresh, &value, &account_id);
        self.refresh.insert(value.clone(), RefreshToken { family, spent: false });
        Some(value)
    }

    /// Who holds an access token.
    pub(super) fn holder(&self, token: &str, now: Moment) -> Result<Holder, Unfit> {
        let found = self.access.get(token).ok_or(Unfit::Unknown)?;
        let family = &self.families[found.family];
        if family.revoked {
            return Err(Unfit::Unknown);
        }
        if found.expires <= now {
            return Err(Unfit::Expired);
        }
        let (account_id, scopes) = (family.account_id.clone(), found.scopes.clone());
        Ok(Holder { family: found.family, account_id, scopes })
    }

    /// Take back all that stems from one consent, and the agreement with it.
    pub(super) fn revoke(&mut self, family: usize) {
        self.families[family].revoked = true;
        let account_id = &self.families[family].account_id;
        self.agreed.retain(|(agreed, _)| agreed != account_id);
    }

    pub(super) fn expire_access_tokens(&mut self, now: Moment) {
        self.access.values_mut().for_each(|token| token.expires = now);
    }

    pub(super) fn revoke_all(&mut self) {
        self.families.iter_mut().for_each(|family| family.revoked = true);
        self.agreed.clear();
    }

    fn issue(&mut self, kind: Kind, value: &str, account_id: &str) {
        self.issued.push(Issued { kind, value: value.to_owned(), account_id: account_id.to_owned() });
    }
}

/// 43 characters that nobody can guess.
pub(super) fn random() -> String {
    let bytes: [u8; 32] = rand::random();
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
