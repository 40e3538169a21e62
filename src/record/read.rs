//! Reads a JSON report, or reports what is wrong and where.
//!
//! Bytes come in; a [`ReportRecord`] goes out whose numbers add up, so that its users may sum and index
//! without further checks. The bytes may be hostile, cut short, or no report at all. Where they are from is
//! not known here.

use super::{ArgSetRecord, CodeRecord, InputsRecord, ReportRecord, TOOL, TimelineRecord};
use crate::error::Error;
use crate::report::{SCHEMA_VERSION, Support};
use crate::scan::Status;
use crate::summary::timeline::Timeline;
use crate::summary::{Attempts, MAX_ARG_SETS, MAX_DATABASES, MAX_NAMES, MAX_SAMPLES, MAX_SERVERS, args_hash};
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The largest report that is read, in bytes: ten thousand sets of arguments for each of a hundred codes have
/// less.
pub const MAX_REPORT_BYTES: usize = 256 << 20;
/// The largest count that is accepted. JSON readers that use floating point represent all counts up to it
/// exactly.
pub const MAX_COUNT: u64 = (1 << 53) - 1;
/// The longest error message, in characters: it may quote the file.
const MAX_MESSAGE: usize = 300;

/// A report and the name of its file.
#[derive(Debug)]
pub struct ReportFile {
    /// The file, as it was named.
    pub name: String,
    /// Its content.
    pub record: ReportRecord<'static>,
}

/// The fields that distinguish a report from other JSON.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    r#type: Option<&'a RawValue>,
    #[serde(borrow)]
    tool: Option<&'a RawValue>,
    #[serde(borrow)]
    schema_version: Option<&'a RawValue>,
    #[serde(borrow)]
    codes: Option<&'a RawValue>,
}

/// Reads the report in the file `name` with the content `bytes`.
///
/// # Errors
///
/// [`Error::Unusable`].
pub fn parse(name: &str, bytes: &[u8]) -> Result<ReportFile, Error> {
    let wrong = |place: Option<String>, message: String| Error::unusable(name, place, message);
    if bytes.len() > MAX_REPORT_BYTES {
        return Err(wrong(None, format!("larger than {MAX_REPORT_BYTES} bytes")));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let syntax = |error: serde_json::Error| {
        let text = error.to_string();
        let end = text.rfind(" at line ").unwrap_or(text.len());
        let kind = match error.classify() {
            Category::Syntax => "no valid JSON: ",
            Category::Eof => "cut short: ",
            Category::Data | Category::Io => "",
        };
        let place = (error.line() > 0).then(|| format!("{}:{}", error.line(), error.column()));
        wrong(place, kind.chars().chain(text[..end].chars()).take(MAX_MESSAGE).collect())
    };
    if let Some(message) = other(bytes) {
        return Err(wrong(None, message.into()));
    }
    // Only the first value: with a second one it is NDJSON, and its first line says so.
    let head = Head::deserialize(&mut serde_json::Deserializer::from_slice(bytes)).map_err(syntax)?;
    let is = |value: Option<&RawValue>, text: &str| value.is_some_and(|value| value.get() == text);
    if !is(head.tool, &format!("\"{TOOL}\"")) {
        return Err(wrong(None, format!("no report of {TOOL}: its \"tool\" is not \"{TOOL}\"")));
    }
    if is(head.r#type, "\"run\"") {
        return Err(wrong(None, "findings in NDJSON, no report; make one with --format json".into()));
    }
    if !is(head.schema_version, &SCHEMA_VERSION.to_string()) {
        let theirs = head.schema_version.map_or("none", RawValue::get).chars().take(20).collect::<String>();
        let message = format!("schema_version is {theirs}; this program reads {SCHEMA_VERSION}");
        return Err(wrong(None, message));
    }
    if head.codes.is_none() {
        return Err(wrong(None, format!("written by {TOOL}, but no report: it has no \"codes\"")));
    }
    let record: ReportRecord<'static> = serde_json::from_slice(bytes).map_err(syntax)?;
    match check(&record) {
        Ok(()) => Ok(ReportFile { name: name.to_string(), record }),
        Err((place, message)) => Err(wrong(Some(place), message)),
    }
}

/// Describes what is plainly not a JSON report, in words that help more than those of a parser.
fn other(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [] => Some("empty"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("UTF-16, not UTF-8; write the report with --output instead of a shell's redirection")
        }
        _ => None,
    }
}

/// A place that does not add up, and the reason.
type Wrong = (String, String);

/// Checks that the numbers agree with each other. A report that was cut or edited by hand would otherwise
/// lead to sums that nobody can trace.
fn check(report: &ReportRecord<'_>) -> Result<(), Wrong> {
    inputs(&report.inputs, report.complete)?;
    let (totals, codes) = (&report.totals, &report.codes);
    let findings = ("findings", Some(totals.findings));
    agree("totals", findings, ("error and warning together", add([totals.error, totals.warning])))?;
    let unknown = codes.iter().filter(|code| !code.known).map(|code| code.count);
    for (number, sum) in [
        (findings, add(codes.iter().map(|code| code.count))),
        (("failures", Some(totals.failures)), add(codes.iter().map(|code| code.failures))),
        (("error", Some(totals.error)), add(codes.iter().map(|code| code.error))),
        (("unknown", Some(totals.unknown)), add(unknown)),
    ] {
        agree("totals", number, ("the sum over codes", sum))?;
    }
    let mut ids = BTreeSet::new();
    for (i, record) in codes.iter().enumerate() {
        let place = format!("codes[{i}]");
        if !ids.insert(&record.id) {
            return Err((format!("{place}.id"), format!("the id {} appears twice", record.id)));
        }
        code(&place, record)?;
    }
    names(&report.support)?;
    attempts(report)
}

fn inputs(inputs: &InputsRecord<'_>, complete: bool) -> Result<(), Wrong> {
    let counts = [inputs.scanned, inputs.partial, inputs.skipped, inputs.failed];
    if add(counts).is_none() || inputs.bytes > MAX_COUNT {
        return Err(("inputs".into(), format!("more than {MAX_COUNT}, which is not accepted")));
    }
    for (name, status, count) in [
        ("partial", Status::Partial, inputs.partial),
        ("skipped", Status::Skipped, inputs.skipped),
        ("failed", Status::Failed, inputs.failed),
    ] {
        let listed = inputs.problems.iter().filter(|problem| problem.status == status).count() as u64;
        agree("inputs", (name, Some(count)), ("the number of such problems", Some(listed)))?;
    }
    let whole = inputs.partial == 0 && inputs.failed == 0;
    if whole == complete { Ok(()) } else { Err(("complete".into(), "does not agree with inputs".into())) }
}

fn code(place: &str, code: &CodeRecord<'_>) -> Result<(), Wrong> {
    let count = ("count", Some(code.count));
    if code.count == 0 {
        return Err((place.into(), "count is 0".into()));
    }
    agree(place, count, ("error and warning together", add([code.error, code.warning])))?;
    agree(place, count, ("wording in all", add(code.wording.counts())))?;
    if code.args.len() > MAX_ARG_SETS || code.samples.len() > MAX_SAMPLES {
        let message = format!("more than {MAX_ARG_SETS} sets of arguments or {MAX_SAMPLES} samples");
        return Err((place.into(), message));
    }
    let compare = if code.args_truncated { no_more } else { agree };
    compare(place, ("count of args in all", add(code.args.iter().map(|set| set.count))), count)?;
    let distinct = ("args_distinct", Some(code.args_distinct));
    compare(place, ("the number of args", Some(code.args.len() as u64)), distinct)?;
    for number in [distinct, ("failures", Some(code.failures)), ("files", Some(code.files))] {
        no_more(place, number, count)?;
    }
    timeline(&format!("{place}.timeline"), &code.timeline, count)?;
    if code.servers.len() > MAX_SERVERS || code.servers.values().any(|count| *count == 0) {
        return Err((
            format!("{place}.servers"),
            format!("more than {MAX_SERVERS}, or one without findings"),
        ));
    }
    no_more(place, ("findings of servers in all", add(code.servers.values().copied())), count)?;
    let mut known = BTreeSet::new();
    for (i, record) in code.args.iter().enumerate() {
        let place = format!("{place}.args[{i}]");
        if !known.insert(args_hash(&record.args)) {
            return Err((place, "these arguments appear twice".into()));
        }
        set(&place, record)?;
    }
    match code.samples.iter().position(|sample| sample.id != code.id) {
        Some(i) => Err((format!("{place}.samples[{i}].id"), "is another code's".into())),
        None => Ok(()),
    }
}

fn timeline(place: &str, timeline: &TimelineRecord, count: Number<'_>) -> Result<(), Wrong> {
    no_more(
        place,
        ("count of buckets in all", add(timeline.buckets.iter().map(|bucket| bucket.count))),
        count,
    )?;
    if TimelineRecord::from(&Timeline::from(timeline)) == *timeline {
        Ok(())
    } else {
        Err((place.into(), "buckets do not start at multiples of their width, in order".into()))
    }
}

/// Checks that each list of names is one that a scan may have kept.
fn names(support: &Support) -> Result<(), Wrong> {
    for list in support.lists() {
        if list.names.len() > MAX_NAMES || !list.names.is_sorted_by(|a, b| a < b) {
            let message = format!("does not name each once, in order and at most {MAX_NAMES}");
            return Err((format!("support.{}", list.key), message));
        }
    }
    Ok(())
}

/// Checks that the attempts are separated as a scan does, and have no more findings than the report.
fn attempts(report: &ReportRecord<'_>) -> Result<(), Wrong> {
    let sum = add(report.attempts.iter().map(|attempt| attempt.findings));
    no_more("attempts", ("findings in all", sum), ("findings", Some(report.totals.findings)))?;
    let separated = Attempts::from_list(report.attempts.to_vec(), report.attempts_truncated);
    if separated.list() == *report.attempts && separated.truncated() == report.attempts_truncated {
        Ok(())
    } else {
        Err(("attempts".into(), "are not separated and ordered as this program does".into()))
    }
}

fn set(place: &str, set: &ArgSetRecord<'_>) -> Result<(), Wrong> {
    let count = ("count", Some(set.count));
    if set.count == 0 {
        return Err((place.into(), "count is 0".into()));
    }
    agree(place, count, ("error and warning together", add([set.error, set.warning])))?;
    if set.databases.len() > MAX_DATABASES {
        return Err((format!("{place}.databases"), format!("more than {MAX_DATABASES}")));
    }
    let by_database = format!("{place}.by_database");
    let named: Vec<&str> = set.by_database.iter().filter_map(|found| found.database.as_deref()).collect();
    let nameless = set.by_database.len() - named.len();
    if named != set.databases || !named.is_sorted_by(|a, b| a < b) || nameless > 1 {
        return Err((by_database, "does not name each of databases once and in order".into()));
    }
    if set.by_database.iter().any(|found| found.error == 0 && found.warning == 0) {
        return Err((by_database, "a database without findings".into()));
    }
    let compare = if set.databases_truncated { no_more } else { agree };
    let errors = add(set.by_database.iter().map(|found| found.error));
    compare(place, ("error of by_database in all", errors), ("error", Some(set.error)))?;
    let warnings = add(set.by_database.iter().map(|found| found.warning));
    compare(place, ("warning of by_database in all", warnings), ("warning", Some(set.warning)))
}

/// Returns a sum, if it is at most [`MAX_COUNT`].
fn add(numbers: impl IntoIterator<Item = u64>) -> Option<u64> {
    let sum = numbers.into_iter().try_fold(0u64, u64::checked_add);
    sum.filter(|sum| *sum <= MAX_COUNT)
}

/// The name of a number, and the number; none if it is above [`MAX_COUNT`].
type Number<'n> = (&'n str, Option<u64>);

fn agree(place: &str, one: Number<'_>, other: Number<'_>) -> Result<(), Wrong> {
    compare(place, one, other, "not", |one, other| one == other)
}

fn no_more(place: &str, one: Number<'_>, most: Number<'_>) -> Result<(), Wrong> {
    compare(place, one, most, "more than", |one, most| one <= most)
}

fn compare(
    place: &str,
    one: Number<'_>,
    other: Number<'_>,
    but: &str,
    holds: fn(u64, u64) -> bool,
) -> Result<(), Wrong> {
    let show = |(name, number): Number<'_>| match number {
        Some(number) => format!("{name} ({number})"),
        None => format!("{name} (above {MAX_COUNT})"),
    };
    match (one.1, other.1) {
        (Some(a), Some(b)) if holds(a, b) => Ok(()),
        _ => Err((place.into(), format!("{} is {but} {}", show(one), show(other)))),
    }
}
