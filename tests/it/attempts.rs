//! Attempts: bundles that hold the logs of several tries of a migration.

use crate::{run, stderr, stdout};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A line of the worker's log that has a finding.
fn line(time: &str, database: &str) -> String {
    format!(
        "{time}\t{database}\t62\tx.c\tERROR\t 603105: Insufficient Replication Slots. Increase max_replication_slots on the source server to 9 or higher.\n"
    )
}

/// What `migration show` prints for a migration with one failure.
fn resource(id: &str, state: &str, started: &str, database: &str) -> String {
    let resource = json!({
        "properties": {
            "migrationId": id,
            "sourceDbServerResourceId": "src-1",
            "currentStatus": {
                "state": state,
                "currentSubStateDetails": {
                    "dbDetails": { database: {
                        "databaseName": database,
                        "startedOn": started,
                        "message": "603104: Missing Replication Role. User `repl` doesn't have the replication role on server `src-1`.",
                    }},
                },
            },
        },
    });
    resource.to_string()
}

fn bundle(files: &[(&str, String)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("writes");
    }
    folder
}

fn report(folder: &TempDir, args: &[&str]) -> Value {
    let path = folder.path().to_string_lossy().into_owned();
    let output = run(&[&["scan", &path, "-f", "json"], args].concat());
    serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)))
}

#[test]
fn logs_without_ids_are_separated_by_an_hour_without_findings() {
    let text = [
        line("2024-06-06T08:00:00Z", "a"),
        line("2024-06-06T08:59:00Z", "b"),
        line("2024-06-06T09:30:00Z", "c"),
        line("2024-06-06T21:40:00Z", "d"),
        line("2024-06-06T21:41:00Z", "d"),
    ];
    let folder = bundle(&[("worker.log", text.concat())]);
    let whole = report(&folder, &[]);
    let attempts = whole["attempts"].as_array().expect("a list");
    let counts: Vec<&Value> = attempts.iter().map(|attempt| &attempt["findings"]).collect();
    assert_eq!(counts, [3, 2]);
    assert_eq!(attempts[1]["first"], "2024-06-06T21:40:00.000Z");
    assert_eq!((&attempts[1]["ended"], &attempts[1]["migration"]), (&json!(false), &Value::Null));
    let last = report(&folder, &["--last-attempt"]);
    assert_eq!(last["totals"]["findings"], 2);
    assert_eq!(last["codes"][0]["args"][0]["databases"], json!(["d"]));
    assert_eq!(last["attempts"].as_array().map(Vec::len), Some(1));
}

#[test]
fn an_attempt_is_identified_by_its_id_and_includes_the_logs_of_its_time() {
    let folder = bundle(&[
        ("first.json", resource("m-1", "Failed", "2024-06-06T08:00:00Z", "old")),
        ("second.json", resource("m-2", "InProgress", "2024-06-06T21:40:00Z", "new")),
        ("worker.log", line("2024-06-06T08:01:00Z", "old") + &line("2024-06-06T21:41:00Z", "new")),
    ]);
    let whole = report(&folder, &[]);
    let of = |id: &str| {
        let attempts = whole["attempts"].as_array().expect("a list");
        attempts.iter().find(|attempt| attempt["migration"] == id).cloned().expect("listed")
    };
    assert_eq!((&of("m-1")["ended"], &of("m-2")["ended"]), (&json!(true), &json!(false)));
    assert_eq!(of("m-2")["states"], json!(["InProgress"]));
    let text = stdout(&run(&["scan", &folder.path().to_string_lossy()]));
    let shown: Vec<&str> = text.lines().filter(|line| line.starts_with("  m-")).collect();
    let [first, second] = &shown[..] else { panic!("{text}") };
    assert!(first.starts_with("  m-1, ") && first.ends_with("finding, Failed"), "{first}");
    assert!(second.starts_with("  m-2, ") && second.contains("InProgress, no final state"), "{second}");
    assert!(text.contains("2 attempts (--last-attempt"), "logs of a migration's time belong to it: {text}");
    let path = folder.path().to_string_lossy().into_owned();
    for (format, id) in [("markdown", r"m\-1"), ("html", "m-1")] {
        let text = stdout(&run(&["scan", &path, "-f", format]));
        let (_, attempts) = text.rsplit_once("Attempts").unwrap_or_else(|| panic!("{format}: {text}"));
        assert!(attempts.contains(id) && attempts.contains("no final state"), "{format}: {text}");
    }
    let last = report(&folder, &["--last-attempt"]);
    assert_eq!(last["totals"]["findings"], 2);
    for code in last["codes"].as_array().expect("a list") {
        assert_eq!(code["args"][0]["databases"], json!(["new"]), "{code}");
    }
    // The filters apply inside the last attempt; they do not choose another one.
    let none = report(&folder, &["--last-attempt", "--code", "603105", "--since", "2024-06-06T21:41:30Z"]);
    assert_eq!(none["totals"]["findings"], 0);
}

#[test]
fn streams_cannot_be_read_twice() {
    let output = run(&["scan", "-", "--last-attempt"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--last-attempt"), "{}", stderr(&output));
}
