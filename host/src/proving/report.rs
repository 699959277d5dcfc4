//! What came of proving a connector, in sentences.

use std::fmt;

/// Something that is wrong with a connector, or kept it from being proven: one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw(String);

impl Flaw {
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        // What a connector says may have several lines.
        Self(sentence.into().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The same flaw, found in this place.
    pub(super) fn at(self, place: impl fmt::Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

impl From<anyhow::Error> for Flaw {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("the test kit itself failed: {error:#}"))
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A number of things, such as `1 request` or `2 requests`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// What came of one case, or of one interface.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) subject: String,
    /// What it shows.
    pub(super) about: String,
    /// How much was tried, such as `2 requests, 26 faults`.
    pub(super) tried: String,
    pub(super) flaws: Vec<Flaw>,
    /// What an author should know and is no flaw.
    pub(super) notes: Vec<String>,
}

/// What came of all.
#[derive(Debug, Default)]
pub struct Report {
    lines: Vec<Line>,
}

impl Report {
    pub(super) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Whether nothing was wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failed() == 0
    }

    fn failed(&self) -> usize {
        self.lines.iter().filter(|line| !line.flaws.is_empty()).count()
    }
}

/// A line for each case and interface, what was wrong with it and worth knowing below, and a summary.
impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let verdict = if line.flaws.is_empty() { "ok    " } else { "FAILED" };
            write!(out, "{verdict} {}: {}", line.subject, line.tried)?;
            if line.about.is_empty() {
                writeln!(out)?
            } else {
                writeln!(out, " ({})", line.about.trim_end_matches('.'))?
            }
            for flaw in &line.flaws {
                writeln!(out, "         {flaw}")?;
            }
            for note in &line.notes {
                writeln!(out, "         note: {note}")?;
            }
        }
        match (self.lines.len(), self.failed()) {
            (all, 0) => write!(out, "All {all} passed."),
            (all, failed) => write!(out, "{failed} of {all} failed."),
        }
    }
}
