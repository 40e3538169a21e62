//! Catalogues that users bring: hostile files are refused with a reason, published tables become files that pass their check.

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

/// What a scan with this pattern file says, which must be an error of the catalogue.
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
        ("entries", full(12_000), ": 12000 entries; at most 10000 are taken"),
        ("entries and size", full(50_000), ": larger than 2097152 bytes"),
        ("size", format!("# {}\n", "x".repeat(10 << 20)), ": larger than 2097152 bytes"),
        ("a literal", entry("l", &"x".repeat(1 << 20), ""), ":9: l: a text longer than 2048 bytes"),
        ("ids", full(1) + &full(1), ":12: e0: this id stands twice in the file"),
        (
            "kinds",
            entry("k", wording, &format!("arguments = [{argument}]")),
            ":10: k: unknown variant `regex`",
        ),
        ("wordings", entry("w", &["a"; 300].join("\",\""), ""), ":3: w: 300 wordings; at most 256 are taken"),
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
        let said = refused(&path);
        assert!(said.contains(&format!("hostile.toml{reason}")), "{what}: {said:.400}");
        assert!(said.len() < 300_000, "{what}: {} bytes are said", said.len());
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_or_read_only_as_far_as_the_limit() {
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
    assert!(refused(folder.path()).contains("pipe.toml: not a regular file"), "a pipe that nobody named");
    let writes = |text: Vec<u8>| {
        let pipe = pipe.clone();
        // The reader may leave before all is written.
        std::thread::spawn(move || std::fs::write(pipe, text).is_ok())
    };
    let writer = writes(vec![b'#'; 4 << 20]);
    assert!(refused(&pipe).contains("pipe.toml: larger than 2097152 bytes"));
    assert!(!writer.join().expect("the writer ends"), "not all of it was read");
    let writer = writes(std::fs::read(top().join("tests/data/own.toml")).expect("own.toml"));
    let output = run(&["catalog", "list", "--catalog", &pipe.to_string_lossy()]);
    assert!(writer.join().expect("the writer ends") && stdout(&output).contains("vpn-down"));
}

/// The wordings with `{0}` or `{firstName}` for their placeholders, and what comes back for it.
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
            // Titles of conditions without a code are other ones where a mark was added.
            let own = Catalog {
                entries: imported
                    .catalog
                    .entries
                    .iter()
                    .filter(|entry| entry.code.is_some())
                    .cloned()
                    .collect(),
                ..Catalog::default()
            };
            let own = if four { &imported.catalog } else { &own };
            assert_eq!(check("table.toml", own, beside).problems, []);
        }
        for entry in builtin().entries.iter().filter(|entry| entry.code.is_some()) {
            let made = imported.catalog.entry(&entry.id).expect("imported");
            let wordings = |entry: &Entry| -> Vec<String> {
                entry.wordings.iter().map(|wording| unnamed(&wording.text)).collect()
            };
            assert_eq!(wordings(made), wordings(entry), "{}", entry.id);
            // Numbers get the names of the built-in catalogue.
            let same = made.wordings.iter().zip(&entry.wordings).all(|(made, known)| made.text == known.text);
            assert!(same || !four, "{}", entry.id);
        }
    }
}

#[test]
fn an_imported_file_appears_whole_and_is_what_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("made.toml").to_string_lossy().into_owned();
    let args = ["catalog", "import", "tests/data/table.md", "--names", "603901=volume,database"];
    let printed = run(&args);
    compare(&top().join("tests/data/table.toml"), &stdout(&printed));
    let said = stderr(&printed);
    let said: Vec<&str> =
        said.lines().map(|line| line.trim_start_matches("migsift: tests/data/table.md")).collect();
    assert_eq!(
        said,
        [
            ":15: the code `ERR-7` is not six digits; the row is left out",
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
