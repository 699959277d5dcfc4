//! The operators' commands, beside a host that runs.

use super::{Stage, altered, probe};
use crate::harness::{BOTH, program};
use std::process::{Command, Output};

impl Stage {
    async fn command(&self, arguments: &[&str]) -> Output {
        let config = self.host.app.config();
        let mut command = Command::new(program());
        command.env_clear().arg("connector").args(arguments);
        command.env("ORLA_DATA", &config.data).env("DATABASE_URL", config.database());
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
    }

    async fn does(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).await;
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The command fails with one sentence, which has this in it.
    async fn refuses(&self, arguments: &[&str], wanted: &str) {
        let output = self.command(arguments).await;
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}: {output:?}");
        assert!(told.contains(wanted), "{arguments:?}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_does_all_of_it_from_a_shell() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        let file = stage.host.data.path().join("newer.wasm");
        std::fs::write(&file, altered(&probe(&stage.host), "0.1.0", "0.1.1")).unwrap();
        let file = file.to_str().unwrap();
        let shown = stage.does(&["inspect", file, "--active"]).await;
        assert!(shown.contains("against     0.1.0, which serves") && shown.contains("it asks for the same"), "{shown}");
        assert!(stage.does(&["install", file]).await.starts_with("probe 0.1.1 ("));
        let listed = stage.does(&["list"]).await;
        assert!(listed.contains("probe (Probe), enabled") && listed.contains("x (X), enabled"), "{listed}");
        assert!(listed.contains("retained") && listed.contains("active"), "{listed}");
        assert!(stage.does(&["rollback", "probe"]).await.starts_with("probe 0.1.0 ("));
        assert!(stage.does(&["activate", "probe", "0.1.1"]).await.contains("serves"));
        assert!(stage.does(&["limit", "probe", "requests", "7"]).await.contains("requests up to 7"));
        let doctor = stage.command(&["doctor"]).await;
        let told = String::from_utf8_lossy(&doctor.stderr);
        assert!(!doctor.status.success() && told.contains("ORLA_CONNECTORS__PROBE__CLIENT_ID"), "{told}");
        stage.does(&["disable", "probe"]).await;
        stage.does(&["enable", "probe"]).await;
        stage.does(&["disable", "probe"]).await;
        stage.does(&["remove", "probe"]).await;
        stage.does(&["install", file, "--stage"]).await;
        stage.does(&["activate", "probe", "0.1.1", "--consent"]).await;
        let shown = stage.operator.get("/admin/connectors/probe").await.expect(200);
        assert_eq!(shown["events"][0]["actor"], "command");
        // The host that runs follows.
        for _ in 0..200 {
            if stage.operator.get("/admin/connectors/probe").await.expect(200)["serves_here"] == true {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let mut attempt = 0;
        while stage.version(&format!("a{attempt}")).await != "0.1.1" {
            attempt += 1;
            assert!(attempt < 200, "the host does not follow");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_in_a_sentence() {
    for backend in BOTH {
        let stage = Stage::set(backend).await;
        let bad = stage.host.data.path().join("bad.wasm");
        std::fs::write(&bad, b"no component").unwrap();
        let bad = bad.to_str().unwrap();
        let before = stage.does(&["list"]).await;
        for (arguments, wanted) in [
            (&["install", "/absent.wasm"] as &[&str], "cannot read /absent.wasm"),
            (&["install", bad], "no connector for this host"),
            (&["install"], "<FILE>"),
            (&["install", bad, "--stage", "--consent"], "cannot be used with"),
            (&["activate", "absent", "0.1.0"], "There is no such release"),
            (&["activate", "probe", "9.9.9"], "There is no such release"),
            (&["activate", "probe"], "<RELEASE>"),
            (&["rollback", "absent"], "There is no such connector"),
            (&["rollback", "probe"], "no release to go back to"),
            (&["disable", "absent"], "There is no such connector"),
            (&["enable", "absent"], "There is no such connector"),
            (&["remove", "absent"], "There is no such connector"),
            (&["remove", "probe"], "Disable it first"),
            (&["limit", "probe", "luck", "7"], "luck"),
            (&["limit", "probe", "fuel", "-7"], "-7"),
            (&["limit", "absent", "fuel", "7"], "There is no such connector"),
            (&["doctor", "absent"], "There is no such connector"),
            (&["fly"], "fly"),
        ] {
            stage.refuses(arguments, wanted).await;
        }
        assert_eq!(stage.does(&["list"]).await, before);
    }
}
