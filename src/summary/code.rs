//! The summary of one code.
//!
//! Findings with the same id come in one by one, or as the summary of another thread or report; counts by
//! severity, time, source, server and argument set go out. What to do about the code is not known here.

use super::arg_set::{encode_args, hash_in_database};
use super::distinct::Overlap;
use super::timeline::Timeline;
use super::{
    ArgSet, Distinct, MAX_ARG_SETS, MAX_SAMPLES, MAX_SERVERS, PriorCount, ReportedCount, SeverityCounts,
    Times,
};
use crate::catalog::{Code, Entry, Severity, Subject};
use crate::context::Time;
use crate::finding::Finding;
use crate::matcher::MatchQuality;
use crate::source::Origin;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// What the findings of one id say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSummary {
    /// The entry's code.
    pub code: Option<Code>,
    /// The entry's title.
    pub title: Arc<str>,
    /// Whether a catalogue lists it.
    pub known: bool,
    /// Findings by severity.
    pub by_severity: SeverityCounts,
    /// Findings by grade, in the order of [`MatchQuality::ALL`].
    pub wording: [u64; 4],
    /// Times of the first and last dated finding.
    pub times: Times,
    /// Dated findings by time.
    pub timeline: Timeline,
    /// The sources it was found in, by number.
    pub sources: BTreeSet<u32>,
    /// How many more sources it was found in, according to earlier reports, which do not number them.
    pub prior_sources: u64,
    /// Distinct pairs of arguments and database.
    pub failures_with_database: Distinct,
    /// Distinct arguments that were found with a database.
    pub args_with_database: Distinct,
    /// Distinct arguments.
    pub args_distinct: Distinct,
    /// The failures that earlier reports counted.
    pub prior_failures: PriorCount,
    /// The distinct arguments that earlier reports counted.
    pub prior_args: PriorCount,
    /// Findings by the server that the arguments or the context name: the first [`MAX_SERVERS`] by name.
    pub servers: BTreeMap<String, u64>,
    /// Argument sets by stable hash, at most [`MAX_ARG_SETS`].
    pub args: BTreeMap<u64, ArgSet>,
    /// The first findings by path, member and offset, at most [`MAX_SAMPLES`].
    pub samples: Vec<Finding>,
    /// The first finding whose wording the catalogue does not have.
    pub drift: Option<Drift>,
}

/// What the log says where the catalogue's wording no longer fits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    /// The source it was found in.
    pub origin: Arc<Origin>,
    /// The offset in the source.
    pub offset: u64,
    /// The text.
    pub text: String,
}

impl CodeSummary {
    /// Returns a summary of no findings.
    pub fn new(code: Option<Code>, title: Arc<str>, known: bool) -> CodeSummary {
        CodeSummary {
            code,
            title,
            known,
            by_severity: SeverityCounts::default(),
            wording: [0; 4],
            times: Times::default(),
            timeline: Timeline::default(),
            sources: BTreeSet::new(),
            prior_sources: 0,
            failures_with_database: Distinct::default(),
            args_with_database: Distinct::default(),
            args_distinct: Distinct::default(),
            prior_failures: PriorCount::default(),
            prior_args: PriorCount::default(),
            servers: BTreeMap::new(),
            args: BTreeMap::new(),
            samples: Vec::new(),
            drift: None,
        }
    }

    pub(super) fn add(&mut self, finding: &Finding, entry: Option<&Entry>, source: u32) {
        self.by_severity += SeverityCounts::one(finding.severity);
        self.wording[finding.wording as usize] += 1;
        self.times.add(finding.time);
        if let Some(time) = finding.time {
            self.timeline.add(second(time), 1);
        }
        if self.sources.last() != Some(&source) {
            self.sources.insert(source);
        }
        if finding.wording == MatchQuality::Drifted {
            let (origin, offset, text) = (finding.origin.clone(), finding.offset, finding.text.clone());
            self.add_drift(Drift { origin, offset, text });
        }
        if let Some(server) = server(finding, entry) {
            self.add_server(server);
        }
        self.add_args(finding);
    }

    fn add_server(&mut self, server: &str) {
        match self.servers.get_mut(server) {
            Some(count) => *count += 1,
            None => {
                self.servers.insert(server.to_string(), 1);
                self.bound_servers();
            }
        }
    }

    fn add_args(&mut self, finding: &Finding) {
        let counts = SeverityCounts::one(finding.severity);
        let mut encoded = encode_args(&finding.args);
        let args_hash = xxh3_64(&encoded);
        let set = match self.args.entry(args_hash) {
            btree_map::Entry::Vacant(place) => {
                self.args_distinct.add(args_hash);
                place.insert(ArgSet { args: finding.args.clone(), ..ArgSet::default() })
            }
            // It was counted as distinct when it was inserted. It is among the smallest hashes, so it still
            // is.
            btree_map::Entry::Occupied(place) => place.into_mut(),
        };
        set.count += 1;
        set.times.add(finding.time);
        match finding.context.database.as_deref().map(|name| (name, set.databases.get_mut(name))) {
            None => set.without_database += counts,
            // The pair of these arguments and this database was counted as distinct when the database was
            // inserted.
            Some((_, Some(known))) => *known += counts,
            Some((name, None)) => {
                self.args_with_database.add(args_hash);
                self.failures_with_database.add(hash_in_database(&mut encoded, name));
                set.databases.insert(name.to_string(), counts);
                set.bound();
            }
        }
        if self.args.len() > MAX_ARG_SETS {
            self.args.pop_last();
        }
    }

    /// Keeps a finding as a sample, if it is among the first.
    pub(super) fn sample(&mut self, finding: &Finding) {
        let samples = &mut self.samples;
        // Findings come in order, so nearly all come after the last one that is kept.
        if samples.len() == MAX_SAMPLES && samples.last().is_some_and(|last| order(last, finding).is_le()) {
            return;
        }
        let place = samples.partition_point(|known| order(known, finding).is_lt());
        if place < MAX_SAMPLES && samples.get(place).is_none_or(|known| order(known, finding).is_ne()) {
            samples.insert(place, finding.clone());
            samples.truncate(MAX_SAMPLES);
        }
    }

    /// Adds an argument set that a report lists. Each is added once; the sums over all sets stay as they are,
    /// because the report states them.
    pub fn add_listed(&mut self, set: ArgSet) {
        let encoded = encode_args(&set.args);
        let hash = xxh3_64(&encoded);
        self.args_distinct.add(hash);
        if !set.databases.is_empty() {
            self.args_with_database.add(hash);
        }
        for database in set.databases.keys() {
            self.failures_with_database.add(hash_in_database(&mut encoded.clone(), database));
        }
        self.args.insert(hash, set);
    }

    /// Sets how many failures and argument sets a report counted, listed or not. Call it after all
    /// [`Self::add_listed`].
    pub fn set_prior_counts(&mut self, failures: ReportedCount, args_distinct: ReportedCount) {
        self.prior_failures = PriorCount::new(failures, self.failures());
        self.prior_args = PriorCount::new(args_distinct, self.args_distinct());
    }

    pub(super) fn merge(&mut self, other: CodeSummary) {
        let both = self.count() > 0 && other.count() > 0;
        let overlap = if both { Overlap::Possible } else { Overlap::None };
        self.by_severity += other.by_severity;
        for (mine, theirs) in self.wording.iter_mut().zip(other.wording) {
            *mine += theirs;
        }
        self.times.merge(other.times);
        self.timeline.merge(&other.timeline);
        self.sources.extend(other.sources);
        self.prior_sources += other.prior_sources;
        for (server, count) in other.servers {
            *self.servers.entry(server).or_default() += count;
        }
        self.bound_servers();
        self.failures_with_database.merge(other.failures_with_database);
        self.args_with_database.merge(other.args_with_database);
        self.args_distinct.merge(other.args_distinct);
        self.prior_failures.merge(other.prior_failures, overlap);
        self.prior_args.merge(other.prior_args, overlap);
        if let Some(drift) = other.drift {
            self.add_drift(drift);
        }
        for (hash, set) in other.args {
            match self.args.entry(hash) {
                btree_map::Entry::Vacant(place) => {
                    place.insert(set);
                }
                btree_map::Entry::Occupied(mut place) => place.get_mut().merge(set),
            }
        }
        while self.args.len() > MAX_ARG_SETS {
            self.args.pop_last();
        }
        self.samples.extend(other.samples);
        self.samples.sort_by(order);
        self.samples.dedup_by(|a, b| order(a, b).is_eq());
        self.samples.truncate(MAX_SAMPLES);
    }

    fn add_drift(&mut self, drift: Drift) {
        if self.drift.as_ref().is_none_or(|known| drift < *known) {
            self.drift = Some(drift);
        }
    }

    fn bound_servers(&mut self) {
        while self.servers.len() > MAX_SERVERS {
            self.servers.pop_last();
        }
    }

    /// Returns the number of findings.
    pub fn count(&self) -> u64 {
        self.by_severity.total()
    }

    /// Returns the number of failures: distinct pairs of arguments and database.
    ///
    /// The service repeats a database's failures at the top level of its resource, without the database. So
    /// findings without a database are *folded*: where the same arguments are also found in a database, they
    /// are the same failure. Only arguments that were never found with a database count once more.
    ///
    /// Example: `postgis` in `db1`, `postgis` in `db2`, `postgis` without a database and `hstore` without a
    /// database are three failures: two pairs, and `hstore`.
    pub fn failures(&self) -> u64 {
        let without_database = self.args_distinct.count_without(&self.args_with_database);
        self.prior_failures.count.max(self.failures_with_database.count() + without_database)
    }

    /// Returns whether there may be more failures than [`CodeSummary::failures`] says.
    pub fn failures_truncated(&self) -> bool {
        self.failures_with_database.truncated || self.args_distinct.truncated || self.prior_failures.truncated
    }

    /// Returns the number of distinct argument sets.
    pub fn args_distinct(&self) -> u64 {
        self.prior_args.count.max(self.args_distinct.count())
    }

    /// Returns whether there may be more argument sets than [`CodeSummary::args_distinct`] says.
    pub fn args_distinct_truncated(&self) -> bool {
        self.args_distinct.truncated || self.prior_args.truncated
    }

    /// Returns the worst severity found.
    pub fn severity(&self) -> Severity {
        self.by_severity.worst()
    }

    /// Returns whether not every argument set is kept.
    pub fn args_truncated(&self) -> bool {
        self.args_distinct_truncated() || self.args_distinct() > self.args.len() as u64
    }

    /// Returns the number of findings of a grade.
    pub fn graded(&self, grade: MatchQuality) -> u64 {
        self.wording[grade as usize]
    }
}

/// The server a finding is about: the one its arguments name, else the one in its context.
fn server<'f>(finding: &'f Finding, entry: Option<&Entry>) -> Option<&'f str> {
    let named = entry.and_then(|entry| entry.value_of(Subject::Server, &finding.args));
    named.or(finding.context.server.as_deref())
}

/// The second since 1970 that a time lies in, rounded down before 1970, too.
fn second(time: Time) -> i64 {
    time.instant.as_nanosecond().div_euclid(1_000_000_000) as i64
}

/// The order of samples: path, member and offset.
fn order(a: &Finding, b: &Finding) -> Ordering {
    let same = Arc::ptr_eq(&a.origin, &b.origin);
    let sources = if same { Ordering::Equal } else { a.origin.cmp(&b.origin) };
    sources.then_with(|| (a.offset, a.length).cmp(&(b.offset, b.length)))
}
