//! The HTML page: a golden file, and the property that no text of a log becomes markup.
//!
//! `.ci/chromium` checks the page in a browser.

use crate::oracle::matcher;
use crate::{compare, top};
use migsift::catalog::{ArgValue, builtin};
use migsift::context::{Time, time};
use migsift::input::{WalkOptions, walk};
use migsift::print::{html, own_outputs};
use migsift::report::Report;
use migsift::scan::{Options, Outcome, Problem, Progress, Status, scan};
use migsift::source::Origin;
use migsift::summary::SeverityCounts;
use migsift::text::is_hidden;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

fn scanned(path: &str) -> Outcome {
    let walk = walk(&[PathBuf::from(path)], &WalkOptions::default());
    let options = Options::default().with(|options| options.own_outputs = own_outputs());
    scan(matcher(), &walk, &options, None, &Progress::default()).expect("scans")
}

fn page(outcome: Outcome) -> String {
    let (generated, _) = time::first("2024-06-07T08:00:00Z", &jiff::tz::TimeZone::UTC).expect("a time");
    write(&Report::build(outcome, builtin()), Some(generated))
}

fn write(report: &Report, generated: Option<Time>) -> String {
    let mut page = Vec::new();
    html::write_report(report, generated, &mut page).expect("writes");
    String::from_utf8(page).expect("UTF-8")
}

#[test]
fn the_samples_make_the_golden_page() {
    assert_eq!(std::env::current_dir().expect("a folder"), top(), "paths in the page are relative");
    let page = page(scanned("samples"));
    let (head, rest) = page.split_once("<style>").expect("a style");
    let (style, rest) = rest.split_once("</style>").expect("its end");
    let (body, script) = rest.split_once("<script>").expect("a script");
    // Style and script are files of their own.
    assert_eq!(style, include_str!("../../src/print/html/style.css"));
    assert_eq!(
        script.split_once("</script>").expect("its end").0,
        include_str!("../../src/print/html/script.js")
    );
    let page = format!("{head}<style></style>{body}<script></script>\n")
        .replace("><", ">\n<")
        .replace(&builtin().fingerprint(), "FINGERPRINT")
        .replace(&format!("migsift {}", env!("CARGO_PKG_VERSION")), "migsift VERSION");
    compare(&top().join("tests/golden/samples.html"), &page);
}

#[test]
fn an_empty_page_says_that_nothing_was_found() {
    let page = page(scanned("tests/data/clean.log"));
    assert!(page.contains("<h1>Nothing found</h1>") && page.contains("Complete."), "{page}");
    for section in ["time", "codes", "failures"] {
        assert!(!page.contains(&format!("<section id=\"{section}\"")), "{section}");
    }
}

#[test]
fn a_page_without_a_clock_depends_on_the_report_alone() {
    let report = Report::build(scanned("samples"), builtin());
    assert_eq!(write(&report, None), write(&report, None));
    assert!(!write(&report, None).contains("written "));
}

/// Text that tries to be more than text.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<script>alert(1)</script>".to_string()),
        Just("\" onclick=\"x".to_string()),
        Just("'><img src=x>".to_string()),
        Just("`DROP TABLE orders;`".to_string()),
        Just("https://evil.example/".to_string()),
        Just("</style></script>".to_string()),
        Just("&lt;&#60;&".to_string()),
        Just("\u{202e}\u{2066}\u{200f}\u{1b}[31m\u{9b}\0\r\n\t\u{2028}".to_string()),
        any::<String>(),
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

/// The outcome of a small scan with `bad` in every place that holds text of a log.
fn poisoned(bad: &str) -> Outcome {
    let mut outcome = scanned("tests/data/mixed.log");
    let origin = Arc::new(Origin { path: Path::new(bad).to_path_buf(), member: Some(bad.to_string()) });
    outcome.inputs.problems.push(Problem {
        origin: origin.clone(),
        status: Status::Failed,
        reason: bad.to_string(),
        bytes: 0,
    });
    outcome.inputs.failed += 1;
    // An id of an own catalogue appears in attributes, too.
    if let Some(unknown) = outcome.summary.codes.remove("603412") {
        outcome.summary.codes.insert(bad.into(), unknown);
    }
    for code in outcome.summary.codes.values_mut() {
        code.title = bad.into();
        for set in code.args.values_mut() {
            for (_, value) in &mut set.args {
                *value = ArgValue::Many(vec![bad.to_string(), "b".into()]);
            }
            set.args.push((bad.into(), ArgValue::One(bad.to_string())));
            set.databases.insert(bad.to_string(), SeverityCounts { warnings: 0, errors: 1 });
        }
        for sample in &mut code.samples {
            sample.origin = origin.clone();
            sample.text = bad.to_string();
        }
        code.servers = [(bad.to_string(), 2)].into();
        code.drift =
            Some(migsift::summary::Drift { origin: origin.clone(), offset: 1, text: bad.to_string() });
    }
    for names in [
        &mut outcome.summary.migration.migrations,
        &mut outcome.summary.migration.targets,
        &mut outcome.summary.migration.databases,
        &mut outcome.summary.migration.states,
    ] {
        names.add(bad);
    }
    outcome
}

/// The tags of a page, each without the values of its attributes.
fn tags(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let mut tag = String::new();
        let mut quoted = false;
        let mut end = rest.len();
        for (i, c) in rest[at..].char_indices() {
            quoted ^= c == '"';
            if !quoted || c == '"' {
                tag.push(c);
            }
            if c == '>' && !quoted {
                end = at + i + 1;
                break;
            }
        }
        tags.push(tag);
        rest = &rest[end..];
    }
    tags
}

/// The page without head, style and script.
fn body(page: &str) -> &str {
    let (_, rest) = page.split_once("</head>").expect("a head");
    rest.split_once("<script>").expect("a script").0
}

/// All kinds of tags of a page: of the samples, of plain values, and of a value that no command can hold.
fn harmless_tags() -> &'static BTreeSet<String> {
    static TAGS: OnceLock<BTreeSet<String>> = OnceLock::new();
    TAGS.get_or_init(|| {
        let pages = [page(scanned("samples")), page(poisoned("plain")), page(poisoned("a\0b"))];
        pages.iter().flat_map(|page| tags(body(page))).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    /// Escape: the page of a hostile log has the same kinds of tags as that of a harmless one, and no hidden
    /// character.
    #[test]
    fn hostile_values_stay_text(bad in hostile()) {
        let page = page(poisoned(&bad));
        let body = body(&page);
        prop_assert!(!body.contains(|c| c != '\n' && is_hidden(c)));
        for tag in tags(body) {
            prop_assert!(harmless_tags().contains(&tag), "{}", tag);
        }
        // No command to copy and no link to follow comes from a log.
        prop_assert!(!body.contains("href=\"https://evil"));
        prop_assert!(!body.contains("<code>DROP TABLE orders;</code>"));
    }
}
