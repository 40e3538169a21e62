//! Every night: what a store says in metrics and on the page, and the files to copy in `samples/schedule`.

use crate::metrics::{assert_metrics, metrics, promtool, value};
use crate::{not_checked, program, stderr, stdout, top};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with logs, and a store beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().expect("a folder"));
        fs::create_dir(place.0.path().join("logs")).expect("a folder");
        place
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("history.db")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join("logs").join(name), text).expect("writes");
    }

    fn scan(&self, more: &[&str]) -> Output {
        let mut command = program();
        command.arg("scan").arg(self.0.path().join("logs")).arg("--store").arg(self.store());
        command.args(more).stdin(Stdio::null()).output().expect("runs")
    }
}

/// A database that exists on the target, at a time or without one.
fn exists(time: &str, database: usize) -> String {
    format!(
        "{time} ERROR 603101: Database exists in target. Database `db{database}` exists on the target server.\n"
    )
}

#[test]
fn the_metrics_of_a_run_say_what_was_new() {
    let place = Place::new();
    place.write("a.log", &[exists("2024-06-01T10:00:00Z", 1), exists("2024-06-01T11:00:00Z", 2)].concat());
    place.scan(&[]);
    place.write("b.log", &exists("2024-06-02T10:00:00Z", 3));
    let before = jiff::Timestamp::now().as_second() as f64;
    let text = stdout(&place.scan(&["-f", "prometheus", "--new-only"]));
    assert_metrics(&text);
    let families = metrics(&text);
    assert_eq!(value(&families, "migsift_new_findings", &[]), 1.0);
    assert_eq!(value(&families, "migsift_code_findings", &[("code", "603101"), ("severity", "error")]), 1.0);
    let read = value(&families, "migsift_inputs", &[("status", "scanned")]);
    let unchanged =
        ["times", "content"].map(|by| value(&families, "migsift_unchanged_inputs", &[("by", by)]));
    assert_eq!((read, unchanged[0] + unchanged[1]), (1.0, 1.0));
    let ended = value(&families, "migsift_last_run_timestamp_seconds", &[]);
    assert!(ended >= before - 1.0 && value(&families, "migsift_last_run_duration_seconds", &[]) >= 0.0);
    // The history says the same of that run.
    let mut report = program();
    let report =
        report.args(["report", "-f", "prometheus", "--run", "2", "--store"]).arg(place.store()).output();
    let report = metrics(&stdout(&report.expect("runs")));
    for family in ["migsift_new_findings", "migsift_last_run_timestamp_seconds", "migsift_unchanged_inputs"] {
        assert_eq!(report[family], families[family], "{family}");
    }
    // Without a store no output carries a clock.
    let plain = program().args(["scan", "samples", "-f", "prometheus"]).output().expect("runs");
    assert!(!stdout(&plain).contains("migsift_last_run"));
}

#[test]
fn the_page_of_a_history_shows_each_day() {
    let place = Place::new();
    let days = [("2024-06-01T10:00:00Z", 1), ("2024-06-01T23:59:59Z", 2), ("2024-06-03T00:00:00Z", 3)];
    place.write("a.log", &days.map(|(time, database)| exists(time, database)).concat());
    place.write("old.log", &exists("2023-01-01T00:00:00Z", 4));
    let page = |args: &[&str]| {
        let mut report = program();
        let output = report.args(["report", "-f", "html", "--store"]).arg(place.store()).args(args).output();
        stdout(&output.expect("runs"))
    };
    let scanned = stdout(&place.scan(&["-f", "html"]));
    for page in [scanned, page(&[])] {
        let trend = page.split_once("<section id=\"trend\"").expect("a section").1;
        let trend = trend.split_once("</section>").expect("its end").0;
        assert!(trend.contains("<title>2024-06-01: 2 findings</title>"), "{trend}");
        assert!(trend.contains("<title>2024-06-03: 1 finding</title>") && !trend.contains("2024-06-02:"));
        assert!(trend.contains("1 finding before these days not drawn."), "{trend}");
        assert!(trend.contains("href=\"#603101\"") || trend.contains("href=\"#code-603101\""), "{trend}");
    }
    assert!(page(&["--since", "2024-06-02"]).contains("<title>2024-06-03: 1 finding</title>"));
    assert!(
        !page(&["--since", "2024-06-02"]).contains("<title>2024-06-01: "),
        "those days are not asked for"
    );
    // What has no time counts on the day of its run.
    let undated = Place::new();
    undated.write("a.log", &exists("", 1));
    let today = jiff::Timestamp::now().to_string();
    let page = stdout(&undated.scan(&["-f", "html"]));
    let shown = |day: &str| page.contains(&format!("<title>{}: 1 finding</title>", &day[..10]));
    assert!(shown(&today) || shown(&jiff::Timestamp::now().to_string()));
}

#[test]
fn the_rules_for_alerts_are_rules() {
    if let Some(output) = promtool(&["check", "rules", "samples/schedule/alerts.yml"], "") {
        assert!(output.status.success(), "{}", stderr(&output));
    }
    // They ask for what there is.
    let place = Place::new();
    let families = metrics(&stdout(&place.scan(&["-f", "prometheus"])));
    let rules = fs::read_to_string(top().join("samples/schedule/alerts.yml")).expect("reads");
    let asked =
        rules.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| word.starts_with("migsift_"));
    let asked: Vec<&str> = asked.collect();
    assert!(asked.len() >= 3 && asked.iter().all(|name| families.contains_key(*name)), "{asked:?}");
}

/// Where systemd's own check is, it has nothing to say of the units.
#[cfg(unix)]
#[test]
fn the_units_are_units() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut check = Command::new("systemd-analyze");
    check.args(["verify", "--man=no"]);
    for name in ["migsift.service", "migsift.timer"] {
        let text = fs::read_to_string(top().join("samples/schedule").join(name)).expect("reads");
        // It looks for the program.
        let text =
            text.replace("ExecStart=migsift ", &format!("ExecStart={} ", env!("CARGO_BIN_EXE_migsift")));
        fs::write(folder.path().join(name), text).expect("writes");
        check.arg(folder.path().join(name));
    }
    let Ok(output) = check.output() else {
        return not_checked("systemd-analyze");
    };
    assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
}

/// The script for a chat, with a `curl` that writes down what it is given.
#[cfg(unix)]
#[test]
fn the_webhook_is_told_what_is_new_and_only_that() {
    use std::os::unix::fs::PermissionsExt;
    if Command::new("jq").arg("--version").output().is_err() {
        return not_checked("jq");
    }
    let place = Place::new();
    place.write("a.log", &exists("2024-06-01T10:00:00Z", 1));
    let bin = place.0.path().join("bin");
    fs::create_dir(&bin).expect("a folder");
    let said = place.0.path().join("said");
    let curl = bin.join("curl");
    fs::write(&curl, format!("#!/bin/sh\ncat >> '{}'\n", said.display())).expect("writes");
    fs::set_permissions(&curl, fs::Permissions::from_mode(0o755)).expect("changes");
    let program = Path::new(env!("CARGO_BIN_EXE_migsift")).parent().expect("a folder");
    let path = [bin.as_os_str(), program.as_os_str(), &std::env::var_os("PATH").unwrap_or_default()];
    let path = path.join(std::ffi::OsStr::new(":"));
    let tell = || {
        let mut script = Command::new("sh");
        script.arg(top().join("samples/schedule/webhook.sh")).arg(place.store()).arg("http://chat.invalid/");
        let output = script.arg(place.0.path().join("logs")).env("PATH", &path).output().expect("runs");
        assert!(output.status.success(), "{}", stderr(&output));
        fs::read_to_string(&said).unwrap_or_default()
    };
    let first = tell();
    let message: serde_json::Value = serde_json::from_str(&first).expect("one message");
    assert_eq!(message["text"], "New failures in migration logs: 1\n- 603101 Database exists in target: 1");
    assert_eq!(tell(), first, "nothing is new");
    fs::write(place.store(), "no store").expect("writes");
    let mut script = Command::new("sh");
    script.arg(top().join("samples/schedule/webhook.sh")).arg(place.store()).arg("http://chat.invalid/");
    let output = script.arg(place.0.path().join("logs")).env("PATH", &path).output().expect("runs");
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}
