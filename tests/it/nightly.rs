//! Nightly jobs: the files in `samples/schedule`, checked by the programs that read them.

use crate::metrics::{assert_metrics, metrics, promtool};
use crate::store::{Place, append, record};
use crate::{not_checked, stderr, stdout, top};
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_alert_rules_are_valid_and_use_existing_metrics() {
    if let Some(output) = promtool(&["check", "rules", "samples/schedule/alerts.yml"], "") {
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let place = Place::new();
    append(&place.log("a.log"), &record(1));
    let text = stdout(&place.job(&["-f", "prometheus"]));
    assert_metrics(&text);
    let families = metrics(&text);
    let rules = fs::read_to_string(top().join("samples/schedule/alerts.yml")).expect("reads");
    let asked =
        rules.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| word.starts_with("migsift_"));
    let asked: Vec<&str> = asked.collect();
    assert!(asked.len() >= 3 && asked.iter().all(|name| families.contains_key(*name)), "{asked:?}");
}

/// systemd accepts the units, except for the program, which may not be installed here.
#[cfg(target_os = "linux")]
#[test]
fn systemd_accepts_the_units() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["migsift.service", "migsift.timer"];
    for name in names {
        let unit = fs::read_to_string(top().join("samples/schedule").join(name)).expect("a unit");
        let unit = unit.replace("ExecStart=migsift ", "ExecStart=/bin/true ");
        fs::write(folder.path().join(name), unit).expect("written");
    }
    let verified =
        |path: &Path| Command::new("systemd-analyze").arg("--man=no").arg("verify").arg(path).output();
    for name in names {
        let Ok(output) = verified(&folder.path().join(name)) else {
            not_checked("the units, because systemd-analyze is missing");
            return;
        };
        let messages = stderr(&output);
        let own: Vec<&str> = messages.lines().filter(|line| line.contains("migsift")).collect();
        assert!(own.is_empty(), "{own:#?}");
    }
}

/// The script for a chat, with a `curl` that writes its input to a file.
#[cfg(unix)]
#[test]
fn the_webhook_posts_only_what_is_new() {
    use std::os::unix::fs::PermissionsExt;
    if Command::new("jq").arg("--version").output().is_err() {
        return not_checked("the message to a chat, because jq is not installed");
    }
    let place = Place::new();
    append(&place.log("a.log"), &record(1));
    let bin = place.store().with_file_name("bin");
    fs::create_dir(&bin).expect("a folder");
    let posted = place.store().with_file_name("posted");
    let curl = bin.join("curl");
    fs::write(&curl, format!("#!/bin/sh\ncat >> '{}'\n", posted.display())).expect("writes");
    fs::set_permissions(&curl, fs::Permissions::from_mode(0o755)).expect("changes");
    let program = Path::new(env!("CARGO_BIN_EXE_migsift")).parent().expect("a folder");
    let path = [bin.as_os_str(), program.as_os_str(), &std::env::var_os("PATH").unwrap_or_default()];
    let path = path.join(std::ffi::OsStr::new(":"));
    let run = || {
        let mut script = Command::new("sh");
        script.arg(top().join("samples/schedule/webhook")).arg(place.store()).arg("http://chat.invalid/");
        script.env("PATH", &path).output().expect("runs")
    };
    let post = || {
        place.job(&["-q"]);
        let output = run();
        assert!(output.status.success(), "{}", stderr(&output));
        fs::read_to_string(&posted).unwrap_or_default()
    };
    let first = post();
    let message: serde_json::Value = serde_json::from_str(&first).expect("one message");
    assert_eq!(message["text"], "603405 Unsupported Extensions extensions=ext1 (1)");
    assert_eq!(post(), first, "nothing is new");
    fs::write(place.store(), "not a store").expect("writes");
    assert_eq!(run().status.code(), Some(2), "an unreadable store is an error, not silence");
}
