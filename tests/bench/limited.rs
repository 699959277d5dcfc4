//! A control group of Linux that holds what runs in it, children included, to so much memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

const UNIFIED: &str = "/sys/fs/cgroup";
const FIRST_VERSION: &str = "/sys/fs/cgroup/memory";
/// Joins the group before it becomes the program, so that not a byte of that is missed.
const JOIN: &str = r#"echo $$ >"$0/cgroup.procs" && exec "$@""#;

/// A control group, which is removed when this is dropped.
pub(crate) struct Limited {
    folder: PathBuf,
    peak: &'static str,
}

impl Limited {
    /// A new group; `None` where this user may make none.
    pub(crate) fn to_bytes(limit_bytes: u64) -> Option<Self> {
        let name = format!("orla-measure-{}", std::process::id());
        let unified = fs::read_to_string(Path::new(UNIFIED).join("cgroup.controllers"));
        let (folder, limit, peak) = if unified.is_ok_and(|controllers| controllers.contains("memory")) {
            // It fails where it is done already, and where it cannot be done the limit below fails.
            let _ = fs::write(Path::new(UNIFIED).join("cgroup.subtree_control"), "+memory");
            (Path::new(UNIFIED).join(name), "memory.max", "memory.peak")
        } else {
            (Path::new(FIRST_VERSION).join(name), "memory.limit_in_bytes", "memory.max_usage_in_bytes")
        };
        fs::create_dir(&folder).ok()?;
        let group = Self { folder, peak };
        fs::write(group.folder.join(limit), limit_bytes.to_string()).ok()?;
        // Memory that is only moved to a disk would not be saved.
        let _ = fs::write(group.folder.join("memory.swap.max"), "0");
        Some(group)
    }

    /// The same command, run in this group and silent.
    pub(crate) fn command(&self, command: &Command) -> Command {
        let command = command.as_std();
        let mut joined = Command::new("/bin/sh");
        joined.args(["-c", JOIN]).arg(&self.folder).arg(command.get_program()).args(command.get_args());
        joined.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        joined.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            joined.current_dir(folder);
        }
        joined
    }

    /// The most that was in use at once, in MiB: files in the page cache count, which the kernel gives up when others
    /// need the room.
    pub(crate) fn peak_mib(&self) -> f64 {
        let peak = fs::read_to_string(self.folder.join(self.peak)).expect("the group tells its peak");
        peak.trim().parse::<f64>().unwrap() / f64::from(1 << 20)
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        // A group that is not empty yet stays, and does no harm.
        let _ = fs::remove_dir(&self.folder);
    }
}
