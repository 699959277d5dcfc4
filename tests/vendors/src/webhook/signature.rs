//! Signatures, from the specification.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::hmac::hmac_sha256;

const SECRET_PREFIX: &str = "whsec_";

/// The key of a secret; nothing if it is no secret.
pub(super) fn key(secret: &str) -> Option<Vec<u8>> {
    let key = BASE64_STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

/// The `v1` signatures of a header, in which no entry may be malformed. Other versions are passed over.
pub(super) fn parse(header: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut signatures = Vec::new();
    for entry in header.split(' ') {
        let malformed = || format!("{entry:?} in webhook-signature is not a version, a comma and base64");
        let (version, encoded) = entry.split_once(',').ok_or_else(malformed)?;
        let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| malformed())?;
        if version.is_empty() || bytes.is_empty() {
            return Err(malformed());
        }
        if version == "v1" {
            signatures.push(bytes);
        }
    }
    Ok(signatures)
}

/// The signature of a delivery.
pub(super) fn sign(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
    hmac_sha256(key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
}

/// Whether two signatures are the same, in a time that does not depend on where they differ.
pub(super) fn same(given: &[u8], right: &[u8]) -> bool {
    given.len() == right.len() && given.iter().zip(right).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    use super::{key, parse, same, sign};

    #[test]
    fn a_signature_is_what_pythons_hmac_makes_of_the_same() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("it is a secret");
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(BASE64_STANDARD.encode(signature), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(same(&signature, &signature) && !same(&signature, &signature[1..]) && !same(&signature, &[0; 32]));
    }

    #[test]
    fn secrets_and_headers_are_read_strictly() {
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "whsec_%", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(key(wrong).is_none(), "{wrong}");
        }
        assert_eq!(parse("v1,YQ== v1a,Yg== v1,Yw=="), Ok(vec![b"a".to_vec(), b"c".to_vec()]));
        assert_eq!(parse("v2,YQ=="), Ok(Vec::new()));
        for wrong in ["", "v1", "v1,", "v1,YQ", "v1,%", ",YQ==", "v1,YQ==  v1,YQ==", "v1,YQ==,v1,YQ=="] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
