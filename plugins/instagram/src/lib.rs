//! Instagram for professional accounts, by Facebook Login, Graph API v26.0:
//! <https://developers.facebook.com/docs/instagram-platform/instagram-api-with-facebook-login>.
//!
//! A person connects; posts go to one of the professional accounts whose Facebook pages the person may post as, the account's
//! target. A post is made in steps: a container for each medium, which Instagram works on, and one commit that publishes it.
//! Images are fetched by Instagram from the host, films are uploaded to it. Instagram knows no idempotency key, so a post whose
//! answer was lost is looked for among the account's media.

mod check;
mod comments;
mod container;
mod problem;
mod publish;
mod reconcile;
#[cfg(test)]
mod tests;
mod upload;

use orla_sdk::manifest::{
    self, Auth, Bounds, ClientAuth, Encoding, Endpoint, Exchange, ExtraKind, Granted, Link, Manifest, Meaning,
    MediaRule, Member, OAuth2, Pkce, Publishing, Refresh, Revoke, RevokeBy, Sign, TokenRequest, Verdict,
};
use orla_sdk::{
    Account, Api, Connector, Fact, Fault, Identity, Profile, Progress, Publish, Response, Result, Target, Variant,
    Violation, in_order, pages, path, say_first_comment,
};
use serde::Deserialize;

/// The connector.
pub struct Instagram;

orla_sdk::connector!(Instagram);
orla_sdk::export_identity!(Instagram);
orla_sdk::export_publish!(Instagram);
orla_sdk::export_reconcile!(Instagram);
orla_sdk::export_comments!(Instagram);
orla_sdk::export_reply!(Instagram);

const API: Api = Api::new("api").explain(problem::explain);

/// The version of the Graph API: <https://developers.facebook.com/docs/graph-api/changelog/versions>.
const VERSION: &str = "v26.0";

/// The tasks of a person on a page that allow to post as its account.
const MAY_POST: [&str; 2] = ["MANAGE", "CREATE_CONTENT"];

/// Most pages of a list of Facebook pages, each of 100.
const MAX_LISTS: usize = 20;

const DAY_S: u32 = 86_400;

impl Connector for Instagram {
    fn manifest() -> Manifest {
        Manifest {
            auth: Auth::Oauth2(oauth()),
            endpoints: manifest::endpoints([
                ("web", manifest::unsigned("https://www.facebook.com")),
                ("api", graph()),
                // What takes films wants the token in a manner of its own.
                (
                    "upload",
                    Endpoint {
                        sign: Sign::Header { name: "Authorization".to_owned(), value: "OAuth {token}".to_owned() },
                        ..manifest::unsigned("https://rupload.facebook.com")
                    },
                ),
            ]),
            links: vec![Link {
                from: "api".to_owned(),
                at: manifest::pointer("/paging/next"),
                hosts: Vec::new(),
                signed: true,
            }],
            // A link to a next page may carry it; the host proves the token anew.
            secret_members: manifest::texts(["appsecret_proof"]),
            verdicts: in_passing(),
            publishing: Some(Publishing {
                visible_after_s: 30,
                max_parts: 1,
                max_media: check::MAX_MEDIA as u32,
                media: media(),
                committed_id: vec![manifest::pointer("/id")],
                takes: vec![Member::FirstComment],
                extras: manifest::extras([
                    ("story", "Shows the medium for a day as a story instead of posting it.", ExtraKind::Flag),
                    ("share_to_feed", "Whether a reel is among the account's other posts, too.", ExtraKind::Flag),
                ]),
            }),
            ..manifest::bare("instagram", "Instagram", env!("CARGO_PKG_VERSION"))
        }
    }
}

/// <https://developers.facebook.com/docs/instagram-platform/content-publishing>. Instagram itself scales an image whose
/// width is not 320 to 1440.
fn media() -> Vec<MediaRule> {
    let percent = |min, max| Some(Bounds { min: Some(min), max: Some(max) });
    let image = |content_type: &str, max_bytes| MediaRule {
        content_type: content_type.to_owned(),
        max_bytes,
        ratio_percent: percent(80, 191),
        pulled: true,
        ..MediaRule::default()
    };
    let film = |content_type: &str| MediaRule {
        content_type: content_type.to_owned(),
        max_bytes: check::FILM_BYTES,
        width: Some(Bounds { min: None, max: Some(1_920) }),
        duration_ms: Some(Bounds { min: Some(3_000), max: Some(15 * 60 * 1_000) }),
        ..MediaRule::default()
    };
    vec![
        image("image/jpeg", check::IMAGE_BYTES),
        // Its JPEG is smaller.
        MediaRule { becomes: Some("image/jpeg".to_owned()), ..image("image/png", 4 * check::IMAGE_BYTES) },
        film("video/mp4"),
        film("video/quicktime"),
    ]
}

/// The Graph API. Its tokens are minted and ended by the host alone.
fn graph() -> Endpoint {
    Endpoint {
        proof: Some("appsecret_proof".to_owned()),
        host_only: manifest::texts(["/oauth/*", "/*/oauth/*", "/*/me/permissions"]),
        ..manifest::bearer("https://graph.facebook.com")
    }
}

/// <https://developers.facebook.com/docs/instagram-platform/instagram-api-with-facebook-login/get-started>: as for pages, a
/// code gives a token for hours, which is exchanged for one of 60 days, and that for a new one while it is alive. The
/// person's token signs everything.
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
        // Pages that belong to a business are listed with the first only; comments are read and made with the other.
        optional_scopes: manifest::texts(["business_management", "instagram_manage_comments"]),
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
            ["instagram_basic", "instagram_content_publish", "pages_show_list", "pages_read_engagement"],
        )
    }
}

/// The codes 1 and 2 are failures in passing, of which nobody knows how far the request came; the Graph API is seen to send
/// them with 400 as well. The body is looked at as text, for a pointer would take 100 for a 1.
fn in_passing() -> Vec<Verdict> {
    let codes = [r#""code":1,"#, r#""code":1}"#, r#""code":2,"#, r#""code":2}"#].map(|code| Verdict {
        status: 400,
        pointer: None,
        contains: Some(code.to_owned()),
        means: Meaning::Unknown,
    });
    codes.into()
}

/// What the Graph API wraps a list in.
#[derive(Deserialize)]
struct List<T> {
    data: Vec<T>,
}

/// The link to the next page of a list. One that the host did not seal leads away from the Graph API, and a list is never
/// taken for shorter than it is.
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
        Some(_) => Err(Fault::vendor("Instagram's link to the rest of a list leads elsewhere, so it is not followed.")),
    }
}

impl Identity for Instagram {
    /// The person at Facebook who connects: <https://developers.facebook.com/docs/graph-api/reference/user>.
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

/// The professional accounts of the pages that the person may post as:
/// <https://developers.facebook.com/docs/graph-api/reference/user/accounts>.
fn targets() -> Result<Vec<Target>> {
    #[derive(Deserialize)]
    struct Listed {
        #[serde(default)]
        tasks: Vec<String>,
        instagram_business_account: Option<Linked>,
    }
    #[derive(Deserialize)]
    struct Linked {
        id: String,
        username: String,
    }
    let first = || {
        let list = API.get(path!("/{}/me/accounts", VERSION));
        list.query("fields", "tasks,instagram_business_account{id,username}").query("limit", "100")
    };
    let mut targets = Vec::new();
    for list in pages(MAX_LISTS, |link| link.map_or_else(first, |link| API.follow(link)), next) {
        let List { data } = list?.json::<List<Listed>>()?;
        let postable = data.into_iter().filter(|page| page.tasks.iter().any(|task| MAY_POST.contains(&task.as_str())));
        let accounts = postable.filter_map(|page| page.instagram_business_account);
        targets.extend(accounts.map(|Linked { id, username }| Target {
            id,
            name: format!("@{username}"),
            kind: "account".to_owned(),
        }));
    }
    Ok(targets)
}

/// The professional account that a call is for.
struct Professional<'a> {
    id: &'a str,
}

impl<'a> Professional<'a> {
    fn of(account: &'a Account) -> Result<Self> {
        let id = account.target.as_deref().filter(|id| !id.is_empty());
        let nowhere = || {
            Fault::invalid(
                "target",
                "A post needs a professional Instagram account to go to: link one to a Facebook page on which you may create \
                 content, connect again, and name it.",
            )
        };
        Ok(Self { id: id.ok_or_else(nowhere)? })
    }

    /// A path at the account, such as its `media`.
    fn edge(&self, edge: &str) -> String {
        path!("/{}/{}/{}", VERSION, self.id, edge)
    }

    /// The name by which people find it.
    fn username(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Told {
            username: String,
        }
        let told = API.get(path!("/{}/{}", VERSION, self.id)).query("fields", "username").read()?;
        Ok(told.json::<Told>()?.username)
    }
}

impl Publish for Instagram {
    fn check(variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        check::violations(variant)
    }

    fn publish(account: &Account, variant: &Variant) -> Result<Progress> {
        let professional = Professional::of(account)?;
        let choices = check::Choices::of(variant);
        let progress =
            in_order(&variant.parts, |index, part, _previous| publish::post(&professional, index, part, &choices))?;
        say_first_comment(progress, variant, comments::say_first)
    }
}
