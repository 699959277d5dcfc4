//! Where attacks take place: a host with the connectors that carry them out, and a person who owns accounts at both.

use super::{attacks, forged};
use crate::harness::{Backend, Host, Person, Settings, settings};
use orla::config::Config;
use orla::connectors::Memories;
use std::path::PathBuf;
use std::sync::OnceLock;
use tempfile::TempDir;

static FOLDER: OnceLock<TempDir> = OnceLock::new();

/// A host, and the one who attacks it.
pub(crate) async fn set(backend: Backend) -> (Host, Person) {
    set_with(backend, settings(), &["orla_demo"]).await
}

/// Likewise, by these accounts at both connectors: what goes to one of them goes one after the other.
pub(crate) async fn set_with(backend: Backend, settings: Settings, accounts: &[&str]) -> (Host, Person) {
    let host = Host::start_with(backend, settings, |config| {
        config.connectors_folder = with_forged(config);
        let app = config.connectors["probe"].clone();
        config.connectors.insert(forged::ID.to_owned(), app);
        Memories::Pooled
    })
    .await;
    host.sim.register_redirect_uri(format!("{}/social/oauth/{}/callback", host.url, forged::ID));
    let mallory = host.person("mallory").await;
    for account in accounts {
        mallory.connect(&host.sim, "probe", account).await;
        mallory.connect(&host.sim, forged::ID, account).await;
    }
    (host, mallory)
}

/// A folder of the usual connectors and the one made by hand.
fn with_forged(config: &Config) -> PathBuf {
    let folder = FOLDER.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        for id in ["x", "probe", "openai"] {
            let name = format!("{id}.wasm");
            std::fs::copy(config.connectors_folder.join(&name), folder.path().join(&name)).unwrap();
        }
        let component = forged::connector(&attacks::bodies());
        std::fs::write(folder.path().join("forged.wasm"), component).unwrap();
        folder
    });
    folder.path().to_owned()
}
