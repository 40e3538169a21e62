//! Summaries: what many findings say together.
//!
//! Findings come in by [`Summary::add`], other summaries by [`Summary::merge`], which is associative and commutative
//! with an empty summary as its identity: threads, files, days and machines add up in any order. Everything is bounded.
//! Where a collection is full the smallest by a stable order are kept, never the first seen, and the cut is flagged.

pub mod timeline;

use crate::catalog::{ArgValue, Severity};
use crate::context::Time;
use crate::finding::{Args, Finding};
use crate::matcher::wording::Grade;
use crate::source::Origin;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::sync::Arc;
use timeline::Timeline;
use xxhash_rust::xxh3::xxh3_64;

mod attempts;
mod migration;

pub use attempts::{ATTEMPT_GAP, Attempt, Attempts, LastAttempt};
pub use migration::{MAX_NAMES, MigrationFacts, Names};

/// The most argument sets kept a code.
pub const MAX_ARG_SETS: usize = 10_000;
/// The most distinct hashes counted a code; beyond that a distinct count is a lower bound.
pub const MAX_DISTINCT: usize = 1 << 20;
/// The most databases named for one argument set.
pub const MAX_DATABASES: usize = 1_000;
/// The most servers counted for one code.
pub const MAX_SERVERS: usize = 1_000;
/// How many findings are shown as samples of a code.
pub const MAX_SAMPLES: usize = 5;

/// What many findings say, by code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// One summary for each id found.
    pub codes: BTreeMap<Arc<str>, CodeSummary>,
    /// What stands around them.
    pub migration: MigrationFacts,
    /// The attempts they belong to.
    pub attempts: Attempts,
}

/// What the findings of one id say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSummary {
    /// The entry's code.
    pub code: Option<Arc<str>>,
    /// The entry's title.
    pub title: Arc<str>,
    /// Whether a catalogue lists it.
    pub known: bool,
    /// Findings that are warnings, and errors.
    pub by_severity: [u64; 2],
    /// Findings by grade, in the order of [`Grade::ALL`].
    pub wording: [u64; 4],
    /// Times of the first and last dated finding.
    pub times: Times,
    /// How many dated findings there were when.
    pub timeline: Timeline,
    /// The sources it was found in, by number.
    pub sources: BTreeSet<u32>,
    /// How many sources it was found in that have no number: those of reports made before.
    pub prior_sources: u64,
    /// Distinct arguments with their databases, where a database is known.
    pub failures_with_database: Distinct,
    /// Distinct arguments that were found with a database.
    pub args_with_database: Distinct,
    /// The failures that reports made before have counted.
    pub prior_failures: PriorCount,
    /// The distinct arguments that reports made before have counted.
    pub prior_args: PriorCount,
    /// Distinct arguments.
    pub args_distinct: Distinct,
    /// Findings by the server that the arguments or the surroundings name: the first [`MAX_SERVERS`] by name.
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
    /// Where it was found.
    pub origin: Arc<Origin>,
    /// Where in the source.
    pub offset: u64,
    /// What it says.
    pub text: String,
}

/// One distinct set of arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArgSet {
    /// The arguments.
    pub args: Args,
    /// How often for which database: warnings and errors. At most [`MAX_DATABASES`], the first by name.
    pub databases: BTreeMap<String, [u64; 2]>,
    /// How often without a database: warnings and errors.
    pub without_database: [u64; 2],
    /// How often for databases that are not among those kept: warnings and errors.
    pub other_databases: [u64; 2],
    /// How often.
    pub count: u64,
    /// When.
    pub times: Times,
}

/// The first and last of some times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// The earliest.
    pub first: Option<Time>,
    /// The latest.
    pub last: Option<Time>,
}

impl Times {
    /// Takes in a time.
    pub fn add(&mut self, time: Option<Time>) {
        self.merge(Times { first: time, last: time });
    }

    /// Takes in other times.
    pub fn merge(&mut self, other: Times) {
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
    }
}

/// A count of distinct things by their stable hashes, exact up to [`MAX_DISTINCT`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distinct {
    hashes: BTreeSet<u64>,
    /// Whether there were more: the count is a lower bound.
    pub truncated: bool,
}

/// What a report made before has counted, which may be more than it lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PriorCount {
    count: u64,
    /// Whether it has counted more than it lists, so that what others have of it is not known.
    unlisted: bool,
    /// Whether there may be more: the count is a lower bound.
    truncated: bool,
}

impl PriorCount {
    /// Takes in another count; `both` says whether there are findings on both sides.
    fn merge(&mut self, other: PriorCount, both: bool) {
        self.unlisted |= other.unlisted;
        // The same thing may be among what either does not list.
        self.truncated |= other.truncated || both && self.unlisted;
        self.count = self.count.max(other.count);
    }
}

impl Distinct {
    /// How many of these are not in `other`, which holds nothing else. As both keep their smallest hashes, a cut does
    /// not mistake one.
    fn without(&self, other: &Distinct) -> u64 {
        self.hashes.difference(&other.hashes).count() as u64
    }

    fn add(&mut self, hash: u64) {
        if self.hashes.insert(hash) && self.hashes.len() > MAX_DISTINCT {
            self.hashes.pop_last();
            self.truncated = true;
        }
    }

    /// How many distinct things there were.
    pub fn count(&self) -> u64 {
        self.hashes.len() as u64
    }
}

impl Summary {
    /// Takes in a finding of the source with number `source`. Samples come by [`Summary::sample`].
    pub fn add(&mut self, finding: &Finding, source: u32) {
        self.migration.add(finding);
        self.attempts.add(finding);
        self.code(finding).add(finding, source);
    }

    /// Takes in a finding as a sample, if it is among the first.
    pub fn sample(&mut self, finding: &Finding) {
        let samples = &mut self.code(finding).samples;
        // Findings come in order: nearly all stand behind the last one kept.
        if samples.len() == MAX_SAMPLES && samples.last().is_some_and(|last| order(last, finding).is_le()) {
            return;
        }
        let place = samples.partition_point(|known| order(known, finding).is_lt());
        if place < MAX_SAMPLES && samples.get(place).is_none_or(|known| order(known, finding).is_ne()) {
            samples.insert(place, finding.clone());
            samples.truncate(MAX_SAMPLES);
        }
    }

    fn code(&mut self, finding: &Finding) -> &mut CodeSummary {
        self.codes
            .entry(finding.id.clone())
            .or_insert_with(|| CodeSummary::new(finding.code.clone(), finding.title.clone(), finding.known))
    }

    /// Takes in all that `other` knows.
    pub fn merge(&mut self, other: Summary) {
        self.migration.merge(other.migration);
        self.attempts.merge(other.attempts);
        for (id, code) in other.codes {
            match self.codes.entry(id) {
                btree_map::Entry::Vacant(place) => {
                    place.insert(code);
                }
                btree_map::Entry::Occupied(mut place) => place.get_mut().merge(code),
            }
        }
    }

    /// How many findings there are.
    pub fn findings(&self) -> u64 {
        self.codes.values().map(CodeSummary::count).sum()
    }
}

impl CodeSummary {
    /// A summary of no findings.
    pub fn new(code: Option<Arc<str>>, title: Arc<str>, known: bool) -> CodeSummary {
        CodeSummary {
            code,
            title,
            known,
            by_severity: [0; 2],
            wording: [0; 4],
            times: Times::default(),
            timeline: Timeline::default(),
            sources: BTreeSet::new(),
            prior_sources: 0,
            failures_with_database: Distinct::default(),
            args_with_database: Distinct::default(),
            prior_failures: PriorCount::default(),
            prior_args: PriorCount::default(),
            args_distinct: Distinct::default(),
            servers: BTreeMap::new(),
            args: BTreeMap::new(),
            samples: Vec::new(),
            drift: None,
        }
    }

    fn add(&mut self, finding: &Finding, source: u32) {
        self.by_severity[usize::from(finding.severity == Severity::Error)] += 1;
        self.wording[finding.wording as usize] += 1;
        self.times.add(finding.time);
        if let Some(time) = finding.time {
            self.timeline.add(second(time), 1);
        }
        if self.sources.last() != Some(&source) {
            self.sources.insert(source);
        }
        if finding.wording == Grade::Drifted {
            let (origin, offset, text) = (finding.origin.clone(), finding.offset, finding.text.clone());
            self.drifted(Drift { origin, offset, text });
        }
        if let Some(server) = server(finding) {
            // A name that is dropped has MAX_SERVERS smaller ones, so it never comes back with a part of its count.
            match self.servers.get_mut(server) {
                Some(count) => *count += 1,
                None => {
                    self.servers.insert(server.to_string(), 1);
                    bound_servers(&mut self.servers);
                }
            }
        }
        let mut found = [0; 2];
        found[usize::from(finding.severity == Severity::Error)] = 1;
        let mut encoded = encode_args(&finding.args);
        let args_hash = xxh3_64(&encoded);
        let set = match self.args.entry(args_hash) {
            btree_map::Entry::Vacant(place) => {
                self.args_distinct.add(args_hash);
                place.insert(ArgSet { args: finding.args.clone(), ..ArgSet::default() })
            }
            // It is among the smallest hashes, so it has been counted and is counted still.
            btree_map::Entry::Occupied(place) => place.into_mut(),
        };
        set.count += 1;
        set.times.add(finding.time);
        match finding.context.database.as_deref().map(|name| (name, set.databases.get_mut(name))) {
            None => sum(&mut set.without_database, found),
            // A database that is named has been counted with these arguments.
            Some((_, Some(known))) => sum(known, found),
            Some((name, None)) => {
                self.args_with_database.add(args_hash);
                self.failures_with_database.add(hash_in_database(&mut encoded, name));
                set.databases.insert(name.to_string(), found);
                set.bound();
            }
        }
        if self.args.len() > MAX_ARG_SETS {
            self.args.pop_last();
        }
    }

    /// Takes in a set of arguments as a report lists it, each once, without touching the sums over all sets.
    pub fn list(&mut self, set: ArgSet) {
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

    /// Takes in how many failures and sets of arguments a report has counted, listed or not, and whether these numbers
    /// are lower bounds.
    pub fn counted(&mut self, failures: (u64, bool), args_distinct: (u64, bool)) {
        let before = |(count, truncated), listed| PriorCount { count, unlisted: count > listed, truncated };
        self.prior_failures = before(failures, self.failures());
        self.prior_args = before(args_distinct, self.args_distinct());
    }

    fn merge(&mut self, other: CodeSummary) {
        let both = self.count() > 0 && other.count() > 0;
        sum(&mut self.by_severity, other.by_severity);
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
        bound_servers(&mut self.servers);
        for (mine, theirs) in [
            (&mut self.failures_with_database, other.failures_with_database),
            (&mut self.args_with_database, other.args_with_database),
            (&mut self.args_distinct, other.args_distinct),
        ] {
            mine.truncated |= theirs.truncated;
            theirs.hashes.into_iter().for_each(|hash| mine.add(hash));
        }
        self.prior_failures.merge(other.prior_failures, both);
        self.prior_args.merge(other.prior_args, both);
        if let Some(drift) = other.drift {
            self.drifted(drift);
        }
        for (hash, set) in other.args {
            match self.args.entry(hash) {
                btree_map::Entry::Vacant(place) => {
                    place.insert(set);
                }
                btree_map::Entry::Occupied(mut place) => {
                    let mine = place.get_mut();
                    mine.count += set.count;
                    mine.times.merge(set.times);
                    sum(&mut mine.without_database, set.without_database);
                    sum(&mut mine.other_databases, set.other_databases);
                    for (database, found) in set.databases {
                        sum(mine.databases.entry(database).or_default(), found);
                    }
                    mine.bound();
                }
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

    fn drifted(&mut self, drift: Drift) {
        if self.drift.as_ref().is_none_or(|known| drift < *known) {
            self.drift = Some(drift);
        }
    }

    /// How many findings there are.
    pub fn count(&self) -> u64 {
        self.by_severity.iter().sum()
    }

    /// How many failures there are: distinct arguments and databases. What is said without a database is the same
    /// failure as what is said with the same arguments in one, because the service repeats it at the top of its
    /// resource without naming the database.
    pub fn failures(&self) -> u64 {
        let listed =
            self.failures_with_database.count() + self.args_distinct.without(&self.args_with_database);
        self.prior_failures.count.max(listed)
    }

    /// Whether there may be more failures than [`CodeSummary::failures`] says.
    pub fn failures_truncated(&self) -> bool {
        self.failures_with_database.truncated || self.args_distinct.truncated || self.prior_failures.truncated
    }

    /// How many distinct sets of arguments there are.
    pub fn args_distinct(&self) -> u64 {
        self.prior_args.count.max(self.args_distinct.count())
    }

    /// Whether there may be more sets of arguments than [`CodeSummary::args_distinct`] says.
    pub fn args_distinct_truncated(&self) -> bool {
        self.args_distinct.truncated || self.prior_args.truncated
    }

    /// The worst severity found.
    pub fn severity(&self) -> Severity {
        if self.by_severity[1] > 0 { Severity::Error } else { Severity::Warning }
    }

    /// Whether not every argument set is kept.
    pub fn args_truncated(&self) -> bool {
        self.args_distinct_truncated() || self.args_distinct() > self.args.len() as u64
    }

    /// Findings of a grade.
    pub fn graded(&self, grade: Grade) -> u64 {
        self.wording[grade as usize]
    }
}

impl ArgSet {
    /// How many failures these arguments are: one for each database that is kept, or one where none is known.
    pub fn failures(&self) -> u64 {
        (self.databases.len() as u64).max(1)
    }

    /// What is found for a database that is not kept is counted without its name.
    fn bound(&mut self) {
        while self.databases.len() > MAX_DATABASES {
            let (_, found) = self.databases.pop_last().unwrap_or_default();
            sum(&mut self.other_databases, found);
        }
    }

    /// How often: warnings and errors.
    pub fn by_severity(&self) -> [u64; 2] {
        let mut all = self.without_database;
        self.databases.values().chain([&self.other_databases]).for_each(|found| sum(&mut all, *found));
        all
    }

    /// Whether it was found for more databases than are kept.
    pub fn databases_truncated(&self) -> bool {
        self.other_databases != [0; 2]
    }
}

fn sum(mine: &mut [u64; 2], theirs: [u64; 2]) {
    mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
}

/// What tells these arguments from others: the same on every machine and day.
pub fn args_hash(args: &Args) -> u64 {
    xxh3_64(&encode_args(args))
}

/// What tells arguments in a database from others; what `encoded` says of them is used up.
fn hash_in_database(encoded: &mut Vec<u8>, database: &str) -> u64 {
    encoded.extend_from_slice(b"\0@");
    encoded.extend_from_slice(database.as_bytes());
    xxh3_64(encoded)
}

fn bound_servers(servers: &mut BTreeMap<String, u64>) {
    while servers.len() > MAX_SERVERS {
        servers.pop_last();
    }
}

/// The server a finding is about: what its arguments name, else what stands around it.
fn server(finding: &Finding) -> Option<&str> {
    let named = finding.args.iter().find_map(|(name, value)| match value {
        ArgValue::One(value) if &**name == "server" => Some(value.as_str()),
        _ => None,
    });
    named.or(finding.context.server.as_deref())
}

/// The second a time lies in, also before 1970.
fn second(time: Time) -> i64 {
    time.instant.as_nanosecond().div_euclid(1_000_000_000) as i64
}

/// How samples are ordered: by path, member and place.
fn order(a: &Finding, b: &Finding) -> Ordering {
    let same = Arc::ptr_eq(&a.origin, &b.origin);
    let sources = if same { Ordering::Equal } else { a.origin.cmp(&b.origin) };
    sources.then_with(|| (a.offset, a.length).cmp(&(b.offset, b.length)))
}

/// What the arguments are told apart by: hashed, it is the same on every machine and day. A database may follow.
fn encode_args(args: &Args) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(256);
    for (name, value) in args {
        encoded.extend_from_slice(name.as_bytes());
        match value {
            ArgValue::One(value) => {
                encoded.extend_from_slice(b"\0=");
                encoded.extend_from_slice(value.as_bytes());
            }
            ArgValue::Many(values) => {
                for value in values {
                    encoded.extend_from_slice(b"\0,");
                    encoded.extend_from_slice(value.as_bytes());
                }
            }
        }
        encoded.extend_from_slice(b"\0;");
    }
    encoded
}
