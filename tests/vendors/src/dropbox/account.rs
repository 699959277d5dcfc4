//! `users/get_current_account`: who granted the access (documented as `FullAccount`).

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::argument::Nothing;
use super::gate::{Visit, root_info};
use super::problem::Problem;
use super::settings::Account;
use super::state::Dropbox;

/// Show the account of the visitor.
pub(super) async fn current(
    State(dropbox): State<Dropbox>,
    Extension(visit): Extension<Visit>,
    _: Nothing,
) -> Result<Json<Value>, Problem> {
    let world = dropbox.world();
    let account = world.settings.account(&visit.account_id);
    account.map(|account| Json(full(account))).ok_or_else(|| Problem::unauthorized("invalid_access_token"))
}

fn full(account: &Account) -> Value {
    let (given, surname) = account.display_name.split_once(' ').unwrap_or((&account.display_name, ""));
    let initials: String = [given, surname].iter().filter_map(|name| name.chars().next()).collect();
    let kind = if account.team.is_some() { "business" } else { "basic" };
    let mut all = json!({
        "account_id": account.id(),
        "name": {
            "given_name": given, "surname": surname, "familiar_name": given, "display_name": account.display_name,
            "abbreviated_name": initials,
        },
        "email": format!("{}@example.com", account.name),
        "email_verified": account.email_verified,
        "disabled": false,
        "country": "DE",
        "locale": "en",
        "referral_link": "https://www.dropbox.com/referrals/AABBCC",
        "is_paired": false,
        "account_type": { ".tag": kind },
        "root_info": root_info(account),
    });
    if let Some(team) = &account.team {
        let policy = |tag: &str| json!({ ".tag": tag });
        all["team_member_id"] = format!("dbmid:AA{}", &account.id()[7..40]).into();
        all["team"] = json!({
            "id": format!("dbtid:AA{}", &account.id()[7..40]),
            "name": team.name,
            "sharing_policies": {
                "shared_folder_member_policy": policy("anyone"),
                "shared_folder_join_policy": policy("from_anyone"),
                "shared_link_create_policy": policy("default_public"),
                "group_creation_policy": policy("admins_and_members"),
                "shared_folder_link_restriction_policy": policy("anyone"),
                "enforce_link_password_policy": policy("optional"),
                "default_link_expiration_days_policy": policy("none"),
                "shared_link_default_permissions_policy": policy("default"),
            },
            "office_addin_policy": policy("enabled"),
        });
    }
    all
}
