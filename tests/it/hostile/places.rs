//! Places: names that no program expects, things that are no files, and files that vanish or change between
//! steps.

use super::bounded;
use crate::bundles::{Folder, line};
use crate::not_checked;
use crate::oracle::matcher;
use migsift::input::{WalkOptions, walk};
use migsift::scan::{Options, Progress, Status, scan};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

#[test]
fn names_of_any_bytes_are_read() {
    let folder = Folder::new();
    let names: [&[u8]; 10] = [
        b"\xff\xfe\x80.log",
        b"a\nb.log",
        b"a\x1b[2Jb",
        b"-rf",
        b"--help",
        b" ",
        b"a!b.log",
        b"*?[a]",
        "\u{202e}gol.a".as_bytes(),
        &[b'n'; 255],
    ];
    for name in names {
        std::fs::write(folder.path().join(OsStr::from_bytes(name)), line("a")).expect("writes");
    }
    let run = bounded(folder.path(), Stdio::null(), &[]);
    assert_eq!((run.code, run.findings(), run.count("scanned")), (Some(1), 10, 10), "{:?}", run.problems());
    // Each is found by its name in a list, too.
    let list: Vec<u8> = names.iter().flat_map(|name| [name, &b"\0"[..]].concat()).collect();
    let list = folder.write("list", list).to_string_lossy().into_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_migsift"));
    command.args(["scan", "-f", "json", "-0", "--files-from", &list]).current_dir(folder.path());
    let run = crate::bundles::Run::of(command.output().expect("runs"));
    assert_eq!((run.code, run.findings()), (Some(1), 10), "{:?}", run.problems());
}

#[test]
fn folders_300_deep_are_walked() {
    let folder = Folder::new();
    let deep = folder.path().join(vec!["d"; 300].join("/"));
    std::fs::create_dir_all(&deep).expect("folders");
    std::fs::write(deep.join("a.log"), line("a")).expect("writes");
    let run = bounded(folder.path(), Stdio::null(), &[]);
    assert_eq!((run.code, run.findings()), (Some(1), 1), "{:?}", run.problems());
}

/// If somebody names them, they are read.
#[test]
fn what_is_no_regular_file_is_read_or_reported() {
    let folder = Folder::new();
    let of = |path: &Path| bounded(path, Stdio::null(), &[]);
    let run = of(Path::new("/dev/null"));
    assert_eq!((run.code, run.findings(), run.count("scanned")), (Some(0), 0, 1), "{:?}", run.problems());
    // A directory with the name of a file.
    let inner = folder.write("a.log/b.log", line("b"));
    assert_eq!(of(inner.parent().expect("a folder")).findings(), 1);
    let loops = folder.path().join("loop");
    symlink("loop", &loops).expect("links");
    let run = of(&loops);
    assert_eq!((run.code, run.count("failed")), (Some(3), 1), "{:?}", run.problems());
    let pipe = folder.path().join("pipe");
    fifo(&pipe);
    let writer = pipe.clone();
    let thread = std::thread::spawn(move || std::fs::write(writer, line("a").repeat(5_000)));
    let run = of(&pipe);
    thread.join().expect("ends").expect("writes");
    assert_eq!((run.code, run.findings()), (Some(1), 5_000), "{:?}", run.problems());
}

/// Some files of the system have a size of 0 and still have content.
#[cfg(target_os = "linux")]
#[test]
fn a_file_without_a_size_is_read() {
    let program = env!("CARGO_BIN_EXE_migsift");
    let mut command = Command::new(program);
    command.args(["scan", "-f", "json", "/proc/self/environ"]).env("MIGSIFT_TEST_LINE", line("a"));
    let run = crate::bundles::Run::of(command.output().expect("runs"));
    assert_eq!((run.code, run.findings()), (Some(1), 1), "{:?}", run.problems());
}

/// Between the walk and the scan a file may vanish, become something else, or be replaced.
#[test]
fn what_changes_after_the_walk_is_reported_or_read() {
    let folder = Folder::new();
    for name in ["folder", "gone", "link", "other", "pipe", "shorter", "still"] {
        folder.write(name, line("a").repeat(3));
    }
    let at = |name: &str| folder.path().join(name);
    let walked = walk(&[folder.path().to_path_buf()], &WalkOptions::default());
    for name in ["folder", "gone", "link", "pipe"] {
        std::fs::remove_file(at(name)).expect("removes");
    }
    std::fs::create_dir(at("folder")).expect("a folder");
    symlink("link", at("link")).expect("links");
    fifo(&at("pipe"));
    std::fs::write(at("other"), line("b").repeat(7)).expect("writes");
    std::fs::write(at("shorter"), line("c")).expect("writes");
    for mmap in [true, false] {
        let options = Options::default().with(|options| options.mmap = mmap);
        let outcome = scan(matcher(), &walked, &options, None, &Progress::default()).expect("scans");
        assert_eq!(outcome.summary.findings(), 7 + 1 + 3, "{:?}", outcome.inputs);
        let failed: Vec<String> = outcome
            .inputs
            .problems
            .iter()
            .map(|problem| {
                assert_eq!(problem.status, Status::Failed, "{problem:?}");
                problem.origin.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
            })
            .collect();
        assert_eq!(failed, ["folder", "gone", "link", "pipe"], "{:?}", outcome.inputs);
    }
}

/// Unless a superuser runs the test, the file cannot be read, which is reported.
#[test]
fn a_file_that_may_not_be_read_is_reported() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let secret = folder.write("secret.log", line("a"));
    folder.write("b.log", line("b"));
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).expect("permissions");
    if std::fs::read(&secret).is_ok() {
        not_checked("a file without permissions, because a superuser reads everything");
        return;
    }
    let run = bounded(folder.path(), Stdio::null(), &[]);
    assert_eq!((run.code, run.findings(), run.count("failed")), (Some(3), 1, 1));
    assert!(run.problems()[0].contains("Permission denied"), "{:?}", run.problems());
}
