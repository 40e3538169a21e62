//! Declared, not named: what arguments mean, who supports a service, and how its servers are changed come from the
//! pattern file, whatever things are called there.

use crate::{program, stderr, stdout};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A folder with a log of two servers, two databases and their extensions.
fn logs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let log = "2024-06-06 21:38:00 UTC ERROR Quota of database 'orders' on host 'h1' is exhausted by 'postgis, pg_cron'.\n\
               2024-06-06 21:38:01 UTC ERROR Quota of database 'crm' on host 'h1' is exhausted by 'postgis'.\n\
               2024-06-06 21:38:02 UTC ERROR Quota of database 'crm' on host 'h2' is exhausted by 'postgis'.\n\
               2024-06-06 21:38:03 UTC ERROR The volume of the service is gone.\n";
    std::fs::write(folder.path().join("a.log"), log).expect("writes");
    folder
}

/// The subjects of the arguments about a database, a server and extensions.
const SUBJECTS: [&str; 3] = ["database", "server", "extension"];

/// A pattern file for the log: `names` of the arguments, their `subjects` (none where empty), and a `head`.
fn pattern_file(folder: &Path, names: [&str; 3], subjects: [&str; 3], head: &str) -> PathBuf {
    let [database, server, extensions] = names;
    let subject = subjects.map(|subject| match subject {
        "" => String::new(),
        subject => format!(", subject = \"{subject}\""),
    });
    let [of_database, of_server, of_extensions] = &subject;
    let text = format!(
        "format = 1\n{head}\n\
         [[entry]]\nid = \"quota\"\ntitle = \"Quota\"\nseverity = \"error\"\nscope = \"database\"\nside = \"target\"\n\
         actor = \"customer\"\narguments = [\n\
         {{ name = \"{database}\", position = 0, kind = \"text\"{of_database} }},\n\
         {{ name = \"{server}\", position = 1, kind = \"text\"{of_server} }},\n\
         {{ name = \"{extensions}\", position = 2, kind = \"list\"{of_extensions} }},\n]\n\
         wordings = [\"Quota of database `{{{database}}}` on host `{{{server}}}` is exhausted by `{{{extensions}}}`.\"]\n\
         [entry.fix]\nkind = \"allowlist\"\nparameters = [{{ name = \"limits.extensions\", add = \"{extensions}\" }}]\n\
         [[entry]]\nid = \"volume\"\ntitle = \"Volume\"\nseverity = \"error\"\nscope = \"server\"\nside = \"service\"\n\
         actor = \"support\"\nwordings = [\"The volume of the service is gone.\"]\n"
    );
    let path = folder.join(format!("{database}-{}.toml", head.len()));
    std::fs::write(&path, text).expect("writes");
    path
}

fn scan(folder: &Path, file: &Path, args: &[&str]) -> String {
    let output = program()
        .args(["scan", "--no-builtin", "--catalog"])
        .arg(file)
        .arg(folder.join("a.log"))
        .args(args)
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    stdout(&output)
}

fn report(folder: &Path, file: &Path) -> Value {
    serde_json::from_str(&scan(folder, file, &["-f", "json"])).expect("JSON")
}

#[test]
fn reports_know_arguments_by_their_subjects() {
    let folder = logs();
    let usual = pattern_file(folder.path(), ["database", "server", "extensions"], SUBJECTS, "");
    let report_of_usual = report(folder.path(), &usual);
    assert_eq!(report_of_usual["verdict"]["blocked_databases"], 2);
    assert_eq!(report_of_usual["codes"][0]["servers"], serde_json::json!({"h1": 2, "h2": 1}));
    assert_eq!(report_of_usual["pivots"]["extensions"]["rows"][0]["extension"], "pg_cron");
    let other = pattern_file(folder.path(), ["db_name", "host", "libraries"], SUBJECTS, "");
    let other = report(folder.path(), &other).to_string();
    let other = other.replace("\"db_name\"", "\"database\"").replace("\"host\"", "\"server\"");
    let mut other: Value =
        serde_json::from_str(&other.replace("\"libraries\"", "\"extensions\"")).expect("JSON");
    other["catalog"] = report_of_usual["catalog"].clone();
    assert_eq!(other, report_of_usual);
}

#[test]
fn a_name_without_a_subject_means_nothing() {
    let folder = logs();
    let file = pattern_file(folder.path(), ["database", "server", "extensions"], ["", "", ""], "");
    let report = report(folder.path(), &file);
    assert_eq!(report["totals"]["failures"], 4);
    assert_eq!(report["verdict"]["blocked_databases"], 0);
    assert_eq!(report["codes"][0]["servers"], serde_json::json!({}));
    assert_eq!(report["pivots"]["extensions"]["rows"], serde_json::json!([]));
}

#[test]
fn imported_arguments_have_subjects() {
    let folder = logs();
    let table = folder.path().join("codes.md");
    let rows = "| Code | Message | Details |\n|---|---|---|\n\
                | 603998 | Quota. | Quota of database `{dbName}` on host `{hostName}` is exhausted by `{0}`. |\n";
    std::fs::write(&table, rows).expect("writes");
    let file = folder.path().join("imported.toml");
    let output =
        program().args(["catalog", "import"]).arg(&table).arg("-o").arg(&file).output().expect("runs");
    assert!(output.status.success(), "{}", stderr(&output));
    let report = report(folder.path(), &file);
    assert_eq!(report["verdict"]["blocked_databases"], 2);
    assert_eq!(report["codes"][0]["servers"], serde_json::json!({"h1": 2, "h2": 1}));
    let text = std::fs::read_to_string(&file).expect("there");
    assert!(text.contains("support = \"Microsoft support\""), "{text}");
}

const VENDOR: &str = "[vendor]\nsupport = \"Contoso support\"\n[vendor.server]\n\
    show_parameter = \"az contoso show --server {server:word} --name {parameter:word}\"\n\
    set_parameter = \"az contoso set --server {server:word} --name {parameter:word} --value {value:word}\"\n\
    restart = \"az contoso restart --name {server:word}\"\n";

#[test]
fn the_vendor_of_the_file_is_named_and_its_commands_are_used() {
    let folder = logs();
    let names = ["database", "server", "extensions"];
    let with = pattern_file(folder.path(), names, SUBJECTS, VENDOR);
    let without = pattern_file(folder.path(), names, SUBJECTS, "");
    for format in ["human", "markdown", "html"] {
        let text = scan(folder.path(), &with, &["-f", format, "--plan"]);
        assert!(text.contains("Contoso support") && !text.contains("Microsoft"), "{format}:\n{text}");
        assert!(text.contains("az contoso set"), "{format}:\n{text}");
        let text = scan(folder.path(), &without, &["-f", format, "--plan"]);
        assert!(text.contains("support") && !text.contains("Contoso"), "{format}:\n{text}");
        assert!(text.contains("ALTER SYSTEM SET") && !text.contains("az "), "{format}:\n{text}");
    }
    let commands = |file: &Path| -> Vec<String> {
        let report = report(folder.path(), file);
        let steps = report["plan"]["steps"].as_array().expect("a list").clone();
        let commands = steps.iter().flat_map(|step| step["commands"].as_array().expect("a list"));
        commands.map(|command| command["text"].as_str().expect("text").to_string()).collect()
    };
    assert_eq!(
        commands(&with),
        [
            "az contoso show --server <target-server> --name limits.extensions",
            "az contoso set --server <target-server> --name limits.extensions --value \"<current-value>,pg_cron,postgis\"",
        ]
    );
    assert_eq!(
        commands(&without),
        [
            "SHOW limits.extensions;",
            "ALTER SYSTEM SET limits.extensions = <current-value>, 'pg_cron', 'postgis';",
            "SELECT pg_reload_conf();",
        ]
    );
}

/// Reports do not store who supports what: it is read from the catalogue again.
#[test]
fn a_merged_report_names_the_vendor_as_the_scan_does() {
    let folder = logs();
    let file = pattern_file(folder.path(), ["database", "server", "extensions"], SUBJECTS, VENDOR);
    let stored = folder.path().join("report.json");
    std::fs::write(&stored, scan(folder.path(), &file, &["-f", "json"])).expect("writes");
    let flags = ["-f", "markdown", "--plan", "--no-builtin", "--catalog"];
    let merged = program().arg("merge").arg(&stored).args(flags).arg(&file).output().expect("runs");
    assert_eq!(stdout(&merged), scan(folder.path(), &file, &["-f", "markdown", "--plan"]));
}
