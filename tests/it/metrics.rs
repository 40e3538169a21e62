//! Metrics, checked against the strictest reading of Prometheus and OpenMetrics: by a parser of the grammar,
//! and by Prometheus' own tool if it is installed.

use crate::{not_checked, run, stdout, top};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// A sample: its labels and value.
pub type Sample = (BTreeMap<String, String>, f64);
/// Samples by family.
pub type Families = BTreeMap<String, Vec<Sample>>;

/// Parses metrics by the strictest reading of Prometheus and OpenMetrics: each family once, with its help and
/// type before its samples, names and escapes that both allow, `# EOF` at the end.
pub fn metrics(text: &str) -> Families {
    let body = text.strip_suffix("# EOF\n").expect("the mark of the end");
    let mut families: Families = BTreeMap::new();
    let mut lines = body.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, help) =
            line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect("a help line");
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !help.contains(['\\', '"']),
            "{line}"
        );
        for suffix in ["_total", "_created", "_count", "_sum", "_bucket"] {
            assert!(!name.ends_with(suffix), "{name} is no gauge's name");
        }
        assert_eq!(lines.next(), Some(&*format!("# TYPE {name} gauge")));
        let mut samples: Vec<Sample> = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let rest = line.strip_prefix(name).expect("a sample of the family");
            let (labels, value) = match rest.strip_prefix('{') {
                Some(rest) => labels(rest),
                None => (BTreeMap::new(), rest),
            };
            let value = value.strip_prefix(' ').expect("one blank");
            assert!(!value.contains(' '), "{line}: a time stamp");
            assert!(samples.iter().all(|(known, _)| *known != labels), "{line} occurs twice");
            samples.push((labels, value.parse().expect("a number")));
        }
        assert!(!samples.is_empty() && families.insert(name.to_string(), samples).is_none(), "{name}");
    }
    families
}

/// The labels of a sample after its brace, and the rest.
fn labels(mut rest: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    loop {
        let (name, more) = rest.split_once("=\"").expect("a label");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        let mut value = String::new();
        let mut chars = more.char_indices();
        let end = loop {
            match chars.next().expect("a closing quote") {
                (at, '"') => break at,
                (_, '\\') => match chars.next().expect("an escape").1 {
                    c @ ('\\' | '"') => value.push(c),
                    'n' => value.push('\n'),
                    other => panic!("no escape: {other}"),
                },
                (_, c) => value.push(c),
            }
        };
        assert!(labels.insert(name.to_string(), value).is_none(), "{name} occurs twice");
        rest = &more[end + 1..];
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (labels, rest.strip_prefix('}').expect("a closing brace")),
        }
    }
}

/// The value of the sample with these labels.
pub fn value(families: &Families, family: &str, wanted: &[(&str, &str)]) -> f64 {
    let wanted: BTreeMap<String, String> =
        wanted.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect();
    let found = families[family].iter().find(|(labels, _)| *labels == wanted);
    found.unwrap_or_else(|| panic!("{family} {wanted:?}: {families:?}")).1
}

/// The messages of Prometheus' own tool about `text`; none if it is not installed.
pub fn promtool(args: &[&str], text: &str) -> Option<Output> {
    let mut tool = Command::new("promtool");
    tool.args(args).current_dir(top()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut tool) = tool.spawn() else {
        not_checked("metrics by promtool, which is not installed");
        return None;
    };
    tool.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("is read");
    Some(tool.wait_with_output().expect("ends"))
}

/// The output follows the grammar, and Prometheus' own parser and linter report nothing.
pub fn assert_metrics(text: &str) {
    let (rest, _) = nom_openmetrics::parser::openmetrics(text).expect("the format");
    assert_eq!(rest, "", "all of it");
    if let Some(output) = promtool(&["check", "metrics"], text) {
        assert!(output.status.success() && output.stderr.is_empty(), "{}\n{text}", crate::stderr(&output));
    }
}

#[test]
fn metrics_say_what_the_report_says() {
    let text = stdout(&run(&["scan", "tests/data/mixed.log", "no-such.log", "-q", "-f", "openmetrics"]));
    assert_metrics(&text);
    let families = metrics(&text);
    let value = |family: &str, wanted: &[(&str, &str)]| value(&families, family, wanted);
    assert_eq!(value("migsift_complete", &[]), 0.0);
    assert_eq!(value("migsift_inputs", &[("status", "scanned")]), 1.0);
    assert_eq!(value("migsift_inputs", &[("status", "failed")]), 1.0);
    assert_eq!(value("migsift_scanned_bytes", &[]), 722.0);
    assert_eq!(value("migsift_findings", &[("severity", "error")]), 4.0);
    assert_eq!(value("migsift_findings", &[("severity", "warning")]), 1.0);
    assert_eq!(value("migsift_failures", &[]), 5.0);
    assert_eq!(value("migsift_unknown_findings", &[]), 1.0);
    assert_eq!(value("migsift_code_findings", &[("code", "603101"), ("severity", "error")]), 2.0);
    assert_eq!(
        value("migsift_code_failures", &[("code", "cdc-no-primary-key"), ("severity", "warning")]),
        1.0
    );
    assert_eq!(value("migsift_last_finding_timestamp_seconds", &[]), 1_717_710_178.0);
    let clean = metrics(&stdout(&run(&["scan", "tests/data/clean.log", "-f", "prometheus"])));
    assert_eq!(clean["migsift_complete"], [(BTreeMap::new(), 1.0)]);
    assert!(!clean.contains_key("migsift_code_findings"), "a family without samples is left out");
}

/// The edition of an own catalogue is a label and may be any text.
#[test]
fn labels_are_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = std::fs::read_to_string(top().join("tests/data/own.toml")).expect("reads");
    let hostile = own.lines().map(|line| match line.starts_with("edition") {
        true => "edition = \"a\\\\b\\\"c\\nd\"\n".to_string(),
        false => format!("{line}\n"),
    });
    let file = folder.path().join("own.toml");
    std::fs::write(&file, hostile.collect::<String>()).expect("writes");
    let path = file.to_string_lossy();
    let text = stdout(&run(&[
        "scan",
        "tests/data/clean.log",
        "-f",
        "prometheus",
        "--no-builtin",
        "--catalog",
        &path,
    ]));
    assert_metrics(&text);
    let families = metrics(&text);
    assert_eq!(families["migsift_build_info"][0].0["catalog_edition"], "a\\b\"c d", "{text}");
}
