//! What a person entered to connect an account: checked, kept together, and never given to a guest.
//!
//! Address and secrets are of one reading, so that a secret never goes to an address that it was not entered with.

use super::fault::{Fault, FaultKind};
use super::signing;
use orla_manifest::{Field, FieldKind, Fields, Manifest, Sign};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use url::{Position, Url};

const MAX_VALUE_BYTES: usize = 4_000;
/// A shorter one could not be blanked in what comes back: it would blank innocent text.
const MIN_SECRET_CHARS: usize = 8;
/// A URL's path and query that are shorter give nothing away.
const MIN_TELLING_PATH: usize = 16;

/// The values of a connection's fields, by their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entered(BTreeMap<String, SecretString>);

/// Why what a person entered is refused. It never holds a value.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The field's name.
    pub(crate) field: String,
    /// One sentence with the field's label.
    pub(crate) detail: String,
}

impl Refused {
    /// Refuses a field; what is wrong reads on after its label.
    pub(crate) fn new(field: &Field, wrong: impl std::fmt::Display) -> Self {
        Self { field: field.name.clone(), detail: format!("`{}` {wrong}.", field.label) }
    }
}

impl Entered {
    /// Takes what a person entered, in the form in which it is kept. Whether an address may be called is not looked at.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub(crate) fn take(
        manifest: &Manifest,
        fields: &Fields,
        mut given: BTreeMap<String, SecretString>,
    ) -> Result<Self, Refused> {
        if let Some(unknown) = given.keys().find(|name| fields.named(name).is_none()) {
            let known: Vec<String> =
                fields.fields.iter().map(|field| format!("{} (`{}`)", field.label, field.name)).collect();
            let detail = format!("There is no field `{unknown:.50}`; the fields are: {}.", known.join(", "));
            return Err(Refused { field: unknown.clone(), detail });
        }
        let mut taken = BTreeMap::new();
        for field in &fields.fields {
            let given = given.remove(&field.name).unwrap_or_default();
            let value = value(field, given.expose_secret().trim()).map_err(|wrong| Refused::new(field, wrong))?;
            check_use(manifest, fields, field, &value).map_err(|wrong| Refused::new(field, wrong))?;
            taken.insert(field.name.clone(), SecretString::from(value));
        }
        Ok(Self(taken))
    }

    /// What was kept of a connection.
    pub(crate) fn kept(values: BTreeMap<String, SecretString>) -> Self {
        Self(values)
    }

    /// The values with the names of their fields.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a field.
    ///
    /// # Errors
    /// The connector has asked for this field only since the account was connected.
    pub(crate) fn value(&self, field: &str) -> Result<&SecretString, Fault> {
        self.0.get(field).ok_or_else(|| {
            let message = format!("the connector now asks for `{field}` as well: connect the account again");
            Fault::new(FaultKind::AuthExpired, message)
        })
    }

    /// The address in a field.
    ///
    /// # Errors
    /// As [`Entered::value`], or the connector has changed what the field holds.
    pub(crate) fn address(&self, field: &str) -> Result<Url, Fault> {
        Url::parse(self.value(field)?.expose_secret()).map_err(|_| {
            Fault::new(FaultKind::AuthExpired, format!("`{field}` holds no address: connect the account again"))
        })
    }

    /// All that must be blanked in what comes back. Origins and texts are not: vendors show them to everybody, and an
    /// answer without them would make no sense.
    pub(crate) fn secrets(&self, fields: &Fields) -> Vec<SecretString> {
        let mut secrets = Vec::new();
        for (name, value) in &self.0 {
            match fields.named(name).map(|field| field.kind) {
                Some(FieldKind::Origin | FieldKind::Text) => {}
                Some(FieldKind::Url) => {
                    secrets.push(value.clone());
                    secrets.extend(telling_path(value.expose_secret()));
                }
                // What the connector asks for no more was a secret, for all that is known.
                Some(FieldKind::Secret) | None => {
                    secrets.push(value.clone());
                    // A receiver that repeats the key of its webhook may leave the prefix out.
                    let key = value.expose_secret().strip_prefix(signing::WEBHOOK_KEY_PREFIX);
                    secrets.extend(key.map(SecretString::from));
                }
            }
        }
        secrets
    }
}

/// Path and query of a URL, where they are long enough to be secret.
fn telling_path(url: &str) -> Option<SecretString> {
    let url = Url::parse(url).ok()?;
    let path = &url[Position::BeforePath..];
    (path.len() >= MIN_TELLING_PATH).then(|| SecretString::from(path))
}

/// A value in the form in which it is kept, or what is wrong with it.
fn value(field: &Field, given: &str) -> Result<String, &'static str> {
    if given.is_empty() {
        return Err("is missing");
    }
    if given.len() > MAX_VALUE_BYTES || given.chars().any(char::is_control) {
        return Err("must be one line of at most 4000 bytes");
    }
    match field.kind {
        FieldKind::Text => Ok(given.to_owned()),
        FieldKind::Secret if given.chars().count() < MIN_SECRET_CHARS => Err("must have at least 8 characters"),
        FieldKind::Secret => Ok(given.to_owned()),
        FieldKind::Origin => {
            let url = address(given).ok_or("must be an address such as https://example.com")?;
            let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            if bare { Ok(url.into()) } else { Err("must be an address such as https://example.com, without a path") }
        }
        FieldKind::Url => {
            let url = address(given).ok_or("must be a URL such as https://example.com/hook")?;
            if url.fragment().is_none() { Ok(url.into()) } else { Err("must not hold a `#`") }
        }
    }
}

fn address(given: &str) -> Option<Url> {
    Url::parse(given).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// What keeps a secret from signing as the manifest wants it to.
fn check_use(manifest: &Manifest, fields: &Fields, field: &Field, value: &str) -> Result<(), &'static str> {
    if fields.token.as_ref() == Some(&field.name) && HeaderValue::from_str(value).is_err() {
        return Err("holds characters that no token has");
    }
    let signs_webhooks = manifest
        .endpoints
        .values()
        .any(|endpoint| matches!(&endpoint.sign, Sign::StandardWebhooks { secret } if *secret == field.name));
    if signs_webhooks { signing::webhook_key(value).map(drop) } else { Ok(()) }
}

/// The vendor's id of an account, with the authority of the address that a person entered: ids are unique within an
/// instance only, and nobody's instance can claim to be an account of another's.
pub(crate) fn at_instance(vendor_id: &str, address: &Url) -> String {
    format!("{vendor_id}@{}", authority(address))
}

/// The vendor's own part of such an id.
pub(crate) fn without_instance(vendor_id: &str) -> &str {
    vendor_id.rsplit_once('@').map_or(vendor_id, |(id, _)| id)
}

/// Host, and port where it is not the scheme's own.
fn authority(address: &Url) -> &str {
    &address[Position::BeforeHost..Position::AfterPort]
}

#[cfg(test)]
mod tests {
    use super::{Entered, at_instance, value, without_instance};
    use orla_manifest::{Field, FieldKind, Fields};
    use secrecy::{ExposeSecret as _, SecretString};

    fn field(kind: FieldKind) -> Field {
        Field { name: "field".to_owned(), label: "The field".to_owned(), kind, help: None }
    }

    #[test]
    fn an_origin_is_kept_in_one_form() {
        for given in ["https://Example.COM", "https://example.com/", "https://example.com:443"] {
            assert_eq!(value(&field(FieldKind::Origin), given).as_deref(), Ok("https://example.com/"), "{given}");
        }
        for given in
            ["example.com", "ftp://example.com", "https://", "https://a.example/x", "https://a.example/?b", "x", ""]
        {
            assert!(value(&field(FieldKind::Origin), given).is_err(), "{given}");
        }
    }

    #[test]
    fn a_url_has_path_and_query_but_no_fragment() {
        let given = "https://example.com/hooks/T0/B0?x=1";
        assert_eq!(value(&field(FieldKind::Url), given).as_deref(), Ok(given));
        assert!(value(&field(FieldKind::Url), "https://example.com/#x").is_err());
    }

    #[test]
    fn texts_are_one_line_and_secrets_long_enough_to_be_blanked() {
        assert!(value(&field(FieldKind::Text), "a\nb").is_err());
        assert!(value(&field(FieldKind::Secret), "short").is_err());
        assert!(value(&field(FieldKind::Secret), "long enough").is_ok());
    }

    #[test]
    fn what_is_blanked_holds_the_path_of_a_url() {
        let fields = Fields { fields: vec![field(FieldKind::Url)], token: None, obtained_at: None };
        let kept = [("field".to_owned(), SecretString::from("https://example.com/hooks/T0/B0/secret"))];
        let secrets = Entered::kept(kept.into()).secrets(&fields);
        let secrets: Vec<&str> = secrets.iter().map(|secret| secret.expose_secret()).collect();
        assert_eq!(secrets, ["https://example.com/hooks/T0/B0/secret", "/hooks/T0/B0/secret"]);
    }

    #[test]
    fn an_id_names_its_instance() {
        let instance = "https://social.example:8443/".parse().expect("a URL");
        assert_eq!(at_instance("7@other.example", &instance), "7@other.example@social.example:8443");
        assert_eq!(without_instance("7@other.example@social.example:8443"), "7@other.example");
        assert_eq!(without_instance("cafe"), "cafe");
    }
}
