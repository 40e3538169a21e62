//! The report: what a scan found, with what to do about it.
//!
//! An [`Outcome`] and the catalogue come in, a [`Report`] goes out: codes in the order people read them (worst first,
//! then most frequent), resolutions filled in, inputs accounted for. Every format but the streamed ones is made from it.
//! It knows no clock, host or thread count: the same input gives the same report.

pub mod history;
pub mod pivot;
pub mod plan;
mod resolve;
pub mod server;
pub mod support;
pub mod verdict;

pub use pivot::Pivots;
pub use plan::Plan;
pub use resolve::{Segment, advice, resolutions};
pub use support::Support;
pub use verdict::Verdict;

use crate::catalog::{Actor, Catalog, Entry, Scope, Severity, Side, Vendor};
use crate::finding::{Args, Finding};
use crate::matcher::wording::MatchQuality;
use crate::scan::{Inputs, Outcome};
use crate::summary::timeline::Timeline;
use crate::summary::{ArgSet, Attempt, Attempts, CodeSummary, Drift, MigrationFacts, SeverityCounts, Times};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The version of the JSON report's shape.
pub const SCHEMA_VERSION: u32 = 1;

/// What a scan found and what to do.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which catalogue was used.
    pub catalog: CatalogStamp,
    /// What was looked at.
    pub inputs: Inputs,
    /// The times of the first and last dated finding.
    pub window: Times,
    /// What was found, by code: by severity, then count, then id.
    pub codes: Vec<CodeReport>,
    /// What to do, in order.
    pub plan: Plan,
    /// What a support case needs.
    pub support: Support,
    /// What fails where.
    pub pivots: Pivots,
    /// The attempts that the findings belong to, the last one last.
    pub attempts: Vec<Attempt>,
    /// Whether there were more.
    pub attempts_truncated: bool,
    /// The id of the key under which names are tokens, if they are.
    pub redaction: Option<String>,
    /// What of it is known and accepted, rule by rule, where a baseline was applied.
    pub baseline: Option<Vec<Suppression>>,
    /// The run of a history that it is of, if it is of one.
    pub run: Option<history::Run>,
    /// How its findings came by day, where a history is reported.
    pub trend: Option<history::Trend>,
}

/// Which catalogue a report was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogStamp {
    /// Its edition.
    pub edition: String,
    /// How many entries it has.
    pub entries: usize,
    /// Its stable hash.
    pub fingerprint: String,
}

impl CatalogStamp {
    /// The stamp of `catalog`.
    pub fn new(catalog: &Catalog) -> CatalogStamp {
        CatalogStamp {
            edition: catalog.edition.clone(),
            entries: catalog.entries.len(),
            fingerprint: catalog.fingerprint(),
        }
    }
}

/// What was found of one code.
#[derive(Debug, Clone)]
pub struct CodeReport {
    /// The entry's id.
    pub id: Arc<str>,
    /// The entry's code.
    pub code: Option<Arc<str>>,
    /// The entry's title.
    pub title: Arc<str>,
    /// Whether a catalogue lists it.
    pub known: bool,
    /// The worst severity found.
    pub severity: Severity,
    /// Findings.
    pub count: u64,
    /// Findings by severity.
    pub by_severity: SeverityCounts,
    /// Distinct arguments and databases; what is said without a database belongs to what is said with one.
    pub failures: u64,
    /// Whether there may be more failures than that.
    pub failures_truncated: bool,
    /// When it was found.
    pub times: Times,
    /// How many dated findings there were when.
    pub timeline: Timeline,
    /// In how many sources it was found.
    pub files: u64,
    /// Findings by match quality, in the order of [`MatchQuality::ALL`].
    pub wording: [u64; 4],
    /// Distinct argument sets: most frequent first.
    pub args: Vec<ArgSet>,
    /// How many distinct argument sets there are.
    pub args_distinct: u64,
    /// Whether there may be more.
    pub args_distinct_truncated: bool,
    /// Whether not all of them are in `args`.
    pub args_truncated: bool,
    /// Findings by the server that arguments or surroundings name; the others name none.
    pub servers: BTreeMap<String, u64>,
    /// What to do, arguments filled in.
    pub resolutions: Vec<String>,
    /// The entry, where a catalogue lists it.
    pub entry: Option<Arc<Entry>>,
    /// The vendor of the service that has the code.
    pub vendor: Arc<Vendor>,
    /// The first few findings.
    pub samples: Vec<Finding>,
    /// What the log says where the catalogue's wording no longer fits.
    pub drift: Option<Drift>,
    /// What of it is known and accepted: it is counted above, but fails no run.
    pub suppressed: Suppressed,
    /// The databases in which not all of it is known and accepted, where a baseline was applied.
    pub open_databases: Option<BTreeSet<String>>,
}

/// Failures that a baseline says are known and accepted, and what was found of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The 1-based line of the rule in its file.
    pub line: usize,
    /// The entry's id.
    pub id: Arc<str>,
    /// Arguments that must be the same; others may be any.
    pub args: Args,
    /// The database; any, or none, where it is none.
    pub database: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub until: Option<Date>,
    /// Whether that day is over: what it takes counts again.
    pub expired: bool,
    /// What it takes.
    pub suppressed: Suppressed,
}

/// Findings and failures that are known and accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Suppressed {
    /// Findings by severity.
    pub by_severity: SeverityCounts,
    /// Distinct failures.
    pub failures: u64,
}

impl Suppressed {
    /// Takes in others.
    pub fn add(&mut self, other: Suppressed) {
        self.by_severity += other.by_severity;
        self.failures += other.failures;
    }

    /// How many findings there are.
    pub fn findings(&self) -> u64 {
        self.by_severity.total()
    }
}

impl CodeReport {
    /// What it concerns.
    pub fn scope(&self) -> Option<Scope> {
        self.entry.as_ref().map(|entry| entry.scope)
    }

    /// Where the mending is done.
    pub fn side(&self) -> Option<Side> {
        self.entry.as_ref().map(|entry| entry.side)
    }

    /// Who can mend it.
    pub fn actor(&self) -> Option<Actor> {
        self.entry.as_ref().map(|entry| entry.actor)
    }

    /// What to do, in text and statements; the same as `resolutions`.
    pub fn advice(&self) -> Vec<Vec<Segment>> {
        self.entry.as_ref().map(|entry| advice(entry, &self.args)).unwrap_or_default()
    }

    /// Findings that are warnings, and errors, but for what is known and accepted.
    pub fn open_by_severity(&self) -> SeverityCounts {
        self.by_severity - self.suppressed.by_severity
    }

    /// Failures that are not known and accepted.
    pub fn open_failures(&self) -> u64 {
        self.failures - self.suppressed.failures
    }

    /// The databases with such failures.
    pub fn open_databases(&self) -> BTreeSet<&str> {
        match &self.open_databases {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => verdict::databases_of(self),
        }
    }

    /// Findings of a match quality.
    pub fn graded(&self, quality: MatchQuality) -> u64 {
        self.wording[quality as usize]
    }
}

/// Sums over all codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Findings.
    pub findings: u64,
    /// Distinct failures.
    pub failures: u64,
    /// Whether there may be more.
    pub failures_truncated: bool,
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Findings of codes that no catalogue lists.
    pub unknown: u64,
    /// What of all this is known and accepted.
    pub suppressed: Suppressed,
}

impl Report {
    /// Makes the report of `outcome`, which was found with `catalog`.
    pub fn build(outcome: Outcome, catalog: &Catalog) -> Report {
        let mut window = Times::default();
        let mut codes = Vec::new();
        for (id, summary) in outcome.summary.codes {
            window.merge(summary.times);
            let (entry, vendor) = (catalog.entry(&id).cloned(), catalog.vendor(&id));
            codes.push(code_report(id, summary, entry, vendor));
        }
        codes.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.count.cmp(&a.count)).then(a.id.cmp(&b.id)));
        let (around, attempts) = (&outcome.summary.migration, &outcome.summary.attempts);
        let report =
            Report::assemble(CatalogStamp::new(catalog), outcome.inputs, window, codes, around, attempts);
        Report { redaction: outcome.redaction, ..report }
    }

    /// Puts a report together: what is derived from its codes is made anew.
    pub fn assemble(
        catalog: CatalogStamp,
        inputs: Inputs,
        window: Times,
        codes: Vec<CodeReport>,
        around: &MigrationFacts,
        attempts: &Attempts,
    ) -> Report {
        let support = Support::new(around, window, &codes, &catalog);
        let (plan, pivots) = (Plan::new(&codes, &support), Pivots::new(&codes, &support));
        let (attempts, attempts_truncated) = (attempts.list(), attempts.truncated());
        let baseline = None;
        Report {
            catalog,
            inputs,
            window,
            codes,
            redaction: None,
            baseline,
            plan,
            support,
            pivots,
            attempts,
            attempts_truncated,
            run: None,
            trend: None,
        }
    }

    /// Returns the name of the organization that supports what only support can fix, where there is one for all of it.
    pub fn support_name(&self) -> &str {
        let mut names = self.codes.iter().filter(|code| code.actor() == Some(Actor::Support));
        let first = names.next().map(|code| code.vendor.support.as_str());
        first.filter(|first| names.all(|code| code.vendor.support == *first)).unwrap_or("support")
    }

    /// Sums over all codes.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for code in &self.codes {
            totals.findings += code.count;
            totals.failures += code.failures;
            totals.failures_truncated |= code.failures_truncated;
            totals.warnings += code.by_severity.warnings;
            totals.errors += code.by_severity.errors;
            totals.suppressed.add(code.suppressed);
            totals.unknown += if code.known { 0 } else { code.count };
        }
        totals
    }
}

fn code_report(
    id: Arc<str>,
    summary: CodeSummary,
    entry: Option<Arc<Entry>>,
    vendor: Arc<Vendor>,
) -> CodeReport {
    let (args_truncated, failures_truncated) = (summary.args_truncated(), summary.failures_truncated());
    let (args_distinct, args_distinct_truncated) =
        (summary.args_distinct(), summary.args_distinct_truncated());
    let (count, severity, failures) = (summary.count(), summary.severity(), summary.failures());
    let mut args: Vec<ArgSet> = summary.args.into_values().collect();
    args.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| order(&a.args).cmp(&order(&b.args))));
    CodeReport {
        resolutions: entry.as_ref().map(|entry| resolutions(entry, &args)).unwrap_or_default(),
        id,
        code: summary.code,
        title: summary.title,
        known: summary.known,
        severity,
        count,
        by_severity: summary.by_severity,
        failures,
        failures_truncated,
        servers: summary.servers,
        times: summary.times,
        timeline: summary.timeline,
        files: summary.sources.len() as u64 + summary.prior_sources,
        wording: summary.wording,
        args,
        args_distinct,
        args_distinct_truncated,
        args_truncated,
        entry,
        vendor,
        samples: summary.samples,
        drift: summary.drift,
        suppressed: Suppressed::default(),
        open_databases: None,
    }
}

fn order(args: &Args) -> Vec<&crate::catalog::ArgValue> {
    args.iter().map(|(_, value)| value).collect()
}
