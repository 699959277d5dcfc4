//! A scene: what the vendor expects, what came, and what it did.
//!
//! The vendor keeps a world of its own: what it was sent by a commit or a spend, it did, refused or never had. A request
//! that it did and is sent again is what no connector may cause.

use super::came::Came;
use super::keys::{Keys, Renewal};
use super::mishap::{Did, Mishap};
use super::outcome;
use super::plot::{Nature, Plot, Script};
use super::proof;
use super::script::{Answer, AnswerBody, Exchange};
use super::vendor::Reply;
use super::webhook::{self, Names};
use crate::connectors::journal::Journal;
use crate::connectors::run::Run;
use bytes::Bytes;
use orla_manifest::{Endpoint, Manifest, Sign, Verdict};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Of what is done once without standing in the journal.
const NO_KEY: &str = "no key at all";

/// What the vendor made of an exchange that is done once; with the journal's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Untouched,
    Done(String),
    /// Not done, and nobody knows.
    Open(String),
}

/// A request that came.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Such as `POST /2/tweets`.
    pub(super) line: String,
    /// Its place in the script.
    pub(super) exchange: usize,
    /// The journal's key, where it is a commit or a spend.
    pub(super) once: Option<String>,
}

#[derive(Debug)]
pub(super) struct Scene {
    signs: BTreeMap<String, Sign>,
    /// The parameters that prove tokens, by the endpoints that want them.
    proofs: BTreeMap<String, String>,
    renewal: Option<Renewal>,
    /// What answers mean whose status misleads.
    verdicts: Vec<Verdict>,
    script: Script,
    standings: Vec<Standing>,
    calls: Vec<Call>,
    complaint: Option<String>,
    keys: Keys,
    /// The webhooks that came, by their names.
    names: Names,
    /// A request that is refused again once its token was renewed, with the token that it had.
    refusing: Option<(usize, SecretString)>,
    /// What cannot be renewed was refused: it is until the call ends.
    is_revoked: bool,
    run: Option<Arc<Run>>,
    answers: u64,
}

impl Scene {
    pub(super) fn new(manifest: &Manifest) -> Self {
        let script = Script {
            plot: Plot::Always(501),
            exchanges: Vec::new(),
            natures: Vec::new(),
            folder: PathBuf::new(),
            trouble: None,
            answer_cap: 0,
        };
        let proof = |(name, endpoint): (&String, &Endpoint)| Some((name.clone(), endpoint.proof.clone()?));
        Self {
            proofs: manifest.endpoints.iter().filter_map(proof).collect(),
            signs: manifest.endpoints.iter().map(|(name, endpoint)| (name.clone(), endpoint.sign.clone())).collect(),
            renewal: None,
            verdicts: manifest.verdicts.clone(),
            script,
            standings: Vec::new(),
            calls: Vec::new(),
            complaint: None,
            keys: Keys::default(),
            names: Names::default(),
            refusing: None,
            is_revoked: false,
            run: None,
            answers: 0,
        }
    }

    /// Begins anew with another script. Who may sign stays.
    pub(super) fn begin(&mut self, script: Script) {
        self.standings = vec![Standing::Untouched; script.exchanges.len()];
        self.script = script;
        self.calls.clear();
        (self.complaint, self.refusing, self.names) = (None, None, Names::default());
    }

    /// What ran is run once more, in whatever order it asks. What the vendor did stays done.
    pub(super) fn run_again(&mut self, exchanges: Vec<Exchange>, natures: Vec<Nature>) {
        self.standings.resize(exchanges.len(), Standing::Untouched);
        self.script = Script { plot: Plot::InAnyOrder, exchanges, natures, ..self.script.clone() };
        self.calls.clear();
    }

    /// Plays something else for a while; what was done meanwhile does not count. Gives back what was played.
    pub(super) fn interlude(&mut self, script: Script) -> (Script, Vec<Standing>, Vec<Call>) {
        let standings = vec![Standing::Untouched; script.exchanges.len()];
        let script = std::mem::replace(&mut self.script, script);
        (script, std::mem::replace(&mut self.standings, standings), std::mem::take(&mut self.calls))
    }

    /// Goes on after an interlude.
    pub(super) fn resume(&mut self, (script, standings, calls): (Script, Vec<Standing>, Vec<Call>)) {
        (self.script, self.standings, self.calls) = (script, standings, calls);
    }

    /// Whose requests come from now on.
    pub(super) fn enter(&mut self, run: Option<Arc<Run>>) {
        (self.run, self.is_revoked) = (run, false);
    }

    /// The secrets that count from now on, and how the access token among them is renewed.
    pub(super) fn set_keys(&mut self, keys: Keys, renewal: Option<Renewal>) {
        (self.keys, self.renewal) = (keys, renewal);
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(super) fn calls(&self) -> &[Call] {
        &self.calls
    }

    pub(super) fn folder(&self) -> &Path {
        &self.script.folder
    }

    /// A number that no other answer has.
    pub(super) fn next_number(&mut self) -> u64 {
        self.answers += 1;
        self.answers
    }

    /// What was wrong with a request, where something was; the first counts.
    pub(super) fn complain(&mut self, complaint: String) {
        self.complaint.get_or_insert(complaint);
    }

    pub(super) fn complaint(&self) -> Option<String> {
        self.complaint.clone()
    }

    /// What the script still expects, where it is played in order.
    pub(super) fn missing(&self) -> Option<&Exchange> {
        self.script.exchanges.get(self.calls.len())
    }

    /// The last exchange that a commit or spend of this key was, and what the vendor made of it.
    pub(super) fn standing_of(&self, key: &str) -> Option<(Exchange, Standing)> {
        let call = self.calls.iter().rev().find(|call| call.once.as_deref() == Some(key))?;
        Some((self.script.exchanges[call.exchange].clone(), self.standings[call.exchange].clone()))
    }

    /// It is known now that a commit of this key was not done: it may be sent again.
    pub(super) fn clear(&mut self, key: &str) {
        for standing in &mut self.standings {
            if matches!(standing, Standing::Open(open) if open == key) {
                *standing = Standing::Untouched;
            }
        }
    }

    /// What the vendor does with a request.
    pub(super) fn receive(&mut self, came: &mut Came) -> Reply {
        if let Some(reply) = self.mint(came) {
            return reply;
        }
        let wanted = came.endpoints.iter().find_map(|endpoint| self.proofs.get(endpoint));
        if let Some(flaw) = wanted.cloned().and_then(|name| proof::take(came, &name)) {
            self.complain(format!("{} {flaw}", came.line()));
        }
        if self.keys.are_told_by(came) {
            self.complain(format!("{} tells a secret of the account: a connector must not have it", came.line()));
        }
        if let Plot::Always(status) = self.script.plot {
            self.examine(came, &came.endpoints);
            return self.refuse(status, came);
        }
        let Some(index) = self.find(came) else { return self.refuse(501, came) };
        let endpoint = self.script.exchanges[index].request.endpoint.clone();
        self.examine(came, std::slice::from_ref(&endpoint));
        let once = self.key_of(index);
        if let Some(key) = &once {
            self.tell_apart(came, &endpoint, key);
        }
        self.calls.push(Call { line: came.line(), exchange: index, once: once.clone() });
        let number = self.calls.len();
        let answer = self.script.exchanges[index].answer.clone();
        let trouble = self.script.trouble.filter(|(at, _)| *at == number).map(|(_, mishap)| mishap);
        let refused_again = self.refusing.take().is_some_and(|(refused, token)| {
            refused == index && token.expose_secret() != self.keys.access.expose_secret()
        });
        let trouble = if refused_again || self.is_revoked { Some(Mishap::Status(401)) } else { trouble };
        if trouble == Some(Mishap::Status(401)) && !refused_again {
            self.refusing = Some((index, self.keys.access.clone()));
            self.is_revoked = self.renewal.is_none();
        }
        let did = match (outcome::did(&self.verdicts, &answer), trouble) {
            (Did::All, Some(mishap)) => mishap.did(&self.verdicts),
            (Did::Refused | Did::Nothing, Some(_)) => Did::Refused,
            (did, None) => did,
        };
        if let Some(key) = once {
            self.note(index, did, key, &came.line());
        }
        match trouble {
            None => Reply::Answer(answer),
            Some(mishap) => self.disturb(mishap, answer, came),
        }
    }

    /// Answers with a status, and tells back what the vendor knows.
    fn refuse(&self, status: u16, came: &Came) -> Reply {
        Reply::Status(status, self.keys.told_back(came))
    }

    fn disturb(&self, mishap: Mishap, answer: Answer, came: &Came) -> Reply {
        let spoiled = |content_type, body: &[u8]| Reply::Spoiled { content_type, body: Bytes::copy_from_slice(body) };
        match mishap {
            Mishap::Status(status) => self.refuse(status, came),
            Mishap::Garbage => spoiled("text/html", b"<!doctype html><title>Sorry</title><p>We will be back soon."),
            Mishap::GarbageEvents => spoiled("text/event-stream", b"event: sorry\ndata: {we will be back\n\n"),
            Mishap::Empty => spoiled("application/json", b""),
            Mishap::Huge => {
                let length = usize::try_from(self.script.answer_cap).unwrap_or(usize::MAX).saturating_add(64 << 10);
                // Within the cap it would be JSON.
                let mut body = vec![b' '; length];
                body.extend_from_slice(b"{}");
                Reply::Spoiled { content_type: answer.content_type().unwrap_or("application/json"), body: body.into() }
            }
            Mishap::CutBefore | Mishap::CutAfter => Reply::Cut,
            Mishap::CutWithin => {
                let half = answer.bytes(&self.script.folder).map_or(0, |bytes| bytes.len() / 2);
                if half == 0 { Reply::Cut } else { Reply::Part(answer, half) }
            }
            Mishap::CutEvents(count) => {
                let first = answer.events().unwrap_or_default().iter().take(count);
                let bytes = first.map(|event| event.wire().len()).sum();
                Reply::Part(answer, bytes)
            }
            Mishap::Silence => Reply::Silence,
            Mishap::Cancel => {
                if let Some(run) = &self.run {
                    run.stop.cancel();
                }
                Reply::Answer(answer)
            }
        }
    }

    /// The token endpoint, which is the host's alone to call.
    fn mint(&mut self, came: &Came) -> Option<Reply> {
        let renewal = self.renewal.as_ref().filter(|renewal| renewal.is(came))?;
        if !renewal.is_right(&self.keys, came) {
            self.complain("the host renewed its token with another one than it was given".to_owned());
        }
        let number = self.next_number();
        let (access, refresh) = (format!("renewed-access-token-{number}"), format!("renewed-refresh-token-{number}"));
        let body = json!({ "access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": 7_776_000 });
        (self.keys.access, self.keys.refresh) = (access.into(), refresh.into());
        Some(Reply::Answer(Answer { status: 200, headers: BTreeMap::new(), body: AnswerBody::Json(body) }))
    }

    /// Looks whether a request is signed as it has to be for one of these endpoints.
    fn examine(&mut self, came: &Came, endpoints: &[String]) {
        let signs = endpoints.iter().filter_map(|endpoint| self.signs.get(endpoint));
        let flaws: Option<Vec<String>> = signs.map(|sign| self.keys.flaw(sign, came)).collect();
        if let Some(flaw) = flaws.and_then(|flaws| flaws.into_iter().next()) {
            self.complain(format!("{} {flaw}", came.line()));
        }
    }

    /// Looks whether a webhook has the same name whenever it comes, and none that another has.
    fn tell_apart(&mut self, came: &Came, endpoint: &str, key: &str) {
        let is_webhook = matches!(self.signs.get(endpoint), Some(Sign::StandardWebhooks { .. }));
        if let (true, Ok(id)) = (is_webhook && key != NO_KEY, came.header(webhook::ID))
            && let Some(flaw) = self.names.flaw(key, id)
        {
            self.complain(format!("{} {flaw}", came.line()));
        }
    }

    /// The exchange of the script that a request is.
    fn find(&mut self, came: &Came) -> Option<usize> {
        let differences: anyhow::Result<Vec<Option<String>>> = self
            .script
            .exchanges
            .iter()
            .map(|exchange| came.difference(&exchange.request, &self.script.folder))
            .collect();
        let differences = match differences {
            Ok(differences) => differences,
            Err(error) => {
                self.complain(format!("{error:#}"));
                return None;
            }
        };
        let number = self.calls.len() + 1;
        let complaint = match self.script.plot {
            Plot::InOrder => match differences.get(number - 1) {
                Some(None) => return Some(number - 1),
                Some(Some(difference)) => {
                    let wanted = self.script.exchanges[number - 1].request.line();
                    format!("request {number} should be {wanted}, but {difference}")
                }
                None => format!("request {number}, {}, is one more than the case has", came.line()),
            },
            Plot::InAnyOrder | Plot::Always(_) => {
                let matching: Vec<usize> =
                    (0..differences.len()).filter(|index| differences[*index].is_none()).collect();
                // A script that says the same twice means one answer after the other.
                let asked = |index: &usize| self.calls.iter().any(|call| call.exchange == *index);
                let fresh = matching.iter().copied().find(|index| match &self.standings[*index] {
                    Standing::Untouched => !asked(index) || self.nature(*index) == Nature::Once,
                    Standing::Done(_) | Standing::Open(_) => false,
                });
                if let Some(index) = fresh.or_else(|| matching.last().copied()) {
                    return Some(index);
                }
                let alike = self.script.exchanges.iter().position(|exchange| exchange.request.line() == came.line());
                let why = alike.and_then(|index| differences[index].clone()).map(|why| format!(": {why}"));
                format!("{} is nothing that the case has{}", came.line(), why.unwrap_or_default())
            }
        };
        self.complain(complaint);
        None
    }

    fn nature(&self, index: usize) -> Nature {
        self.script.natures.get(index).copied().unwrap_or(Nature::Unseen)
    }

    /// The key under which an exchange is a commit or a spend, if it is one: it stands in the journal as started.
    fn key_of(&self, index: usize) -> Option<String> {
        let under_way = || {
            let effects = self.run.as_ref()?.journal.as_ref().map(Journal::effects)?;
            effects.into_iter().find(|effect| effect.is_under_way()).map(|effect| effect.key)
        };
        match self.nature(index) {
            Nature::Once => Some(under_way().unwrap_or_else(|| NO_KEY.to_owned())),
            Nature::Repeatable => None,
            Nature::Unseen => under_way(),
        }
    }

    /// Holds a commit or spend against what the vendor did before.
    fn note(&mut self, index: usize, did: Did, key: String, line: &str) {
        match &self.standings[index] {
            Standing::Untouched => {}
            Standing::Done(before) => {
                self.complain(format!("{line} was sent again as `{key}`, though the vendor had done it as `{before}`"));
                return;
            }
            Standing::Open(before) => {
                self.complain(format!(
                    "{line} was sent again as `{key}`, while nobody knew what had become of it as `{before}`"
                ));
                return;
            }
        }
        self.standings[index] = match did {
            Did::All => Standing::Done(key),
            Did::Refused => Standing::Untouched,
            Did::Nothing => Standing::Open(key),
        };
    }
}
