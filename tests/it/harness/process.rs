//! A host in a process of its own, which can be killed.

use super::{Host, Sim, program};
use orla_vendors::openai;
use std::net::TcpListener;
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

    /// Waits until it has died, for a while at most.
    pub(crate) async fn ends_within(&mut self, longest: Duration) {
        let began = std::time::Instant::now();
        while !self.has_ended() && began.elapsed() < longest {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends it as a power cut would: SIGKILL, which it cannot see coming.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// What it holds in memory, in bytes, as the kernel counts (`VmRSS`).
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// Most that it held in memory, in bytes (`VmHWM`), since it started or [`Process::forget_peak`].
    pub(crate) fn peak_memory_bytes(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    /// Lets the peak begin anew at what it holds now (proc(5), `clear_refs`).
    pub(crate) fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.0.id()), "5").unwrap();
    }

    fn status_bytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1_024
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
    pub(crate) openai: &'a openai::Sim,
    /// Settings besides, by the names of the environment.
    pub(crate) also: Vec<(&'static str, String)>,
}

impl<'a> Place<'a> {
    /// Where a host in this process ran, which is stopped for it: its data, database and network, on a port of its own.
    pub(crate) async fn after(host: &'a Host) -> Self {
        let config = host.app.config();
        host.app.stop().await;
        Self {
            port: TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port(),
            data: host.data.path(),
            database: config.database(),
            connectors: &config.connectors_folder,
            sim: &host.sim,
            openai: &host.openai,
            also: Vec::new(),
        }
    }

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
            .env("ORLA_CONNECTORS__OPENAI__API_KEY", self.openai.settings().api_key)
            .env("ORLA_CONNECTORS__OPENAI__ENDPOINTS__API", self.openai.origin())
            .env("ORLA_JOB_LEASE_MS", "1000")
            .env("ORLA_RETRY_BASE_MS", "50")
            .env("ORLA_CONCURRENT_CALLS", "8")
            .env("ORLA_LOG", "error")
            .envs(self.also.iter().map(|(name, value)| (name, value)))
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
