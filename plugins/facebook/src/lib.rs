//! Facebook pages, Graph API v26.0: <https://developers.facebook.com/docs/pages-api>.
//!
//! A person connects; posts go to one of the pages that the person may post as, the account's target. What concerns a
//! page is signed by the page's own token, which the host keeps in the slot `page:<id>`. Facebook knows no idempotency
//! key, so a post whose answer was lost is looked for at the page.

mod check;
mod comments;
mod problem;
mod publish;
mod reconcile;
#[cfg(test)]
mod tests;
mod video;

use orla_sdk::manifest::{
    self, Auth, ClientAuth, Encoding, Endpoint, Exchange, Granted, Limits, Link, Manifest, Meaning, OAuth2, Pkce,
    Publishing, Refresh, Revoke, RevokeBy, Slot, TokenRequest, Verdict,
};
use orla_sdk::{
    Account, Api, Connector, Fact, Fault, FaultKind, Identity, Profile, Progress, Publish, Remove, Request, Response,
    Result, Target, Variant, Violation, in_order, pages, path,
};
use serde::Deserialize;
use std::time::Duration;

/// The connector.
pub struct Facebook;

orla_sdk::connector!(Facebook);
orla_sdk::export_identity!(Facebook);
orla_sdk::export_publish!(Facebook);
orla_sdk::export_reconcile!(Facebook);
orla_sdk::export_remove!(Facebook);
orla_sdk::export_comments!(Facebook);
orla_sdk::export_reply!(Facebook);

const API: Api = Api::new("api").explain(problem::explain);

/// The version of the Graph API: <https://developers.facebook.com/docs/graph-api/changelog/versions>.
const VERSION: &str = "v26.0";

/// Where people find what was posted.
const WEB: &str = "https://www.facebook.com";

/// The task of a person on a page that allows to post as the page.
const MAY_POST: &str = "CREATE_CONTENT";

/// Most pages of a list of pages, each of 100.
const MAX_LISTS: usize = 20;

/// How long a repeated removal is answered from the journal.
const REMOVAL_STANDS: Duration = Duration::from_secs(3_600);

const DAY_S: u32 = 86_400;

impl Connector for Facebook {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::Oauth2(oauth()),
            endpoints: manifest::endpoints([
                ("web", manifest::unsigned(WEB)),
                ("api", graph("https://graph.facebook.com")),
                ("video", graph("https://graph-video.facebook.com")),
            ]),
            links: vec![Link {
                from: "api".to_owned(),
                at: manifest::pointer("/paging/next"),
                hosts: Vec::new(),
                signed: true,
            }],
            slots: vec![Slot {
                from: "api".to_owned(),
                name: "page".to_owned(),
                each: Some("/data".to_owned()),
                id: "/id".to_owned(),
                secret: "/access_token".to_owned(),
            }],
            // A link to a next page may carry it; the host proves the token anew.
            secret_members: manifest::texts(["appsecret_proof"]),
            verdicts: verdicts(),
            publishing: Some(Publishing {
                visible_after_s: 30,
                max_parts: 1,
                max_media: check::MAX_PHOTOS as u32,
                media: manifest::media(check::MEDIA),
                // Of a photo, its post. What ends a video's upload names nothing: its key is the video.
                committed_id: vec![manifest::pointer("/post_id"), manifest::pointer("/id"), manifest::commit_key()],
                ..Publishing::default()
            }),
            // A video of a gibibyte, if Facebook asks for it mebibyte by mebibyte.
            limits: Limits { requests: 1_100, ..Limits::default() },
            ..manifest::bare("facebook", "Facebook Pages", env!("CARGO_PKG_VERSION"))
        }
    }
}

/// An origin of the Graph API. Its tokens are minted and ended by the host alone.
fn graph(origin: &str) -> Endpoint {
    Endpoint {
        proof: Some("appsecret_proof".to_owned()),
        host_only: manifest::texts(["/oauth/*", "/*/oauth/*", "/*/me/permissions"]),
        ..manifest::bearer(origin)
    }
}

/// <https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow> and
/// <https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived>: a code gives a token for
/// hours, which is exchanged for one of 60 days. There is no refresh token; the token itself is exchanged for a new one
/// while it is alive.
fn oauth() -> OAuth2 {
    let at = |path: &str| manifest::place("api", &format!("/{VERSION}{path}"));
    let long_lived = Exchange {
        at: at("/oauth/access_token"),
        token_param: "fb_exchange_token".to_owned(),
        params: [("grant_type".to_owned(), "fb_exchange_token".to_owned())].into(),
    };
    OAuth2 {
        token_request: TokenRequest { encoding: Encoding::Query, ..TokenRequest::default() },
        exchange: vec![long_lived.clone()],
        refresh: Refresh::Exchange { exchange: long_lived, before_s: 30 * DAY_S },
        revoke: Some(Revoke { at: at("/me/permissions"), by: RevokeBy::BearerDelete }),
        // Pages that belong to a business are listed with the first only; comments are read and answered with the others.
        optional_scopes: manifest::texts(["business_management", "pages_read_user_content", "pages_manage_engagement"]),
        scope_separator: ",".to_owned(),
        granted: Some(Granted {
            at: at("/me/permissions"),
            each: "/data".to_owned(),
            name: "/permission".to_owned(),
            when: Some(("/status".to_owned(), "granted".to_owned())),
        }),
        pkce: Pkce::None,
        client_auth: ClientAuth::Body,
        revoked_errors: manifest::texts(["190"]),
        default_lifetime_s: 60 * DAY_S,
        ..manifest::oauth2(
            manifest::place("web", &format!("/{VERSION}/dialog/oauth")),
            at("/oauth/access_token"),
            ["pages_show_list", "pages_read_engagement", "pages_manage_posts"],
        )
    }
}

/// The codes 1 and 2 are failures in passing, of which nobody knows how far the request came; Facebook is seen to send
/// them with 400 as well. The body is looked at as text, for a pointer would take 100 for a 1.
fn verdicts() -> Vec<Verdict> {
    let in_passing = [r#""code":1,"#, r#""code":1}"#, r#""code":2,"#, r#""code":2}"#].map(|code| Verdict {
        status: 400,
        pointer: None,
        contains: Some(code.to_owned()),
        means: Meaning::Unknown,
    });
    let not_quite = Verdict {
        status: 200,
        pointer: Some("/success".to_owned()),
        contains: Some("false".to_owned()),
        means: Meaning::Unknown,
    };
    // A stretch of a video that is there already. Journaled, it is not sent once more after the upload was ended.
    let there = Verdict {
        status: 400,
        pointer: Some("/error/error_subcode".to_owned()),
        contains: Some(video::MISPLACED.to_string()),
        means: Meaning::Done,
    };
    in_passing.into_iter().chain([not_quite, there]).collect()
}

/// What Facebook wraps a list in.
#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
}

/// What Facebook answers to what makes nothing.
#[derive(Deserialize)]
struct Success {
    success: bool,
}

impl Identity for Facebook {
    /// <https://developers.facebook.com/docs/graph-api/reference/user>. A person has no handle there but the name.
    fn whoami(_account: &Account) -> Result<Profile> {
        #[derive(Deserialize)]
        struct Person {
            id: String,
            name: String,
        }
        let me = API.get(path!("/{}/me", VERSION)).query("fields", "id,name").read()?;
        let Person { id, name } = me.json()?;
        Ok(Profile { vendor_id: id, handle: name.clone(), name: Some(name), targets: targets()? })
    }
}

/// The pages that the person may post as: <https://developers.facebook.com/docs/graph-api/reference/user/accounts>. The
/// answers fill the pages' slots.
fn targets() -> Result<Vec<Target>> {
    #[derive(Deserialize)]
    struct Listed {
        id: String,
        name: String,
        #[serde(default)]
        tasks: Vec<String>,
    }
    let first = || {
        let list = API.get(path!("/{}/me/accounts", VERSION));
        list.query("fields", "id,name,access_token,tasks").query("limit", "100")
    };
    let mut targets = Vec::new();
    for list in pages(MAX_LISTS, |link| link.map_or_else(first, |link| API.follow(link)), next) {
        let List { data } = list?.json::<List<Listed>>()?;
        let postable = data.into_iter().filter(|page| page.tasks.iter().any(|task| task == MAY_POST));
        targets.extend(postable.map(|Listed { id, name, .. }| Target { id, name, kind: "page".to_owned() }));
    }
    Ok(targets)
}

/// The link to the next page of a list. One that the host did not seal leads away from Facebook, and a list is never taken
/// for shorter than it is.
fn next(list: &Response) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Paged {
        #[serde(default)]
        paging: serde_json::Map<String, serde_json::Value>,
    }
    let Paged { paging } = list.json()?;
    match paging.get("next") {
        None => Ok(None),
        Some(serde_json::Value::String(link)) => Ok(Some(link.clone())),
        Some(_) => Err(Fault::vendor("Facebook's link to the rest of a list leads elsewhere, so it is not followed.")),
    }
}

/// The page that a call is for.
struct Page<'a> {
    id: &'a str,
}

impl<'a> Page<'a> {
    fn of(account: &'a Account) -> Result<Self> {
        let id = account.target.as_deref().filter(|id| !id.is_empty());
        let nowhere = || {
            Fault::invalid(
                "target",
                "A post needs a page to go to; connect an account that may create content on one, and name it.",
            )
        };
        Ok(Self { id: id.ok_or_else(nowhere)? })
    }

    /// A path at the page, such as its `feed`.
    fn edge(&self, edge: &str) -> String {
        path!("/{}/{}/{}", VERSION, self.id, edge)
    }

    /// The request, signed by the page's own token.
    fn sign<'r>(&self, request: Request<'r>) -> Request<'r> {
        request.slot(format!("page:{}", self.id))
    }
}

impl Publish for Facebook {
    fn check(variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        check::violations(variant)
    }

    fn publish(account: &Account, variant: &Variant) -> Result<Progress> {
        let page = Page::of(account)?;
        in_order(&variant.parts, |index, part, _previous| publish::post(&page, index, part))
    }
}

impl Remove for Facebook {
    /// <https://developers.facebook.com/docs/pages-api/posts#delete-a-post>. A post's id begins with its page's.
    fn remove(account: &Account, id: &str) -> Result<()> {
        let page = match id.split_once('_') {
            Some((page, _post)) => Page { id: page },
            None => Page::of(account)?,
        };
        let request = page.sign(API.delete(path!("/{}/{}", VERSION, id)));
        match request.prepare(format!("remove/{id}"), REMOVAL_STANDS) {
            Ok(answer) if answer.json::<Success>()?.success => Ok(()),
            Ok(_) => Err(Fault::vendor("Facebook did not remove the post, and does not say why.")),
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}
