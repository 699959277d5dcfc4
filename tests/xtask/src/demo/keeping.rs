//! Keeping the demo's programs: they start together, and none outlives another.

use super::ready;
use super::settings::Settings;
use crate::words::{Failure, Result, Waiting, say};
use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(100);
/// The host lets what is under way end first, for half a minute.
const LONGEST_STOP: Duration = Duration::from_secs(40);

/// A running program. It is killed when dropped.
struct Kept {
    name: &'static str,
    child: Child,
}

impl Kept {
    fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn();
        let child = child.map_err(|error| Failure::new(format!("{name} cannot be started: {error}.")))?;
        Ok(Self { name, child })
    }

    /// How it ended, if it did.
    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end, if it still runs. The shell's own `kill` does it: not every system has a program of that name.
    fn ask_to_end(&mut self) {
        if self.ended().is_some() {
            return;
        }
        let pid = self.child.id().to_string();
        let _ = Command::new("sh").args(["-c", "kill -TERM \"$1\"", "sh", &pid]).stderr(Stdio::null()).status();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the programs and stays with them until our standard input ends, or one of them does.
///
/// # Errors
/// A program could not be started, or ended by itself.
pub(crate) fn keep() -> Result {
    let settings = Settings::read()?;
    let input = thread::spawn(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let mut kept = vec![Kept::start("The simulators' program", &mut settings.vendors()?)?];
    let mut host = settings.host()?;
    if crate::program::variable("ORLA_SIGNUP_CREDITS")?.is_none() {
        host.env("ORLA_SIGNUP_CREDITS", "1000");
    }
    kept.push(Kept::start("Orla", host.arg("serve"))?);
    let ended = watch(&settings, &mut kept, &input);
    stop(&mut kept);
    match ended {
        End::Told => Ok(()),
        End::Program(name, status) => {
            Err(Failure::with_code(format!("{name} ended by itself ({status}), so the demo is over."), status.code()))
        }
    }
}

/// Why the demo ends.
enum End {
    /// We were told to stop.
    Told,
    /// This program ended by itself.
    Program(&'static str, ExitStatus),
}

/// Waits until the demo ends. Says so once the host is ready.
fn watch(settings: &Settings, kept: &mut [Kept], input: &JoinHandle<std::io::Result<usize>>) -> End {
    let mut waiting = Some(Waiting::begin("starting"));
    while !input.is_finished() {
        let ended = kept.iter_mut().find_map(|kept| Some(End::Program(kept.name, kept.ended()?)));
        thread::sleep(PAUSE);
        // Ctrl-C reaches the programs as well, and maybe before us: then their end is no failure.
        if let Some(end) = ended.filter(|_| !input.is_finished()) {
            return end;
        }
        if let Some(line) = &mut waiting {
            line.tick();
            if ready::is_ready(settings.address()) {
                line.end();
                if settings.simulated_stripe().is_some() {
                    sell(settings);
                }
                ready::welcome(settings);
                waiting = None;
            }
        }
    }
    End::Told
}

/// Has the prices of what is for sale made at the simulated Stripe, which forgot them when it was stopped.
fn sell(settings: &Settings) {
    let synced = settings.host().and_then(|mut host| {
        host.args(["stripe", "sync"]).stdout(Stdio::null());
        crate::program::run(&mut host)
    });
    if synced.is_err() {
        say("    Nothing can be bought in this demo: the prices could not be made at the simulated Stripe.");
    }
}

/// Ends all programs that still run.
fn stop(kept: &mut Vec<Kept>) {
    let mut waiting = Waiting::begin("stopping");
    let mut asked_s = None;
    while waiting.elapsed() < LONGEST_STOP && kept.iter_mut().any(|kept| kept.ended().is_none()) {
        // A program that is still starting does not hear it, so it is said again every second.
        let elapsed_s = waiting.elapsed().as_secs();
        if asked_s.replace(elapsed_s) != Some(elapsed_s) {
            kept.iter_mut().for_each(Kept::ask_to_end);
        }
        thread::sleep(PAUSE);
        waiting.tick();
    }
    waiting.end();
    kept.clear();
    say(&format!("Stopped after {:.1} s.", waiting.elapsed().as_secs_f64()));
}
