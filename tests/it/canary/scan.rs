//! Looking for secrets in whatever bytes there are: as they are, and in every spelling that somebody could give them.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;

/// A secret under a name that may be shown.
pub(crate) struct Canary {
    name: String,
    secret: Vec<u8>,
    /// The places where its owner is told of it, which have to show it.
    told_in: &'static [&'static str],
}

impl Canary {
    pub(crate) fn new(name: impl Into<String>, secret: impl AsRef<[u8]>) -> Self {
        let (name, secret): (String, Vec<u8>) = (name.into(), secret.as_ref().to_vec());
        assert!(secret.len() >= 12, "{name} is too short to be told from chance");
        Self { name, secret, told_in: &[] }
    }

    /// As it may and must be found in these places.
    pub(crate) fn told_in(self, places: &'static [&'static str]) -> Self {
        Self { told_in: places, ..self }
    }
}

/// All canaries in all spellings.
pub(crate) struct Scan {
    canaries: Vec<Canary>,
    /// Which canary each pattern is of.
    of: Vec<usize>,
    finder: AhoCorasick,
}

impl Scan {
    pub(crate) fn of(canaries: Vec<Canary>) -> Self {
        let spelt = canaries.iter().enumerate().flat_map(|(at, canary)| {
            let spellings: BTreeSet<Vec<u8>> = spellings(&canary.secret).into_iter().collect();
            spellings.into_iter().map(move |spelling| (at, spelling))
        });
        let (of, patterns): (Vec<usize>, Vec<Vec<u8>>) = spelt.unzip();
        let finder = AhoCorasick::new(patterns).unwrap();
        Self { canaries, of, finder }
    }

    /// The names of all canaries.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.canaries.iter().map(|canary| canary.name.as_str())
    }

    /// The names of the canaries that stand in bytes.
    pub(crate) fn found(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let hits = self.finder.find_overlapping_iter(bytes);
        hits.map(|hit| self.canaries[self.of[hit.pattern().as_usize()]].name.as_str()).collect()
    }

    /// Asserts that of all canaries those stand in a place that may, and no others.
    #[track_caller]
    pub(crate) fn assert_none_in(&self, place: &str, bytes: &[u8]) {
        let told = self.canaries.iter().filter(|canary| canary.told_in.contains(&place));
        let told: BTreeSet<&str> = told.map(|canary| canary.name.as_str()).collect();
        assert_eq!(self.found(bytes), told, "what stands in {place}, of {} bytes", bytes.len());
    }
}

/// Every spelling of a secret that is looked for.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = hex::encode(secret);
    let every_byte_escaped: String = secret.iter().map(|byte| format!("%{byte:02X}")).collect();
    let form: String = url::form_urlencoded::byte_serialize(secret).collect();
    let mut all = vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        every_byte_escaped.to_lowercase().into_bytes(),
        every_byte_escaped.into_bytes(),
        form.replace('+', "%20").into_bytes(),
        form.into_bytes(),
    ];
    if let Ok(text) = std::str::from_utf8(secret) {
        let json = serde_json::Value::from(text).to_string();
        all.push(json.as_bytes()[1..json.len() - 1].to_vec());
    }
    // In base64 the first characters hold bits of what stands before, and the last of what stands behind.
    for (before, begin) in [(0, 0), (1, 2), (2, 3)] {
        let padded = [vec![0; before].as_slice(), secret].concat();
        all.extend([STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)].map(|encoded| {
            let end = encoded.len() - 1;
            encoded.as_bytes()[begin..end].to_vec()
        }));
    }
    all
}

#[test]
fn a_secret_is_found_in_every_spelling_and_no_other_is() {
    let secret = "a secret/with “signs”?&=";
    let scan = Scan::of(vec![Canary::new("it", secret), Canary::new("another", "another-secret-0")]);
    let hex = hex::encode(secret);
    let basic = |user: &str| STANDARD_NO_PAD.encode(format!("{user}:{secret}, and more of it"));
    for text in [
        format!("so {secret} it is"),
        format!("blob {hex}"),
        format!("blob {}", hex.to_uppercase()),
        basic("a"),
        basic("ab"),
        basic("abc"),
        URL_SAFE_NO_PAD.encode(secret),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        serde_json::json!({ "text": secret }).to_string(),
    ] {
        assert_eq!(scan.found(text.as_bytes()), BTreeSet::from(["it"]), "{text}");
    }
    assert!(scan.found(b"no secret/with signs").is_empty());
}
