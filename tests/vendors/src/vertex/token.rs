//! `POST /token`: an assertion that the account's key has signed becomes an access token (RFC 7523). Whatever else is granted is
//! people's.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::CLOUD_PLATFORM;
use super::state::{Vertex, World};
use crate::google::{self, Form};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

type Refused = (StatusCode, Json<Value>);

pub(super) async fn token(vertex: State<Vertex>, headers: HeaderMap, body: Bytes) -> Response {
    match Form::parse(&body).get("grant_type") {
        Some(GRANT) => of_assertion(&vertex, &headers, &body).into_response(),
        _ => google::token(vertex, headers, body).await.into_response(),
    }
}

fn of_assertion(vertex: &Vertex, headers: &HeaderMap, body: &[u8]) -> Result<Json<Value>, Refused> {
    let is_form = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/x-www-form-urlencoded");
    let form: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
    let [(grant_type, grant), (name, assertion)] = form.as_slice() else {
        return Err(refuse("invalid_request", "two parameters are wanted"));
    };
    let is_grant = (grant_type.as_str(), grant.as_str(), name.as_str()) == ("grant_type", GRANT, "assertion");
    if !is_form || !is_grant || headers.contains_key(AUTHORIZATION) {
        return Err(refuse("invalid_request", "this is no grant of an assertion"));
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut world = vertex.world();
    world.secrets.push(assertion.clone());
    if let Err(why) = check(&mut world, assertion, &format!("http://{host}/token")) {
        world.made.refused_assertions += 1;
        return Err(refuse("invalid_grant", &why));
    }
    world.made.tokens += 1;
    let token = format!("ya29.orla-vertex-access-token-{}-{:032x}", world.made.tokens, rand::random::<u128>());
    let ends = world.now().after_s(world.settings.access_lifetime_s);
    world.tokens.insert(token.clone(), ends);
    world.secrets.push(token.clone());
    let expires_in = world.settings.access_lifetime_s;
    Ok(Json(json!({ "access_token": token, "expires_in": expires_in, "token_type": "Bearer" })))
}

fn refuse(error: &str, words: &str) -> Refused {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error, "error_description": words })))
}

/// Everything that is wrong with an assertion.
fn check(world: &mut World, assertion: &str, audience: &str) -> Result<(), String> {
    let header = jsonwebtoken::decode_header(assertion).map_err(|_| "Invalid JWT.".to_owned())?;
    let key = header.kid.as_ref().and_then(|kid| world.settings.keys.get(kid)).ok_or("Invalid JWT Signature.")?;
    let key = DecodingKey::from_rsa_pem(key.as_bytes()).map_err(|_| "Invalid JWT Signature.".to_owned())?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = 60;
    validation.set_audience(&[audience]);
    validation.set_issuer(&[&world.settings.account]);
    validation.set_required_spec_claims(&["iss", "aud", "exp"]);
    let read = jsonwebtoken::decode::<Value>(assertion, &key, &validation);
    let claims = read.map_err(|wrong| format!("Invalid JWT: {wrong}."))?.claims;
    let number = |name: &str| claims[name].as_u64().ok_or(format!("Invalid JWT: {name} is missing."));
    if number("exp")?.saturating_sub(number("iat")?) > 3_600 {
        return Err("Invalid JWT: Token must be a short-lived token and in a reasonable timeframe.".to_owned());
    }
    if claims["scope"] != CLOUD_PLATFORM || claims.get("sub").is_some() {
        return Err("Invalid JWT: the scope or the subject is wrong.".to_owned());
    }
    let id = claims["jti"].as_str().ok_or("Invalid JWT: jti is missing.")?;
    if world.used.insert(id.to_owned()) { Ok(()) } else { Err("Invalid JWT: it was used before.".to_owned()) }
}
