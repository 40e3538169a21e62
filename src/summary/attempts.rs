//! Attempts: which findings belong to the same attempt of a migration.
//!
//! Findings come in; a list of [`Attempt`]s goes out, and which findings belong to the last one. What was found is not
//! known here.
//!
//! An attempt is identified by the migration's id. Most server logs have none; there, findings less than [`ATTEMPT_GAP`]
//! apart belong to one attempt. Such groups cannot be merged directly: a finding at 10:50 joins groups at 10:00 and 11:30 that
//! were two before it was seen. So what is kept and merged is one record for each *hour of the clock* with its first and last
//! time, and [`Attempts::list`] joins hours into attempts at the end. Within an hour no gap can be long enough.
//!
//! An attempt with states of which none is final has not ended.

use super::{MAX_NAMES, Times};
use crate::context::{State, Time};
use crate::finding::Finding;
use jiff::{SignedDuration, Timestamp};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, btree_map};

/// How long nothing is found between two attempts without ids. A person who validates, fixes and validates again takes
/// longer than that; the findings of one run are closer together.
pub const ATTEMPT_GAP: SignedDuration = SignedDuration::from_hours(1);
/// The most hours kept: the last ones.
const MAX_HOURS: usize = 10_000;

/// The attempts that findings belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempts {
    named: BTreeMap<String, Attempt>,
    hours: BTreeMap<i64, Attempt>,
    undated: u64,
    truncated: bool,
}

/// One attempt of a migration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Attempt {
    /// The migration's id; none where attempts are separated by time.
    pub migration: Option<String>,
    /// The first time of it that is known, from its findings and the migration's resource.
    pub first: Option<Time>,
    /// The last time of it that is known.
    pub last: Option<Time>,
    /// Findings.
    pub findings: u64,
    /// States that the migration's resource was in.
    pub states: Vec<State>,
    /// Whether one of them is final: Succeeded, Failed or Canceled.
    pub ended: bool,
}

/// Which findings are of the last attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastAttempt {
    migrations: Vec<String>,
    since: Option<Timestamp>,
}

impl LastAttempt {
    /// Returns whether a finding belongs to it, or may: a finding with neither an id nor a time is included.
    pub fn includes(&self, finding: &Finding) -> bool {
        match (migration(finding), finding.time, self.since) {
            (Some(id), ..) => self.migrations.iter().any(|known| known == id),
            (None, Some(time), Some(since)) => time.instant >= since,
            (None, ..) => true,
        }
    }
}

impl Attempt {
    fn count(&mut self, times: Times, findings: u64) {
        let mut known = self.times();
        known.merge(times);
        (self.first, self.last) = (known.first, known.last);
        self.findings += findings;
    }

    fn merge(&mut self, other: Attempt) {
        self.count(other.times(), other.findings);
        self.ended |= other.ended;
        self.states.extend(other.states);
        self.states.sort();
        self.states.dedup();
        self.states.truncate(MAX_NAMES);
    }

    /// Returns whether less than [`ATTEMPT_GAP`] lies between the two.
    pub fn is_near(&self, other: &Attempt) -> bool {
        let follows = |first: Option<Time>, last: Option<Time>| {
            first
                .zip(last)
                .is_some_and(|(first, last)| first.instant.duration_since(last.instant) < ATTEMPT_GAP)
        };
        follows(self.first, other.last) && follows(other.first, self.last)
    }

    fn times(&self) -> Times {
        Times { first: self.first, last: self.last }
    }
}

impl Attempts {
    /// Returns the attempts that a report lists; `truncated` if it has more.
    pub fn from_list(list: Vec<Attempt>, truncated: bool) -> Attempts {
        let mut attempts = Attempts { truncated, ..Attempts::default() };
        list.into_iter().for_each(|attempt| attempts.add_attempt(attempt));
        attempts
    }

    /// Adds a finding.
    pub fn add(&mut self, finding: &Finding) {
        let info = finding.migration_info.as_deref();
        let mut times = info.map_or(Times::default(), |info| Times { first: info.started, last: info.ended });
        times.add(finding.time);
        let state = info.and_then(|info| info.state.as_ref());
        let migration = migration(finding);
        // Nearly all findings belong to a known attempt; then nothing is allocated.
        let known = match (migration, times.first) {
            (Some(id), _) => self.named.get_mut(id),
            (None, Some(first)) => self.hours.get_mut(&hour(first)),
            (None, None) => None,
        };
        let has_state =
            |known: &&mut Attempt| state.is_none_or(|state| known.states.iter().any(|known| known == state));
        match known.filter(has_state) {
            Some(known) => known.count(times, 1),
            None => self.add_attempt(Attempt {
                migration: migration.map(str::to_string),
                first: times.first,
                last: times.last,
                findings: 1,
                states: state.cloned().into_iter().collect(),
                ended: state.is_some_and(State::is_final),
            }),
        }
    }

    /// Adds an attempt, or a part of one.
    pub fn add_attempt(&mut self, attempt: Attempt) {
        match (&attempt.migration, attempt.first) {
            (Some(id), _) => merge(&mut self.named, id.clone(), attempt),
            (None, Some(first)) => {
                merge(&mut self.hours, hour(first), attempt);
            }
            (None, None) => self.undated += attempt.findings,
        }
        self.bound();
    }

    /// Adds all attempts of `other`.
    pub fn merge(&mut self, other: Attempts) {
        other.named.into_iter().for_each(|(id, attempt)| merge(&mut self.named, id, attempt));
        other.hours.into_iter().for_each(|(hour, attempt)| merge(&mut self.hours, hour, attempt));
        self.undated += other.undated;
        self.truncated |= other.truncated;
        self.bound();
    }

    /// Keeps the smallest ids and the last hours. A dropped one never comes back with a part of its findings.
    fn bound(&mut self) {
        while self.named.len() > MAX_NAMES {
            self.named.pop_last();
            self.truncated = true;
        }
        while self.hours.len() > MAX_HOURS {
            self.hours.pop_first();
            self.truncated = true;
        }
    }

    /// Returns whether there were more than are kept.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// Returns the attempts, the last one last; those without any time come first.
    pub fn list(&self) -> Vec<Attempt> {
        let mut attempts = self.unnamed();
        attempts.extend(self.named.values().cloned());
        attempts.sort_by(|a, b| (a.last, a.first, &a.migration).cmp(&(b.last, b.first, &b.migration)));
        attempts
    }

    /// Returns the attempts without ids: hours less than a gap apart are joined.
    fn unnamed(&self) -> Vec<Attempt> {
        let mut attempts: Vec<Attempt> = Vec::new();
        for hour in self.hours.values() {
            let near = |known: &&mut Attempt| match (known.last, hour.first) {
                (Some(last), Some(first)) => first.instant.duration_since(last.instant) < ATTEMPT_GAP,
                _ => false,
            };
            match attempts.last_mut().filter(near) {
                Some(known) => known.merge(hour.clone()),
                None => attempts.push(hour.clone()),
            }
        }
        attempts
    }

    /// Returns the last attempt: the one with the latest time.
    ///
    /// Findings without an id that overlap with it in time are included, because they cannot be separated from it; another
    /// attempt with an id is not, even if it overlaps. Attempts without any time cannot be placed and are included.
    pub fn last(&self) -> LastAttempt {
        let undated = self.named.values().filter(|attempt| attempt.last.is_none());
        let mut migrations: Vec<String> = undated.filter_map(|attempt| attempt.migration.clone()).collect();
        let list = self.list();
        let Some(last) = list.last().filter(|attempt| attempt.last.is_some()) else {
            return LastAttempt { migrations, since: None };
        };
        let mut since = last.first;
        // Logs without ids that reach into it belong to it, so it may have started with them.
        let overlaps = |attempt: &&Attempt| {
            attempt.last.zip(last.first).is_some_and(|(end, start)| end.instant + ATTEMPT_GAP > start.instant)
        };
        match &last.migration {
            Some(id) => {
                migrations.push(id.clone());
                let logs = self.unnamed();
                since = logs.iter().filter(overlaps).filter_map(|logs| logs.first).min().min(since).or(since);
            }
            None => {
                let named = list.iter().rev().filter(|attempt| attempt.migration.is_some());
                migrations
                    .extend(named.filter(overlaps).take(1).filter_map(|attempt| attempt.migration.clone()));
            }
        }
        LastAttempt { migrations, since: since.map(|time| time.instant) }
    }
}

fn merge<K: Ord>(known: &mut BTreeMap<K, Attempt>, key: K, attempt: Attempt) {
    match known.entry(key) {
        btree_map::Entry::Vacant(place) => drop(place.insert(attempt)),
        btree_map::Entry::Occupied(mut place) => place.get_mut().merge(attempt),
    }
}

/// The hour of the clock, counted from 1970.
fn hour(time: Time) -> i64 {
    time.instant.as_second().div_euclid(ATTEMPT_GAP.as_secs())
}

/// The id of the migration that a finding belongs to.
fn migration(finding: &Finding) -> Option<&str> {
    let info = finding.migration_info.as_deref();
    finding.context.migration.as_deref().or_else(|| info.and_then(|info| info.resource.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    fn time(minute: i64) -> Time {
        let text = Timestamp::from_second(1_717_700_000 + 60 * minute).expect("a time").to_string();
        crate::context::time::first(&text, &TimeZone::UTC).expect("a time").0
    }

    fn part(migration: Option<&str>, minutes: Option<(i64, i64)>) -> Attempt {
        Attempt {
            migration: migration.map(str::to_string),
            first: minutes.map(|minutes| time(minutes.0)),
            last: minutes.map(|minutes| time(minutes.1)),
            findings: 1,
            ..Attempt::default()
        }
    }

    fn attempts(parts: &[Attempt]) -> Attempts {
        let mut attempts = Attempts::default();
        parts.iter().for_each(|part| attempts.add_attempt(part.clone()));
        attempts
    }

    #[test]
    fn an_hour_without_findings_parts_attempts_that_have_no_id() {
        let at = |minute| part(None, Some((minute, minute)));
        let listed = attempts(&[at(0), at(50), at(100), at(160), at(161)]).list();
        let counts: Vec<u64> = listed.iter().map(|attempt| attempt.findings).collect();
        assert_eq!(counts, [3, 2]);
        assert_eq!((listed[1].first, listed[1].last), (Some(time(160)), Some(time(161))));
    }

    #[test]
    fn the_last_attempt_is_the_latest_and_includes_logs_of_its_time() {
        let (old, new) = (part(Some("old"), Some((0, 10))), part(Some("new"), Some((300, 310))));
        let all = attempts(&[old.clone(), new, part(None, Some((5, 5))), part(None, Some((290, 305)))]);
        let last = all.last();
        assert_eq!(last.migrations, ["new"]);
        assert_eq!(last.since, Some(time(290).instant));
        let logs = attempts(&[old, part(None, Some((500, 501)))]).last();
        assert_eq!((logs.migrations.len(), logs.since), (0, Some(time(500).instant)));
        let undated = attempts(&[part(Some("m"), None), part(None, Some((500, 501)))]).last();
        assert_eq!(undated.migrations, ["m"], "what cannot be placed is kept");
        assert_eq!(attempts(&[]).last(), LastAttempt::default());
    }

    proptest! {
        /// Merging is associative and commutative, also for attempts that were listed in reports.
        #[test]
        fn parts_add_up_in_any_order(
            parts in prop::collection::vec((prop::option::of("[ab]"), prop::option::of((0i64..500, 0i64..90))), 0..24),
            cut in 0usize..24,
        ) {
            let parts: Vec<Attempt> = parts
                .iter()
                .map(|(id, minutes)| part(id.as_deref(), minutes.map(|(from, length)| (from, from + length))))
                .collect();
            let cut = cut.min(parts.len());
            let (mut one, two) = (attempts(&parts[cut..]), attempts(&parts[..cut]));
            let listed = [one.list(), two.list()].concat();
            one.merge(two);
            let whole = attempts(&parts);
            prop_assert_eq!(&one, &whole);
            let dated = |attempt: &&Attempt| attempt.migration.is_some() || attempt.first.is_some();
            let again = attempts(&listed.into_iter().filter(|attempt| dated(&attempt)).collect::<Vec<_>>());
            prop_assert_eq!(again.list(), whole.list());
        }
    }
}
