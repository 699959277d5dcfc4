//! The commands of a script.
//!
//! | command | what it does |
//! |---|---|
//! | `remote` | as the whole script: runs what `GET /_sim/script` answers, which the test may change between two runs |
//! | `commit <key> <text>` | posts the text as a commit, with the connector's version for `{version}` |
//! | `spend <key> <text>` | posts the text as something that the operator is billed for |
//! | `prepare <key> <seconds> <path> [<json>]` | sends a `POST` as a preparation |
//! | `forget <key>` | drops a prepared step |
//! | `discard <path>` | sends a `GET` whose answer it has no use for, and posts the status and how much it was given all the same |
//! | `read <path>` | sends a `GET` |
//! | `public <path>` | sends a `GET` to the endpoint whose requests are not signed |
//! | `readpost <path>` | sends a `POST` that claims to change nothing |
//! | `stay <count>` | reads who the account is so many times |
//! | `follow <link>` | follows a link |
//! | `sealed` | ends with a fault whose message is the link that the host made of `/next` in the answer of `/_sim/script` |
//! | `echo` | reads who the account is, logs answer and headers, and posts them under the key `echo` |
//! | `header <name> <value>` | sends a `GET` with this header |
//! | `path <path>` | sends a `GET` to a path as it stands |
//! | `exactpath <JSON text>` | as `path`, with escapes |
//! | `exactheader <name> <JSON text>` | as `header`, with escapes |
//! | `hostonly` | asks for a token itself |
//! | `undeclared` | sends a `GET` to an endpoint that the manifest does not declare |
//! | `claim <id>` | claims in the receipt a post that it never made |
//! | `pending <milliseconds>` | ends the run, to be run again |
//! | `fault <message>` | ends the run with a fault of kind `invalid` |
//! | `try <command>` | logs the command's fault and goes on |
//!
//! and those of [`abuse`]. A fault ends the script.

use crate::{API, abuse};
use orla_sdk::{
    Api, Committed, Confirmed, Fault, PartOutcome, Progress, Receipt, Response, Result, Variant, forget, log,
};
use serde_json::{Value, json};
use std::time::Duration;

/// What a command leaves to be done.
enum Next {
    /// The next command.
    Command,
    /// To note in the receipt what was committed.
    Claim(Confirmed),
    /// To end the run for so many milliseconds.
    Pause(u64),
}

/// The script of a variant.
pub(crate) fn load(variant: &Variant) -> Result<String> {
    let text = variant.parts.first().map(|part| part.text.trim()).unwrap_or_default();
    if text == "remote" {
        return Ok(API.get("/_sim/script").read()?.text().into_owned());
    }
    Ok(text.to_owned())
}

/// Runs a script to its end.
pub(crate) fn run(script: &str) -> Result<Progress> {
    let mut parts = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let outcome = match line.strip_prefix("try ") {
            Some(line) => command(line).or_else(|fault| {
                log::warn(format!("{line}: {:?}: {fault}", fault.kind));
                Ok(Next::Command)
            }),
            None => command(line),
        };
        match outcome? {
            Next::Command => {}
            Next::Claim(confirmed) => parts.push(PartOutcome::Done(confirmed)),
            Next::Pause(wait_ms) => return Ok(Progress::Pending(wait_ms)),
        }
    }
    Ok(Progress::Published(Receipt { parts, first_comment: None }))
}

/// The text that a script commits under a key.
pub(crate) fn text_of<'a>(script: &'a str, key: &str) -> Option<&'a str> {
    let commits = script.lines().filter_map(|line| line.trim().strip_prefix("commit "));
    commits.filter_map(|commit| commit.split_once(' ')).find(|(candidate, _)| *candidate == key).map(|(_, text)| text)
}

fn command(line: &str) -> Result<Next> {
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    match name {
        "commit" => {
            let (key, text) = rest.split_once(' ').unwrap_or((rest, ""));
            return commit(key, text).map(Next::Claim);
        }
        "spend" => {
            let (key, text) = rest.split_once(' ').unwrap_or((rest, ""));
            API.post("/2/tweets").json(&json!({ "text": text })).spend(key)?;
        }
        "echo" => return echo().map(Next::Claim),
        "claim" => {
            let committed = Committed { id: rest.to_owned(), url: None };
            return Ok(Next::Claim(Confirmed { key: "claimed".to_owned(), committed }));
        }
        "pending" => return Ok(Next::Pause(number(rest)?)),
        "prepare" => prepare(rest)?,
        "forget" => forget(rest),
        "discard" => {
            let answer = API.get(rest).discard().accept(404).read()?;
            return commit("discard", &format!("{} {}", answer.status(), answer.bytes().len())).map(Next::Claim);
        }
        "read" | "path" => drop(API.get(rest).read()?),
        "public" => drop(Api::new("web").get(rest).read()?),
        "readpost" => drop(API.post(rest).json(&json!({})).read()?),
        "stay" => {
            for _ in 0..number(rest)? {
                API.get("/2/users/me").read()?;
            }
        }
        "follow" => drop(API.follow(rest).read()?),
        "header" => {
            let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
            API.get("/2/users/me").header(name, value).read()?;
        }
        "exactpath" => drop(API.get(unescaped(rest)?).read()?),
        "exactheader" => {
            let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
            API.get("/2/users/me").header(name, unescaped(value)?).read()?;
        }
        "sealed" => {
            let answer: Value = API.get("/_sim/script").read()?.json()?;
            return Err(Fault::invalid("parts/0/text", answer["next"].as_str().unwrap_or("no link")));
        }
        "hostonly" => drop(API.post("/2/oauth2/token").form([("grant_type", "client_credentials")]).read()?),
        "undeclared" => drop(Api::new("undeclared").get("/").read()?),
        "fault" => return Err(Fault::invalid("parts/0/text", rest)),
        _ => abuse::command(name, rest)?,
    }
    Ok(Next::Command)
}

/// A text as JSON writes it, quotes and escapes included.
fn unescaped(json: &str) -> Result<String> {
    serde_json::from_str(json).map_err(|error| Fault::bug(format!("`{json}` is no JSON text: {error}")))
}

fn commit(key: &str, text: &str) -> Result<Confirmed> {
    let text = text.replace("{version}", env!("CARGO_PKG_VERSION"));
    API.post("/2/tweets").json(&json!({ "text": text })).commit(key, |answer: &Response| {
        let post: Value = answer.json()?;
        let id = post["data"]["id"].as_str().ok_or_else(|| Fault::vendor("The answer names no post."))?;
        Ok(Committed { id: id.to_owned(), url: None })
    })
}

fn prepare(arguments: &str) -> Result<()> {
    let mut words = arguments.splitn(4, ' ');
    let (key, seconds, path) = (words.next(), words.next(), words.next());
    let (Some(key), Some(seconds), Some(path)) = (key, seconds, path) else {
        return Err(Fault::bug(format!("`prepare {arguments}` lacks key, seconds or path.")));
    };
    let body: Value = words.next().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_else(|| json!({}));
    API.post(path).json(&body).prepare(key, Duration::from_secs(number(seconds)?))?;
    Ok(())
}

/// Says aloud what the vendor answered. A secret that the host does not blank is then in the log and in public.
fn echo() -> Result<Confirmed> {
    /// The post must pass for one.
    const MAX_CHARS: usize = 250;
    let answer = API.get("/2/users/me").read()?;
    let all = format!("{} {:?}", answer.text(), answer.headers());
    log::info(&all);
    commit("echo", &all.chars().take(MAX_CHARS).collect::<String>())
}

/// A number of a command.
pub(crate) fn number(text: &str) -> Result<u64> {
    text.trim().parse().map_err(|_| Fault::bug(format!("`{text}` is no number.")))
}
