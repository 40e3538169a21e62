//! Walks: globs, lists, links, special files, and reports of this program.

use crate::bundles::zip::zip;
use crate::bundles::{Codec, Folder, line, pack, pipe, run_bytes, run_path, tar};
#[cfg(unix)]
use crate::not_checked;
use crate::{run, stderr, stdout};
use migsift::input::{WalkOptions, walk};
use serde_json::Value;
use std::path::Path;

/// The paths of the findings below `root`, with their members.
fn found(root: &Path, args: &[&str]) -> Vec<String> {
    let root = root.to_string_lossy().into_owned();
    let output = pipe(b"", &[&[&*root, "-f", "ndjson"][..], args].concat());
    let records = stdout(&output);
    let records = records.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let show = |record: Value| {
        let path = record["path"].as_str().expect("a path").trim_start_matches(&root).trim_start_matches('/');
        record["member"].as_str().map_or_else(|| path.to_string(), |member| format!("{path}!{member}"))
    };
    records.filter(|record| record["type"] == "finding").map(show).collect()
}

fn tree() -> Folder {
    let folder = Folder::new();
    let text = line("a");
    let text = text.as_bytes();
    folder.write("a.log", text);
    folder.write("b.txt", text);
    folder.write("old/c.log", text);
    folder.write("sub/old/d.log", text);
    folder.write("sub/e.log.gz", pack(Codec::Gzip, text));
    folder.write("sub/f.zip", zip(&[("x.log", text), ("in/y.txt", text), ("in/z.log", text)]));
    folder.write("g.tgz", pack(Codec::Gzip, &tar(&[("x.log", text), ("old/w.log", text)])));
    folder
}

#[test]
fn globs_choose_files_directories_and_members() {
    let folder = tree();
    let all = [
        "a.log",
        "b.txt",
        "g.tgz!x.log",
        "g.tgz!old/w.log",
        "old/c.log",
        "sub/e.log.gz",
        "sub/f.zip!x.log",
        "sub/f.zip!in/y.txt",
        "sub/f.zip!in/z.log",
        "sub/old/d.log",
    ];
    let without = |gone: &[&str]| -> Vec<&str> {
        all.into_iter().filter(|path| !gone.iter().any(|gone| path.contains(gone))).collect()
    };
    let path = folder.path();
    assert_eq!(found(path, &[]), all);
    assert_eq!(found(path, &["--exclude", "*.txt"]), without(&[".txt"]));
    assert_eq!(found(path, &["--exclude", "old"]), without(&["old"]));
    assert_eq!(found(path, &["--exclude", "/old"]), without(&["tgz!old", "old/c.log"]));
    assert_eq!(found(path, &["--exclude", "sub/"]), without(&["sub/"]));
    assert_eq!(found(path, &["--exclude", "in", "--exclude", "*.gz"]), without(&["in/", ".gz"]));
    assert_eq!(
        found(path, &["--include", "*.zip"]),
        ["sub/f.zip!x.log", "sub/f.zip!in/y.txt", "sub/f.zip!in/z.log"]
    );
    assert_eq!(found(path, &["--include", "*.log"]), ["a.log", "old/c.log", "sub/old/d.log"]);
    assert_eq!(found(path, &["--include", "*.log", "--exclude", "old"]), ["a.log"]);
    assert_eq!(found(path, &["--include", "sub/*"])[..1], ["sub/e.log.gz"]);
    let archive = path.join("sub/f.zip");
    assert_eq!(found(&archive, &["--include", "*.log"]), ["!x.log", "!in/z.log"]);
    assert_eq!(found(&archive, &["--include", "in/*", "--exclude", "*.txt"]), ["!in/z.log"]);
    assert_eq!(found(&path.join("g.tgz"), &["--include", "*.log"]), ["!x.log", "!old/w.log"]);
}

#[test]
fn what_globs_skip_is_listed_and_no_failure() {
    let folder = tree();
    let run = run_path(folder.path(), &["--exclude", "*.txt", "--include", "*.log", "--include", "*.zip"]);
    assert_eq!((run.code, &run.report["complete"]), (Some(1), &Value::Bool(true)));
    let problems = run.problems();
    assert!(problems.iter().all(|problem| problem.contains("skipped: ")), "{problems:?}");
    assert!(problems.contains(&"in/y.txt: skipped: excluded".to_string()), "{problems:?}");
    assert_eq!(run.count("skipped"), 4, "{problems:?}");
    let output = pipe(b"", &["samples", "--include", "["]);
    assert_eq!(output.status.code(), Some(2));
    let output = pipe(b"", &["samples", "--exclude", "a{"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn lists_name_the_files_to_scan() {
    let folder = tree();
    let name = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (a, b) = (name("a.log"), name("b.txt"));
    let list = folder.write("list", format!("{a}\n\n{b}\n{a}"));
    let list = list.to_string_lossy().into_owned();
    let findings = |output: &std::process::Output| {
        serde_json::from_str::<Value>(&stdout(output)).expect("JSON")["totals"]["findings"].clone()
    };
    let output = pipe(b"", &["--files-from", &list, "-f", "json"]);
    assert_eq!((output.status.code(), findings(&output)), (Some(1), 2.into()));
    let output = pipe(b"", &["--files-from", &list, &name("old"), "-f", "json"]);
    assert_eq!((output.status.code(), findings(&output)), (Some(1), 3.into()));
    let nul = format!("{a}\0{b}\0");
    let output = pipe(nul.as_bytes(), &["--files-from", "-", "-0", "-f", "json"]);
    assert_eq!((output.status.code(), findings(&output)), (Some(1), 2.into()));
    let output = pipe(a.as_bytes(), &["--files-from", "-", "-f", "json"]);
    assert_eq!((output.status.code(), findings(&output)), (Some(1), 1.into()));
    // A file that is named but missing is a problem of that file.
    let output = pipe(format!("{a}\n{}", name("none")).as_bytes(), &["--files-from", "-", "-f", "json"]);
    assert_eq!((output.status.code(), findings(&output)), (Some(3), 1.into()));
    // An empty list names nothing.
    let output = pipe(b"", &["--files-from", "-", "-f", "json"]);
    assert_eq!((output.status.code(), findings(&output)), (Some(0), 0.into()));
}

#[test]
fn lists_that_cannot_be_read_are_usage_errors() {
    let missing = run(&["scan", "--files-from", "no/such/list"]);
    let folder = run(&["scan", "--files-from", "samples"]);
    let nul = pipe(b"a\0b\0", &["--files-from", "-"]);
    let twice = pipe(b"-\n", &["--files-from", "-"]);
    let both = pipe(b"", &["-", "--files-from", "-"]);
    let alone = run(&["scan", "samples", "-0"]);
    for (output, why) in [
        (missing, "no/such/list"),
        (folder, "samples"),
        (nul, "--null"),
        (twice, "standard input"),
        (both, "standard input"),
        (alone, "--files-from"),
    ] {
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{why}");
        assert!(stderr(&output).contains(why), "{why}: {}", stderr(&output));
    }
}

#[cfg(unix)]
#[test]
fn a_file_by_several_paths_is_counted_once() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    let a = folder.write("a.log", line("a"));
    std::fs::hard_link(&a, folder.path().join("b.log")).expect("links");
    symlink("a.log", folder.path().join("c.log")).expect("links");
    let run = run_path(folder.path(), &["--follow-links"]);
    assert_eq!((run.code, run.findings(), run.count("scanned"), run.count("skipped")), (Some(1), 1, 1, 2));
    assert!(
        run.problems().iter().all(|problem| problem.contains("the same file as")),
        "{:?}",
        run.problems()
    );
    let path = a.to_string_lossy().into_owned();
    let run = run_path(folder.path(), &["--fail-on", "never", &path, &path]);
    assert_eq!((run.code, run.findings(), run.count("scanned")), (Some(0), 1, 1), "{:?}", run.problems());
    let run = run_path(&folder.path().join("c.log"), &[&path]);
    assert_eq!((run.code, run.findings(), run.count("skipped")), (Some(1), 1, 1), "{:?}", run.problems());
}

#[cfg(unix)]
#[test]
fn links_in_a_ring_end() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    folder.write("sub/a.log", line("a"));
    symlink("..", folder.path().join("sub/up")).expect("links");
    symlink("self", folder.path().join("self")).expect("links");
    let run = run_path(folder.path(), &[]);
    assert_eq!((run.code, run.findings(), run.count("skipped")), (Some(1), 1, 2));
    let run = run_path(folder.path(), &["--follow-links"]);
    assert_eq!(run.findings(), 1);
    assert!(
        run.problems().iter().any(|problem| problem.contains("symbolic link back to")),
        "{:?}",
        run.problems()
    );
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_skipped_or_fails() {
    let folder = Folder::new();
    folder.write("a.log", line("a"));
    std::os::unix::fs::symlink("missing", folder.path().join("gone")).expect("links");
    let run = run_path(folder.path(), &[]);
    assert_eq!((run.code, run.findings()), (Some(1), 1));
    let run = run_path(folder.path(), &["--follow-links"]);
    assert_eq!((run.code, run.findings(), run.count("failed")), (Some(3), 1, 1));
}

#[cfg(unix)]
#[test]
fn pipes_and_sockets_in_a_tree_are_never_opened() {
    let folder = Folder::new();
    folder.write("a.log", line("a"));
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
    assert!(made.expect("mkfifo").success());
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).expect("binds");
    for more in [&[][..], &["--follow-links"]] {
        let run = run_path(folder.path(), more);
        assert_eq!((run.code, run.findings()), (Some(1), 1));
        assert_eq!(run.problems(), ["skipped: named pipe", "skipped: socket"]);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_makes_the_run_partial() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tree();
    let secret = folder.path().join("sub");
    let set =
        |mode| std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).expect("permissions");
    set(0o000);
    if std::fs::read_dir(&secret).is_ok() {
        set(0o755);
        return not_checked("a folder without permissions, because a superuser reads everything");
    }
    let run = run_path(folder.path(), &[]);
    set(0o755);
    assert_eq!((run.code, run.findings(), run.count("failed")), (Some(3), 5, 1));
}

#[test]
fn own_reports_are_skipped_if_a_walk_finds_them() {
    let folder = Folder::new();
    let log = folder.write("a.log", line("a").repeat(3)).to_string_lossy().into_owned();
    let reports = ["human", "json", "ndjson", "csv"].map(|format| pipe(b"", &[&log, "-f", format]).stdout);
    let names = ["human.txt", "report.json", "report.ndjson", "report.csv"];
    for (name, report) in names.iter().zip(&reports) {
        folder.write(name, report);
    }
    let run = run_path(folder.path(), &[]);
    assert_eq!((run.code, run.findings(), run.count("skipped")), (Some(1), 3, 4), "{:?}", run.problems());
    assert!(run.problems().iter().all(|problem| problem == "skipped: a report that migsift wrote"));

    let mut members: Vec<(&str, &[u8])> =
        names.iter().copied().zip(reports.iter().map(Vec::as_slice)).collect();
    let text = line("b");
    members.push(("b.log", text.as_bytes()));
    let packed = pack(Codec::Gzip, &reports[1]);
    members.push(("report.json.gz", &packed));
    for bytes in [zip(&members), tar(&members)] {
        let run = run_bytes(&bytes, &[]);
        assert_eq!((run.code, run.findings(), run.count("skipped")), (Some(1), 1, 5), "{:?}", run.problems());
    }
    // Who names a report wants it read.
    for name in &names[1..] {
        let run = run_path(&folder.path().join(name), &[]);
        assert!(run.count("scanned") == 1 && run.findings() >= 1, "{name} {:?}", run.problems());
    }
    assert_eq!(run_path(&folder.path().join("human.txt"), &[]).count("scanned"), 1);
}

#[test]
fn one_directory_is_walked_in_the_order_of_paths() {
    let folder = Folder::new();
    let names = ["a/z/b", "a/z.b", "a.b", "a-b", "a b", "b/a", "b+/a", "Z", "é", "a/-", "b/c.log/x"];
    for name in &names {
        folder.write(name, b"x");
    }
    let root = folder.path().to_path_buf();
    let one = walk(std::slice::from_ref(&root), &WalkOptions::default());
    let twice = walk(&[root.join("b"), root], &WalkOptions::default());
    for walk in [one, twice] {
        assert_eq!(walk.inputs.len(), names.len());
        assert!(walk.inputs.is_sorted_by_key(|input| &input.path) && walk.skipped.is_empty());
    }
}

/// A walk that continues during the scan finds what a walk before the scan finds. The program does the first
/// if it writes no file, and the second if it does.
#[cfg(unix)]
#[test]
fn walking_during_the_scan_finds_what_walking_before_it_finds() {
    let folder = tree();
    std::fs::hard_link(folder.path().join("a.log"), folder.path().join("sub/again.log")).expect("links");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/up")).expect("links");
    std::os::unix::fs::symlink("missing", folder.path().join("gone")).expect("links");
    let root = folder.path().to_string_lossy().into_owned();
    let out = folder.path().join("out");
    for more in [&[][..], &["--follow-links"], &["--exclude", "old"], &["--include", "*.log"]] {
        for format in ["json", "ndjson", "human"] {
            let args = [&[&*root, "-v", "-f", format, "-j", "3"][..], more].concat();
            let during = pipe(b"", &args);
            let before = pipe(b"", &[&args[..], &["-o", &out.to_string_lossy()]].concat());
            assert_eq!(
                stdout(&during),
                std::fs::read_to_string(&out).expect("a report"),
                "{more:?} {format}"
            );
            assert_eq!((stderr(&during), during.status.code()), (stderr(&before), before.status.code()));
            std::fs::remove_file(&out).expect("removes");
        }
    }
}

/// A run does not read what it writes below the directory that it walks.
#[test]
fn outputs_are_not_read() {
    let folder = Folder::new();
    folder.write("m.log", line("a"));
    let root = folder.path().to_string_lossy().into_owned();
    for (name, other) in [("a.ndjson", "z.json"), ("z.ndjson", "a.json")] {
        let (out, other) = (folder.path().join(name), folder.path().join(other));
        let report = format!("json={}", other.display());
        let run = run(&["scan", &root, "-f", "ndjson", "-o", &out.to_string_lossy(), "--report", &report]);
        assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
        let report: Value = serde_json::from_slice(&std::fs::read(&other).expect("a report")).expect("JSON");
        let inputs = ["scanned", "partial", "skipped", "failed"].map(|what| &report["inputs"][what]);
        assert_eq!(inputs, [1, 0, 0, 0], "{name}");
        [out, other].iter().for_each(|path| std::fs::remove_file(path).expect("removes"));
    }
}

/// Nor the file that standard output goes to, however much has been written to it when the walk finds it.
#[cfg(unix)]
#[test]
fn standard_output_is_not_read() {
    let folder = Folder::new();
    folder.write("m.log", line("a"));
    for name in ["a.out", "z.out"] {
        let path = folder.path().join(name);
        let file = std::fs::File::create(&path).expect("a file");
        let mut scan = crate::program();
        scan.args(["scan", "-v", "-f", "ndjson"]).arg(folder.path()).stdout(file);
        let output = scan.output().expect("runs");
        let text = std::fs::read_to_string(&path).expect("reads");
        let summary: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
        let inputs = ["scanned", "partial", "skipped", "failed"].map(|what| &summary["inputs"][what]);
        assert_eq!(inputs, [1, 0, 1, 0], "{name}: {}", stderr(&output));
        assert!(stderr(&output).contains("skipped: the same file as standard output"), "{}", stderr(&output));
        std::fs::remove_file(&path).expect("removes");
    }
}
