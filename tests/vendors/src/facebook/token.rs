//! `/{version}/oauth/access_token` and `/{version}/debug_token` (documented under "Access tokens").

use axum::extract::{Path, Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::gate;
use super::grants::Kind;
use super::parameters::Parameters;
use super::problem::Problem;
use super::settings::Settings;
use super::state::{Facebook, World};
use crate::door::Visitor;

/// How long an app may use a person's data after the last login: 90 days (documented).
const DATA_ACCESS_S: u64 = 90 * 86_400;

/// Exchange a code, or a token for a long-lived one.
pub(super) async fn exchange(
    State(facebook): State<Facebook>,
    Path(version): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let method = request.method().clone();
    gate::check_version(&facebook.settings(), &version)?;
    let form = Parameters::of(request).await?;
    if method != "GET" && method != "POST" {
        return Err(Problem::unsupported(method.as_str(), "oauth"));
    }
    let mut world = facebook.world();
    let now = world.now();
    check_app(&form, &world.settings)?;
    let World { settings, grants, made, .. } = &mut *world;
    let (token, lasts_s) = match form.get("grant_type") {
        None | Some("authorization_code") => {
            form.only(&["client_id", "client_secret", "redirect_uri", "code", "grant_type"])?;
            let redirect_uri = form.get("redirect_uri");
            let redirect_uri = redirect_uri.ok_or_else(|| Problem::new(191, "Missing redirect_uri parameter."))?;
            let code = form.get("code").ok_or_else(|| Problem::new(1, "Missing authorization code"))?;
            let token = grants.exchange_code(settings, code, redirect_uri, now)?;
            made.code_exchanges += 1;
            (token, settings.short_lifetime_s)
        }
        Some("fb_exchange_token") => {
            form.only(&["client_id", "client_secret", "grant_type", "fb_exchange_token"])?;
            let token = form.get("fb_exchange_token");
            let token = token.ok_or_else(|| Problem::new(1, "fb_exchange_token parameter not specified"))?;
            let token = grants.exchange_token(settings, token, now)?;
            made.token_exchanges += 1;
            (token, settings.long_lifetime_s)
        }
        Some(other) => return Err(Problem::strict(format!("it knows no grant_type {other}."))),
    };
    let answer = json!({ "access_token": token, "token_type": "bearer", "expires_in": lasts_s });
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

fn check_app(form: &Parameters, settings: &Settings) -> Result<(), Problem> {
    let app = form.get("client_id").ok_or_else(|| Problem::new(101, "Missing client_id parameter."))?;
    if app != settings.app_id {
        let message = "Error validating application. Cannot get application info due to a system error.";
        return Err(Problem::new(101, message));
    }
    match form.get("client_secret") {
        None => Err(Problem::new(1, "Missing client_secret parameter.")),
        Some(secret) if secret != settings.app_secret => Err(Problem::new(1, "Error validating client secret.")),
        Some(_) => Ok(()),
    }
}

/// Tell about a token. It takes the app's own token, `{app id}|{app secret}`, or that of one who authorized it.
pub(super) async fn debug(
    State(facebook): State<Facebook>,
    Path(version): Path<String>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    gate::check_version(&facebook.settings(), &version)?;
    let query = Parameters::of(request).await?;
    if method != "GET" {
        return Err(Problem::unsupported(method.as_str(), "debug_token"));
    }
    let world = facebook.world();
    let own = gate::token(&headers, &query)?.ok_or_else(Problem::no_token)?;
    gate::check_proof(&query, &world.settings, &own)?;
    if own == format!("{}|{}", world.settings.app_id, world.settings.app_secret) {
        visitor.is(&world.settings.app_name);
    } else {
        world.grants.holder(&world.settings, &own, world.now())?;
    }
    query.only(&["input_token"])?;
    Ok(Json(json!({ "data": about(&world, query.required("input_token")?) })))
}

fn about(world: &World, input: &str) -> Value {
    let Some((token, authorization)) = world.grants.known(input) else {
        let error = json!({ "code": 190, "message": "Invalid OAuth access token." });
        return json!({ "error": error, "is_valid": false, "scopes": [] });
    };
    let Settings { app_id, app_name, .. } = &world.settings;
    let held = world.grants.holder(&world.settings, input, world.now());
    let mut about = json!({
        "app_id": app_id, "type": if token.kind == Kind::Page { "PAGE" } else { "USER" }, "application": app_name,
        "data_access_expires_at": token.issued.after_s(DATA_ACCESS_S).unix_s(),
        "expires_at": token.expires.map_or(0, crate::clock::Moment::unix_s), "issued_at": token.issued.unix_s(),
        "is_valid": held.is_ok(), "user_id": authorization.person_id, "scopes": authorization.granted,
        "granular_scopes": authorization.granted.iter().map(|scope| json!({ "scope": scope })).collect::<Vec<_>>(),
    });
    if let Some(page_id) = &token.page_id {
        about["profile_id"] = page_id.as_str().into();
    }
    if let Err(problem) = held {
        about["error"] = json!({ "code": problem.code, "message": problem.message, "subcode": problem.subcode });
        about["scopes"] = json!([]);
    }
    about
}
