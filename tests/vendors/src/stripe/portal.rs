//! The customer portal, as the program under test opens it.

use serde_json::{Value, json};

use super::gate::Call;
use super::object::text;
use super::problem::Problem;
use super::world::{Kind, World, new_id};

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, Problem> {
    call.form.check(&["customer", "return_url"])?;
    let customer = text(world.find(Kind::Customer, call.form.need("customer")?, "customer")?, "id").to_owned();
    let return_url = call.form.need("return_url")?;
    if !url::Url::parse(return_url).is_ok_and(|url| ["http", "https"].contains(&url.scheme())) {
        return Err(Problem::at("return_url", "Not a valid URL").coded("url_invalid"));
    }
    let id = new_id("bps");
    let session = json!({
        "id": id, "object": "billing_portal.session", "configuration": "bpc_1Orla000000demo", "created": world.now(),
        "customer": customer, "flow": null, "livemode": world.settings.livemode, "locale": null, "on_behalf_of": null,
        "return_url": return_url, "url": format!("{}/p/session/{id}", world.public_origin()),
    });
    world.keep(Kind::Portal, session.clone());
    Ok(session)
}
