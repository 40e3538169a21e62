//! Every night: the files to copy in `samples/schedule`, held by the programs that read them.

use crate::metrics::{assert_metrics, metrics, promtool};
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
fn the_rules_for_alerts_are_rules_and_ask_for_what_there_is() {
    if let Some(output) = promtool(&["check", "rules", "samples/schedule/alerts.yml"], "") {
        assert!(output.status.success(), "{}", stderr(&output));
    }
    // They ask for what there is.
    let place = Place::new();
    let text = stdout(&place.scan(&["-f", "prometheus"]));
    assert_metrics(&text);
    let families = metrics(&text);
    let rules = fs::read_to_string(top().join("samples/schedule/alerts.yml")).expect("reads");
    let asked =
        rules.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| word.starts_with("migsift_"));
    let asked: Vec<&str> = asked.collect();
    assert!(asked.len() >= 3 && asked.iter().all(|name| families.contains_key(*name)), "{asked:?}");
}

/// The script for a chat, with a `curl` that writes down what it is given.
#[cfg(unix)]
#[test]
fn the_webhook_is_told_what_is_new_and_only_that() {
    use std::os::unix::fs::PermissionsExt;
    if Command::new("jq").arg("--version").output().is_err() {
        return not_checked("the message to a chat, because jq is not installed");
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
        place.scan(&["-q"]);
        let mut script = Command::new("sh");
        script.arg(top().join("samples/schedule/webhook")).arg(place.store()).arg("http://chat.invalid/");
        let output = script.env("PATH", &path).output().expect("runs");
        assert!(output.status.success(), "{}", stderr(&output));
        fs::read_to_string(&said).unwrap_or_default()
    };
    let first = tell();
    let message: serde_json::Value = serde_json::from_str(&first).expect("one message");
    assert_eq!(message["text"], "603101 Database exists in target database=db1 (1)");
    assert_eq!(tell(), first, "nothing is new");
}
