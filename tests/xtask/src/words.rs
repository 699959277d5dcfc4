//! What the commands say, and how they fail.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The result of everything that may fail.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a command cannot go on.
#[derive(Debug)]
pub(crate) struct Failure {
    sentence: String,
    code: u8,
}

impl Failure {
    /// For a reason of ours: a sentence that says what to do.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), code: 1 }
    }

    /// Because a program failed: we end with its exit code.
    pub(crate) fn with_code(sentence: impl Into<String>, code: Option<i32>) -> Self {
        let code = code.and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).unwrap_or(1);
        Self { sentence: sentence.into(), code }
    }

    /// Says why, and gives the code to end with.
    pub(crate) fn tell(&self) -> ExitCode {
        let _ = writeln!(std::io::stderr(), "\n{}", self.sentence);
        ExitCode::from(self.code)
    }
}

/// Says a line. Whoever closed our output does not want to hear it, which is no failure.
pub(crate) fn say(words: &str) {
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// Announces a step.
pub(crate) fn announce(step: &str) {
    say(&format!("\n==> {step}"));
}

/// A line that shows how long we have been waiting: rewritten every second on a terminal, else a line every ten.
#[derive(Debug)]
pub(crate) struct Waiting {
    what: &'static str,
    began: Instant,
    told_s: u64,
}

impl Waiting {
    pub(crate) fn begin(what: &'static str) -> Self {
        Self { what, began: Instant::now(), told_s: 0 }
    }

    /// Shows the time, where it is time to.
    pub(crate) fn tick(&mut self) {
        let elapsed_s = self.began.elapsed().as_secs();
        let terminal = std::io::stdout().is_terminal();
        let pause_s = if terminal { 1 } else { 10 };
        if elapsed_s < self.told_s + pause_s {
            return;
        }
        self.told_s = elapsed_s;
        if terminal {
            let mut output = std::io::stdout();
            let _ = write!(output, "\r    {} … {elapsed_s} s ", self.what);
            let _ = output.flush();
        } else {
            say(&format!("    {} … {elapsed_s} s", self.what));
        }
    }

    /// How long it has been.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Ends the line.
    pub(crate) fn end(&self) {
        if self.told_s > 0 && std::io::stdout().is_terminal() {
            say("");
        }
    }
}
