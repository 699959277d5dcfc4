//! A host in a process of its own, which can be killed.

use super::{Sim, program};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A host in a process of its own.
pub(crate) struct Process(Child);

impl Process {
    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already, which is the point.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where a host runs: its port, data folder, database and network.
pub(crate) struct Place<'a> {
    pub(crate) port: u16,
    pub(crate) data: &'a Path,
    pub(crate) database: String,
    pub(crate) connectors: &'a Path,
    pub(crate) sim: &'a Sim,
}

impl Place<'_> {
    pub(crate) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Starts a host; `crash_at` is the write at which it dies.
    pub(crate) fn start(&self, crash_at: Option<&str>) -> Process {
        let mut command = Command::new(program());
        command
            .arg("serve")
            .env_clear()
            .env("LISTEN", format!("127.0.0.1:{}", self.port))
            .env("DATABASE_URL", &self.database)
            .env("ORLA_DATA", self.data)
            .env("ORLA_CONNECTORS_FOLDER", self.connectors)
            .env("ORLA_EGRESS_ALLOW", self.sim.origin().trim_start_matches("http://"))
            .env("ORLA_CONNECTORS__X__CLIENT_ID", "orla-demo")
            .env("ORLA_CONNECTORS__X__CLIENT_SECRET", "orla-demo-secret")
            .env("ORLA_CONNECTORS__X__ENDPOINTS__API", self.sim.origin())
            .env("ORLA_CONNECTORS__X__ENDPOINTS__WEB", self.sim.origin())
            .env("ORLA_CONNECTORS__X__VISIBLE_AFTER_MS", "150")
            .env("ORLA_JOB_LEASE_MS", "1000")
            .env("ORLA_RETRY_BASE_MS", "50")
            .env("ORLA_CONCURRENT_CALLS", "8")
            .env("ORLA_LOG", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(write) = crash_at {
            command.env("ORLA_CRASH_AT", write);
        }
        Process(command.spawn().unwrap())
    }

    /// Waits until the host serves, or has died.
    pub(crate) async fn serving(&self, process: &mut Process) -> bool {
        for _ in 0..600 {
            if process.has_ended() {
                return false;
            }
            let ready = super::client().get(format!("{}/readyz", self.url())).send().await;
            if ready.is_ok_and(|response| response.status().is_success()) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the host neither serves nor dies");
    }
}
