//! What it costs to seal a secret and to open one: the vault as the host uses it in a call, against the bare cipher on the
//! same bytes.

use crate::harness::{BOTH, Backend, Host, Person};
use crate::table::{Table, Verdict, digits, median};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret as _, SecretString};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 40;
const TIMES: u32 = 500;
/// An access token such as X's, and one that is a JSON Web Token with much in it.
const SIZES: [usize; 2] = [64, 2_048];
/// The most that sealing and opening may take.
const MOST_US: f64 = 20.0;

/// Measures, prints, and tells whether the threshold holds.
pub(crate) async fn measure() -> bool {
    let title = format!("vault: one secret; one thread, medians of {ROUNDS} rounds of {TIMES} times each way");
    let mut table = Table::new(title, &["way", "µs", "ratio"]);
    for backend in BOTH {
        let host = Host::start(backend).await;
        let ada = host.person("ada").await;
        if backend == Backend::Sqlite {
            // What needs no database is the same with both.
            for size in SIZES {
                in_memory(&mut table, &host, &ada, size).await;
            }
        }
        let (seal, look) = in_a_transaction(&host, &ada).await;
        let name = format!("{backend:?}: seal {} bytes in the transaction that writes the row", SIZES[0]);
        table.row(&[&name, &digits(seal, 1), &"-"]);
        table.row(&[&"  of it asking the database which data key is in use", &digits(look, 1), &"-"]);
        host.app.stop().await;
    }
    table.print()
}

/// What a row binds its secret to.
fn identity(ada: &Person) -> String {
    format!("connection_secrets/{}/{}/access_token", ada.workspace, ada.workspace)
}

/// The cipher with nothing around it.
struct Bare {
    cipher: XChaCha20Poly1305,
    nonce: XNonce,
}

impl Bare {
    fn seal(&self, identity: &str, secret: &[u8]) -> Vec<u8> {
        self.cipher.encrypt(&self.nonce, Payload { msg: secret, aad: identity.as_bytes() }).unwrap()
    }

    fn open(&self, identity: &str, sealed: &[u8]) -> Vec<u8> {
        self.cipher.decrypt(&self.nonce, Payload { msg: sealed, aad: identity.as_bytes() }).unwrap()
    }
}

/// Microseconds each time.
fn each(mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    (0..TIMES).for_each(|_| work());
    began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}

/// The vault with the data key at hand, in turns with the bare cipher.
async fn in_memory(table: &mut Table, host: &Host, ada: &Person, size: usize) {
    let (vault, identity) = (host.app.vault(), identity(ada));
    let secret = SecretString::from("s".repeat(size));
    let mut tx = host.app.db().begin().await.unwrap();
    let key = vault.key_for_bench(&mut tx, ada.workspace, host.app.now()).await.unwrap();
    tx.commit().await.unwrap();
    let sealed = key.seal(&identity, &secret);
    let bare = Bare { cipher: XChaCha20Poly1305::new(&[7; 32].into()), nonce: XNonce::from([9; 24]) };
    let sealed_bare = bare.seal(&identity, secret.expose_secret().as_bytes());
    let mut tx = host.app.db().read().await.unwrap();
    let mut rounds = Vec::new();
    for _ in 0..=ROUNDS {
        let bare_seal = each(|| drop(black_box(bare.seal(&identity, secret.expose_secret().as_bytes()))));
        let seal = each(|| drop(black_box(key.seal(&identity, &secret))));
        let bare_open = each(|| drop(black_box(bare.open(&identity, &sealed_bare))));
        let began = Instant::now();
        for _ in 0..TIMES {
            black_box(vault.unseal_for_bench(&mut tx, &identity, &sealed).await.unwrap());
        }
        let open = began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES);
        rounds.push([bare_seal, seal, bare_open, open]);
    }
    // The first round warms up.
    rounds.remove(0);
    let of = |way: usize| median(rounds.iter().map(|round| round[way]));
    for (what, first) in [("seal", 0), ("open", 2)] {
        let ratio = median(rounds.iter().map(|round| round[first + 1] / round[first]));
        let (floor, figure) = (of(first), of(first + 1));
        table.row(&[&format!("{what} {size} bytes, the bare cipher"), &digits(floor, 2), &digits(1.0, 2)]);
        let name = format!("{what} {size} bytes, the vault with the data key at hand");
        table.judged(&[&name, &digits(figure, 2), &digits(ratio, 2)], &Verdict::at_most(figure, MOST_US));
    }
}

/// Microseconds of sealing with the database asked for the key, and of asking alone.
async fn in_a_transaction(host: &Host, ada: &Person) -> (f64, f64) {
    let (vault, identity, now) = (host.app.vault(), identity(ada), host.app.now());
    let secret = SecretString::from("s".repeat(SIZES[0]));
    let mut tx = host.app.db().begin().await.unwrap();
    vault.seal_for_bench(&mut tx, ada.workspace, &identity, &secret, now).await.unwrap();
    let (mut seals, mut looks) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..TIMES / 10 {
            black_box(vault.seal_for_bench(&mut tx, ada.workspace, &identity, &secret, now).await.unwrap());
        }
        seals.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES / 10));
        let began = Instant::now();
        for _ in 0..TIMES / 10 {
            black_box(vault.key_for_bench(&mut tx, ada.workspace, now).await.unwrap());
        }
        looks.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES / 10));
    }
    (median(seals), median(looks))
}
