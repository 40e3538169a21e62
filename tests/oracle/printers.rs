//! Printers: for any log, each format reads back as the same findings, and contains no raw character that its
//! readers act on.

use super::findings_in;
use super::generated::{Choices, log};
use migsift::catalog::{ArgValue, builtin};
use migsift::finding::Finding;
use migsift::merge::Merger;
use migsift::print::csv::Formulas;
use migsift::print::{csv as table, html, human, json, junit, markdown, ndjson, prometheus, safe};
use migsift::record::read;
use migsift::report::{CatalogStamp, Report};
use migsift::scan::{Inputs, Outcome, Problem, Sink, Status};
use migsift::source::Origin;
use migsift::summary::Summary;
use migsift::text::is_hidden;
use pulldown_cmark as md;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// The longest log, in bytes.
const MOST: usize = 16 << 10;

pub fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let origin = Origin { path: PathBuf::from(choices.text()), member: Some(choices.text()) };
    let reason = choices.text();
    let findings = findings_in(&log(&mut choices, MOST), origin.clone());
    let mut summary = Summary::default();
    for finding in &findings {
        summary.add(finding, builtin().entry(&finding.id).map(|entry| &**entry), 1);
        summary.sample(finding);
    }
    let (origin, status) = (Arc::new(origin), Status::Partial);
    let problems = vec![Problem { origin, status, reason, bytes: 7 }];
    let inputs = Inputs { scanned: 1, partial: 1, bytes: 9, problems, ..Inputs::default() };
    let mut outcome = Outcome::default();
    (outcome.summary, outcome.inputs) = (summary, inputs);
    let report = Report::build(outcome, builtin());

    of_json(&report);
    of_ndjson(&report, &findings);
    of_csv(&findings);
    of_markdown(&report);
    of_html(&report);
    of_junit(&report);
    of_prometheus(&report);
    for plan in [false, true] {
        for width in [None, Some(40), Some(100)] {
            let layout = human::Layout { width, color: false, plan };
            printed(|out| human::write_report(&report, layout, out), &['\n']);
        }
    }
}

/// The text that is written. It contains no hidden character except the `allowed` ones.
fn printed(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>, allowed: &[char]) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("writes");
    let text = String::from_utf8(out).expect("UTF-8");
    let active = text.chars().find(|c| is_hidden(*c) && !allowed.contains(c));
    assert_eq!(active, None, "{text}");
    text
}

/// A report that is read back and merged alone is the same report.
fn of_json(report: &Report) {
    let text = printed(|out| json::write_report(report, out), &['\n']);
    let file = read::parse("a.json", text.as_bytes()).expect("a report");
    let mut merger = Merger::new(builtin());
    merger.add(file).expect("adds up");
    let again = merger.finish().expect("a report");
    let mut second = Vec::new();
    json::write_report(&again, &mut second).expect("writes");
    assert_eq!(String::from_utf8(second).expect("UTF-8"), text);
}

fn of_ndjson(report: &Report, findings: &[Finding]) {
    let text = printed(
        |out| {
            let stamp = CatalogStamp::new(builtin());
            let mut printer = ndjson::Printer::new(out, "out", &stamp, None).expect("starts");
            for finding in findings {
                printer.finding(finding).expect("writes");
            }
            printer.finish(report).expect("ends");
            Ok(())
        },
        &['\n'],
    );
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(records.len(), findings.len() + 3);
    for (record, finding) in records[1..].iter().zip(findings) {
        assert_eq!(record["text"], *finding.text);
        assert_eq!(record["args"].as_object().map_or(0, |args| args.len()), finding.args.len());
        for (name, value) in &finding.args {
            match value {
                ArgValue::One(value) => assert_eq!(record["args"][&**name], **value),
                ArgValue::Many(values) => assert_eq!(record["args"][&**name], serde_json::json!(values)),
            }
        }
        // A worker's row equals the printer's line.
        let mut row = Vec::new();
        let place = ndjson::encode(finding, &mut row);
        row.splice(place..place, finding.line.to_string().into_bytes());
        assert_eq!(serde_json::from_slice::<Value>(&row).expect("JSON"), *record);
    }
}

/// Whether a spreadsheet would read the cell as a formula: it skips spaces and quotes.
fn starts_formula(cell: &str) -> bool {
    let cell = cell.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '`'));
    cell.starts_with(['=', '+', '-', '@', '|', '%', '\u{ff1d}'])
}

fn of_csv(findings: &[Finding]) {
    for formulas in [Formulas::Escape, Formulas::Keep] {
        let raw = formulas == Formulas::Keep;
        let text = printed(
            |out| {
                let mut printer = table::Printer::new(out, "out", builtin(), formulas).expect("starts");
                for finding in findings {
                    printer.finding(finding).expect("writes");
                }
                printer.finish().expect("ends");
                Ok(())
            },
            &['\n', '\r'],
        );
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), findings.len());
        for (row, finding) in rows.iter().zip(findings) {
            for cell in row.iter().filter(|_| !raw) {
                assert!(!cell.split(';').any(starts_formula), "{cell:?}");
            }
            for (name, value) in &finding.args {
                let ArgValue::One(value) = value else { continue };
                let column = header.iter().position(|head| head == format!("args.{name}"));
                let got = &row[column.expect("a column for each argument")];
                let want = safe::line(value);
                let same = if raw { *got == *want } else { got.replace('\'', "") == want.replace('\'', "") };
                assert!(same, "{got:?} {want:?}");
            }
        }
    }
}

/// No markup comes from a log: no HTML, no image, and only links of the catalogue.
fn of_markdown(report: &Report) {
    let text = printed(|out| markdown::write_report(report, out), &['\n']);
    let known =
        |link: &str| builtin().entries.iter().any(|entry| entry.links.iter().any(|known| known == link));
    let options = md::Options::all().difference(md::Options::ENABLE_SMART_PUNCTUATION);
    for event in md::Parser::new_ext(&text, options) {
        match event {
            md::Event::Html(part) | md::Event::InlineHtml(part) => panic!("{part}: {text}"),
            md::Event::InlineMath(part) | md::Event::DisplayMath(part) => panic!("{part}: {text}"),
            md::Event::FootnoteReference(part) => panic!("{part}: {text}"),
            md::Event::Start(md::Tag::Image { .. }) => panic!("an image: {text}"),
            md::Event::Start(md::Tag::Link { dest_url, .. }) => {
                assert!(known(&dest_url), "{dest_url}: {text}")
            }
            md::Event::Start(md::Tag::Strikethrough | md::Tag::Emphasis | md::Tag::BlockQuote(_)) => {
                panic!("markup of a log: {text}");
            }
            _ => {}
        }
    }
}

/// Each `<` starts a tag of the page, and none has an event handler.
fn of_html(report: &Report) {
    let page = printed(|out| html::write_report(report, None, out), &['\n']);
    let (head, rest) = page.split_once("<style>").expect("a style");
    let (_, rest) = rest.split_once("</style>").expect("its end");
    let (body, script) = rest.rsplit_once("<script>").expect("a script");
    assert!(script.ends_with("</script></body></html>") || script.contains("</script>"));
    for part in head.split('<').skip(1).chain(body.split('<').skip(1)) {
        let name: String = part.chars().take_while(|c| !c.is_whitespace() && *c != '>').collect();
        let name = name.trim_start_matches('/');
        let bad = ["script", "style", "img", "iframe", "object", "embed", "base", "form", "b", "i"];
        let tag = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '!');
        assert!(tag && !bad.contains(&name), "{part}");
        let tag = part.split_once('>').expect("the tag's end").0;
        assert!(!tag.contains(" on") && !tag.contains("javascript:"), "{tag}");
    }
}

fn of_junit(report: &Report) {
    let entries = builtin().entries.iter().map(|entry| &**entry).collect();
    let cases = junit::TestCases { entries, fails: Box::new(|_| true) };
    let text = printed(|out| junit::write_report(report, &cases, out), &['\n']);
    let mut reader = quick_xml::Reader::from_str(&text);
    loop {
        match reader.read_event().expect("well-formed") {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                tag.attributes().for_each(|attribute| drop(attribute.expect("well-formed")));
            }
            _ => {}
        }
    }
    // Characters that no XML document may contain, not even as references.
    assert!(!text.contains(['\u{fffe}', '\u{ffff}']), "{text}");
}

/// One sample per line: a name, labels with closed quotes, a number.
fn of_prometheus(report: &Report) {
    let text = printed(|out| prometheus::write_report(report, out), &['\n']);
    for line in text.strip_suffix("# EOF\n").expect("the mark of the end").lines() {
        if line.starts_with("# ") {
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').expect("a value");
        assert!(sample.starts_with("migsift_") && value.parse::<f64>().is_ok(), "{line}");
        let quotes = sample.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        assert!(quotes.is_multiple_of(2) && (sample.ends_with('}') || !sample.contains('{')), "{line}");
    }
}
