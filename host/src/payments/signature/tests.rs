use super::{Forged, TOLERANCE_S, verify};
use crate::clock::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::SecretString;
use sha2::Sha256;

const NOW: i64 = 1_800_000_000;
const BODY: &[u8] = br#"{"id": "evt_1"}"#;

fn sign(secret: &str, seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn look(header: &str, body: &[u8]) -> Result<(), Forged> {
    verify(header, body, &SecretString::from("whsec_new, whsec_old"), Timestamp(NOW * 1_000_000))
}

#[test]
fn any_signature_by_any_secret_counts() {
    for secret in ["whsec_new", "whsec_old"] {
        let right = sign(secret, NOW, BODY);
        assert_eq!(look(&format!("t={NOW},v1={right}"), BODY), Ok(()));
        assert_eq!(look(&format!("t={NOW},v1=00ff,v1={right},v0=abc"), BODY), Ok(()));
        assert_eq!(look(&format!("v1={right},v1=not hex, t={NOW}"), BODY), Ok(()));
    }
}

#[test]
fn what_is_not_signed_by_us_is_refused() {
    let right = sign("whsec_new", NOW, BODY);
    assert_eq!(look(&format!("t={NOW},v1={}", sign("whsec_other", NOW, BODY)), BODY), Err(Forged::Wrong));
    assert_eq!(look(&format!("t={NOW},v1={right}"), br#"{"id":"evt_1"}"#), Err(Forged::Wrong));
    assert_eq!(look(&format!("t={},v1={right}", NOW + 1), BODY), Err(Forged::Wrong));
    assert_eq!(look(&format!("t={NOW},v0={right}"), BODY), Err(Forged::Unreadable));
    for header in ["", "t", "t=,v1=00", "t=-5,v1=00", "t=1e9,v1=00", "v1=00", &format!("t={NOW},t={NOW},v1={right}")] {
        assert_eq!(look(header, BODY), Err(Forged::Unreadable), "{header}");
    }
}

#[test]
fn the_moment_of_signing_lies_near_ours() {
    for (seconds, expected) in [
        (NOW - TOLERANCE_S, Ok(())),
        (NOW - TOLERANCE_S - 1, Err(Forged::Stale)),
        (NOW + TOLERANCE_S, Ok(())),
        (NOW + TOLERANCE_S + 1, Err(Forged::Early)),
    ] {
        let header = format!("t={seconds},v1={}", sign("whsec_old", seconds, BODY));
        assert_eq!(look(&header, BODY), expected, "{seconds}");
    }
}
