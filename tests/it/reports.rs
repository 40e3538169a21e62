//! JSON reports: read back, merged and compared, also hostile ones.

use crate::invariants::log;
use crate::oracle::matcher;
use crate::{program, run, stderr, stdout, top};
use migsift::catalog::{ArgValue, builtin};
use migsift::diff::Difference;
use migsift::finding::Finding;
use migsift::input::{WalkOptions, walk};
use migsift::merge::Merger;
use migsift::print::{Format, json, own_outputs};
use migsift::record::read::parse;
use migsift::record::{FindingRecord, ReportRecord};
use migsift::report::Report;
use migsift::scan::{Options, Outcome, Progress, scan};
use migsift::summary::{MAX_ARG_SETS, MAX_DATABASES, Summary};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, OnceLock};

fn text(report: &Report) -> String {
    let mut bytes = Vec::new();
    json::write_report(report, &mut bytes).expect("writes");
    String::from_utf8(bytes).expect("UTF-8")
}

fn scanned(paths: &[PathBuf]) -> Report {
    let walk = walk(paths, &WalkOptions::default());
    let options = Options::default().with(|options| options.own_outputs = own_outputs());
    let outcome = scan(matcher(), &walk, &options, None, &Progress::default()).expect("scans");
    Report::build(outcome, builtin())
}

fn merged<S: AsRef<str>>(texts: &[S]) -> Report {
    let mut merger = Merger::new(builtin());
    for text in texts {
        merger.add(parse("a.json", text.as_ref().as_bytes()).expect("a report")).expect("can be added");
    }
    merger.finish().expect("can be merged")
}

/// The findings of a report, as they are read back.
fn summary(text: &str) -> Summary {
    parse("a.json", text.as_bytes()).expect("a report").record.outcome().summary
}

proptest! {
    // Each case scans every file twice.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    /// However the files are split, and in whichever order the reports are merged, the result is the report
    /// of one scan.
    #[test]
    fn any_split_merges_to_the_whole(
        logs in prop::collection::vec((log(12), 0usize..4), 1..7),
        missing in any::<bool>(),
        backwards in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut groups = vec![Vec::new(); 4];
        let mut all = Vec::new();
        for (i, (bytes, group)) in logs.iter().enumerate() {
            let path = folder.path().join(format!("{i}.log"));
            std::fs::write(&path, bytes).expect("writes");
            groups[*group].push(path.clone());
            all.push(path);
        }
        if missing {
            let path = folder.path().join("missing.log");
            groups[0].push(path.clone());
            all.push(path);
        }
        let whole = text(&scanned(&all));
        let mut parts: Vec<String> = groups.iter().map(|paths| text(&scanned(paths))).collect();
        if backwards {
            parts.reverse();
        }
        prop_assert_eq!(text(&merged(&parts)), whole.clone());
        let half = text(&merged(&parts[..2]));
        prop_assert_eq!(text(&merged(&[&parts[3], &half, &parts[2]])), whole.clone());
        prop_assert_eq!(text(&merged(&[&whole])), whole.clone());
        let difference = Difference::new(&summary(&whole), &summary(&whole));
        prop_assert!(difference.new.is_empty() && difference.fixed.is_empty() && difference.undecided.is_empty());
    }

    /// A report with a wrong value is refused, or merged and compared like any other.
    #[test]
    fn a_changed_report_is_refused_or_merged(at in any::<prop::sample::Index>(), value in hostile(), drop in any::<bool>()) {
        let mut report: Value = serde_json::from_str(sample()).expect("JSON");
        let places = places(&report);
        let place = &places[at.index(places.len())];
        match report.pointer_mut(place) {
            Some(found) if !drop => *found = value,
            _ => {
                let (parent, name) = place.rsplit_once('/').expect("a place");
                match report.pointer_mut(parent).expect("a value") {
                    Value::Object(members) => drop_member(members, name),
                    Value::Array(items) => drop_item(items, name),
                    _ => {}
                }
            }
        }
        match parse("changed.json", report.to_string().as_bytes()) {
            Err(error) => prop_assert!(error.to_string().starts_with("changed.json:"), "{}", error),
            Ok(file) => {
                let mut merger = Merger::new(builtin());
                let again = parse("changed.json", report.to_string().as_bytes()).expect("the same");
                let (old, new) = (summary(sample()), again.record.outcome().summary);
                Difference::new(&old, &new);
                Difference::new(&new, &old);
                let whole = parse("whole.json", sample().as_bytes()).expect("a report");
                if merger.add(file).is_ok() && merger.add(whole).is_ok() && let Ok(report) = merger.finish() {
                    text(&report);
                }
            }
        }
    }

    /// A truncated report is refused, wherever it is cut.
    #[test]
    fn a_cut_report_is_refused(at in any::<prop::sample::Index>()) {
        let whole = sample().trim_end();
        let cut = &whole.as_bytes()[..at.index(whole.len())];
        let message = parse("cut.json", cut).expect_err("cut").to_string();
        prop_assert!(message.starts_with("cut.json:"), "{}", message);
    }
}

fn drop_member(members: &mut serde_json::Map<String, Value>, name: &str) {
    members.remove(&name.replace("~1", "/").replace("~0", "~"));
}

fn drop_item(items: &mut Vec<Value>, name: &str) {
    items.remove(name.parse::<usize>().expect("a number"));
}

fn hostile() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<u64>().prop_map(Value::from),
        (0u64..20).prop_map(Value::from),
        Just(json!(u64::MAX)),
        Just(json!(-1)),
        Just(json!(1.5)),
        Just(json!(true)),
        Just(json!("")),
        "[a-z0-9]{0,6}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!(["hr", "hr"])),
        Just(json!({"database": "hr"})),
    ]
}

/// JSON pointers to all values below the top.
pub fn places(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut add = |name: String, value: &Value| {
        found.push(name.clone());
        found.extend(places(value).into_iter().map(|below| format!("{name}{below}")));
    };
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, value)| add(format!("/{}", name.replace('~', "~0").replace('/', "~1")), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, value)| add(format!("/{i}"), value)),
        _ => {}
    }
    found
}

/// The report of the samples.
fn sample() -> &'static str {
    static SAMPLE: OnceLock<String> = OnceLock::new();
    SAMPLE.get_or_init(|| text(&scanned(&[top().join("samples/contoso-orders")])))
}

#[test]
fn a_report_that_is_read_back_is_written_the_same() {
    let file = parse("sample.json", sample().as_bytes()).expect("a report");
    let mut again = Vec::new();
    json::write_pretty(&file.record, &mut again).expect("writes");
    assert_eq!(String::from_utf8(again).expect("UTF-8"), sample());
}

#[test]
fn a_finding_that_is_read_back_is_written_the_same() {
    let printed = stdout(&run(&["scan", "samples", "-f", "ndjson"]));
    let findings: Vec<&str> =
        printed.lines().filter(|line| line.starts_with("{\"type\":\"finding\"")).collect();
    assert_eq!(findings.len(), 17);
    for line in findings {
        let finding: Finding = serde_json::from_str::<FindingRecord<'_>>(line).expect("a finding").into();
        let (mut buffer, mut again) = (Vec::new(), Vec::new());
        json::write_line(&FindingRecord::from(&finding), &mut buffer, &mut again).expect("writes");
        assert_eq!(String::from_utf8(again).expect("UTF-8").trim_end(), line);
    }
}

/// A report of findings with these arguments and databases.
fn report_of(found: impl IntoIterator<Item = (String, Option<String>)>, path: &str) -> Report {
    let template: ReportRecord<'_> = parse("sample.json", sample().as_bytes()).expect("a report").record;
    let samples = template.codes.into_iter().flat_map(|code| code.samples);
    let template: Finding = samples.into_iter().find(|found| found.id == "603104").expect("a value").into();
    let mut summary = Summary::default();
    for (offset, (user, database)) in found.into_iter().enumerate() {
        let mut finding = template.clone();
        finding.args = vec![("user".into(), ArgValue::One(user))];
        finding.context.database = database;
        finding.origin = Arc::new(migsift::source::Origin::path(Path::new(path)));
        finding.offset = offset as u64;
        summary.add(&finding, builtin().entry(&finding.id).map(|entry| &**entry), 1);
        summary.sample(&finding);
    }
    let mut outcome = Outcome::default();
    outcome.summary = summary;
    Report::build(outcome, builtin())
}

/// In a truncated list the listed failures are exact. Counts of the others are lower bounds, and marked so.
#[test]
fn cut_lists_merge_to_lower_bounds() {
    let names = |range: std::ops::Range<usize>| range.map(|i| (format!("u{i}"), None));
    let more = MAX_ARG_SETS + 2_000;
    let (a, b) = (report_of(names(0..more), "a.log"), report_of(names(1_000..more + 1_000), "b.log"));
    let both = report_of(names(0..more).chain(names(1_000..more + 1_000)), "a.log");
    assert!(!both.codes[0].failures_truncated && both.codes[0].args_truncated);
    assert_eq!(text(&merged(&[text(&a)])), text(&a), "one report alone stays as it is");
    let sum = merged(&[text(&a), text(&b)]);
    let (code, want) = (&sum.codes[0], &both.codes[0]);
    assert_eq!(code.args, want.args, "the same sets are kept, and counted the same");
    assert_eq!((code.count, code.times), (want.count, want.times));
    assert!(code.args_truncated && code.args_distinct_truncated && code.failures_truncated);
    assert!(sum.totals().failures_truncated);
    assert!((more as u64..=want.failures).contains(&code.failures), "{} of {}", code.failures, want.failures);
    let again = merged(&[text(&b), text(&a)]);
    assert_eq!((again.codes[0].failures, &again.codes[0].args), (code.failures, &code.args));
    let few = report_of(names(0..3), "c.log");
    assert!(merged(&[text(&few), text(&a)]).codes[0].failures_truncated);
    assert!(!merged(&[text(&few), text(&few)]).codes[0].failures_truncated);
}

#[test]
fn cut_databases_merge_as_one_scan_keeps_them() {
    let names =
        |range: std::ops::Range<usize>| range.map(|i| ("repl".to_string(), Some(format!("db{i:04}"))));
    let (a, b) = (report_of(names(0..MAX_DATABASES + 50), "a.log"), report_of(names(500..1_200), "b.log"));
    let both = report_of(names(0..MAX_DATABASES + 50).chain(names(500..1_200)), "a.log");
    let sum = merged(&[text(&a), text(&b)]);
    assert_eq!(sum.codes[0].args, both.codes[0].args);
    assert_eq!(both.codes[0].args[0].databases.len(), MAX_DATABASES);
    assert!(both.codes[0].args[0].databases_truncated() && sum.codes[0].failures_truncated);
}

/// For a set that is missing from a truncated list, it is known whether the list would contain it.
#[test]
fn a_truncated_list_leaves_failures_undecided() {
    let names = |range: std::ops::Range<usize>| range.map(|i| (format!("u{i}"), None));
    let (old, new) =
        (report_of(names(0..MAX_ARG_SETS + 5_000), "a.log"), report_of(names(0..20_000), "a.log"));
    let (old, new) = (summary(&text(&old)), summary(&text(&new)));
    let difference = Difference::new(&old, &new);
    let (kept, decided) = (difference.still_failing.len(), difference.new.len());
    assert!(difference.fixed.is_empty(), "all that the old run has is in the new one");
    assert!(decided > 0 && kept > 0 && !difference.undecided.is_empty());
    let really_new = |failure: &migsift::diff::Failure| {
        let number: usize = failure.args[0].1.to_string()[1..].parse().expect("a number");
        number >= MAX_ARG_SETS + 5_000
    };
    assert!(difference.new.iter().all(really_new));
    assert_eq!(difference.truncated[0].old_unlisted, 5_000);
    assert_eq!(difference.truncated[0].new_unlisted, 10_000);
}

#[test]
fn a_failure_is_identified_by_id_arguments_and_database() {
    let one = |user: &str, database: Option<&str>| (user.to_string(), database.map(str::to_string));
    let old =
        report_of([one("a", Some("hr")), one("a", None), one("b", None), one("c", Some("hr"))], "old.log");
    let new =
        report_of([one("a", Some("crm")), one("c", Some("hr")), one("b", None), one("b", None)], "new.log");
    let difference = Difference::new(&summary(&text(&old)), &summary(&text(&new)));
    let described = |list: &[migsift::diff::Failure]| -> Vec<String> {
        list.iter()
            .map(|f| {
                format!(
                    "{} {} {}>{}",
                    f.args[0].1,
                    f.database.as_deref().unwrap_or("-"),
                    f.old_count,
                    f.new_count
                )
            })
            .collect()
    };
    assert_eq!(described(&difference.fixed), ["a hr 1>0"]);
    assert_eq!(described(&difference.new), ["a crm 0>1"]);
    assert_eq!(described(&difference.still_failing), ["b - 1>2", "c hr 1>1"]);
}

/// Files that are not reports, with the messages that refuse them.
#[test]
fn an_invalid_report_is_refused_with_its_file_and_place() {
    let deep = format!("{{\"tool\":\"migsift\",\"schema_version\":1,\"codes\":{}", "[".repeat(100_000));
    let twice = sample().replacen("\"complete\": true,", "\"complete\": true, \"complete\": true,", 1);
    let twice_named =
        sample().replacen("\"user\": \"mig_svc\",", "\"user\": \"mig_svc\", \"user\": \"x\",", 1);
    let typed = sample().replacen("\"findings\": 17", "\"findings\": \"17\"", 1);
    let negative = sample().replacen("\"findings\": 17", "\"findings\": -17", 1);
    let wrong_sum = sample().replacen("\"findings\": 17", "\"findings\": 18", 1);
    let great = sample().replacen("\"bytes\": ", "\"bytes\": 9999999999999", 1);
    let later = sample().replacen("\"schema_version\": 1", "\"schema_version\": 2", 1);
    let ndjson = stdout(&run(&["scan", "samples", "-f", "ndjson"]));
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(sample().encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let cases: [(&[u8], &str); 16] = [
        (b"", "x.json: empty"),
        (b"null", "x.json:1:4: invalid type: null"),
        (b"[1, 2", "x.json:1:"),
        (b"{}", "x.json: no report of migsift"),
        (b"{\"tool\": [[[]]]}", "x.json: no report of migsift"),
        (b"{\"tool\": \"migsift\"}", "x.json: schema_version is none; this program reads 1"),
        (b"{\"tool\": \"migsift\", \"schema_version\": 1}", "x.json: written by migsift, but no report"),
        (b"{\"tool\": \"\xff\"}", "x.json:1:"),
        (deep.as_bytes(), "x.json:1:"),
        (twice.as_bytes(), "x.json:10:30: duplicate field `complete`"),
        (typed.as_bytes(), "x.json:"),
        (negative.as_bytes(), "x.json:"),
        (wrong_sum.as_bytes(), "x.json:totals: findings (18) is not error and warning together (17)"),
        (great.as_bytes(), "x.json:inputs: more than 9007199254740991"),
        (later.as_bytes(), "x.json: schema_version is 2; this program reads 1"),
        (ndjson.as_bytes(), "x.json: findings in NDJSON, no report; make one with --format json"),
    ];
    for (bytes, want) in cases.into_iter().chain([
        (twice_named.as_bytes(), "x.json:"),
        (utf16.as_slice(), "x.json: UTF-16, not UTF-8; write the report with --output"),
    ]) {
        let message = parse("x.json", bytes).expect_err(want).to_string();
        assert!(message.starts_with(want), "{message}\n{want}");
        assert!(message.len() < 500, "{message}");
    }
    let bom = format!("\u{feff}{}", sample());
    assert!(parse("x.json", bom.as_bytes()).is_ok());
}

/// A report in any format but JSON cannot be merged or compared, and the message says which format can.
#[test]
fn reports_in_other_formats_are_refused_with_a_hint() {
    let folder = tempfile::tempdir().expect("a folder");
    for format in Format::ALL.iter().filter(|format| **format != Format::Json) {
        let path = folder.path().join(format.name()).to_string_lossy().into_owned();
        let written = run(&["scan", "samples", "-q", "-f", format.name(), "-o", &path]);
        assert_eq!(written.status.code(), Some(1), "{}", format.name());
        for args in [&["merge", &path][..], &["diff", &path, &path]] {
            let output = run(args);
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{message}");
            assert!(message.contains("make one with --format json"), "{}: {message}", format.name());
        }
    }
}

#[test]
fn a_report_larger_than_any_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.json");
    std::fs::File::create(&path).expect("creates").set_len(1 << 40).expect("a sparse file");
    let output = run(&["merge", &path.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).ends_with("large.json: larger than 268435456 bytes\n"), "{}", stderr(&output));
}

/// A folder of reports for a command line.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    fn put(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path.to_string_lossy().into_owned()
    }

    fn scan(&self, name: &str, args: &[&str]) -> String {
        let path = self.0.path().join(name).to_string_lossy().into_owned();
        run(&[&["scan", "-f", "json", "-o", &path], args].concat());
        path
    }
}

#[test]
fn reports_of_different_catalogues_are_refused_by_name() {
    let folder = Folder::new();
    let own = folder.scan("own.json", &["samples", "--catalog", "tests/data/own.toml"]);
    let other = folder.scan("other.json", &["tests/data/mixed.log"]);
    for args in [&["merge", &other, &own][..], &["diff", &other, &own]] {
        let output = run(args);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()));
        let message = stderr(&output);
        assert!(
            message.contains("own.json:catalog: made with catalogue") && message.contains("other.json with"),
            "{message}"
        );
    }
    let output = run(&["merge", &own]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("name the same pattern files by --catalog"), "{}", stderr(&output));
    let output = run(&["merge", &own, "--catalog", "tests/data/own.toml", "-f", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), std::fs::read_to_string(&own).expect("reads"));
}

#[test]
fn merge_prints_and_ends_as_scan_does() {
    let folder = Folder::new();
    let parts = ["pgcopydb.log", "worker.log", "PT1H.json", "migration-show.json", "postgresql.log"]
        .map(|name| (name, format!("samples/contoso-orders/{name}")));
    let reports: Vec<String> =
        parts.iter().map(|(name, path)| folder.scan(&format!("{name}.report"), &[path])).collect();
    let names: Vec<&str> = reports.iter().map(String::as_str).collect();
    let paths: Vec<&str> = parts.iter().map(|(_, path)| path.as_str()).collect();
    for more in [
        &["-f", "json"][..],
        &[],
        &["--fail-on", "never"],
        &["--exit-zero", "-f", "json"],
        &["--fail-on", "unknown"],
        &["--baseline", "tests/data/baseline.toml", "-f", "json"],
        &["--baseline", "tests/data/baseline.toml"],
    ] {
        let whole = run(&[&["scan"], &paths[..], more].concat());
        let sum = run(&[&["merge"], &names[..], more].concat());
        assert_eq!(stdout(&sum), stdout(&whole), "{more:?}");
        assert_eq!(sum.status.code(), whole.status.code(), "{more:?}");
    }
    let partial = folder.scan("partial.report", &["tests/data/no-such.log"]);
    assert_eq!(run(&["merge", names[0], &partial]).status.code(), Some(3));
    let twice = run(&["merge", names[0], names[1], names[0]]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(stderr(&twice).contains("would count twice"), "{}", stderr(&twice));
    // A report may come from another program, too.
    let mut child = program()
        .args(["merge", "-", names[1], "-f", "json"])
        .stdin(Stdio::from(std::fs::File::open(names[0]).expect("opens")))
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    assert_eq!(child.wait().expect("ends").code(), Some(1));
}

#[test]
fn diff_lists_fixed_new_and_remaining_failures() {
    let folder = Folder::new();
    let old = folder.scan("old.json", &["samples/contoso-orders/worker.log"]);
    let new = folder.scan("new.json", &["samples/contoso-orders/migration-show.json"]);
    let output = run(&["diff", &old, &new]);
    assert_eq!(output.status.code(), Some(1));
    let want = "\
2 new, 3 still failing, 3 fixed

New (2)
  603107  GUC Settings Error
    wal_level: replica (1x)
  cdc-no-primary-key  Non-Primary Key Table CDC Warning
    in orders, 1x

Still failing (3)
  603401  Collation mismatch.
    collation: de_DE@euro, database: hr (in hr, 2x, was 1x)
  603405  Unsupported Extensions
    extensions: timescaledb, pg_cron (in analytics, 1x)
  603409  User-defined casts present.
    database: billing (in billing, 1x)

Fixed (3)
  603104  Missing Replication Role.
    user: mig_svc, server: src-orders-01.contoso.internal (in orders, 1x)
  603105  GUC Settings Error
    min_replication_slots: 12 (in orders, 1x)
  603108  Extensions allowlist required.
    extensions: hstore, postgis (in orders, 1x)
";
    assert_eq!(stdout(&output), want);
    let output = run(&["diff", &old, &new, "-f", "json"]);
    let record: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let count = |list: &str| record[list].as_array().map(Vec::len);
    assert_eq!(
        ["new", "still_failing", "fixed", "undecided"].map(count),
        [Some(2), Some(3), Some(3), Some(0)]
    );
    assert_eq!(record["new"][0]["args"], json!({"wal_level": "replica"}));
    let same = run(&["diff", &old, &old]);
    assert_eq!(same.status.code(), Some(0));
    assert!(stdout(&same).starts_with("0 new, 6 still failing, 0 fixed\n"), "{}", stdout(&same));
    let partial = folder.scan("partial.json", &["samples/contoso-orders/worker.log", "no-such.log"]);
    let output = run(&["diff", &old, &partial]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        stdout(&output).contains("some inputs were not read: fixed failures may still be there"),
        "{}",
        stdout(&output)
    );
    let broken = folder.put("broken.json", "{\"tool\":\"migsift\",\x1b[31m");
    let output = run(&["diff", &old, &broken]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("broken.json:1:"), "{}", stderr(&output));
    assert!(!stderr(&output).contains('\x1b'));
}
