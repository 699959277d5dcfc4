//! Proving a connector: its component runs in the production runtime, against a vendor that plays the connector's cases.
//!
//! A case says what one call of the connector asks its vendor, what the vendor answers, and how the call has to end. It is
//! played as it stands, executed once more after its end, and then again and again with one thing going wrong at each
//! request, after which the run must come to the same end with nothing done twice. Conformance holds a connector, besides,
//! against what is true of every connector.
//!
//! Nothing here is a copy of the host: what runs is [`crate::app::App`] on a temporary folder, with its own admission,
//! runtime, journal, vault and way out. Only the worker's decisions (run again, look, ask a person) are taken here, so that
//! they can be taken at once.

mod asked;
mod came;
mod case;
mod conformance;
mod course;
mod ends;
mod keys;
mod lists;
mod locate;
mod looking;
mod mishap;
mod outcome;
mod plot;
mod proof;
mod report;
mod scene;
mod script;
mod stand;
mod vendor;
mod webhook;
mod wire;

pub use report::Report;

use crate::connectors::inspect;
use anyhow::ensure;
use case::Case;
use mishap::Mishap;
use report::{Flaw, Line, count};
use stand::Stand;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is to be proven.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The connector's crate, whose cases are in its folder `cases`.
    #[arg(long, default_value = ".")]
    pub path: PathBuf,
    /// The built component; by default the one that cargo builds of the crate.
    #[arg(long)]
    pub component: Option<PathBuf>,
    /// Also hold it against what is true of every connector.
    #[arg(long, conflicts_with = "case")]
    pub conformance: bool,
    /// Play this case alone, such as `publish` for `cases/publish.json`.
    #[arg(long)]
    pub case: Option<String>,
}

/// Proves a connector. `program` is the `orla` program, whose `compile` command is the compiling child.
///
/// # Errors
/// A sentence: there is no component, admission refuses it, a case is none, or this machine lacks something.
pub async fn prove(program: PathBuf, options: &Options) -> anyhow::Result<Report> {
    let component = match &options.component {
        Some(component) => component.clone(),
        None => locate::component(&options.path)?,
    };
    ensure!(component.is_file(), "there is no component {}: build the connector first", component.display());
    let inspection = Box::pin(inspect(program.clone(), &component)).await?;
    let cases = case::load(&options.path.join("cases"), options.case.as_deref(), inspection.manifest())?;
    let mut report = Report::default();
    for (index, (settings, cases)) in by_settings(&cases).into_iter().enumerate() {
        let stand = Box::pin(Stand::open(program.clone(), &component, inspection.manifest(), settings)).await?;
        for case in &cases {
            report.add(Box::pin(prove_case(&stand, case)).await);
        }
        if options.conformance && index == 0 {
            conformance::of_component(&stand, &mut report).await;
        }
        if options.conformance {
            Box::pin(conformance::of_cases(&stand, &cases, &mut report)).await;
        }
        stand.close().await;
    }
    if options.conformance {
        conformance::of_interfaces(&inspection, &cases, &mut report);
    }
    Ok(report)
}

/// Each of the operator's settings is an admission of its own.
fn by_settings(cases: &[Case]) -> BTreeMap<&BTreeMap<String, String>, Vec<&Case>> {
    let mut groups: BTreeMap<_, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        groups.entry(&case.settings).or_default().push(case);
    }
    groups
}

/// Plays a case, and then with everything going wrong that can.
async fn prove_case(stand: &Stand, case: &Case) -> Line {
    let (subject, about) = (format!("{} ({})", case.name, case.call.name()), case.about.clone());
    stand.take_dropped();
    let played = course::play(stand, case).await;
    let notes = stand.take_dropped();
    let course = match played {
        Ok(course) => course,
        Err(flaw) => return Line { subject, about, tried: "played once".to_owned(), flaws: vec![flaw], notes },
    };
    let requests = course.calls.len();
    if !course.is_settled {
        let tried = format!("{}; it ends uncertain, so nothing more goes wrong", count(requests, "request"));
        return Line { subject, about, tried, flaws: Vec::new(), notes };
    }
    let mut found = Found::default();
    let mut faults = 0;
    for (index, call) in course.calls.iter().enumerate() {
        let number = index + 1;
        for mishap in Mishap::of(&case.exchanges[call.exchange].answer) {
            faults += 1;
            if let Err(flaw) = Box::pin(course::disturb(stand, case, &course, number, mishap)).await {
                found.add(flaw, format!("request {number}, {}, {mishap}", call.line));
            }
        }
    }
    let mut tried = format!("{}, {}", count(requests, "request"), count(faults, "fault"));
    let looks = looking::looks(stand, case, &course);
    faults = 0;
    for look in &looks {
        for (index, exchange) in look.shown().iter().enumerate() {
            for mishap in Mishap::of(&exchange.answer) {
                faults += 1;
                if let Err(flaw) = Box::pin(looking::disturb(stand, case, &course, look, (index + 1, mishap))).await {
                    let line = exchange.request.line();
                    found.add(flaw, format!("looking for `{}`, {line}, {mishap}", look.key()));
                }
            }
        }
    }
    if !looks.is_empty() {
        tried = format!("{tried}; {}, {}", count(looks.len(), "look"), count(faults, "fault"));
    }
    Line { subject, about, tried, flaws: found.flaws(), notes }
}

/// Flaws, each with the places where it was found.
#[derive(Debug, Default)]
struct Found(Vec<(Flaw, Vec<String>)>);

impl Found {
    fn add(&mut self, flaw: Flaw, place: String) {
        match self.0.iter_mut().find(|(known, _)| *known == flaw) {
            Some((_, places)) => places.push(place),
            None => self.0.push((flaw, vec![place])),
        }
    }

    fn flaws(self) -> Vec<Flaw> {
        let at = |(flaw, places): (Flaw, Vec<String>)| match places.len() {
            1 => flaw.at(&places[0]),
            all => flaw.at(format!("{} (and {} more)", places[0], all - 1)),
        };
        self.0.into_iter().map(at).collect()
    }
}
