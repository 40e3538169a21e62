//! The difference between two reports, as text for people and as JSON.
//!
//! Two reports that were read back come in; new failures, remaining ones and fixed ones go out, in this
//! order. This module does not know how failures are compared; [`Difference`] does.

use super::human::signature::is_count;
use super::human::{BOLD, GREEN, Layout, Page, RED, YELLOW};
use super::json::{args_line, write_pretty};
use super::safe::line;
use super::words::{plural, thousands};
use crate::catalog::Severity;
use crate::diff::{Difference, Failure, Truncated};
use crate::error::Error;
use crate::finding::Args;
use crate::input::Signature;
use crate::record::read::ReportFile;
use crate::record::{CatalogRecord, TOOL, VERSION, args};
use crate::report::SCHEMA_VERSION;
use serde::Serialize;
use std::io::{self, Write};

/// How the text for people starts, so that a later scan skips it; the JSON starts as a JSON report does.
pub(super) const SIGNATURES: &[Signature] = &[Signature::Matches(is_difference)];

/// Failures shown of one code in one list; the others are counted.
const MAX_SHOWN: usize = 50;

/// Two reports that were compared.
#[derive(Debug)]
pub struct Compared {
    /// The catalogue of both.
    pub catalog: CatalogRecord<'static>,
    /// The old report.
    pub old: ComparedReport,
    /// The new report.
    pub new: ComparedReport,
    /// The failures that differ, and those that do not.
    pub difference: Difference,
}

/// One of the reports.
#[derive(Debug)]
pub struct ComparedReport {
    /// Its file.
    pub name: String,
    /// Whether its scan read everything.
    pub complete: bool,
}

impl Compared {
    /// Compares `old` with `new`.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] if the catalogues differ: a failure may be missing only because its scan did not
    /// search for it. Also if names were replaced by tokens with different keys.
    pub fn new(old: ReportFile, new: ReportFile) -> Result<Compared, Error> {
        let (theirs, catalog) = (&old.record.catalog, new.record.catalog.clone());
        if theirs.fingerprint != catalog.fingerprint {
            let message = format!("made with catalogue {catalog}, but {} with {theirs}", old.name);
            return Err(Error::unusable(&new.name, Some("catalog".into()), message));
        }
        if let Some(message) = new.record.redaction_mismatch(&old.name, old.record.redaction.as_ref()) {
            return Err(Error::unusable(&new.name, Some("redaction".into()), message));
        }
        let compared =
            |file: &ReportFile| ComparedReport { name: file.name.clone(), complete: file.record.complete };
        let sides = (compared(&old), compared(&new));
        let difference = Difference::new(&old.record.outcome().summary, &new.record.outcome().summary);
        Ok(Compared { catalog, old: sides.0, new: sides.1, difference })
    }
}

/// Writes the difference for people.
///
/// # Errors
///
/// Those of the writer.
pub fn write_human(compared: &Compared, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out, layout };
    let Difference { fixed, new, still_failing, undecided, truncated } = &compared.difference;
    let count = |style, list: &[Failure], what: &str| {
        let text = format!("{} {what}", thousands(list.len() as u64));
        if list.is_empty() { text } else { page.paint(style, text) }
    };
    let counts =
        [count(RED, new, "new"), count(YELLOW, still_failing, "still failing"), count(GREEN, fixed, "fixed")];
    writeln!(page.out, "{}", counts.join(", "))?;
    for (report, what) in [
        (&compared.old, "new failures may have been there before"),
        (&compared.new, "fixed failures may still be there"),
    ] {
        if !report.complete {
            let name = line(&report.name);
            page.wrapped("", &format!("{name} is incomplete, some inputs were not read: {what}"))?;
        }
    }
    for (heading, style, list) in [
        ("New", RED, new),
        ("Still failing", YELLOW, still_failing),
        ("Fixed", GREEN, fixed),
        ("Undecided, because a report lists only some of its failures", YELLOW, undecided),
    ] {
        if !list.is_empty() {
            let heading = format!("{heading} ({})", thousands(list.len() as u64));
            writeln!(page.out, "\n{}", page.paint(style, heading))?;
            failures(&mut page, list)?;
        }
    }
    if !truncated.is_empty() {
        writeln!(
            page.out,
            "\n{}",
            page.paint(YELLOW, "Not compared, because a report counts them without listing them")
        )?;
    }
    for Truncated { id, old_unlisted, new_unlisted } in truncated {
        let (old, new) = (plural(*old_unlisted, "finding"), plural(*new_unlisted, "finding"));
        page.wrapped("  ", &format!("{}: {old} in the old report, {new} in the new one", line(id)))?;
    }
    Ok(())
}

/// Writes failures below their codes.
fn failures(page: &mut Page<'_>, list: &[Failure]) -> io::Result<()> {
    for code in list.chunk_by(|a, b| a.id == b.id) {
        let title = format!("{}  {}", line(&code[0].id), line(&code[0].title));
        let title = page.paint(BOLD, title);
        writeln!(page.out, "  {title}")?;
        for failure in code.iter().take(MAX_SHOWN) {
            let place = failure.database.as_ref().map(|name| format!("in {}", line(name)));
            let count = match (failure.old_count, failure.new_count) {
                (old, new) if old == new => format!("{}x", thousands(new)),
                (0, count) | (count, 0) => format!("{}x", thousands(count)),
                (old, new) => format!("{}x, was {}x", thousands(new), thousands(old)),
            };
            let about = place.into_iter().chain([count]).collect::<Vec<_>>().join(", ");
            let args = args_line(&failure.args);
            let text = if args.is_empty() { about } else { format!("{} ({about})", line(&args)) };
            page.wrapped("    ", &text)?;
        }
        if code.len() > MAX_SHOWN {
            let more = thousands((code.len() - MAX_SHOWN) as u64);
            writeln!(page.out, "    and {more} more (--format json lists them)")?;
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct Record<'a> {
    schema_version: u32,
    tool: &'static str,
    version: &'static str,
    catalog: &'a CatalogRecord<'a>,
    reports: Reports<'a>,
    new: Vec<FailureRecord<'a>>,
    still_failing: Vec<FailureRecord<'a>>,
    fixed: Vec<FailureRecord<'a>>,
    undecided: Vec<FailureRecord<'a>>,
    truncated: Vec<TruncatedRecord<'a>>,
}

#[derive(Serialize)]
struct Reports<'a> {
    old: SideRecord<'a>,
    new: SideRecord<'a>,
}

#[derive(Serialize)]
struct SideRecord<'a> {
    path: &'a str,
    complete: bool,
}

#[derive(Serialize)]
struct FailureRecord<'a> {
    id: &'a str,
    code: Option<&'a str>,
    title: &'a str,
    severity: Severity,
    #[serde(serialize_with = "args::serialize")]
    args: &'a Args,
    database: Option<&'a str>,
    old_count: u64,
    new_count: u64,
}

#[derive(Serialize)]
struct TruncatedRecord<'a> {
    id: &'a str,
    old_unlisted: u64,
    new_unlisted: u64,
}

impl<'a> From<&'a Failure> for FailureRecord<'a> {
    fn from(failure: &'a Failure) -> FailureRecord<'a> {
        FailureRecord {
            id: &failure.id,
            code: failure.code.as_deref(),
            title: &failure.title,
            severity: failure.severity,
            args: &failure.args,
            database: failure.database.as_deref(),
            old_count: failure.old_count,
            new_count: failure.new_count,
        }
    }
}

impl<'a> From<&'a Truncated> for TruncatedRecord<'a> {
    fn from(cut: &'a Truncated) -> TruncatedRecord<'a> {
        TruncatedRecord { id: &cut.id, old_unlisted: cut.old_unlisted, new_unlisted: cut.new_unlisted }
    }
}

/// Writes the difference as one JSON document.
///
/// # Errors
///
/// Those of the writer.
pub fn write_json<'a>(compared: &'a Compared, out: &mut dyn Write) -> io::Result<()> {
    let Difference { fixed, new, still_failing, undecided, truncated } = &compared.difference;
    let list = |failures: &'a [Failure]| failures.iter().map(FailureRecord::from).collect();
    let record = Record {
        schema_version: SCHEMA_VERSION,
        tool: TOOL,
        version: VERSION,
        catalog: &compared.catalog,
        reports: Reports {
            old: SideRecord { path: &compared.old.name, complete: compared.old.complete },
            new: SideRecord { path: &compared.new.name, complete: compared.new.complete },
        },
        new: list(new),
        still_failing: list(still_failing),
        fixed: list(fixed),
        undecided: list(undecided),
        truncated: truncated.iter().map(Into::into).collect(),
    };
    write_pretty(&record, out)
}

/// Whether the first line counts what has changed: `2 new, 3 still failing, 1 fixed`.
fn is_difference(head: &[u8]) -> bool {
    // Most logs start with a digit, too: the first word after the number decides for almost all of them.
    let space = head.iter().position(|byte| *byte == b' ');
    let is_new = space.is_some_and(|space| head[space..].starts_with(b" new, "));
    if !is_new || !head[0].is_ascii_digit() {
        return false;
    }
    let head = String::from_utf8_lossy(head);
    let parts: Vec<&str> = head.lines().next().unwrap_or_default().split(", ").collect();
    let counts = |part: &str, what| part.strip_suffix(what).is_some_and(is_count);
    matches!(parts[..], [new, still, fixed]
        if counts(new, " new") && counts(still, " still failing") && counts(fixed, " fixed"))
}
