//! JUnit XML: a report as the test results of a pipeline.
//!
//! A report and the entries that the scan searched for come in; one test suite goes out.
//!
//! # What a test case is
//!
//! Each entry of the catalogue is a test case, not only the codes that were found. A pipeline then shows a
//! fixed code as a test that passes again, instead of a test that has vanished. The results:
//!
//! | entry | result |
//! |---|---|
//! | found, and counts for the exit code (`--fail-on`) | failure |
//! | found, but does not count | passed, with the findings as its output |
//! | not found, everything was read | passed |
//! | not found, but some input was not read | skipped: nobody knows |
//!
//! So the suite has failures exactly if the run ends with code 1, or would if everything had been read. Each
//! input that could not be read to its end is a test case with an error.
//!
//! # XML
//!
//! XML 1.0 cannot hold control characters at all, not even as `&#27;`. They are written out like everywhere
//! else (`\u{1b}`), and so are U+FFFE and U+FFFF.

pub use super::definition::TestCases;
use super::definition::{Definition, Writer};
use super::json::args_line;
use super::safe;
use super::words::{accepted, plural, thousands};
use crate::input::Signature;
use crate::record::{TOOL, VERSION};
use crate::report::{CodeReport, Report};
use crate::scan::{Problem, Status};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The row of the table of formats.
pub(super) const FORMAT: Definition = Definition {
    name: "junit",
    aliases: &[],
    about: "JUnit XML: each entry of the catalogue is a test case, one that was found fails as --fail-on says",
    signatures: &[Signature::Text {
        start: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"migsift\"",
        marker: "",
    }],
    writer: Writer::Report(|report, settings, out| write_report(report, &settings.cases, out)),
};

/// Argument sets, databases and samples shown of one code; the others are counted.
const MAX_SHOWN: usize = 10;

/// A test case.
struct TestCase<'a> {
    class: &'static str,
    name: String,
    result: CaseResult<'a>,
}

enum CaseResult<'a> {
    Pass,
    Skipped(&'static str),
    Failure(&'a CodeReport),
    /// Found, but does not count as a failure.
    Noted(&'a CodeReport),
    Error(&'a Problem),
}

/// Writes the report.
///
/// # Errors
///
/// Those of the writer.
pub fn write_report(report: &Report, cases: &TestCases<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all = collect(report, cases);
    let count = |is: fn(&CaseResult<'_>) -> bool| all.iter().filter(|case| is(&case.result)).count();
    let failures = count(|result| matches!(result, CaseResult::Failure(_)));
    let errors = count(|result| matches!(result, CaseResult::Error(_)));
    let skipped = count(|result| matches!(result, CaseResult::Skipped(_)));
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

/// All test cases: the entries by id, with unknown codes among them, then the inputs that were not read.
fn collect<'a>(report: &'a Report, cases: &TestCases<'a>) -> Vec<TestCase<'a>> {
    let mut codes: BTreeMap<&str, (&str, Option<&CodeReport>)> =
        cases.entries.iter().map(|entry| (&*entry.id, (&*entry.title, None))).collect();
    for code in &report.codes {
        codes.insert(&code.id, (&code.title, Some(code)));
    }
    let result = |found: Option<&'a CodeReport>| match found {
        Some(code) if (cases.fails)(code) => CaseResult::Failure(code),
        Some(code) => CaseResult::Noted(code),
        None if report.inputs.complete() => CaseResult::Pass,
        None => CaseResult::Skipped("not found, but not every input was read"),
    };
    let codes = codes.into_iter().map(|(id, (title, found))| TestCase {
        class: "migsift.codes",
        name: format!("{id} {title}"),
        result: result(found),
    });
    let unread = report.inputs.problems.iter().filter(|problem| problem.status != Status::Skipped);
    let unread = unread.map(|problem| TestCase {
        class: "migsift.inputs",
        name: problem.origin.to_string(),
        result: CaseResult::Error(problem),
    });
    codes.chain(unread).collect()
}

fn write_case(case: &TestCase<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (class, name) = (case.class, escaped(&case.name));
    write!(out, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\"")?;
    match &case.result {
        CaseResult::Pass => return writeln!(out, "/>"),
        CaseResult::Skipped(message) => writeln!(out, ">\n      <skipped message=\"{message}\"/>")?,
        CaseResult::Failure(code) => {
            let message = escaped(&message(code)).into_owned();
            writeln!(out, ">\n      <failure message=\"{message}\" type=\"{}\">", code.severity)?;
            write_details(code, out)?;
            writeln!(out, "      </failure>")?;
        }
        CaseResult::Noted(code) => {
            writeln!(out, ">\n      <system-out>\n{}", escaped(&message(code)))?;
            write_details(code, out)?;
            writeln!(out, "      </system-out>")?;
        }
        CaseResult::Error(problem) => {
            let (reason, status) = (escaped(&problem.reason), problem.status.name());
            writeln!(out, ">\n      <error message=\"{reason}\" type=\"{status}\"/>")?;
        }
    }
    writeln!(out, "    </testcase>")
}

/// The findings of a code in one line.
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

/// Writes the findings of a code, their places and the advice.
fn write_details(code: &CodeReport, out: &mut dyn Write) -> io::Result<()> {
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

/// `text` on one line, for an attribute or between tags. Characters that XML 1.0 cannot hold are written out.
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
        /// Escaped text has only characters of XML 1.0, and is read back as it was, except those written out.
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
