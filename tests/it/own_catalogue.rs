//! Pattern files of users: hostile files are refused with a reason, published tables become files that pass their check, and
//! codes are found where their form is declared.

use crate::{compare, program, run, stderr, stdout, top};
use migsift::catalog::import::{PlaceholderNames, import};
use migsift::catalog::{Catalog, Entry, Template, builtin};
use migsift::check::check;
use std::fmt::Write;
use std::path::Path;

/// An entry with one wording and more keys.
fn entry(id: &str, wording: &str, more: &str) -> String {
    format!(
        "[[entry]]\nid = \"{id}\"\ntitle = \"T\"\nseverity = \"error\"\nscope = \"server\"\nside = \"source\"\n\
         actor = \"customer\"\nwordings = [\"{wording}\"]\n{more}\n"
    )
}

/// The message of a scan with this pattern file, which must be an error of the catalogue.
fn refused(path: &Path) -> String {
    let output =
        program().args(["scan", "tests/data/clean.log", "--catalog"]).arg(path).output().expect("runs");
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{}", path.display());
    stderr(&output)
}

#[test]
fn hostile_files_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let wording = "Something strange happened.";
    let many = |count: usize| (0..count).map(|i| format!("[[entry]]\nid = \"e{i}\"\n")).collect::<String>();
    let full = |count: usize| (0..count).map(|i| entry(&format!("e{i}"), wording, "")).collect::<String>();
    let argument = "{ name = \"x\", position = 0, kind = \"regex\" }";
    let nested = |open: &str, close: &str| format!("x = {}1{}", open.repeat(100_000), close.repeat(100_000));
    let cases: [(&str, String, &str); 14] = [
        ("bare entries", many(50_000), ":2: missing field `title`"),
        ("entries", full(12_000), ": 12000 entries; at most 10000 are accepted"),
        ("entries and size", full(50_000), ": larger than 2097152 bytes"),
        ("size", format!("# {}\n", "x".repeat(10 << 20)), ": larger than 2097152 bytes"),
        ("a literal", entry("l", &"x".repeat(1 << 20), ""), ":9: l: a text longer than 2048 bytes"),
        ("ids", full(1) + &full(1), ":12: e0: this id occurs twice in the file"),
        (
            "kinds",
            entry("k", wording, &format!("arguments = [{argument}]")),
            ":10: k: unknown variant `regex`",
        ),
        (
            "wordings",
            entry("w", &["a"; 300].join("\",\""), ""),
            ":3: w: 300 wordings; at most 256 are accepted",
        ),
        (
            "problems",
            (0..2000).map(|i| entry(&format!("P{i}"), "a", "")).collect(),
            ": and 3000 problems more",
        ),
        ("arrays", nested("[", "]"), ":2: cannot recurse further"),
        ("open arrays", nested("[", ""), ":2: "),
        ("tables", nested("{a=", "}"), ":2: cannot recurse further"),
        ("keys", format!("a{} = 1", ".a".repeat(100_000)), ": "),
        ("nothing", String::new(), ": no [[entry]]"),
    ];
    for (what, text, reason) in cases {
        let path = folder.path().join("hostile.toml");
        std::fs::write(&path, format!("format = 1\n{text}\n")).expect("writes");
        let message = refused(&path);
        assert!(message.contains(&format!("hostile.toml{reason}")), "{what}: {message:.400}");
        assert!(message.len() < 300_000, "{what}: a message of {} bytes", message.len());
    }
}

#[cfg(unix)]
#[test]
fn special_files_are_refused_or_read_up_to_the_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("folder.toml");
    std::fs::create_dir(&inner).expect("a folder");
    assert!(refused(folder.path()).contains("folder.toml: a directory, not a file"));
    assert!(refused(Path::new("/dev/zero")).contains("/dev/zero: not a regular file"));
    std::fs::write(folder.path().join("latin.toml"), b"format = 1\nname = \"\xe9\"\n").expect("writes");
    assert!(refused(&folder.path().join("latin.toml")).contains("latin.toml:2: not UTF-8 at byte 19"));

    let pipe = folder.path().join("pipe.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    assert!(
        refused(folder.path()).contains("pipe.toml: not a regular file"),
        "a pipe that was not named itself"
    );
    let writes = |text: Vec<u8>| {
        let pipe = pipe.clone();
        // The reader may stop before everything is written.
        std::thread::spawn(move || std::fs::write(pipe, text).is_ok())
    };
    let writer = writes(vec![b'#'; 4 << 20]);
    assert!(refused(&pipe).contains("pipe.toml: larger than 2097152 bytes"));
    assert!(!writer.join().expect("the writer ends"), "the pipe was not read to its end");
    let writer = writes(std::fs::read(top().join("tests/data/own.toml")).expect("own.toml"));
    let output = run(&["catalog", "list", "--catalog", &pipe.to_string_lossy()]);
    assert!(writer.join().expect("the writer ends") && stdout(&output).contains("vpn-down"));
}

/// The text as a published table has it: with `{0}` or `{firstName}` for its placeholders.
fn published(entry: &Entry, text: &str, numbered: bool) -> String {
    let text = Template::fill(text, |name| {
        let argument = entry.arguments.iter().find(|argument| &*argument.name == name).expect("declared");
        if numbered {
            format!("{{{}}}", argument.position)
        } else {
            format!("{{{}Value}}", name.replace('_', ""))
        }
    });
    text.replace('|', "\\|")
}

/// The built-in catalogue as a table of four columns, or of three with the title in the message.
fn table(four: bool) -> String {
    let mut text = "---\nms.date: 02/03/2025\n---\n\n".to_string();
    text += if four {
        "| ERRORCODE | Error message | details | Resolution |\n|---|---|:---:|---|\n"
    } else {
        "| Error code | Message | RESOLUTION |\n| --- | --- | --- |\n"
    };
    for entry in &builtin().entries {
        let code = entry.code.as_deref().unwrap_or_default();
        let advice =
            entry.resolutions.first().map_or("N/A".to_string(), |first| published(entry, &first.text, four));
        let title =
            if entry.title.ends_with('.') { entry.title.to_string() } else { format!("{}.", entry.title) };
        for wording in &entry.wordings {
            let wording = published(entry, &wording.text, four);
            let row = if four {
                writeln!(text, "| {code} | {} | {wording} | {advice} |", entry.title)
            } else {
                writeln!(text, "| {code} | {title} {wording} | {advice} |")
            };
            row.expect("writes");
        }
        if entry.wordings.is_empty() {
            let row = if four {
                format!("| {code} | {title} | | {advice} |")
            } else {
                format!("| {code} | {title} | |")
            };
            text += &format!("{row}\n");
        }
    }
    text
}

/// A wording without the names of its placeholders.
fn unnamed(text: &str) -> String {
    Template::fill(text, |_| "{}".to_string())
}

#[test]
fn published_tables_become_files_that_pass_their_check() {
    for four in [true, false] {
        let imported =
            import("table.md", &table(four), &PlaceholderNames::new(), builtin()).expect("imports");
        let notes: Vec<String> = imported.notes.iter().map(ToString::to_string).collect();
        assert_eq!(notes, [""; 0]);
        assert_eq!(imported.catalog.edition, "2025-02");
        for beside in [builtin(), &Catalog::default()] {
            // Where a mark was added to their titles, conditions without a code are other conditions.
            let mut own = imported.catalog.clone();
            own.entries.retain(|entry| entry.code.is_some());
            let own = if four { &imported.catalog } else { &own };
            assert_eq!(check("table.toml", own, beside).problems, []);
        }
        for entry in builtin().entries.iter().filter(|entry| entry.code.is_some()) {
            let made = imported.catalog.entry(&entry.id).expect("imported");
            let wordings = |entry: &Entry| -> Vec<String> {
                entry.wordings.iter().map(|wording| unnamed(&wording.text)).collect()
            };
            assert_eq!(wordings(made), wordings(entry), "{}", entry.id);
            // Numbered placeholders get the names of the built-in catalogue.
            let same = made.wordings.iter().zip(&entry.wordings).all(|(made, known)| made.text == known.text);
            assert!(same || !four, "{}", entry.id);
        }
    }
}

#[test]
fn an_imported_file_is_the_text_that_is_printed_without_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("made.toml").to_string_lossy().into_owned();
    let args = ["catalog", "import", "tests/data/table.md", "--names", "603901=volume,database"];
    let printed = run(&args);
    compare(&top().join("tests/data/table.toml"), &stdout(&printed));
    let notes = stderr(&printed);
    let notes: Vec<&str> =
        notes.lines().map(|line| line.trim_start_matches("migsift: tests/data/table.md")).collect();
    assert_eq!(
        notes,
        [
            ":15: the code `ERR-7` is not 4 to 15 digits and upper-case letters; the row is left out",
            ":17: a table of 2 columns without codes and messages is skipped (rows: 1)",
            " from 8 rows: 5 entries, 5 wordings",
        ]
    );
    let output = run(&[&args[..], &["-o", &target]].concat());
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), String::new()));
    assert_eq!(std::fs::read_to_string(&target).expect("made"), stdout(&printed));
    let checked = run(&["catalog", "check", &target]);
    assert_eq!(checked.status.code(), Some(0), "{}", stderr(&checked));
}

/// A pattern file with a code space of this form and the entries.
fn with_space(space: &str, entries: &str) -> String {
    format!("format = 1\n[[code_space]]\n{space}\n{entries}")
}

/// An entry with a code, whose message has an argument.
fn coded(code: &str) -> String {
    entry(
        code,
        "Replica `{name}` refused the connection of its primary server.",
        &format!("code = \"{code}\"\narguments = [{{ name = \"name\", position = 0, kind = \"text\" }}]"),
    )
}

/// A file of this name and content in the folder.
fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("writes");
    path.to_string_lossy().into_owned()
}

/// The findings of a scan as lines of id, whether it is known and whether the code is in the log.
fn found(args: &[&str]) -> Vec<(String, bool, bool)> {
    let output = run(&[&["scan", "-f", "ndjson"], args].concat());
    let lines = stdout(&output);
    let finding = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if value["type"] != "finding" {
            return None;
        }
        let is = |key: &str| value[key].as_bool().expect("a boolean");
        Some((value["id"].as_str().expect("an id").to_string(), is("known"), is("code_in_log")))
    };
    lines.lines().filter_map(finding).collect()
}

const SPACE_704: &str = "prefix = \"704\"\nalphabet = \"digits\"\nlength = 6";

#[test]
fn codes_of_a_declared_space_are_found_listed_or_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = written(folder.path(), "own.toml", &with_space(SPACE_704, &coded("704001")));
    let log = written(
        folder.path(),
        "a.log",
        "2024-06-06 21:42:53.039 UTC ERROR 704001: Replica `r1` refused the connection of its primary server.\n\
         2024-06-06 21:42:54.039 UTC ERROR Replica `r2` refused the connection of its primary server. (error code 704001)\n\
         {\"code\": 704001, \"message\": \"Replica `r3` refused the connection of its primary server.\"}\n\
         2024-06-06 21:42:55.039 UTC ERROR error code 704999\n\
         2024-06-06 21:42:56.039 UTC ERROR Error code 603999 and Error code 705001\n\
         2024-06-06 21:42:57.039 UTC copied 704002 rows, 704001 ms; pid 704003 INFO 704abc\n",
    );
    let listed = ("704001".to_string(), true, true);
    let unlisted = |code: &str| (code.to_string(), false, true);
    let want = [listed.clone(), listed.clone(), listed, unlisted("704999"), unlisted("603999")];
    assert_eq!(found(&[&log, "--catalog", &own]), want);
    assert_eq!(found(&[&log, "--catalog", &own, "--no-builtin"]), want, "its own codes stay codes");
    assert_eq!(found(&[&log, "--catalog", &own, "--code", "704999"]), [unlisted("704999")]);
    assert_eq!(found(&[&log]), [unlisted("603999")]);
}

#[test]
fn an_entry_whose_code_no_scan_would_find_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let undeclared = written(folder.path(), "own.toml", &format!("format = 1\n{}", coded("704001")));
    let message = "own.toml:10: 704001: the code `704001` is in no code space, so that no scan would find it; declare its \
                   form at the head of the file: [[code_space]] with prefix, alphabet and length";
    let checked = run(&["catalog", "check", &undeclared]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(stderr(&checked).contains(message), "{}", stderr(&checked));
    assert!(refused(Path::new(&undeclared)).contains(message));
    // Codes of the built-in form need no declaration.
    written(folder.path(), "own.toml", &format!("format = 1\n{}", coded("603998")));
    let log = written(folder.path(), "a.log", "Error code 603998\n");
    assert_eq!(found(&[&log, "--catalog", &undeclared, "--no-builtin"]), [("603998".into(), true, true)]);
    for (space, reason) in [
        (
            "prefix = \"\"\nalphabet = \"digits\"\nlength = 6",
            ":2: the prefix is empty; codes are searched for by",
        ),
        ("prefix = \"7\"\nalphabet = \"digits\"\nlength = 1", ":2: the length 1 is not that of a whole code"),
        ("prefix = \"7\"\nalphabet = \"hex\"\nlength = 6", ":4: unknown variant `hex`"),
        (
            "prefix = \"7\"\nalphabet = \"digits\"\nlength = 6\nword = \"?\"",
            ":2: the word `?` is not up to 30 letters",
        ),
    ] {
        written(folder.path(), "own.toml", &with_space(space, &coded("704001")));
        let message = refused(Path::new(&undeclared));
        assert!(message.contains(&format!("own.toml{reason}")), "{message}");
    }
}

#[test]
fn only_codes_are_accepted_as_codes() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = written(folder.path(), "own.toml", &with_space(SPACE_704, &coded("704001")));
    let scan = |args: &[&str]| run(&[&["scan", "tests/data/clean.log"], args].concat());
    for code in ["603999", "603401", "cdc-no-primary-key"] {
        assert_eq!(scan(&["--code", code]).status.code(), Some(0), "{code}");
    }
    for code in ["603abc", "60399", "6039990", "704001", "704999", "é03999", ""] {
        let output = scan(&["--code", code]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{code}");
        assert!(
            stderr(&output).contains("--code") && stderr(&output).contains("no such entry"),
            "{}",
            stderr(&output)
        );
    }
    for code in ["704001", "704999", "603999"] {
        assert_eq!(scan(&["--code", code, "--catalog", &own]).status.code(), Some(0), "{code}");
    }
    assert_eq!(scan(&["--code", "704abc", "--catalog", &own]).status.code(), Some(2));
    // A baseline accepts the same codes.
    for (code, exit) in [("704999", 0), ("704abc", 2)] {
        let baseline = written(
            folder.path(),
            "baseline.toml",
            &format!("[[suppress]]\nid = \"{code}\"\nreason = \"x\"\n"),
        );
        let output = scan(&["--catalog", &own, "--baseline", &baseline]);
        assert_eq!(output.status.code(), Some(exit), "{code}: {}", stderr(&output));
    }
}

#[test]
fn codes_with_letters_are_found_by_their_own_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let states = "prefix = \"42\"\nalphabet = \"alphanumeric\"\nlength = 5\nword = \"SQLSTATE\"\n\
                  [[code_space]]\nprefix = \"S\"\nalphabet = \"digits\"\nlength = 5\nword = \"service code\"";
    let own = written(
        folder.path(),
        "own.toml",
        &with_space(states, &(coded("42P01") + &coded("S0004").replace("Replica", "Standby"))),
    );
    let log = written(
        folder.path(),
        "a.log",
        "2024-06-06 21:42:53.039 UTC ERROR: relation does not exist (SQLSTATE 42P01)\n\
         2024-06-06 21:42:54.039 UTC [7] app SQLSTATE=42601 near ;\n\
         2024-06-06 21:42:55.039 UTC ERROR: S0004: Standby `a` refused the connection of its primary server.\n\
         2024-06-06 21:42:55.539 UTC ERROR [S0004] again\n\
         Service code S0017 was returned\n\
         2024-06-06 21:42:56.039 UTC part S0004 of 42P01, S00045 and 42p01, row 42601\n",
    );
    let want = [("42P01", true), ("42601", false), ("S0004", true), ("S0004", true), ("S0017", false)];
    let want = want.map(|(code, known)| (code.to_string(), known, true));
    assert_eq!(found(&[&log, "--catalog", &own]), want);
}

#[test]
fn an_imported_table_declares_the_form_of_its_codes() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = "| Code | Message | Details | Resolution |\n|---|---|---|---|\n\
                 | 704001 | Replica refused | Replica `{0}` refused the connection of its primary server. | Retry. |\n\
                 | S0004 | Standby refused | Standby `{0}` refused the connection of its primary server. | Retry. |\n";
    let table = written(folder.path(), "table.md", table);
    let output = run(&["catalog", "import", &table]);
    let text = stdout(&output);
    for declared in [
        "prefix = \"704\"\nalphabet = \"digits\"\nlength = 6",
        "prefix = \"S\"\nalphabet = \"digits\"\nlength = 5",
    ] {
        assert!(text.contains(&format!("\n[[code_space]]\n{declared}\n")), "{text}");
    }
    assert!(stderr(&output).contains("codes are assumed to be S and 4 digits"), "{}", stderr(&output));
    let made = written(folder.path(), "made.toml", &text);
    assert_eq!(run(&["catalog", "check", &made]).status.code(), Some(0));
    let log = written(
        folder.path(),
        "a.log",
        "ERROR S0004: Standby `a` refused the connection of its primary server.\n",
    );
    assert_eq!(found(&[&log, "--catalog", &made]), [("S0004".to_string(), true, true)]);
}
