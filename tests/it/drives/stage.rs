//! A host with the connector of Dropbox, and the Dropbox that it speaks to.

use crate::harness::{Answer, Backend, Host, Person, component, settings};
use orla::config::ConnectorConfig;
use orla::connectors::{Actor, Consent, Memories, Then};
use orla::on;
use orla_vendors::dropbox::{Kind, Settings, Sim};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A host and its Dropbox.
pub(super) struct Stage {
    pub(super) host: Host,
    pub(super) dropbox: Sim,
}

impl Stage {
    pub(super) async fn set(backend: Backend, vendor: Settings) -> Self {
        let dropbox = Sim::start(vendor).await;
        let app = ConnectorConfig {
            client_id: Some("orla-demo".to_owned()),
            client_secret: Some(SecretString::from("orla-demo-secret")),
            endpoints: ["api", "content", "web"].map(|name| (name.to_owned(), dropbox.origin())).into(),
            ..ConnectorConfig::default()
        };
        let host = Host::start_with(backend, settings(), |config| {
            config.connectors.insert("dropbox".to_owned(), app);
            Memories::Pooled
        })
        .await;
        let wasm = std::fs::read(component("dropbox")).unwrap();
        let installing = host.app.connectors().install(&wasm, Then::Activate(Consent::Withheld), Actor::Command);
        let installed = Box::pin(installing).await;
        assert_eq!(installed.unwrap().state, "active");
        dropbox.register_redirect_uri(format!("{}/cloud-storage/oauth/dropbox/callback", host.url));
        Self { host, dropbox }
    }

    pub(super) async fn person(&self, name: &str) -> Person {
        self.host.person(name).await
    }

    /// A person who has connected an account.
    pub(super) async fn connected(&self, name: &str, account: &str) -> Person {
        let person = self.person(name).await;
        self.connect(&person, account).await;
        person
    }

    /// Connects an account through Dropbox's consent page.
    pub(super) async fn connect(&self, person: &Person, account: &str) {
        let begun = person.get("/cloud-storage/oauth/dropbox/auth").await;
        let cookie = begun.cookie.clone().expect("a cookie that binds the browser");
        let url = begun.expect(200)["auth_url"].as_str().unwrap().to_owned();
        let callback = self.dropbox.authorize(&url, account);
        assert_eq!(callback.path(), "/cloud-storage/oauth/dropbox/callback");
        let ended = person.http.get(callback).header("cookie", cookie).send().await.unwrap();
        assert_eq!(ended.status(), 200, "{}", ended.text().await.unwrap());
    }

    /// Asks for a page.
    pub(super) async fn look(&self, person: &Person, parameters: &[(&str, &Value)]) -> Answer {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in parameters {
            query.append_pair(name, value.as_str().unwrap());
        }
        person.get(&format!("/cloud-storage/browse/dropbox?{}", query.finish())).await
    }

    /// A page.
    pub(super) async fn browse(&self, person: &Person, parameters: &[(&str, &Value)]) -> Value {
        self.look(person, parameters).await.expect(200)
    }

    pub(super) async fn import(&self, person: &Person, file: &Value, key: Option<&str>) -> Answer {
        let url = format!("{}/cloud-storage/import/dropbox", self.host.url);
        let mut request = person.http.post(url).bearer_auth(&person.token).json(&json!({"file_id": file}));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    pub(super) async fn restrict(&self, person: &Person, folder: &Value) -> Answer {
        let body = json!({"folder_id": folder});
        person.call(Method::PUT, "/cloud-storage/connections/dropbox", Some(&body)).await
    }

    pub(super) async fn disconnect(&self, person: &Person, query: &str) -> Answer {
        person.call(Method::DELETE, &format!("/cloud-storage/connections/dropbox{query}"), None).await
    }

    /// The bytes of a file, from Dropbox itself.
    pub(super) async fn at_dropbox(&self, path: &str) -> Vec<u8> {
        let tokens = self.dropbox.tokens();
        let access = tokens.iter().rev().find(|issued| issued.kind == Kind::Access).unwrap();
        let mut url: url::Url = format!("{}/2/files/download", self.dropbox.origin()).parse().unwrap();
        url.query_pairs_mut().append_pair("arg", &json!({"path": path}).to_string());
        let answer = crate::harness::client().get(url).bearer_auth(&access.value).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap().to_vec()
    }

    /// How many blobs are known.
    pub(super) async fn blobs(&self) -> i64 {
        let mut tx = self.host.app.db().read().await.unwrap();
        on!(&mut tx, conn => sqlx::query_scalar("select count(*) from blobs").fetch_one(conn).await).unwrap()
    }

    /// How many files the blob store has.
    pub(super) fn stored_files(&self) -> usize {
        let workspaces = std::fs::read_dir(self.host.data.path().join("blobs")).into_iter().flatten();
        let folders = workspaces.map(|folder| folder.unwrap().path()).filter(|path| path.is_dir());
        folders.map(|folder| std::fs::read_dir(folder).unwrap().count()).sum()
    }
}

/// The names on a page.
pub(super) fn names(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

/// The item of a name.
#[track_caller]
pub(super) fn named(page: &Value, name: &str) -> Value {
    page["items"].as_array().unwrap().iter().find(|item| item["name"] == name).expect("an item of that name").clone()
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
