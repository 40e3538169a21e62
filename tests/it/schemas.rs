//! The JSON Schemas describe what the program writes, and reject it if a field has another name.

use crate::reports::places;
use crate::{files, run, stdout, top};
use jsonschema::Validator;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn schema(of: &str) -> Value {
    let output = run(&["schema", of]);
    assert_eq!(output.status.code(), Some(0));
    json(&stdout(&output))
}

fn validator(of: &str) -> Validator {
    let schema = schema(of);
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    jsonschema::meta::validate(&schema).expect("a schema");
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).expect("a schema")
}

fn assert_valid(validator: &Validator, value: &Value, what: &str) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

/// The command lines of the golden cases, with the output of each.
fn golden() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for case in files(&top().join("tests/golden"), "case") {
        let text = std::fs::read_to_string(&case).expect("a case");
        for run in text.split("\n$ ").map(|run| run.strip_prefix("$ ").unwrap_or(run)) {
            let (line, rest) = run.split_once('\n').unwrap_or((run, ""));
            let printed = rest.split_once("--- stdout\n").map(|(_, printed)| printed).unwrap_or_default();
            let printed = printed.split("--- stderr\n").next().unwrap_or_default();
            let printed: Vec<&str> = printed.lines().filter(|line| !line.starts_with("# ")).collect();
            found.push((line.to_string(), printed.join("\n")));
        }
    }
    found
}

#[test]
fn every_json_output_matches_its_schema() {
    let (report, finding) = (validator("report"), validator("finding"));
    let (mut reports, mut lines) = (0, 0);
    for (line, printed) in golden() {
        let words: Vec<&str> = line.split(' ').collect();
        let format = words.windows(2).find(|pair| ["-f", "--format"].contains(&pair[0])).map(|pair| pair[1]);
        match format {
            _ if words[0] != "scan" || printed.is_empty() => {}
            Some("json") => {
                assert_valid(&report, &json(&printed), &line);
                reports += 1;
            }
            Some("ndjson" | "jsonl" | "json-lines") => {
                for record in printed.lines() {
                    assert_valid(&finding, &json(record), &line);
                    lines += 1;
                }
            }
            _ => {}
        }
    }
    for path in files(&top().join("samples"), "json") {
        if path.to_string_lossy().ends_with(".expected.json") {
            assert_valid(
                &report,
                &json(&std::fs::read_to_string(&path).expect("reads")),
                &path.to_string_lossy(),
            );
            reports += 1;
        }
    }
    for record in stdout(&run(&["scan", "samples", "no-such.log", "-f", "ndjson"])).lines() {
        assert_valid(&finding, &json(record), "samples");
        lines += 1;
    }
    assert!(reports >= 7 && lines >= 40, "{reports} reports, {lines} lines");
}

/// Returns the document with one member renamed, for each member whose name is from the program, not from a log.
fn renamed(document: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for place in places(document) {
        let (parent, name) = place.rsplit_once('/').expect("a place");
        let mut copy = document.clone();
        let Some(Value::Object(members)) = copy.pointer_mut(parent) else { continue };
        if !["/args", "/codes", "/servers"].iter().any(|map| parent.ends_with(map)) {
            let value = members.shift_remove(name).expect("there");
            members.insert(format!("{name}_x"), value);
            found.push((place, copy));
        }
    }
    found
}

#[test]
fn a_renamed_field_does_not_match_the_schemas() {
    let (report, finding) = (validator("report"), validator("finding"));
    let args = ["scan", "tests/data/mixed.log", "tests/data/drift.log", "no-such.log"];
    let args = [&args[..], &["--baseline", "tests/data/baseline.toml"]].concat();
    let document = json(&stdout(&run(&[&args[..], &["-f", "json"]].concat())));
    assert_valid(&report, &document, "before");
    let mut tried = 0;
    for (place, changed) in renamed(&document) {
        assert!(!report.is_valid(&changed), "{place} in a report");
        tried += 1;
    }
    for line in stdout(&run(&[&args[..], &["-f", "ndjson"]].concat())).lines() {
        let record = json(line);
        assert_valid(&finding, &record, "before");
        for (place, changed) in renamed(&record) {
            assert!(!finding.is_valid(&changed), "{place} in {line}");
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
}

#[test]
fn the_schemas_describe_every_field() {
    fn look(value: &Value, path: &str) {
        let Value::Object(members) = value else { return };
        if let Some(Value::Object(properties)) = members.get("properties") {
            for (name, property) in properties {
                assert!(property["description"].is_string(), "{path}/{name} has no description");
            }
        }
        for (name, inner) in members {
            look(inner, &format!("{path}/{name}"));
        }
    }
    for of in ["finding", "report", "catalog"] {
        look(&schema(of), of);
    }
}

#[test]
fn pattern_files_match_their_schema() {
    let validator = validator("catalog");
    let read = |path: &str| -> Value {
        let text = std::fs::read_to_string(top().join(path)).expect("reads");
        serde_json::to_value(toml::from_str::<toml::Value>(&text).expect("TOML")).expect("JSON")
    };
    for path in ["patterns/azure-postgres-migration.toml", "tests/data/own.toml", "tests/data/proved.toml"] {
        assert_valid(&validator, &read(path), path);
    }
    assert!(!validator.is_valid(&read("tests/data/broken.toml")));
    let good = read("tests/data/own.toml");
    for name in ["id", "title", "severity", "scope", "side", "actor", "wordings"] {
        let mut bad = good.clone();
        let entry = bad["entry"][0].as_object_mut().expect("an entry");
        let value = entry.shift_remove(name).expect("there");
        assert!(!validator.is_valid(&bad), "without {name}");
        bad["entry"][0][format!("{name}s")] = value;
        assert!(!validator.is_valid(&bad), "with {name}s");
    }
}
