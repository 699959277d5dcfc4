//! Each flaw of a connection by fields, and of the places that came with it, by its member.

use crate::{
    AnswerPlace, ApiKey, Auth, ClientAuth, Endpoint, Field, FieldKind, Fields, Limits, Link, Manifest, OAuth2, Origin,
    Pkce, Place, Publishing, Refresh, SCHEMA, ServiceAccount, Sign, TokenRequest,
};
use std::collections::BTreeMap;

fn field(name: &str, kind: FieldKind) -> Field {
    Field { name: name.to_owned(), label: format!("The {name}"), kind, help: None }
}

fn entered(field: &str) -> Origin {
    Origin::Entered { field: field.to_owned() }
}

fn endpoint(origin: Origin, sign: Sign) -> Endpoint {
    Endpoint { origin, sign, proof: None, reads: Vec::new(), host_only: Vec::new() }
}

fn webhooks(secret: &str) -> Sign {
    Sign::StandardWebhooks { secret: secret.to_owned() }
}

fn link(from: &str, at: AnswerPlace) -> Link {
    Link { from: from.to_owned(), at, hosts: Vec::new(), signed: true }
}

/// An instance with a token, a hook beside it, and a page that the instance links to.
fn sound() -> Manifest {
    let fields = vec![field("instance", FieldKind::Origin), field("token", FieldKind::Secret)];
    Manifest {
        schema: SCHEMA,
        id: "example".to_owned(),
        name: "Example".to_owned(),
        version: semver::Version::new(1, 0, 0),
        platform: None,
        auth: Auth::Fields(Fields { fields, token: Some("token".to_owned()), obtained_at: None }),
        endpoints: BTreeMap::from([
            ("api".to_owned(), endpoint(entered("instance"), Sign::Bearer)),
            ("hook".to_owned(), endpoint(entered("instance"), webhooks("token"))),
            ("relay".to_owned(), endpoint(Origin::from("https://relay.example"), Sign::Bearer)),
        ]),
        links: vec![link("api", AnswerPlace::LinkHeader("next".to_owned()))],
        slots: Vec::new(),
        secret_members: Vec::new(),
        verdicts: Vec::new(),
        publishing: Some(Publishing {
            visible_after_s: 1,
            max_parts: 1,
            max_media: 0,
            media: Vec::new(),
            committed_id: vec![AnswerPlace::Pointer("/id".to_owned()), AnswerPlace::Key],
            ..Publishing::default()
        }),
        usage: Vec::new(),
        settings: BTreeMap::new(),
        limits: Limits::default(),
    }
}

fn fields(manifest: &mut Manifest) -> &mut Fields {
    match &mut manifest.auth {
        Auth::Fields(fields) => fields,
        other => panic!("the account is connected by {other:?}"),
    }
}

/// The members at fault once the sound manifest was changed.
fn flaws(change: impl FnOnce(&mut Manifest)) -> Vec<String> {
    let mut manifest = sound();
    change(&mut manifest);
    manifest.validate().into_iter().map(|flaw| flaw.member).collect()
}

#[test]
fn a_sound_manifest_survives_json() {
    let manifest = sound();
    assert_eq!(manifest.validate(), []);
    let json = serde_json::to_string(&manifest).expect("a manifest is JSON");
    assert!(json.contains(r#""origin":{"field":"instance"}"#), "{json}");
    assert!(json.contains(r#""origin":"https://relay.example""#), "{json}");
    assert!(json.contains(r#""sign":{"standard_webhooks":{"secret":"token"}}"#), "{json}");
    assert!(json.contains(r#""committed_id":[{"pointer":"/id"},"key"]"#), "{json}");
    assert!(json.contains(r#""at":{"link_header":"next"}"#), "{json}");
    assert_eq!(Manifest::parse(&json), Ok(manifest));
}

#[test]
fn an_origin_is_a_text_or_names_a_field_and_nothing_else() {
    for origin in [r#"{"field":"instance","also":1}"#, r#"{"host":"x"}"#, "1", "null"] {
        assert!(serde_json::from_str::<Origin>(origin).is_err(), "{origin}");
    }
}

#[test]
fn fields_have_plain_names_of_their_own_and_labels() {
    assert_eq!(flaws(|manifest| fields(manifest).fields[1].label = " ".to_owned()), ["auth/fields/fields/1/label"]);
    let doubled = flaws(|manifest| fields(manifest).fields.push(field("token", FieldKind::Secret)));
    assert_eq!(doubled, ["auth/fields/fields/2/name"]);
    let odd = flaws(|manifest| fields(manifest).fields.push(field("The URL", FieldKind::Text)));
    assert_eq!(odd, ["auth/fields/fields/2/name"]);
    let none = flaws(|manifest| fields(manifest).fields.clear());
    assert_eq!(none[..2], ["auth/fields/fields", "auth/fields/token"]);
}

#[test]
fn an_account_has_one_address() {
    let two = flaws(|manifest| fields(manifest).fields.push(field("hook", FieldKind::Url)));
    assert_eq!(two, ["auth/fields/fields/2/kind"]);
}

#[test]
fn the_token_is_a_secret_field() {
    for token in ["instance", "nothing"] {
        let wrong = flaws(|manifest| fields(manifest).token = Some(token.to_owned()));
        assert_eq!(wrong, ["auth/fields/token"]);
    }
    assert_eq!(flaws(|manifest| fields(manifest).token = None), ["endpoints/api/sign", "endpoints/relay/sign"]);
}

#[test]
fn an_origin_names_a_field_that_is_an_address() {
    for name in ["token", "nothing"] {
        let wrong = flaws(|manifest| {
            manifest.endpoints.insert("api".to_owned(), endpoint(entered(name), Sign::Bearer));
        });
        assert_eq!(wrong, ["endpoints/api/origin"]);
    }
}

#[test]
fn only_fields_sign_what_goes_where_a_person_says() {
    let key = ApiKey { obtained_at: "https://x.example".to_owned(), check: None };
    let key = flaws(|manifest| manifest.auth = Auth::ApiKey(key));
    assert_eq!(key, ["endpoints/api/origin", "endpoints/hook/origin", "endpoints/hook/sign"]);
}

#[test]
fn a_key_is_checked_where_it_signs() {
    let flaws_of = |endpoint: &str, path: &str| {
        let check = Some(Place { endpoint: endpoint.to_owned(), path: path.to_owned() });
        flaws(|manifest| {
            let unsigned = Endpoint { sign: Sign::None, ..manifest.endpoints["relay"].clone() };
            manifest.endpoints.retain(|name, _| name == "relay");
            manifest.endpoints.insert("web".to_owned(), unsigned);
            manifest.links.clear();
            manifest.auth = Auth::ApiKey(ApiKey { obtained_at: "https://x.example".to_owned(), check });
        })
    };
    assert!(flaws_of("relay", "/me").is_empty());
    for (endpoint, path) in [("web", "/me"), ("nothing", "/me"), ("relay", "me")] {
        assert_eq!(flaws_of(endpoint, path), ["auth/api_key/check"]);
    }
}

#[test]
fn webhooks_are_signed_with_a_secret_field() {
    for name in ["instance", "nothing"] {
        let wrong = flaws(|manifest| {
            manifest.endpoints.insert("hook".to_owned(), endpoint(entered("instance"), webhooks(name)));
        });
        assert_eq!(wrong, ["endpoints/hook/sign"]);
    }
}

#[test]
fn signed_links_stay_at_an_entered_origin() {
    assert_eq!(flaws(|manifest| manifest.links[0].hosts = vec!["cdn.example".to_owned()]), ["links/0/hosts"]);
    let unsigned = flaws(|manifest| {
        manifest.links[0].signed = false;
        manifest.links[0].hosts = vec!["cdn.example".to_owned()];
    });
    assert_eq!(unsigned, [""; 0]);
}

#[test]
fn a_whole_url_hands_out_no_links() {
    assert_eq!(flaws(|manifest| fields(manifest).fields[0].kind = FieldKind::Url), ["links/0/from"]);
}

#[test]
fn places_stand_where_they_mean_something() {
    assert_eq!(flaws(|manifest| manifest.links[0].at = AnswerPlace::Key), ["links/0/at"]);
    let relations = |relation: &str| AnswerPlace::LinkHeader(relation.to_owned());
    assert_eq!(flaws(|manifest| manifest.links[0].at = relations("next prev")), ["links/0/at"]);
    for places in [vec![], vec![relations("self")], vec![AnswerPlace::Key, AnswerPlace::Header("location".to_owned())]]
    {
        let wrong = flaws(|manifest| {
            let publishing = manifest.publishing.as_mut().expect("the sound one publishes");
            publishing.committed_id = places;
        });
        assert_eq!(wrong, ["publishing/committed_id"]);
    }
}

/// A service account whose assertions go to an endpoint of their own.
fn robot() -> Manifest {
    let literal = |origin: &str| endpoint(Origin::from(origin), Sign::None);
    let token = Place { endpoint: "tokens".to_owned(), path: "/token".to_owned() };
    Manifest {
        auth: Auth::ServiceAccount(ServiceAccount {
            token,
            scopes: vec!["read".to_owned()],
            subject: None,
            assertion_lifetime_s: 300,
            revoked_errors: Vec::new(),
            default_lifetime_s: 3_600,
            obtained_at: None,
        }),
        endpoints: BTreeMap::from([
            ("tokens".to_owned(), literal("https://tokens.example")),
            ("api".to_owned(), Endpoint { sign: Sign::Bearer, ..literal("https://api.example") }),
        ]),
        links: Vec::new(),
        ..sound()
    }
}

#[test]
fn a_service_account_survives_json_and_has_defaults() {
    assert_eq!(robot().validate(), []);
    let json = serde_json::to_string(&robot()).expect("a manifest is JSON");
    assert_eq!(Manifest::parse(&json), Ok(robot()));
    let shorter = json.replace(r#","assertion_lifetime_s":300"#, "");
    assert_ne!(shorter, json);
    assert_eq!(Manifest::parse(&shorter), Ok(robot()));
}

#[test]
fn a_service_account_says_where_for_what_and_for_how_long() {
    let flaws = |change: fn(&mut ServiceAccount)| {
        let mut manifest = robot();
        match &mut manifest.auth {
            Auth::ServiceAccount(account) => change(account),
            other => panic!("the account is connected by {other:?}"),
        }
        manifest.validate().into_iter().map(|flaw| flaw.member).collect::<Vec<_>>()
    };
    assert_eq!(flaws(|account| account.token.endpoint = "nowhere".to_owned()), ["auth/service_account/token"]);
    assert_eq!(flaws(|account| account.token.path = "token".to_owned()), ["auth/service_account/token"]);
    assert_eq!(flaws(|account| account.scopes.push("two words".to_owned())), ["auth/service_account/scopes"]);
    assert_eq!(flaws(|account| account.subject = Some(" ".to_owned())), ["auth/service_account/subject"]);
    assert_eq!(flaws(|account| account.assertion_lifetime_s = 0), ["auth/service_account/assertion_lifetime_s"]);
    assert_eq!(flaws(|account| account.assertion_lifetime_s = 3_601), ["auth/service_account/assertion_lifetime_s"]);
    let mut entered_origin = robot();
    entered_origin.endpoints.insert("tokens".to_owned(), endpoint(entered("instance"), Sign::None));
    let members: Vec<String> = entered_origin.validate().into_iter().map(|flaw| flaw.member).collect();
    assert_eq!(members, ["auth/service_account/token", "endpoints/tokens/origin"]);
}

/// People's own accounts, and service accounts besides.
fn both() -> Manifest {
    let Auth::ServiceAccount(mut account) = robot().auth else { panic!("the robot is a service account") };
    account.scopes = vec!["write".to_owned(), "read".to_owned()];
    let place = |path: &str| Place { endpoint: "tokens".to_owned(), path: path.to_owned() };
    let oauth = OAuth2 {
        authorize: place("/authorize"),
        authorize_params: BTreeMap::new(),
        token: place("/token"),
        token_request: TokenRequest::default(),
        exchange: Vec::new(),
        refresh: Refresh::Token,
        revoke: None,
        scopes: vec!["who".to_owned(), "read".to_owned()],
        optional_scopes: Vec::new(),
        scope_separator: " ".to_owned(),
        granted: None,
        pkce: Pkce::S256,
        client_auth: ClientAuth::Body,
        revoked_errors: Vec::new(),
        default_lifetime_s: 3_600,
        service_account: Some(account),
    };
    Manifest { auth: Auth::Oauth2(oauth), ..robot() }
}

#[test]
fn service_accounts_may_be_connected_besides_people() {
    let manifest = both();
    assert_eq!(manifest.validate(), []);
    let json = serde_json::to_string(&manifest).expect("a manifest is JSON");
    assert_eq!(Manifest::parse(&json), Ok(manifest.clone()));
    assert!(manifest.auth.oauth2().is_some() && manifest.auth.service_account().is_some());
    assert_eq!(manifest.auth.scopes().into_iter().collect::<Vec<_>>(), ["read", "who", "write"], "each once");
    let mut auth = manifest.auth;
    auth.retain_scopes(|scope| scope != "read");
    assert_eq!(auth.oauth2().map(|oauth| oauth.scopes.join(" ")).as_deref(), Some("who"));
    assert_eq!(auth.service_account().map(|account| account.scopes.join(" ")).as_deref(), Some("write"));
    // What connects in one way only has the one, and writes nothing of the other.
    let mut people = both();
    let Auth::Oauth2(oauth) = &mut people.auth else { panic!("people are connected by OAuth") };
    oauth.service_account = None;
    assert!(people.auth.service_account().is_none() && people.auth.oauth2().is_some());
    assert!(!serde_json::to_string(&people).expect("a manifest is JSON").contains("service_account"));
    assert!(robot().auth.oauth2().is_none() && robot().auth.service_account().is_some());
    assert!(sound().auth.oauth2().is_none() && sound().auth.scopes().is_empty());
}

#[test]
fn a_service_account_besides_people_is_looked_at_as_well() {
    let flaws = |change: fn(&mut ServiceAccount)| {
        let mut manifest = both();
        let Auth::Oauth2(oauth) = &mut manifest.auth else { panic!("people are connected by OAuth") };
        change(oauth.service_account.as_mut().expect("and service accounts"));
        manifest.validate().into_iter().map(|flaw| flaw.member).collect::<Vec<_>>()
    };
    assert_eq!(flaws(|account| account.token.endpoint = "nowhere".to_owned()), ["auth/oauth2/service_account/token"]);
    assert_eq!(flaws(|account| account.scopes.push(String::new())), ["auth/oauth2/service_account/scopes"]);
    // An app proves itself by its secret; a service account has no app.
    let mut proving = both();
    proving.endpoints.get_mut("api").expect("an endpoint").proof = Some("appsecret_proof".to_owned());
    let members: Vec<String> = proving.validate().into_iter().map(|flaw| flaw.member).collect();
    assert_eq!(members, ["endpoints/api/proof"]);
}
