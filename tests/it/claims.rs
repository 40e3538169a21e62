//! No file is read and written by one run, whatever its names are, and none is written twice: the run ends
//! with 2 before it writes anything.

use crate::bundles::{Folder, line, run_path};
use crate::{program, stderr, stdout};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// All files below a folder with what they hold; links are read.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for item in std::fs::read_dir(folder).expect("a folder") {
        let path = item.expect("an item").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap_or_default());
        }
    }
    found
}

/// Runs the program in a folder.
fn run_in(folder: &Folder, args: &[&str]) -> Output {
    let mut command = program();
    command.current_dir(folder.path()).args(args).stdin(Stdio::null());
    command.output().expect("runs")
}

/// Asserts that a command is refused, with a message that has each of `names`, and changes nothing.
fn assert_refused(folder: &Folder, command: &mut std::process::Command, names: &[&str]) {
    let before = contents(folder.path());
    let output = command.current_dir(folder.path()).output().expect("runs");
    let message = stderr(&output);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{command:?}: {message}");
    assert!(names.iter().all(|name| message.contains(name)), "{command:?}: {message}");
    assert!(contents(folder.path()) == before, "{command:?} changed a file");
}

fn refused(folder: &Folder, args: &[&str], names: &[&str]) {
    assert_refused(folder, program().args(args).stdin(Stdio::null()), names);
}

const PATTERNS: &str = "format = 1\n[[entry]]\nid = \"own\"\ntitle = \"T\"\nseverity = \"error\"\nscope = \"server\"\n\
                        side = \"source\"\nactor = \"customer\"\nwordings = [\"this is a message of our own.\"]\n";
const BASELINE: &str = "[[suppress]]\nid = \"603101\"\nreason = \"known\"\n";

/// A folder with every kind of file that a command reads.
fn inputs() -> Folder {
    let folder = Folder::new();
    folder.write("in.log", line("orders"));
    folder.write("other.log", line("billing"));
    folder.write("list", "in.log\n");
    folder.write("accepted.toml", BASELINE);
    folder.write("patterns/own.toml", PATTERNS);
    folder.write("table.md", "| Error | Message |\n|---|---|\n");
    for (log, report) in [("in.log", "old.json"), ("other.log", "new.json")] {
        let report_bytes = run_in(&folder, &["scan", log, "-f", "json"]).stdout;
        folder.write(report, report_bytes);
    }
    let stored = run_in(&folder, &["scan", "in.log", "--store", "history.db", "-q"]);
    assert_eq!(stored.status.code(), Some(1), "{}", stderr(&stored));
    folder
}

/// Regression: `scan in.log -o in.log` replaced the log by its report.
#[test]
fn no_flag_that_writes_may_name_what_is_read() {
    let folder = inputs();
    let same = ["the same file", "write to another file"];
    let all = |more: &[&'static str]| [&same[..], more].concat();
    for output in [
        &["-o", "in.log"][..],
        &["--output=./in.log"],
        &["-o", "patterns/../in.log"],
        &["--report", "json=in.log"],
        &["-f", "csv", "--report", "html=./in.log"],
        &["--redact=in.log"],
        &["--store", "in.log"],
    ] {
        refused(&folder, &[&["scan", "in.log"], output].concat(), &all(&["the input in.log"]));
        refused(
            &folder,
            &[&["scan", "other.log", "./in.log"], output].concat(),
            &all(&["the input ./in.log"]),
        );
        refused(&folder, &[&["scan", "--files-from", "list"], output].concat(), &all(&["the input in.log"]));
    }
    for (args, name) in [
        (&["scan", "in.log", "--files-from", "list", "-o", "list"][..], "--files-from list"),
        (
            &["scan", "in.log", "--baseline", "accepted.toml", "-o", "accepted.toml"],
            "--baseline accepted.toml",
        ),
        (
            &["scan", "in.log", "--baseline", "accepted.toml", "--report", "csv=accepted.toml"],
            "--report csv=",
        ),
        (
            &["scan", "in.log", "--catalog", "patterns/own.toml", "-o", "patterns/own.toml"],
            "--catalog patterns/own.toml",
        ),
        (
            &["scan", "in.log", "--catalog", "patterns", "-o", "patterns/own.toml"],
            "--catalog patterns/own.toml",
        ),
        (&["scan", "history.db", "--store", "history.db"], "the input history.db"),
        (&["scan", "history.db-journal", "--store", "history.db"], "history.db-journal"),
        (&["scan", "patterns", "-o", "patterns"], "the input patterns"),
        (&["report", "--store", "history.db", "-o", "history.db"], "--store history.db"),
        (&["report", "--store", "history.db", "--report", "json=history.db"], "--store history.db"),
        (
            &["report", "--store", "history.db", "--baseline", "accepted.toml", "-o", "accepted.toml"],
            "--baseline",
        ),
        (
            &["report", "--store", "history.db", "--catalog", "patterns", "-o", "patterns/own.toml"],
            "--catalog",
        ),
        (&["merge", "old.json", "new.json", "-o", "new.json"], "the report new.json"),
        (&["merge", "old.json", "new.json", "--report", "html=old.json"], "the report old.json"),
        (&["merge", "old.json", "--baseline", "accepted.toml", "-o", "accepted.toml"], "--baseline"),
        (&["merge", "old.json", "--catalog", "patterns/own.toml", "-o", "patterns/own.toml"], "--catalog"),
        (&["catalog", "import", "table.md", "-o", "table.md"], "the input table.md"),
    ] {
        refused(&folder, args, &all(&[name]));
    }
}

/// The same by other names of a file: hard links, symbolic links, and names of a file that does not exist.
#[cfg(unix)]
#[test]
fn links_are_the_files_that_they_lead_to() {
    use std::os::unix::fs::symlink;
    let folder = inputs();
    std::fs::hard_link(folder.path().join("in.log"), folder.path().join("hard")).expect("links");
    symlink("in.log", folder.path().join("soft")).expect("links");
    symlink("soft", folder.path().join("twice")).expect("links");
    symlink("missing.log", folder.path().join("dangling")).expect("links");
    symlink("patterns", folder.path().join("folder")).expect("links");
    for (input, output) in [
        ("in.log", "hard"),
        ("hard", "in.log"),
        ("in.log", "soft"),
        ("soft", "in.log"),
        ("twice", "hard"),
        ("in.log", "folder/../in.log"),
        ("missing.log", "missing.log"),
        ("missing.log", "./missing.log"),
        ("missing.log", "dangling"),
        ("dangling", "patterns/../missing.log"),
    ] {
        for flags in [vec!["-o", output], vec!["--store", output]] {
            refused(&folder, &[&["scan", input], &flags[..]].concat(), &[input, output]);
        }
        let (report, map) = (format!("json={output}"), format!("--redact={output}"));
        refused(&folder, &["scan", input, "--report", &report], &[input, output]);
        refused(&folder, &["scan", input, &map], &[input, output]);
    }
    // Outputs of one run must differ, too.
    for (one, other) in [("hard", "soft"), ("new", "./new"), ("missing.log", "dangling")] {
        let report = format!("json={other}");
        let twice = ["two outputs to the same file", one, other, "name another file"];
        refused(&folder, &["scan", "other.log", "-o", one, "--report", &report], &twice);
        refused(&folder, &["scan", "other.log", "--store", one, "--report", &report], &twice);
        refused(&folder, &["merge", "old.json", "-o", one, "--report", &report], &twice);
        refused(&folder, &["report", "--store", "history.db", "-o", one, "--report", &report], &twice);
    }
    let journal = ["two outputs to the same file", "history.db-journal"];
    refused(&folder, &["scan", "in.log", "--store", "history.db", "-o", "history.db-journal"], &journal);
}

/// Standard streams that are redirected to files are these files.
#[cfg(unix)]
#[test]
fn redirected_streams_are_files() {
    use std::fs::File;
    let folder = inputs();
    let open = |name: &str| File::open(folder.path().join(name)).expect("opens");
    let append = |name: &str| File::options().append(true).open(folder.path().join(name)).expect("opens");
    for (args, input, name) in [
        (&["scan", "-", "-o", "in.log"][..], "in.log", "standard input"),
        (&["scan", "-o", "in.log"], "in.log", "standard input"),
        (&["scan", "in.log", "--files-from", "-", "-o", "list"], "list", "standard input"),
        (&["merge", "-", "old.json", "-o", "new.json"], "new.json", "standard input"),
    ] {
        assert_refused(&folder, program().args(args).stdin(open(input)), &[name, "--output"]);
    }
    for (args, output) in [
        (&["scan", "in.log"][..], "in.log"),
        (&["scan", "in.log", "--baseline", "accepted.toml"], "accepted.toml"),
        (&["merge", "old.json", "new.json"], "new.json"),
        (&["diff", "old.json", "new.json"], "old.json"),
        (&["diff", "--store", "history.db", "1", "1"], "history.db"),
        (&["report", "--store", "history.db"], "history.db"),
        (&["explain", "603101", "--catalog", "patterns"], "patterns/own.toml"),
        (&["catalog", "list", "--catalog", "patterns"], "patterns/own.toml"),
        (&["catalog", "check", "patterns"], "patterns/own.toml"),
        (&["catalog", "diff", "builtin", "patterns/own.toml"], "patterns/own.toml"),
        (&["catalog", "import", "table.md"], "table.md"),
        (&["scan", "other.log", "--report", "json=in.log"], "in.log"),
    ] {
        let mut command = program();
        command.args(args).stdin(Stdio::null()).stdout(append(output));
        assert_refused(&folder, &mut command, &["standard output", output]);
    }
    let mut command = program();
    command.args(["scan", "-"]).stdin(open("in.log")).stdout(append("in.log"));
    assert_refused(&folder, &mut command, &["standard input", "standard output"]);
}

/// What holds nothing may be read and written at once, and what is not printed is not written.
#[cfg(target_os = "linux")]
#[test]
fn devices_and_streams_that_are_not_used_are_no_conflict() {
    let folder = inputs();
    let output = run_in(&folder, &["scan", "/dev/null", "-o", "/dev/null"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let log = std::fs::File::options().append(true).open(folder.path().join("in.log")).expect("opens");
    let mut command = program();
    command.current_dir(folder.path()).args(["scan", "in.log", "-o", "out"]).stdout(log);
    assert_eq!(command.status().expect("runs").code(), Some(1));
    assert_eq!(std::fs::read(folder.path().join("in.log")).expect("reads"), line("orders").as_bytes());
}

/// A walk that meets an output of its own run skips it and lists it, by whatever path.
#[cfg(unix)]
#[test]
fn a_walk_skips_and_lists_what_the_run_writes() {
    let folder = Folder::new();
    folder.write("logs/in.log", line("orders"));
    let old = folder.write("logs/old.txt", line("old"));
    std::fs::hard_link(&old, folder.path().join("logs/again.txt")).expect("links");
    let names = |name: &str| folder.path().join("logs").join(name).to_string_lossy().into_owned();
    for (args, skipped) in [
        (vec!["--report".to_string(), format!("csv={}", names("old.txt"))], "an output of this run"),
        (vec!["--report".to_string(), format!("csv={}", names("./again.txt"))], "an output of this run"),
    ] {
        std::fs::write(&old, line("old")).expect("writes");
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let run = run_path(&folder.path().join("logs"), &args);
        assert_eq!((run.code, run.findings(), run.count("skipped")), (Some(1), 1, 2), "{:?}", run.problems());
        assert!(run.problems().iter().all(|problem| problem.contains(skipped)), "{:?}", run.problems());
        std::fs::remove_file(&old).expect("removes");
        std::fs::remove_file(names("again.txt")).expect("removes");
        std::fs::write(&old, "").expect("writes");
        std::fs::hard_link(&old, names("again.txt")).expect("links");
    }
    let map = format!("--redact={}", names("map"));
    for skipped in [0, 1] {
        let run = run_path(&folder.path().join("logs"), &["--exclude", "*.txt", &map]);
        assert_eq!(run.count("skipped"), 2 + skipped, "{:?}", run.problems());
    }
}

/// The store and the files that SQLite keeps beside it, also by a link.
#[cfg(unix)]
#[test]
fn a_walk_skips_and_lists_the_store_and_its_files() {
    let folder = Folder::new();
    folder.write("in.log", line("orders"));
    std::os::unix::fs::symlink("real.db", folder.path().join("link.db")).expect("links");
    let store = folder.path().join("link.db").to_string_lossy().into_owned();
    assert_eq!(run_path(folder.path(), &["--store", &store, "-q"]).count("scanned"), 1);
    for (name, database) in [("real.db-journal.log", "b"), ("real.db-walk", "c")] {
        folder.write(name, line(database));
    }
    let run = run_path(folder.path(), &["--store", &store, "-q"]);
    assert_eq!(run.problems(), ["skipped: symbolic link, not followed", "skipped: the store itself"]);
    assert_eq!(run.findings(), 2);
}

/// `/dev/stdout` is a link to an open file, not a place for a new one.
#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_an_open_stream_is_written_to_it() {
    let folder = Folder::new();
    folder.write("in.log", line("orders"));
    let report = folder.write("report", "before\n");
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        std::fs::write(&report, "before\n").expect("writes");
        let link = |path: &str| std::fs::symlink_metadata(path).expect("a link").file_type();
        let before = link("/dev/stdout");
        let stdout = std::fs::File::options().append(true).open(&report).expect("opens");
        let mut command = program();
        command.current_dir(folder.path()).args(["scan", "in.log", "-f", "csv", "-o", name]).stdout(stdout);
        assert_eq!(command.status().expect("runs").code(), Some(1), "{name}");
        let text = std::fs::read_to_string(&report).expect("reads");
        assert!(text.starts_with("before\n") && text.contains("603101"), "{name}: {text}");
        assert_eq!(link("/dev/stdout"), before);
    }
}
