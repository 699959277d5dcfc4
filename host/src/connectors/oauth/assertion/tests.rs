//! What an assertion says, whether its signature holds, and which keys are none.

use super::{ServiceKey, assertion, doubted, read_pem};
use crate::clock::Timestamp;
use crate::connectors::answer::Secrets;
use crate::connectors::oauth::Refused;
use crate::connectors::oauth::request::Answered;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use orla_manifest::{Place, ServiceAccount};
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const AUDIENCE: &str = "https://tokens.example/token";
/// Made for these tests alone, by `openssl genpkey`.
const PKCS8: &str = include_str!("tests/pkcs8.pem");
const PUBLIC: &str = include_str!("tests/public.pem");
const SHORT: &str = include_str!("tests/short.pem");
const CURVE: &str = include_str!("tests/curve.pem");

fn account() -> ServiceAccount {
    ServiceAccount {
        token: Place { endpoint: "tokens".to_owned(), path: "/token".to_owned() },
        scopes: vec!["read".to_owned(), "write".to_owned()],
        subject: None,
        assertion_lifetime_s: 300,
        revoked_errors: Vec::new(),
        default_lifetime_s: 3_600,
        obtained_at: None,
    }
}

fn key() -> ServiceKey {
    ServiceKey {
        issuer: "robot@project.example".to_owned(),
        key_id: Some("key-1".to_owned()),
        subject: None,
        private_key: read_pem(PKCS8).expect("a key"),
    }
}

/// What an assertion says, once its signature was found to hold.
fn claims(account: &ServiceAccount, key: &ServiceKey) -> (jsonwebtoken::Header, Value) {
    let now = Timestamp(1_800_000_000_000_000);
    let assertion = assertion(account, key, AUDIENCE, now).expect("a signature");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.set_audience(&[AUDIENCE]);
    let public = DecodingKey::from_rsa_pem(PUBLIC.as_bytes()).expect("a public key");
    let read = jsonwebtoken::decode::<Value>(assertion.expose_secret(), &public, &validation);
    let read = read.expect("an assertion that its public key verifies");
    (read.header, read.claims)
}

#[test]
fn an_assertion_says_who_asks_whom_for_what_and_for_how_long() {
    let (header, mut said) = claims(&account(), &key());
    assert_eq!((header.alg, header.kid.as_deref()), (Algorithm::RS256, Some("key-1")));
    let jti = said["jti"].take();
    assert!(jti.as_str().is_some_and(|jti| jti.len() == 36), "{jti}");
    let expected = json!({
        "iss": "robot@project.example", "scope": "read write", "aud": AUDIENCE, "iat": 1_800_000_000, "exp": 1_800_000_300,
        "jti": null,
    });
    assert_eq!(said, expected);
    assert_ne!(claims(&account(), &key()).1["jti"], jti, "none is made twice");
}

#[test]
fn what_there_is_not_is_left_out() {
    let account = ServiceAccount { scopes: Vec::new(), assertion_lifetime_s: 3_600, ..account() };
    let key = ServiceKey { key_id: None, subject: Some("ada@project.example".to_owned()), ..key() };
    let (header, said) = claims(&account, &key);
    assert_eq!((header.kid, said.get("scope")), (None, None));
    assert_eq!((&said["sub"], &said["exp"]), (&json!("ada@project.example"), &json!(1_800_003_600)));
}

#[test]
fn a_key_is_kept_and_comes_back() {
    let key = ServiceKey { subject: Some("ada@project.example".to_owned()), ..key() };
    let kept = key.entered().values().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let back = ServiceKey::kept(&kept).expect("what was kept");
    assert_eq!(claims(&account(), &back).1["sub"], "ada@project.example");
    assert!(matches!(ServiceKey::kept(&BTreeMap::new()), Err(Refused::Revoked(_))));
}

#[test]
fn what_cannot_sign_is_told_and_not_repeated() {
    let escaped = PKCS8.replace('\n', "\\n");
    assert!(read_pem(&escaped).is_ok(), "as it stands in a JSON file");
    for (pem, wanted) in [
        ("", "in PEM"),
        ("SECRET-OF-A-PERSON", "in PEM"),
        (PUBLIC, "in PEM"),
        (&PKCS8[..PKCS8.len() / 2], "that is whole"),
        (CURVE, "that is whole"),
        (SHORT, "2048"),
    ] {
        let flaw = read_pem(pem).map(|_| ()).expect_err(pem);
        assert!(flaw.contains(wanted) && !flaw.contains("SECRET"), "{pem}: {flaw}");
    }
}

#[test]
fn a_clock_that_is_wrong_says_nothing_about_a_key() {
    let now = Timestamp(1_800_000_000_000_000);
    let answer = |seconds: Option<i64>| Answered {
        status: StatusCode::BAD_REQUEST,
        retry_after: None,
        date: seconds.map(|seconds| Timestamp(now.0 + seconds * 1_000_000)),
        body: Zeroizing::new(Vec::new()),
        sent: Secrets::default(),
    };
    let refused = |seconds| doubted(Refused::Revoked("invalid_grant".to_owned()), &answer(seconds), now);
    for seconds in [None, Some(0), Some(60), Some(-60)] {
        assert_eq!(refused(seconds), Refused::Revoked("invalid_grant".to_owned()), "{seconds:?}");
    }
    for seconds in [61, -61, 86_400] {
        assert!(
            matches!(refused(Some(seconds)), Refused::Transient { words, .. } if words.contains("clock")),
            "{seconds}"
        );
    }
}
