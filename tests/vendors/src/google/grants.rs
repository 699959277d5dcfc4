//! What people have granted: consents in progress, codes, and what stems from each grant.
//!
//! A grant is one account's to the app. Tokens of it may be many; whoever takes it back ends all of them.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;

use super::authorize::Ask;
use super::{Client, LONG_NAMES};
use crate::clock::Moment;

const CONSENT_LIFETIME_S: u64 = 600;

/// A code or token that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// What it is.
    pub kind: Kind,
    /// The secret itself.
    pub value: String,
    /// The address of the account that granted it.
    pub account: String,
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
    /// A token that says who signed in (OpenID Connect).
    Id,
}

/// All grants.
#[derive(Default)]
pub(crate) struct Grants {
    consents: HashMap<String, (Ask, Moment)>,
    codes: HashMap<String, Code>,
    access: HashMap<String, (usize, Moment)>,
    refresh: HashMap<String, usize>,
    pub(super) grants: Vec<Grant>,
    issued: Vec<Issued>,
    pub(crate) counts: Counts,
}

/// How often what was granted was used.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Codes that were exchanged for tokens.
    pub(crate) code_exchanges: u64,
    /// Access tokens that were renewed.
    pub(crate) refreshes: u64,
    /// Grants that their app gave back.
    pub(crate) revocations: u64,
}

pub(super) struct Code {
    pub(super) ask: Ask,
    pub(super) grant: usize,
    pub(super) expires: Moment,
    pub(super) spent: bool,
}

pub(crate) struct Grant {
    pub(crate) account: String,
    pub(crate) scopes: Vec<String>,
    /// Whether a refresh token was given for it before.
    pub(super) lasts: bool,
    revoked: bool,
}

impl Grants {
    pub(crate) fn issued(&self) -> &[Issued] {
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

    /// A new grant of an account, which knows whether an earlier one lasted.
    pub(crate) fn grant(&mut self, account: &str, scopes: Vec<String>) -> usize {
        let lasts = self.grants.iter().any(|grant| grant.account == account && grant.lasts && !grant.revoked);
        self.grants.push(Grant { account: account.to_owned(), scopes, lasts, revoked: false });
        self.grants.len() - 1
    }

    pub(super) fn issue_code(&mut self, client: &Client, ask: Ask, account: &str, now: Moment) -> String {
        let long_name = |scope: &String| {
            let long = LONG_NAMES.iter().find(|(short, _)| short == scope);
            long.map_or_else(|| scope.clone(), |(_, long)| (*long).to_owned())
        };
        let granted = |scope: &String| !client.declined_scopes.contains(scope);
        let scopes = ask.scopes.iter().map(long_name).filter(granted).collect();
        let grant = self.grant(account, scopes);
        let value = format!("4/0{}{}", client.token_mark, random());
        self.issue(Kind::Code, &value, account);
        let expires = now.after_s(client.code_lifetime_s);
        self.codes.insert(value.clone(), Code { ask, grant, expires, spent: false });
        value
    }

    pub(super) fn code(&mut self, code: &str) -> Option<&mut Code> {
        self.codes.get_mut(code)
    }

    /// The grant of a refresh token, if it works.
    pub(super) fn refresh_token(&self, token: &str) -> Option<usize> {
        self.refresh.get(token).copied().filter(|grant| !self.grants[*grant].revoked)
    }

    /// The grant that a token of whatever kind stems from, if it works.
    pub(super) fn stems_from(&self, token: &str) -> Option<usize> {
        let access = self.access.get(token).map(|(grant, _)| *grant);
        access.or_else(|| self.refresh.get(token).copied()).filter(|grant| !self.grants[*grant].revoked)
    }

    pub(crate) fn new_access(&mut self, client: &Client, grant: usize, now: Moment) -> String {
        let value = format!("ya29.{}{}", client.token_mark, random());
        self.access.insert(value.clone(), (grant, now.after_s(client.access_lifetime_s)));
        let account = self.grants[grant].account.clone();
        self.issue(Kind::Access, &value, &account);
        value
    }

    pub(super) fn new_refresh(&mut self, client: &Client, grant: usize) -> String {
        let value = format!("1//{}{}", client.token_mark, random());
        self.refresh.insert(value.clone(), grant);
        self.grants[grant].lasts = true;
        let account = self.grants[grant].account.clone();
        self.issue(Kind::Refresh, &value, &account);
        value
    }

    /// A token by which the client knows who signed in. Nobody here looks at it.
    pub(super) fn new_id(&mut self, client: &Client, grant: usize) -> String {
        let value = format!("eyJhbGciOiJSUzI1NiJ9.{}{}.{}", client.token_mark, random(), random());
        let account = self.grants[grant].account.clone();
        self.issue(Kind::Id, &value, &account);
        value
    }

    /// Who holds an access token; nothing if it does not work.
    pub(crate) fn holder(&self, token: &str, now: Moment) -> Option<&Grant> {
        let (grant, expires) = self.access.get(token)?;
        let grant = &self.grants[*grant];
        (now < *expires && !grant.revoked).then_some(grant)
    }

    pub(crate) fn expire_access_tokens(&mut self, now: Moment) {
        self.access.values_mut().for_each(|(_, expires)| *expires = now);
    }

    /// End a grant, and all others of its account to this app.
    pub(super) fn revoke(&mut self, grant: usize) {
        let account = self.grants[grant].account.clone();
        self.revoke_all_of(&account);
    }

    pub(crate) fn revoke_all_of(&mut self, account: &str) {
        let of_account = self.grants.iter_mut().filter(|grant| grant.account == account);
        of_account.for_each(|grant| grant.revoked = true);
    }

    fn issue(&mut self, kind: Kind, value: &str, account: &str) {
        self.issued.push(Issued { kind, value: value.to_owned(), account: account.to_owned() });
    }
}

/// 43 characters that nobody can guess.
pub(crate) fn random() -> String {
    let bytes: [u8; 32] = rand::random();
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
