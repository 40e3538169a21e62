//! JUnit XML: a report as a pipeline's test results.
//!
//! A report and the entries that were looked for come in; one suite goes out. Each entry is a test case, so that a code
//! that is no longer found shows as fixed: it fails where it was found and counts for the run's exit code, passes where
//! it was not found, and is skipped where it was not found in inputs that were not all read. An input that could not be
//! read is a test case with an error. XML 1.0: what it cannot hold is written out.

use super::json::args_line;
use super::safe;
use super::words::{accepted, plural, thousands};
use crate::catalog::Entry;
use crate::record::{TOOL, VERSION};
use crate::report::{CodeReport, Report};
use crate::scan::{Problem, Status};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Argument sets, databases and samples told of one code; the rest are counted.
const MAX_SHOWN: usize = 10;

/// What is a test case, and what fails.
pub struct Cases<'a> {
    /// The entries that were looked for.
    pub entries: Vec<&'a Entry>,
    /// Whether a code that was found fails.
    pub fails: &'a dyn Fn(&CodeReport) -> bool,
}

/// A test case.
struct Case<'a> {
    class: &'static str,
    name: String,
    result: Outcome<'a>,
}

enum Outcome<'a> {
    Pass,
    Skipped(&'static str),
    Failure(&'a CodeReport),
    /// Found, but nothing to fail on.
    Told(&'a CodeReport),
    Error(&'a Problem),
}

/// Writes the report.
///
/// # Errors
///
/// What the writer gives.
pub fn write_report(report: &Report, cases: &Cases<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = collect(report, cases);
    let count = |is: fn(&Outcome<'_>) -> bool| all.iter().filter(|case| is(&case.result)).count();
    let failures = count(|result| matches!(result, Outcome::Failure(_)));
    let errors = count(|result| matches!(result, Outcome::Error(_)));
    let skipped = count(|result| matches!(result, Outcome::Skipped(_)));
    let counts = format!(
        "name=\"{TOOL}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"0\"",
        all.len()
    );
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites {counts}>\n  <testsuite {counts}>\n    <properties>")?;
    let (stamp, inputs, suppressed) = (&report.catalog, &report.inputs, report.totals().suppressed);
    for (name, value) in [
        ("version", VERSION.to_string()),
        ("catalog.edition", stamp.edition.clone()),
        ("catalog.fingerprint", stamp.fingerprint.clone()),
        ("inputs.scanned", inputs.scanned.to_string()),
        ("inputs.partial", inputs.partial.to_string()),
        ("inputs.skipped", inputs.skipped.to_string()),
        ("inputs.failed", inputs.failed.to_string()),
        ("inputs.bytes", inputs.bytes.to_string()),
        ("suppressed.findings", suppressed.findings().to_string()),
        ("suppressed.failures", suppressed.failures.to_string()),
    ] {
        writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", escaped(&value))?;
    }
    writeln!(out, "    </properties>")?;
    for case in &all {
        write_case(case, out)?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

/// All test cases: the entries by id, codes that no catalogue lists among them, then the inputs that were not read.
fn collect<'a>(report: &'a Report, cases: &Cases<'a>) -> Vec<Case<'a>> {
    let mut codes: BTreeMap<&str, (&str, Option<&CodeReport>)> =
        cases.entries.iter().map(|entry| (&*entry.id, (&*entry.title, None))).collect();
    for code in &report.codes {
        codes.insert(&code.id, (&code.title, Some(code)));
    }
    let result = |found: Option<&'a CodeReport>| match found {
        Some(code) if (cases.fails)(code) => Outcome::Failure(code),
        Some(code) => Outcome::Told(code),
        None if report.inputs.complete() => Outcome::Pass,
        None => Outcome::Skipped("not found, but not every input was read"),
    };
    let codes = codes.into_iter().map(|(id, (title, found))| Case {
        class: "migsift.codes",
        name: format!("{id} {title}"),
        result: result(found),
    });
    let unread = report.inputs.problems.iter().filter(|problem| problem.status != Status::Skipped);
    let unread = unread.map(|problem| Case {
        class: "migsift.inputs",
        name: problem.origin.to_string(),
        result: Outcome::Error(problem),
    });
    codes.chain(unread).collect()
}

fn write_case(case: &Case<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (class, name) = (case.class, escaped(&case.name));
    write!(out, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\"")?;
    match &case.result {
        Outcome::Pass => return writeln!(out, "/>"),
        Outcome::Skipped(message) => writeln!(out, ">\n      <skipped message=\"{message}\"/>")?,
        Outcome::Failure(code) => {
            let message = escaped(&message(code)).into_owned();
            writeln!(out, ">\n      <failure message=\"{message}\" type=\"{}\">", code.severity)?;
            tell(code, out)?;
            writeln!(out, "      </failure>")?;
        }
        Outcome::Told(code) => {
            writeln!(out, ">\n      <system-out>\n{}", escaped(&message(code)))?;
            tell(code, out)?;
            writeln!(out, "      </system-out>")?;
        }
        Outcome::Error(problem) => {
            let (reason, status) = (escaped(&problem.reason), problem.status.name());
            writeln!(out, ">\n      <error message=\"{reason}\" type=\"{status}\"/>")?;
        }
    }
    writeln!(out, "    </testcase>")
}

/// A code in one line.
fn message(code: &CodeReport) -> String {
    let mut counts = format!("{}, {}", plural(code.count, "finding"), plural(code.failures, "failure"));
    if code.suppressed.findings() > 0 {
        counts += &format!(" (known and accepted: {})", accepted(code.suppressed));
    }
    match code.args.iter().find(|set| !set.args.is_empty()) {
        Some(set) => {
            let more = code.args_distinct - 1;
            let more = if more > 0 { format!(" and {} more", thousands(more)) } else { String::new() };
            format!("{counts}: {}{more}", args_line(&set.args))
        }
        None => counts,
    }
}

/// What was found of a code, where, and what to do, in lines.
fn tell(code: &CodeReport, out: &mut dyn Write) -> io::Result<()> {
    for set in code.args.iter().take(MAX_SHOWN) {
        let databases: Vec<&str> = set.databases.keys().take(MAX_SHOWN).map(String::as_str).collect();
        let more = set.databases.len() - databases.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let mut parts = vec![format!("{}x", thousands(set.count))];
        if !set.args.is_empty() {
            parts.push(args_line(&set.args));
        }
        if !databases.is_empty() {
            parts.push(format!("(in {}{more})", databases.join(", ")));
        }
        writeln!(out, "{}", escaped(&parts.join(" ")))?;
    }
    let more = code.args_distinct.saturating_sub(MAX_SHOWN as u64);
    if more > 0 {
        writeln!(out, "and {}", plural(more, "more distinct argument set"))?;
    }
    for sample in &code.samples {
        let text = format!("at {}:{}: {}", sample.origin, sample.line, sample.text);
        writeln!(out, "{}", escaped(&text))?;
    }
    for resolution in &code.resolutions {
        writeln!(out, "{}", escaped(&format!("What to do: {resolution}")))?;
    }
    Ok(())
}

/// `text` on one line, as it may stand in an attribute or between tags; what XML 1.0 cannot hold is written out.
fn escaped(text: &str) -> std::borrow::Cow<'_, str> {
    let text = safe::line(text);
    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'' | '\u{fffe}' | '\u{ffff}');
    if !text.contains(special) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => safe.extend(c.escape_unicode()),
            _ => safe.push(c),
        }
    }
    safe.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use quick_xml::Reader;
    use quick_xml::events::Event;

    proptest! {
        /// What is escaped is read back as it was, but for what is written out, and is of XML 1.0's characters alone.
        #[test]
        fn escaped_text_is_read_back(raw in "([<>&\"'\\]\\-!\u{1}\u{85}\u{fffe}\u{ffff}\u{202e}\n\ta-c]|\\PC){0,30}") {
            let xml = format!("<a b=\"{0}\">{0}</a>", escaped(&raw));
            let allowed = |c: char| matches!(c, ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
            prop_assert!(xml.chars().all(allowed));
            let want = safe::line(&raw).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}");
            let mut reader = Reader::from_str(&xml);
            let mut text = String::new();
            loop {
                match reader.read_event().expect("well-formed") {
                    Event::Start(tag) => {
                        let attribute = tag.attributes().next().expect("one").expect("well-formed");
                        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).expect("resolves");
                        prop_assert_eq!(&*value, &want);
                    }
                    Event::Text(part) => text.push_str(&part.xml10_content()),
                    Event::GeneralRef(name) => {
                        text.push_str(quick_xml::escape::resolve_xml_entity(&name).expect("predefined"));
                    }
                    Event::End(_) => {}
                    Event::Eof => break,
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert_eq!(text, want);
        }
    }
}
