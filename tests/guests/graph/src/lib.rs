//! A connector to Facebook that asks for what ours does not, for the tests of the host: tokens, by name and in links.
//!
//! Each line of a text is a path at the Graph API, maybe with a query, which is read as the person or, behind `page `, as
//! the page. The answer's next page is read too. All that this connector was shown is logged and posted.

use orla_sdk::manifest::{
    self, Auth, ClientAuth, Encoding, Endpoint, Exchange, Link, Manifest, OAuth2, Pkce, Publishing, Refresh, Slot,
    TokenRequest,
};
use orla_sdk::{
    Account, Api, Committed, Connector, Fact, Identity, Profile, Progress, Publish, Request, Response, Result, Step,
    Target, Variant, Violation, in_order, log, path,
};
use serde_json::{Value, json};

/// The connector.
pub struct Graph;

orla_sdk::connector!(Graph);
orla_sdk::export_identity!(Graph);
orla_sdk::export_publish!(Graph);

const API: Api = Api::new("api");
const MAX_CHARS: usize = 2_000;

impl Connector for Graph {
    fn manifest() -> Manifest {
        let slot = |each: Option<&str>| Slot {
            from: "api".to_owned(),
            name: "page".to_owned(),
            each: each.map(str::to_owned),
            id: "/id".to_owned(),
            secret: "/access_token".to_owned(),
        };
        Manifest {
            auth: Auth::Oauth2(oauth()),
            endpoints: manifest::endpoints([
                ("web", manifest::unsigned("https://www.facebook.com")),
                (
                    "api",
                    Endpoint {
                        proof: Some("appsecret_proof".to_owned()),
                        ..manifest::bearer("https://graph.facebook.com")
                    },
                ),
            ]),
            links: vec![Link {
                from: "api".to_owned(),
                at: manifest::pointer("/paging/next"),
                hosts: Vec::new(),
                signed: true,
            }],
            slots: vec![slot(Some("/data")), slot(None)],
            publishing: Some(Publishing {
                visible_after_s: 1,
                max_parts: 1,
                max_media: 0,
                media: Vec::new(),
                committed_id: vec![manifest::pointer("/id")],
                ..Publishing::default()
            }),
            ..manifest::bare("graph", "Graph", env!("CARGO_PKG_VERSION"))
        }
    }
}

fn oauth() -> OAuth2 {
    let token = manifest::place("api", "/v26.0/oauth/access_token");
    let long_lived = Exchange {
        at: token.clone(),
        token_param: "fb_exchange_token".to_owned(),
        params: [("grant_type".to_owned(), "fb_exchange_token".to_owned())].into(),
    };
    OAuth2 {
        token_request: TokenRequest { encoding: Encoding::Query, ..TokenRequest::default() },
        exchange: vec![long_lived],
        refresh: Refresh::None,
        scope_separator: ",".to_owned(),
        pkce: Pkce::None,
        client_auth: ClientAuth::Body,
        ..manifest::oauth2(
            manifest::place("web", "/v26.0/dialog/oauth"),
            token,
            ["pages_show_list", "pages_read_engagement", "pages_manage_posts"],
        )
    }
}

impl Identity for Graph {
    fn whoami(_account: &Account) -> Result<Profile> {
        let me: Value = API.get("/v26.0/me").read()?.json()?;
        let target =
            |page: &Value| Target { id: text(&page["id"]), name: text(&page["name"]), kind: "page".to_owned() };
        let mut targets = Vec::new();
        let mut list: Value = API.get("/v26.0/me/accounts").query("limit", "100").read()?.json()?;
        // The first page may be empty.
        for _ in 0..2 {
            targets.extend(list["data"].as_array().into_iter().flatten().map(target));
            let Some(next) = list["paging"]["next"].as_str() else { break };
            list = API.follow(next).read()?.json()?;
        }
        Ok(Profile { vendor_id: text(&me["id"]), handle: text(&me["name"]), name: None, targets })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Publish for Graph {
    fn check(_variant: &Variant, _facts: &[Fact]) -> Vec<Violation> {
        Vec::new()
    }

    fn publish(account: &Account, variant: &Variant) -> Result<Progress> {
        let page = account.target.as_deref().unwrap_or_default();
        let slot = format!("page:{page}");
        in_order(&variant.parts, |index, part, _previous| {
            let mut all = String::new();
            for line in part.text.lines() {
                all.push_str(&shown(line, &slot)?);
            }
            let message: String = all.chars().take(MAX_CHARS).collect();
            let made = |answer: &Response| {
                let post: Value = answer.json()?;
                Ok(Committed { id: text(&post["id"]), url: None })
            };
            let post = API.post(path!("/v26.0/{}/feed", page)).slot(&slot).json(&json!({ "message": message }));
            post.commit(format!("part/{index}"), made).map(Step::Done)
        })
    }
}

/// All that this connector is shown of an answer and of the page after it.
fn shown(line: &str, slot: &str) -> Result<String> {
    let (wanted, as_page) = match line.strip_prefix("page ") {
        Some(wanted) => (wanted, true),
        None => (line, false),
    };
    let (path, query) = wanted.split_once('?').unwrap_or((wanted, ""));
    let signed = |request: Request<'static>| if as_page { request.slot(slot) } else { request };
    let mut request = API.get(path);
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        request = request.query(name, value);
    }
    let answer = signed(request).read()?;
    let mut all = format!("{} {:?}", answer.text(), answer.headers());
    log::info(&all);
    let document: Value = answer.json()?;
    if let Some(next) = document["paging"]["next"].as_str() {
        let page = signed(API.follow(next)).read()?;
        let more = format!("next: {} {:?}", page.text(), page.headers());
        log::info(&more);
        all = format!("{all}\n{more}");
    }
    Ok(all)
}
