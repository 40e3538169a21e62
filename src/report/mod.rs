//! The report: the findings of a scan, the advice for them, and what was read.
//!
//! An [`Outcome`] and the catalogue come in, a [`Report`] goes out: codes in the order in which people read
//! them (worst first, then most frequent), with resolutions filled in, a plan and pivots. Every format except
//! the streamed ones is made from it. The report does not know a clock, a host or a thread count: the same
//! input has the same report.

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

use crate::catalog::{Actor, Catalog, Code, Entry, Scope, Severity, Side, Vendor};
use crate::finding::{Args, Finding};
use crate::matcher::MatchQuality;
use crate::scan::{Inputs, Outcome};
use crate::summary::timeline::Timeline;
use crate::summary::{ArgSet, Attempt, CodeSummary, Drift, SeverityCounts, Times};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The version of the JSON report's shape.
pub const SCHEMA_VERSION: u32 = 1;

/// A scan, summed up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The catalogue of the scan.
    pub catalog: CatalogStamp,
    /// The inputs, read or not.
    pub inputs: Inputs,
    /// The times of the first and last dated finding.
    pub window: Times,
    /// The codes, ordered by severity, then count, then id.
    pub codes: Vec<CodeReport>,
    /// The steps that fix the failures.
    pub plan: Plan,
    /// The facts for a support case.
    pub support: Support,
    /// Matrices of extensions and servers.
    pub pivots: Pivots,
    /// The attempts that the findings belong to, in order of time.
    pub attempts: Vec<Attempt>,
    /// Whether there were more attempts.
    pub attempts_truncated: bool,
    /// The id of the key under which names are tokens, if they are.
    pub redaction: Option<String>,
    /// The rules of the baseline with the failures that each accepts, if one was applied.
    pub baseline: Option<Vec<Suppression>>,
    /// The run of a history that this report is about, if it is about one.
    pub run: Option<history::Run>,
    /// Findings by day, if this is the report of a history.
    pub trend: Option<history::Trend>,
}

/// The identity of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogStamp {
    /// Its edition.
    pub edition: String,
    /// The number of its entries.
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

/// The findings of one code.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CodeReport {
    /// The entry's id.
    pub id: Arc<str>,
    /// The entry's code.
    pub code: Option<Code>,
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
    /// Distinct pairs of arguments and database. A finding without a database counts as one of those with the
    /// same arguments and a database, if there are any.
    pub failures: u64,
    /// Whether `failures` is a lower bound.
    pub failures_truncated: bool,
    /// The times of the first and last dated finding.
    pub times: Times,
    /// Dated findings over time.
    pub timeline: Timeline,
    /// The number of sources with findings.
    pub files: u64,
    /// Findings by match quality, in the order of [`MatchQuality::ALL`].
    pub wording: [u64; 4],
    /// Distinct argument sets, the most frequent first.
    pub args: Vec<ArgSet>,
    /// The number of distinct argument sets.
    pub args_distinct: u64,
    /// Whether `args_distinct` is a lower bound.
    pub args_distinct_truncated: bool,
    /// Whether `args` lists only some of them.
    pub args_truncated: bool,
    /// Findings by the server that their arguments or context name; the other findings name none.
    pub servers: BTreeMap<String, u64>,
    /// The advice, with arguments filled in.
    pub resolutions: Vec<String>,
    /// The entry, if the catalogue lists it.
    pub entry: Option<Arc<Entry>>,
    /// The vendor of the service that has the code.
    pub vendor: Arc<Vendor>,
    /// The first few findings.
    pub samples: Vec<Finding>,
    /// The text of a log that no longer fits the catalogue's wording.
    pub drift: Option<Drift>,
    /// Findings and failures that a baseline accepts: counted above, but they fail no run.
    pub suppressed: Suppressed,
    /// The databases with failures that are not accepted, if a baseline was applied.
    pub open_databases: Option<BTreeSet<String>>,
}

/// A rule of a baseline, and the failures that it accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The 1-based line of the rule in its file.
    pub line: usize,
    /// The entry's id.
    pub id: Arc<str>,
    /// Arguments that must be equal; others may have any value.
    pub args: Args,
    /// The database; if none, the rule accepts any, and failures without one.
    pub database: Option<String>,
    /// The reason.
    pub reason: String,
    /// The last day on which the rule applies.
    pub until: Option<Date>,
    /// Whether that day is over, so that the failures count again.
    pub expired: bool,
    /// The findings and failures that match the rule.
    pub suppressed: Suppressed,
}

/// Counts of findings and failures that a baseline accepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Suppressed {
    /// Findings by severity.
    pub by_severity: SeverityCounts,
    /// Distinct failures.
    pub failures: u64,
}

impl Suppressed {
    /// Adds other counts.
    pub fn add(&mut self, other: Suppressed) {
        self.by_severity += other.by_severity;
        self.failures += other.failures;
    }

    /// The number of findings.
    pub fn findings(&self) -> u64 {
        self.by_severity.total()
    }
}

impl CodeReport {
    /// Whether it concerns a server or a database; none if no catalogue lists it.
    pub fn scope(&self) -> Option<Scope> {
        self.entry.as_ref().map(|entry| entry.scope)
    }

    /// The side on which it is fixed.
    pub fn side(&self) -> Option<Side> {
        self.entry.as_ref().map(|entry| entry.side)
    }

    /// Who can fix it.
    pub fn actor(&self) -> Option<Actor> {
        self.entry.as_ref().map(|entry| entry.actor)
    }

    /// The advice as text and statements; `resolutions` holds the same as strings.
    pub fn advice(&self) -> Vec<Vec<Segment>> {
        self.entry.as_ref().map(|entry| advice(entry, &self.args)).unwrap_or_default()
    }

    /// Findings by severity, without accepted ones.
    pub fn open_by_severity(&self) -> SeverityCounts {
        self.by_severity - self.suppressed.by_severity
    }

    /// Failures that are not accepted.
    pub fn open_failures(&self) -> u64 {
        self.failures - self.suppressed.failures
    }

    /// The databases with failures that are not accepted.
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
#[non_exhaustive]
pub struct Totals {
    /// Findings.
    pub findings: u64,
    /// Distinct failures.
    pub failures: u64,
    /// Whether `failures` is a lower bound.
    pub failures_truncated: bool,
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Findings of codes that no catalogue lists.
    pub unknown: u64,
    /// Counts of all these that a baseline accepts.
    pub suppressed: Suppressed,
}

impl Report {
    /// The report of `outcome`, whose scan used `catalog`.
    pub fn build(outcome: Outcome, catalog: &Catalog) -> Report {
        let mut window = Times::default();
        let mut codes = Vec::new();
        for (id, summary) in outcome.summary.codes {
            window.merge(summary.times);
            let (entry, vendor) = (catalog.entry(&id).cloned(), catalog.vendor(&id));
            codes.push(code_report(id, summary, entry, vendor));
        }
        codes.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.count.cmp(&a.count)).then(a.id.cmp(&b.id)));
        let stamp = CatalogStamp::new(catalog);
        let support = Support::new(&outcome.summary.migration, window, &codes, &stamp);
        let attempts = outcome.summary.attempts;
        Report {
            catalog: stamp,
            inputs: outcome.inputs,
            window,
            plan: Plan::new(&codes, &support),
            pivots: Pivots::new(&codes, &support),
            support,
            codes,
            attempts: attempts.list(),
            attempts_truncated: attempts.truncated(),
            redaction: outcome.redaction,
            baseline: None,
            run: None,
            trend: None,
        }
    }

    /// Returns the name of the organization that supports what only support can fix, where there is one for
    /// all of it.
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
