//! Redaction: no output shows a private name, and all of them still say what happened.

use crate::{program, run, stderr, stdout};
use migsift::catalog::{self, ArgValue, Subject, Template, ValueKind};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

const FORMATS: [&str; 8] = ["human", "json", "ndjson", "csv", "markdown", "html", "junit", "prometheus"];

/// Names in the bundle, each in another place; none may be in an output.
const NAMES: [&str; 15] = [
    "zorblax",
    "quuxdb",
    "mig_wibble",
    "frobgroup",
    "snarf-cutover",
    "11111111-2222-3333-4444-555555555555",
    "10.77.88.99",
    "plughhost",
    "jdoe",
    "xyzzyfolder",
    "grault.log",
    "wibble_table",
    "corge_column",
    "fredmember",
    "s3cr3tp4ss",
];

/// A bundle with names in arguments, texts, contexts, resources, paths, members and problems.
fn bundle() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("xyzzyfolder");
    std::fs::create_dir(&inner).expect("creates");
    let id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/frobgroup/providers/Microsoft.DBforPostgreSQL/flexibleServers/zorblax";
    let resource = json!({
        "id": format!("{id}/migrations/snarf-cutover"),
        "properties": {
            "migrationId": "7e603104-2a4b-4c1d-8e60-603105603107",
            "sourceDbServerResourceId": "plughhost.example.com:5432@mig_wibble",
            "targetDbServerResourceId": id,
            "dbsToMigrate": ["quuxdb", "other_quuxdb"],
            "currentStatus": {
                "state": "Failed",
                "error": "603104: Missing Replication Role. User `mig_wibble` doesn't have the replication role on server `zorblax`.",
                "currentSubStateDetails": {"dbDetails": {"quuxdb": {
                    "databaseName": "quuxdb", "state": "Failed",
                    "message": "603401: Collation mismatch. Collation `de_DE@euro` in database `quuxdb` isn't present on target server.",
                }}},
            },
        },
    });
    let lines = concat!(
        "2024-06-06T21:37:45.1Z\tquuxdb\t62\tx.c\tERROR\t 603105: Insufficient Replication Slots. Increase max_replication_slots on the source server to 9 or higher.\n",
        "2024-06-06 21:38:00 UTC ERROR 603000: Connection failed. Connection to the server `10.77.88.99` was unsuccessful. Ensure that the source server is reachable from the target or runtime server.\n",
        "2024-06-06 21:38:01 UTC ERROR 603002: The password for server plughhost.example.com is incorrect, tell jdoe@example.com\n",
        "2024-06-06 21:38:02 UTC ERROR 603402: Collation mismatch. Collation `xx` in table `wibble_table` and column `corge_column` isn't present on target server.\n",
        "2024-06-06 21:38:03 UTC ERROR 603104: Missing Replication Role. User `mig_wibble password=s3cr3tp4ss` doesn't have the replication role on server `zorblax`.\n",
    );
    std::fs::write(inner.join("resource.json"), resource.to_string()).expect("writes");
    std::fs::write(inner.join("grault.log"), lines).expect("writes");
    std::fs::write(inner.join("fredmember.gz"), b"\x1f\x8b\x08\x00damaged").expect("writes");
    folder
}

fn scan(folder: &TempDir, args: &[&str]) -> Output {
    program().arg("scan").arg(folder.path()).args(args).output().expect("runs")
}

fn report(folder: &TempDir, args: &[&str]) -> Value {
    let output = scan(folder, &[&["-f", "json"], args].concat());
    serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)))
}

fn map_flag(map: &Path) -> String {
    format!("--redact={}", map.display())
}

#[test]
fn no_output_shows_a_name() {
    let folder = bundle();
    let plain = stdout(&scan(&folder, &["-f", "json"]));
    for name in NAMES {
        assert!(
            plain.contains(name) || name == "s3cr3tp4ss" || name == "jdoe",
            "the bundle does not say {name}"
        );
    }
    for format in FORMATS {
        let output = scan(&folder, &["-f", format, "--redact", "--plan"]);
        assert_eq!(output.status.code(), Some(3), "{format}: {}", stderr(&output));
        for text in [stdout(&output), stderr(&output)] {
            for name in NAMES {
                assert!(!text.contains(name), "{format} shows {name}:\n{text}");
            }
        }
    }
}

#[test]
fn what_is_counted_is_the_same() {
    let folder = bundle();
    let (plain, redacted) = (report(&folder, &[]), report(&folder, &["--redact"]));
    for key in ["totals", "inputs", "window"] {
        let counts = |report: &Value| {
            let mut counts = report[key].clone();
            if let Some(inputs) = counts.as_object_mut() {
                inputs.remove("problems");
            }
            counts
        };
        assert_eq!(counts(&plain), counts(&redacted), "{key}");
    }
    assert!(plain.get("redaction").is_none() && redacted["redaction"]["key"].is_string());
    let codes = |report: &Value| -> Vec<Value> {
        report["codes"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|code| json!([code["id"], code["count"], code["wording"]]))
            .collect()
    };
    assert_eq!(codes(&plain), codes(&redacted));
}

#[test]
fn one_map_keeps_tokens_and_their_names() {
    let folder = bundle();
    let map = folder.path().with_extension("map.json");
    let flag = map_flag(&map);
    let (first, second) = (report(&folder, &[&flag]), report(&folder, &[&flag]));
    assert_eq!(first, second);
    let kept: Value = serde_json::from_slice(&std::fs::read(&map).expect("there")).expect("JSON");
    let names: BTreeSet<&str> =
        kept["names"].as_object().expect("an object").values().filter_map(Value::as_str).collect();
    for name in ["zorblax", "quuxdb", "mig_wibble", "frobgroup", "10.77.88.99"] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&map), 0o600);
        std::fs::set_permissions(&map, PermissionsExt::from_mode(0o640)).expect("changes");
        let refused = scan(&folder, &[&flag]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains("chmod 600"), "{}", stderr(&refused));
    }
    std::fs::remove_file(&map).expect("removes");
}

#[test]
fn maps_that_are_none_are_refused_without_showing_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let map = folder.path().join("map.json");
    for content in [
        "",
        "{",
        "secretkey",
        r#"{"secretkey":1}"#,
        r#"{"tool":"migsift","version":2,"key":"","names":{}}"#,
        r#"{"tool":"migsift","version":1,"key":"secretkey","names":{}}"#,
        r#"{"tool":"other","version":1,"key":"","names":{}}"#,
    ] {
        std::fs::write(&map, content).expect("writes");
        #[cfg(unix)]
        std::fs::set_permissions(&map, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("changes");
        let output = run(&["scan", "samples", &map_flag(&map)]);
        assert_eq!(output.status.code(), Some(2), "{content}");
        let message = stderr(&output);
        assert!(message.contains("map.json") && !message.contains("secretkey"), "{message}");
        assert_eq!(std::fs::read_to_string(&map).expect("there"), content, "it stays as it was");
    }
    let no_folder = run(&["scan", "samples", &map_flag(&folder.path().join("no/such/folder/map.json"))]);
    assert_eq!(no_folder.status.code(), Some(2), "{}", stderr(&no_folder));
    let output = map.to_string_lossy();
    let own = run(&["scan", "samples", "-f", "json", "-o", &output, &map_flag(&map)]);
    assert_eq!(own.status.code(), Some(2), "{}", stderr(&own));
}

#[test]
fn reports_of_other_keys_are_neither_merged_nor_compared() {
    let folder = bundle();
    let out = tempfile::tempdir().expect("a folder");
    let flag = map_flag(&out.path().join("map.json"));
    let write = |name: &str, args: &[&str]| -> PathBuf {
        let path = out.path().join(name);
        std::fs::write(&path, scan(&folder, &[&["-f", "json"], args].concat()).stdout).expect("writes");
        path
    };
    let (plain, one, other) =
        (write("plain", &[]), write("one", &["--redact"]), write("other", &["--redact"]));
    let (kept, again) = (write("kept", &[&flag]), write("again", &[&flag]));
    let both =
        |command: &str, a: &Path, b: &Path| program().arg(command).args([a, b]).output().expect("runs");
    for command in ["merge", "diff"] {
        for (a, b) in [(&plain, &one), (&one, &plain), (&one, &other), (&kept, &one)] {
            let output = both(command, a, b);
            assert_eq!(output.status.code(), Some(2), "{command}");
            assert!(stderr(&output).contains("redact"), "{}", stderr(&output));
        }
    }
    assert_eq!(both("diff", &kept, &again).status.code(), Some(0));
    let merged = program().args(["merge", "-f", "json"]).args([&kept, &again]).output().expect("runs");
    let merged: Value = serde_json::from_str(&stdout(&merged)).expect("JSON");
    let single: Value = serde_json::from_slice(&std::fs::read(&kept).expect("there")).expect("JSON");
    assert_eq!(merged["redaction"], single["redaction"]);
    assert_eq!(merged["totals"]["failures"], single["totals"]["failures"]);
}

#[test]
fn a_baseline_holds_under_tokens() {
    let folder = bundle();
    let baseline = folder.path().with_extension("baseline.toml");
    let rules = "[[suppress]]\nid = \"603104\"\nargs = { server = \"zorblax\", user = \"mig_wibble\" }\nreason = \"jdoe does it\"\n\
                 [[suppress]]\nid = \"603401\"\ndatabase = \"quuxdb\"\nreason = \"zorblax\"\n";
    std::fs::write(&baseline, rules).expect("writes");
    let path = baseline.to_string_lossy().into_owned();
    let (plain, redacted) =
        (report(&folder, &["--baseline", &path]), report(&folder, &["--baseline", &path, "--redact"]));
    std::fs::remove_file(&baseline).expect("removes");
    assert_eq!(plain["totals"], redacted["totals"]);
    assert!(plain["totals"]["suppressed"].as_u64() > Some(1));
    let text = redacted.to_string();
    assert!(NAMES.iter().all(|name| !text.contains(name)), "{}", redacted["baseline"]);
}

#[test]
fn the_last_attempt_is_the_same_under_tokens() {
    let folder = bundle();
    let (plain, redacted) =
        (report(&folder, &["--last-attempt"]), report(&folder, &["--last-attempt", "--redact"]));
    assert_eq!(plain["totals"], redacted["totals"]);
}

#[test]
fn secrets_are_masked_without_being_asked() {
    let folder = bundle();
    std::fs::write(
        folder.path().join("secrets.log"),
        "PGPASSWORD=s3cr3tp4ss\n603101: Database exists in target. Database `x password='s3cr3tp4ss'` exists on the target server.\n\
         postgres://a:s3cr3tp4ss@h/d\n",
    )
    .expect("writes");
    for format in FORMATS {
        let output = scan(&folder, &["-f", format, "-C", "3"]);
        let text = stdout(&output);
        assert!(!text.contains("s3cr3tp4ss"), "{format}:\n{text}");
    }
    let text = stdout(&scan(&folder, &["-f", "ndjson", "-C", "3"]));
    assert!(
        text.contains("password=***") && text.contains("PGPASSWORD=***") && text.contains("a:***@h"),
        "{text}"
    );
}

#[test]
fn lines_around_findings_are_not_shown_under_redaction() {
    let output = run(&["scan", "samples", "-C", "2", "--redact"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--redact"), "{}", stderr(&output));
}

/// A value of an argument, as logs have it.
fn value(kind: ValueKind, name: &str) -> String {
    match kind {
        ValueKind::Text => name.to_string(),
        ValueKind::List => format!("{name}, {name}2"),
        ValueKind::Number => "12".into(),
        ValueKind::Version => "13.4".into(),
        ValueKind::Word => "replica".into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Every message of the catalogue, with any names, is found again in its redacted text: as the same entry, with the
    /// same tokens.
    #[test]
    fn redacted_messages_still_match(
        name in prop_oneof![
            "[a-z][a-z0-9_-]{0,12}", "[A-Z][a-z]{1,8}[.][a-z]{2,8}[.]com", "[0-9]{1,2}[.]0[.]0[.][0-9]{1,2}",
            Just("database".to_string()), Just("server".to_string()), Just("user".to_string()), Just("postgres".to_string()),
            Just("Müller".to_string()), Just("my db".to_string()), Just("the".to_string()), "[a-z]{2,6} [a-z]{2,6}",
        ],
    ) {
        let catalog = catalog::builtin();
        let mut log = String::new();
        let mut wanted = Vec::new();
        for entry in &catalog.entries {
            for wording in &entry.wordings {
                let fill = |argument: &str| {
                    let known = entry.arguments.iter().find(|known| *known.name == *argument).expect("declared");
                    value(known.kind, if known.subject.is_some_and(Subject::is_private) { &name } else { "thing" })
                };
                let text = Template::fill(&wording.text, fill);
                log += &format!("2024-06-06 21:38:00 UTC ERROR {}: {text}\n\n", entry.code.as_deref().unwrap_or("x"));
                wanted.push(entry.id.to_string());
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.log"), &log).expect("writes");
        let findings = |path: &Path, args: &[&str]| -> Vec<Value> {
            let output = program().arg("scan").arg(path).args(["-f", "ndjson"]).args(args).output().expect("runs");
            let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            lines.into_iter().filter(|line| line["type"] == "finding").collect()
        };
        let plain = findings(&folder.path().join("a.log"), &[]);
        let redacted = findings(&folder.path().join("a.log"), &["--redact"]);
        prop_assert_eq!(plain.len(), redacted.len());
        let mut again = String::new();
        let mut texts = Vec::new();
        for (before, after) in plain.iter().zip(&redacted) {
            prop_assert_eq!(&before["id"], &after["id"]);
            let entry = catalog.entry(before["id"].as_str().expect("text")).expect("listed");
            for argument in &entry.arguments {
                let (old, new) = (&before["args"][&*argument.name], &after["args"][&*argument.name]);
                if !argument.subject.is_some_and(Subject::is_private) {
                    prop_assert_eq!(old, new);
                } else if !old.is_null() {
                    prop_assert_ne!(old, new);
                }
            }
            let text = after["text"].as_str().expect("text");
            prop_assert!(text != "***", "{} is not shown", before);
            again += &format!("2024-06-06 21:38:00 UTC ERROR {text}\n\n");
            texts.push(after);
        }
        std::fs::write(folder.path().join("b.log"), &again).expect("writes");
        let found = findings(&folder.path().join("b.log"), &[]);
        prop_assert_eq!(found.len(), texts.len(), "{}", again);
        for (found, redacted) in found.iter().zip(texts) {
            prop_assert_eq!(&found["id"], &redacted["id"]);
            prop_assert_eq!(&found["args"], &redacted["args"], "{}", redacted);
        }
    }
}

/// The arguments of the built-in catalogue that name something of the user's own.
#[test]
fn private_names_have_private_subjects() {
    for entry in &catalog::builtin().entries {
        for argument in &entry.arguments {
            let own = ["server", "database", "user", "roles", "other_user", "table", "column"]
                .contains(&&*argument.name);
            assert_eq!(
                argument.subject.is_some_and(Subject::is_private),
                own,
                "{} {}",
                entry.id,
                argument.name
            );
        }
    }
    let value = ArgValue::One("x".into());
    let redactor = migsift::redact::Redactor::new(&[1; migsift::redact::KEY_BYTES]);
    assert_ne!(redactor.redact_argument(Some(Subject::Table), &value), value);
    assert_eq!(redactor.redact_argument(Some(Subject::Extension), &value), value);
}
