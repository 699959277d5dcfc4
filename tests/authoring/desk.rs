//! An author's desk: a folder far from the checkout, with a copy of the program and what its environment needs.

use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What the tools of Rust need of the environment. Nothing else is handed on.
const HANDED_ON: [&str; 5] = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];

/// What all desks stand in. It has the same place in each run, so that what cargo built there is built over, not beside.
///
/// All programs are written here before any is run: one that is being written while another thread starts a process
/// cannot be run.
fn room() -> &'static Path {
    static ROOM: OnceLock<PathBuf> = OnceLock::new();
    ROOM.get_or_init(|| {
        let mut target = DefaultHasher::new();
        env!("CARGO_TARGET_TMPDIR").hash(&mut target);
        let room = std::env::temp_dir().join(format!("orla-authoring-{:x}", target.finish()));
        if room.exists() {
            std::fs::remove_dir_all(&room).unwrap();
        }
        std::fs::create_dir_all(room.join("nothing")).unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_orla-under-test"), room.join("orla")).unwrap();
        for folder in ["no-target", "no-server"] {
            std::fs::create_dir(room.join(folder)).unwrap();
            symlink(found("cargo"), room.join(folder).join("cargo")).unwrap();
            script(&room.join(folder).join("rustc"), &format!("echo {}", room.display()));
        }
        script(&room.join("no-server/rustup"), "echo \"$@\" >&2; exit 1");
        room
    })
}

fn script(path: &Path, lines: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Where a program is on the PATH.
fn found(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file()).unwrap()
}

/// What an author's machine may have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tools {
    /// No Rust.
    Nothing,
    /// A Rust that was installed without rustup, and has its own platform's library only.
    NoTarget,
    /// The same with a rustup that cannot reach its server.
    NoServer,
}

impl Tools {
    /// The only folder on the PATH.
    pub(crate) fn path(self) -> PathBuf {
        room().join(match self {
            Self::Nothing => "nothing",
            Self::NoTarget => "no-target",
            Self::NoServer => "no-server",
        })
    }
}

/// A folder of its own for each test.
pub(crate) struct Desk {
    /// Where the author works.
    pub(crate) work: PathBuf,
}

impl Desk {
    /// An empty desk.
    pub(crate) fn new(name: &str) -> Self {
        let work = room().join("desks").join(name);
        std::fs::create_dir_all(&work).unwrap();
        Self { work }
    }

    /// What lies where the author works.
    pub(crate) fn lies_there(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.work).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// `orla connector …`, in a folder below the author's.
    pub(crate) fn orla<S: AsRef<OsStr>>(&self, folder: &str, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut orla = self.command(&room().join("orla"), folder);
        orla.arg("connector").args(arguments);
        orla
    }

    /// A program in a folder below the author's. What cargo builds goes to one place for all, below our target folder.
    pub(crate) fn command(&self, program: &Path, folder: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.work.join(folder)).env_clear();
        command.envs(std::env::vars_os().filter(|(name, _)| HANDED_ON.iter().any(|handed_on| name == handed_on)));
        command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("authoring"));
        command
    }

    /// A connector of this name, just made.
    pub(crate) fn begun(&self, name: &str, ability: &str) {
        succeeded(&self.orla("", ["new", name, "--ability", ability]).output().unwrap());
    }
}

/// What a program said that did what it should.
pub(crate) fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The last line of a program that refused.
pub(crate) fn refused(output: &Output) -> String {
    assert!(!output.status.success() && output.stdout.is_empty(), "{}", said(output));
    String::from_utf8(output.stderr.clone()).unwrap().trim_end().lines().next_back().unwrap_or_default().to_owned()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
