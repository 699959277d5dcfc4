//! Webhooks as their receiver sees them: signed by Standard Webhooks, version 1
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>), and named after what they
//! tell.

use super::came::Came;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

const PREFIX: &str = "whsec_";
/// The name of a message.
pub(super) const ID: &str = "webhook-id";

/// A secret of 32 bytes that nobody has for another run.
pub(super) fn secret(made_for: &str) -> String {
    format!("{PREFIX}{}", STANDARD.encode(Sha256::digest(made_for)))
}

/// What is wrong with the signature of a request, to be read on after its line; `None` where nothing is.
pub(super) fn flaw(came: &Came, secret: &SecretString) -> Option<String> {
    let (id, timestamp) = match (came.header(ID), came.header("webhook-timestamp")) {
        (Ok(id), Ok(timestamp)) => (id, timestamp),
        (Err(flaw), _) | (_, Err(flaw)) => return Some(flaw),
    };
    let signature = match came.header("webhook-signature") {
        Ok(signature) => signature,
        Err(flaw) => return Some(flaw),
    };
    // The clock stands while a call is executed.
    if timestamp != came.at.seconds().to_string() {
        let now = came.at.seconds();
        return Some(format!("has the `webhook-timestamp` {timestamp:.50}, and it is {now} now"));
    }
    let encoded = secret.expose_secret().strip_prefix(PREFIX).unwrap_or_default();
    let key = STANDARD.decode(encoded).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(came.body());
    let signed = signature.strip_prefix("v1,").and_then(|signature| STANDARD.decode(signature).ok());
    let is_good = signed.is_some_and(|signed| mac.verify_slice(&signed).is_ok());
    (!is_good).then(|| "has a `webhook-signature` that its secret did not make of its id, time and body".to_owned())
}

/// The names of the messages that came, by the keys of the commits that they were.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Remembers the name of a commit's message. Gives what is wrong with it: a receiver tells repetitions by it.
    pub(super) fn flaw(&mut self, key: &str, id: &str) -> Option<String> {
        if let Some((other, _)) = self.0.iter().find(|(other, known)| *other != key && *known == id) {
            return Some(format!("came for `{key}` with the `{ID}` that it had for `{other}`"));
        }
        let known = self.0.entry(key.to_owned()).or_insert_with(|| id.to_owned());
        (known != id).then(|| format!("came again for `{key}` with another `{ID}`: its receiver would take it twice"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Came, Names, flaw, secret};
    use crate::clock::Timestamp;
    use axum::body::Body;
    use axum::extract::Request;
    use secrecy::SecretString;

    /// The specification's own example.
    const HEADERS: [(&str, &str); 3] = [
        ("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
        ("webhook-timestamp", "1649367553"),
        ("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
    ];
    const BODY: &str = r#"{"email":"test@example.com","username":"test_user"}"#;
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    async fn of(headers: &[(&str, &str)], body: &'static str, seconds: i64) -> Option<String> {
        let mut request = Request::new(Body::from(body));
        for (name, value) in headers {
            let name: axum::http::HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let came = Came::read(["hook".to_owned()].into(), None, Timestamp(seconds * 1_000_000), request).await.unwrap();
        flaw(&came, &SecretString::from(SECRET))
    }

    #[tokio::test]
    async fn a_webhook_is_verified_as_its_receiver_would() {
        assert_eq!(of(&HEADERS, BODY, 1_649_367_553).await, None);
        let late = of(&HEADERS, BODY, 1_649_367_554).await.unwrap();
        assert_eq!(late, "has the `webhook-timestamp` 1649367553, and it is 1649367554 now");
        let changed = of(&HEADERS, "{}", 1_649_367_553).await.unwrap();
        assert!(changed.contains("`webhook-signature` that its secret did not make"), "{changed}");
        let unsigned = of(&HEADERS[..2], BODY, 1_649_367_553).await.unwrap();
        assert_eq!(unsigned, "has not one header `webhook-signature`, but 0");
        let twice = [HEADERS.as_slice(), &HEADERS[..1]].concat();
        assert_eq!(of(&twice, BODY, 1_649_367_553).await.unwrap(), "has not one header `webhook-id`, but 2");
        let mut named_otherwise = HEADERS;
        named_otherwise[0].1 = "msg_other";
        assert!(of(&named_otherwise, BODY, 1_649_367_553).await.is_some());
    }

    #[test]
    fn a_message_keeps_the_name_that_no_other_has() {
        let mut names = Names::default();
        assert_eq!(names.flaw("part/0", "a"), None);
        assert_eq!(names.flaw("part/0", "a"), None);
        assert_eq!(names.flaw("part/1", "b"), None);
        assert!(names.flaw("part/0", "c").unwrap().contains("came again for `part/0` with another"));
        assert!(names.flaw("part/2", "b").unwrap().contains("that it had for `part/1`"));
    }

    #[test]
    fn a_secret_is_one_of_standard_webhooks() {
        assert_eq!(secret("run").len(), "whsec_".len() + 44);
        assert_ne!(secret("run"), secret("another run"));
    }
}
