//! Checks that the numbers of a report agree with each other.
//!
//! A report that was read comes in; the first [`Mismatch`] goes out. How the report was read is not known here.

use super::{ArgSetRecord, CodeRecord, InputsRecord, ReportRecord, TimelineRecord};
use crate::report::Support;
use crate::scan::Status;
use crate::summary::timeline::Timeline;
use crate::summary::{Attempts, MAX_ARG_SETS, MAX_DATABASES, MAX_NAMES, MAX_SAMPLES, MAX_SERVERS, args_hash};
use std::collections::BTreeSet;
use std::fmt;

/// The largest count that is accepted. JSON readers that use floating point represent all counts up to it
/// exactly.
pub const MAX_COUNT: u64 = (1 << 53) - 1;
/// The name of a sum over all codes.
const OVER_CODES: &str = "the sum over codes";

/// A place that does not add up.
#[derive(Debug)]
pub(super) struct Mismatch {
    /// The value as JSON calls it, such as `codes[3].count`.
    pub place: String,
    /// What is wrong with it.
    pub message: String,
}

impl Mismatch {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Mismatch {
        Mismatch { place: place.into(), message: message.into() }
    }
}

/// A number with the name that messages use.
#[derive(Clone, Copy)]
struct Number<'n> {
    name: &'n str,
    /// None if it is a sum above [`MAX_COUNT`].
    value: Option<u64>,
}

impl<'n> Number<'n> {
    fn new(name: &'n str, value: u64) -> Number<'n> {
        Number { name, value: Some(value) }
    }

    fn sum(name: &'n str, numbers: impl IntoIterator<Item = u64>) -> Number<'n> {
        Number { name, value: add(numbers) }
    }
}

impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "{} ({value})", self.name),
            None => write!(f, "{} (above {MAX_COUNT})", self.name),
        }
    }
}

/// Checks that the numbers agree with each other. A report that was cut or edited by hand would otherwise
/// lead to sums that nobody can trace.
pub(super) fn check(report: &ReportRecord<'_>) -> Result<(), Mismatch> {
    inputs(&report.inputs, report.complete)?;
    let (totals, codes) = (&report.totals, &report.codes);
    let findings = Number::new("findings", totals.findings);
    agree("totals", findings, Number::sum("error and warning together", [totals.error, totals.warning]))?;
    let unknown = codes.iter().filter(|code| !code.known).map(|code| code.count);
    for (number, sum) in [
        (findings, Number::sum(OVER_CODES, codes.iter().map(|code| code.count))),
        (
            Number::new("failures", totals.failures),
            Number::sum(OVER_CODES, codes.iter().map(|code| code.failures)),
        ),
        (Number::new("error", totals.error), Number::sum(OVER_CODES, codes.iter().map(|code| code.error))),
        (Number::new("unknown", totals.unknown), Number::sum(OVER_CODES, unknown)),
    ] {
        agree("totals", number, sum)?;
    }
    let mut ids = BTreeSet::new();
    for (i, record) in codes.iter().enumerate() {
        let place = format!("codes[{i}]");
        if !ids.insert(&record.id) {
            return Err(Mismatch::new(format!("{place}.id"), format!("the id {} appears twice", record.id)));
        }
        code(&place, record)?;
    }
    names(&report.support)?;
    attempts(report)
}

fn inputs(inputs: &InputsRecord<'_>, complete: bool) -> Result<(), Mismatch> {
    let counts = [inputs.scanned, inputs.partial, inputs.skipped, inputs.failed];
    if add(counts).is_none() || inputs.bytes > MAX_COUNT {
        return Err(Mismatch::new("inputs", format!("more than {MAX_COUNT}, which is not accepted")));
    }
    for (name, status, count) in [
        ("partial", Status::Partial, inputs.partial),
        ("skipped", Status::Skipped, inputs.skipped),
        ("failed", Status::Failed, inputs.failed),
    ] {
        let listed = inputs.problems.iter().filter(|problem| problem.status == status).count() as u64;
        agree("inputs", Number::new(name, count), Number::new("the number of such problems", listed))?;
    }
    let whole = inputs.partial == 0 && inputs.failed == 0;
    if whole == complete { Ok(()) } else { Err(Mismatch::new("complete", "does not agree with inputs")) }
}

fn code(place: &str, code: &CodeRecord<'_>) -> Result<(), Mismatch> {
    let count = Number::new("count", code.count);
    if code.count == 0 {
        return Err(Mismatch::new(place, "count is 0"));
    }
    agree(place, count, Number::sum("error and warning together", [code.error, code.warning]))?;
    agree(place, count, Number::sum("wording in all", code.wording.counts()))?;
    if code.args.len() > MAX_ARG_SETS || code.samples.len() > MAX_SAMPLES {
        let message = format!("more than {MAX_ARG_SETS} sets of arguments or {MAX_SAMPLES} samples");
        return Err(Mismatch::new(place, message));
    }
    let compare = if code.args_truncated { no_more } else { agree };
    compare(place, Number::sum("count of args in all", code.args.iter().map(|set| set.count)), count)?;
    let distinct = Number::new("args_distinct", code.args_distinct);
    compare(place, Number::new("the number of args", code.args.len() as u64), distinct)?;
    for number in [distinct, Number::new("failures", code.failures), Number::new("files", code.files)] {
        no_more(place, number, count)?;
    }
    timeline(&format!("{place}.timeline"), &code.timeline, count)?;
    if code.servers.len() > MAX_SERVERS || code.servers.values().any(|count| *count == 0) {
        return Err(Mismatch::new(
            format!("{place}.servers"),
            format!("more than {MAX_SERVERS}, or one without findings"),
        ));
    }
    no_more(place, Number::sum("findings of servers in all", code.servers.values().copied()), count)?;
    let mut known = BTreeSet::new();
    for (i, record) in code.args.iter().enumerate() {
        let place = format!("{place}.args[{i}]");
        if !known.insert(args_hash(&record.args)) {
            return Err(Mismatch::new(place, "these arguments appear twice"));
        }
        set(&place, record)?;
    }
    match code.samples.iter().position(|sample| sample.id != code.id) {
        Some(i) => Err(Mismatch::new(format!("{place}.samples[{i}].id"), "is another code's")),
        None => Ok(()),
    }
}

fn timeline(place: &str, timeline: &TimelineRecord, count: Number<'_>) -> Result<(), Mismatch> {
    no_more(
        place,
        Number::sum("count of buckets in all", timeline.buckets.iter().map(|bucket| bucket.count)),
        count,
    )?;
    if TimelineRecord::from(&Timeline::from(timeline)) == *timeline {
        Ok(())
    } else {
        Err(Mismatch::new(place, "buckets do not start at multiples of their width, in order"))
    }
}

/// Checks that each list of names is one that a scan may have kept.
fn names(support: &Support) -> Result<(), Mismatch> {
    for list in support.lists() {
        if list.names.len() > MAX_NAMES || !list.names.is_sorted_by(|a, b| a < b) {
            let message = format!("does not name each once, in order and at most {MAX_NAMES}");
            return Err(Mismatch::new(format!("support.{}", list.key), message));
        }
    }
    Ok(())
}

/// Checks that the attempts are separated as a scan does, and have no more findings than the report.
fn attempts(report: &ReportRecord<'_>) -> Result<(), Mismatch> {
    let sum = Number::sum("findings in all", report.attempts.iter().map(|attempt| attempt.findings));
    no_more("attempts", sum, Number::new("findings", report.totals.findings))?;
    let separated = Attempts::from_list(report.attempts.to_vec(), report.attempts_truncated);
    if separated.list() == *report.attempts && separated.truncated() == report.attempts_truncated {
        Ok(())
    } else {
        Err(Mismatch::new("attempts", "are not separated and ordered as this program does"))
    }
}

fn set(place: &str, set: &ArgSetRecord<'_>) -> Result<(), Mismatch> {
    let count = Number::new("count", set.count);
    if set.count == 0 {
        return Err(Mismatch::new(place, "count is 0"));
    }
    agree(place, count, Number::sum("error and warning together", [set.error, set.warning]))?;
    if set.databases.len() > MAX_DATABASES {
        return Err(Mismatch::new(format!("{place}.databases"), format!("more than {MAX_DATABASES}")));
    }
    let by_database = format!("{place}.by_database");
    let named: Vec<&str> = set.by_database.iter().filter_map(|found| found.database.as_deref()).collect();
    let nameless = set.by_database.len() - named.len();
    if named != set.databases || !named.is_sorted_by(|a, b| a < b) || nameless > 1 {
        return Err(Mismatch::new(by_database, "does not name each of databases once and in order"));
    }
    if set.by_database.iter().any(|found| found.error == 0 && found.warning == 0) {
        return Err(Mismatch::new(by_database, "a database without findings"));
    }
    let compare = if set.databases_truncated { no_more } else { agree };
    let errors = set.by_database.iter().map(|found| found.error);
    compare(place, Number::sum("error of by_database in all", errors), Number::new("error", set.error))?;
    let warnings = set.by_database.iter().map(|found| found.warning);
    compare(
        place,
        Number::sum("warning of by_database in all", warnings),
        Number::new("warning", set.warning),
    )
}

/// Returns a sum, if it is at most [`MAX_COUNT`].
fn add(numbers: impl IntoIterator<Item = u64>) -> Option<u64> {
    let sum = numbers.into_iter().try_fold(0u64, u64::checked_add);
    sum.filter(|sum| *sum <= MAX_COUNT)
}

fn agree(place: &str, one: Number<'_>, other: Number<'_>) -> Result<(), Mismatch> {
    match (one.value, other.value) {
        (Some(a), Some(b)) if a == b => Ok(()),
        _ => Err(Mismatch::new(place, format!("{one} is not {other}"))),
    }
}

fn no_more(place: &str, one: Number<'_>, most: Number<'_>) -> Result<(), Mismatch> {
    match (one.value, most.value) {
        (Some(a), Some(b)) if a <= b => Ok(()),
        _ => Err(Mismatch::new(place, format!("{one} is more than {most}"))),
    }
}
