//! Operators: made by those who have the server in their hands, from the command line.

use super::host::{Accounts, no_connectors};
use crate::harness::{BOTH, program};
use orla::identity;
use orla::identity::passwords::Password;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_takes_over_what_a_stranger_registered() {
    for backend in BOTH {
        let host = Accounts::fresh(backend).await;
        let strangers = host.register_for_link("root@example.org", "Attack3r").await;
        host.wait(61);
        host.register("root@example.org", "Attack3r").await.expect(201);
        let password = Password::from("0Perator".to_owned());
        let one = identity::create_admin(&host.app, "Root@example.org", &password).await.unwrap();
        let two = identity::create_admin(&host.app, "root@example.org", &password).await.unwrap();
        assert_eq!(one, two);
        host.verify(&strangers).await.expect(200);
        host.login("root@example.org", "Attack3r").await.expect(401);
        let access = host.login("root@example.org", "0Perator").await.expect(200).tokens().access;
        assert_eq!(host.get("/auth/me", &access).await.expect(200).body["role"], "system_admin");
        // The second link was planned before the takeover, and is pointless after it.
        host.mail_links().await;
        assert_eq!(host.mails().len(), 1);
    }
}

async fn create(data: &Path, database: &str, password: &str) -> Output {
    let mut command = Command::new(program());
    command
        .args(["admin", "create", "--email", "root@example.org"])
        .env_clear()
        .env("ORLA_PASSWORD", password)
        .env("ORLA_DATA", data)
        .env("ORLA_CONNECTORS_FOLDER", no_connectors(data))
        .env("DATABASE_URL", database)
        .env("ORLA_LOG", "error");
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_makes_an_operator() {
    for backend in BOTH {
        let data = TempDir::new().unwrap();
        let database = backend.fresh(data.path()).await;
        let weak = create(data.path(), &database, "weak").await;
        let told = String::from_utf8(weak.stderr).unwrap();
        assert!(!weak.status.success() && told.contains("The password still needs"), "{told}");
        for password in ["0Perator", "An0therOne"] {
            let made = create(data.path(), &database, password).await;
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let host = Accounts::open(data, database).await;
        host.login("root@example.org", "0Perator").await.expect(401);
        let access = host.login("root@example.org", "An0therOne").await.expect(200).tokens().access;
        assert_eq!(host.get("/auth/me", &access).await.expect(200).body["role"], "system_admin");
    }
}
