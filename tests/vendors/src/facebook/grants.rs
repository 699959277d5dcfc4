//! What people have granted: consents in progress, codes, authorizations, and the tokens that stem from them.
//!
//! A person has authorized the app or has not: whoever logs in again changes what was granted before, for all tokens.
//! Once it ended, its tokens are dead for good, those of pages too.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;

use super::dialog::Ask;
use super::problem::Problem;
use super::settings::Settings;
use crate::clock::Moment;

const CONSENT_LIFETIME_S: u64 = 600;

/// A code or token that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// What it is.
    pub kind: Kind,
    /// The secret itself.
    pub value: String,
    /// The id of the person who granted it.
    pub person_id: String,
}

/// The kinds of secrets that are issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An authorization code.
    Code,
    /// A person's token, for hours.
    ShortLived,
    /// A person's token, for two months.
    LongLived,
    /// A page's token.
    Page,
}

/// All grants.
#[derive(Default)]
pub(super) struct Grants {
    consents: HashMap<String, (Ask, Moment)>,
    codes: HashMap<String, Code>,
    tokens: HashMap<String, Token>,
    authorizations: Vec<Authorization>,
    issued: Vec<Issued>,
}

struct Code {
    redirect_uri: String,
    authorization: usize,
    expires: Moment,
    spent: bool,
}

#[derive(Clone)]
pub(super) struct Token {
    authorization: usize,
    pub(super) kind: Kind,
    pub(super) page_id: Option<String>,
    pub(super) issued: Moment,
    /// Page tokens from a long-lived token have no end (documented).
    pub(super) expires: Option<Moment>,
}

pub(super) struct Authorization {
    pub(super) person_id: String,
    pub(super) granted: Vec<String>,
    pub(super) declined: Vec<String>,
    ended: Option<Ended>,
}

/// Why an authorization is none any more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The person has removed the app, or the app itself.
    Removed,
    PasswordChanged,
}

impl Grants {
    pub(super) fn issued(&self) -> &[Issued] {
        &self.issued
    }

    /// Keep a request while its person decides; returns the id that the consent page carries.
    pub(super) fn ask(&mut self, ask: Ask, now: Moment) -> String {
        let id = secret("");
        self.consents.insert(id.clone(), (ask, now.after_s(CONSENT_LIFETIME_S)));
        id
    }

    /// The request that a person has decided about; each can be decided once.
    pub(super) fn decided(&mut self, consent: &str, now: Moment) -> Option<Ask> {
        self.consents.remove(consent).filter(|(_, expires)| now < *expires).map(|(ask, _)| ask)
    }

    /// The person authorizes the app, or changes what was authorized.
    pub(super) fn authorize(&mut self, person_id: &str, scopes: &[String], declined: &[String]) -> usize {
        let mine = |known: &Authorization| known.person_id == person_id && known.ended.is_none();
        let at = self.authorizations.iter().position(mine).unwrap_or_else(|| {
            let granted = vec!["public_profile".to_owned()];
            let person_id = person_id.to_owned();
            self.authorizations.push(Authorization { person_id, granted, declined: Vec::new(), ended: None });
            self.authorizations.len() - 1
        });
        let Authorization { granted, declined: refused, .. } = &mut self.authorizations[at];
        for scope in scopes {
            granted.retain(|known| known != scope);
            refused.retain(|known| known != scope);
            if declined.contains(scope) { refused.push(scope.clone()) } else { granted.push(scope.clone()) }
        }
        at
    }

    pub(super) fn issue_code(
        &mut self,
        settings: &Settings,
        redirect_uri: &str,
        authorization: usize,
        now: Moment,
    ) -> String {
        let value = self.issue(settings, Kind::Code, authorization);
        let (redirect_uri, expires) = (redirect_uri.to_owned(), now.after_s(settings.code_lifetime_s));
        self.codes.insert(value.clone(), Code { redirect_uri, authorization, expires, spent: false });
        value
    }

    /// A short-lived token for a code, which can be exchanged once.
    pub(super) fn exchange_code(
        &mut self,
        settings: &Settings,
        code: &str,
        redirect_uri: &str,
        now: Moment,
    ) -> Result<String, Problem> {
        let refused = |subcode: u32, message: &str| Problem::new(100, message).with_subcode(subcode);
        let found = self.codes.get_mut(code);
        let found = found.ok_or_else(|| Problem::new(100, "Invalid verification code format."))?;
        if found.redirect_uri != redirect_uri {
            let message = "Error validating verification code. Please make sure your redirect_uri is identical to the \
                           one you used in the OAuth dialog request";
            return Err(refused(36_008, message));
        }
        if !settings.redirect_uris.iter().any(|known| known == redirect_uri) {
            let message = "URL blocked: This redirect failed because the redirect URI is not white-listed in the app's \
                           client OAuth settings.";
            return Err(Problem::new(191, message));
        }
        if found.expires <= now {
            return Err(refused(36_007, "This authorization code has expired."));
        }
        if std::mem::replace(&mut found.spent, true) {
            return Err(refused(36_009, "This authorization code has been used."));
        }
        let authorization = found.authorization;
        Ok(self.issue_token(settings, Kind::ShortLived, authorization, now))
    }

    /// A new long-lived token for a person's token that works.
    pub(super) fn exchange_token(&mut self, settings: &Settings, token: &str, now: Moment) -> Result<String, Problem> {
        let (token, _) = self.holder(settings, token, now)?;
        if token.kind == Kind::Page {
            return Err(Problem::strict("the token of a page is not exchanged."));
        }
        let authorization = token.authorization;
        Ok(self.issue_token(settings, Kind::LongLived, authorization, now))
    }

    pub(super) fn issue_token(&mut self, settings: &Settings, kind: Kind, authorization: usize, now: Moment) -> String {
        let value = self.issue(settings, kind, authorization);
        let lasts_s = if kind == Kind::LongLived { settings.long_lifetime_s } else { settings.short_lifetime_s };
        let expires = Some(now.after_s(lasts_s));
        self.tokens.insert(value.clone(), Token { authorization, kind, page_id: None, issued: now, expires });
        value
    }

    /// The token of a page, for whoever has this token. It is the same one until that changes.
    pub(super) fn page_token(
        &mut self,
        settings: &Settings,
        token: &str,
        page_id: &str,
        now: Moment,
    ) -> Option<String> {
        let Token { authorization, kind, expires, .. } = *self.tokens.get(token)?;
        let expires = expires.filter(|_| kind != Kind::LongLived);
        let same = |known: &Token| {
            known.page_id.as_deref() == Some(page_id)
                && known.authorization == authorization
                && known.expires == expires
        };
        if let Some((value, _)) = self.tokens.iter().find(|(_, known)| same(known)) {
            return Some(value.clone());
        }
        let value = self.issue(settings, Kind::Page, authorization);
        let page_id = Some(page_id.to_owned());
        self.tokens.insert(value.clone(), Token { authorization, kind: Kind::Page, page_id, issued: now, expires });
        Some(value)
    }

    /// A token that works and the authorization behind it, or why it does not.
    pub(super) fn holder(
        &self,
        settings: &Settings,
        value: &str,
        now: Moment,
    ) -> Result<(&Token, &Authorization), Problem> {
        let (token, authorization) = self.known(value).ok_or_else(Problem::unknown_token)?;
        match authorization.ended {
            Some(Ended::Removed) => {
                let message = format!("The user has not authorized application {}.", settings.app_id);
                return Err(Problem::dead_token(458, message));
            }
            Some(Ended::PasswordChanged) => {
                let message = "The session has been invalidated because the user changed their password or Facebook \
                               has changed the session for security reasons.";
                return Err(Problem::dead_token(460, message));
            }
            None => {}
        }
        if let Some(expires) = token.expires.filter(|expires| *expires <= now) {
            let message = format!("Session has expired on {expires}. The current time is {now}.");
            return Err(Problem::dead_token(463, message));
        }
        let page = token.page_id.as_ref().map(|id| settings.page(id));
        if page.is_some_and(|page| page.is_none_or(|page| !page.roles.contains_key(&authorization.person_id))) {
            let message = "The user must be an administrator, editor, or moderator of the page in order to impersonate \
                           it.";
            return Err(Problem::dead_token(492, message));
        }
        Ok((token, authorization))
    }

    /// A token that was ever issued.
    pub(super) fn known(&self, value: &str) -> Option<(&Token, &Authorization)> {
        let token = self.tokens.get(value)?;
        Some((token, &self.authorizations[token.authorization]))
    }

    /// What a person has authorized and declined, if anything.
    pub(super) fn authorization(&self, person_id: &str) -> Option<&Authorization> {
        self.authorizations.iter().find(|known| known.person_id == person_id && known.ended.is_none())
    }

    /// Take one permission back.
    pub(super) fn withdraw(&mut self, person_id: &str, scope: &str) {
        let mine = self.authorizations.iter_mut().filter(|known| known.person_id == person_id);
        mine.for_each(|known| known.granted.retain(|granted| granted != scope));
    }

    /// End a person's authorization, and with it all tokens.
    pub(super) fn end(&mut self, person_id: &str, ended: Ended) {
        let mine = self.authorizations.iter_mut();
        let mine = mine.filter(|known| known.person_id == person_id && known.ended.is_none());
        mine.for_each(|known| known.ended = Some(ended));
    }

    fn issue(&mut self, settings: &Settings, kind: Kind, authorization: usize) -> String {
        let value = secret(&settings.token_prefix);
        let person_id = self.authorizations[authorization].person_id.clone();
        self.issued.push(Issued { kind, value: value.clone(), person_id });
        value
    }
}

fn secret(prefix: &str) -> String {
    let bytes: [u8; 32] = rand::random();
    format!("{prefix}EAA{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
