//! Faults of the system, injected by `strace` if it is installed: whatever call fails, the result is exact,
//! or partial with the system's words, or the run ends with 4; nothing is missing in silence. If a fault
//! cannot be injected, the test says so.

use crate::bundles::{Codec, Folder, line, pack, tar};
use crate::{not_checked, stderr, top};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Lines of a file that is too large to be read when it is opened.
const LINES: usize = 30_000;

/// Whether calls can be made to fail here.
fn can_inject() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| {
        let tried = Command::new("strace")
            .args(["-qq", "-o", "/dev/null", "-e", "inject=getpid:error=EPERM", "true"])
            .status();
        let can = tried.is_ok_and(|status| status.success());
        if !can {
            not_checked("faults of the system, because strace is missing or may not trace here");
        }
        can
    })
}

/// Runs the program with these calls failing; with a `path`, only calls that concern it. Returns how many
/// failed, too, or `None` if faults cannot be injected.
fn injected(path: Option<&Path>, faults: &[&str], args: &[&str]) -> Option<(Output, usize)> {
    if !can_inject() {
        return None;
    }
    let folder = Folder::new();
    let trace = folder.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(&trace);
    if let Some(path) = path {
        command.arg("-P").arg(path);
    }
    for fault in faults {
        command.args(["-e", &format!("inject={fault}")]);
    }
    command.arg(env!("CARGO_BIN_EXE_migsift")).args(args).current_dir(top());
    let output = command.output().expect("runs");
    let count = std::fs::read_to_string(&trace).unwrap_or_default().matches("(INJECTED)").count();
    Some((output, count))
}

fn large() -> (Folder, PathBuf) {
    let folder = Folder::new();
    let path = folder.write("a.log", line("orders").repeat(LINES));
    (folder, path)
}

/// The exit code, the findings, and the reasons for what was not read.
fn result(output: &Output) -> (Option<i32>, u64, Vec<String>) {
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)));
    let problems = report["inputs"]["problems"].as_array().expect("a list");
    let reasons = problems.iter().map(|problem| problem["reason"].as_str().unwrap_or_default().to_string());
    (output.status.code(), report["totals"]["findings"].as_u64().expect("a number"), reasons.collect())
}

fn scan_with(path: &Path, faults: &[&str], more: &[&str]) -> Option<(Option<i32>, u64, Vec<String>)> {
    let name = path.to_string_lossy().into_owned();
    let (output, count) =
        injected(Some(path), faults, &[&["scan", &name, "-f", "json", "-j", "2"], more].concat())?;
    assert!(count > 0, "no call of {faults:?} was made");
    Some(result(&output))
}

#[test]
fn calls_that_are_interrupted_are_made_again() {
    let (_folder, path) = large();
    for more in [&[][..], &["--no-mmap"]] {
        let Some(got) = scan_with(&path, &["read,pread64:error=EINTR:when=1+2"], more) else { return };
        assert_eq!(got, (Some(1), LINES as u64, Vec::new()), "{more:?}");
    }
}

#[test]
fn what_cannot_be_mapped_is_read() {
    let (_folder, path) = large();
    for error in ["ENOMEM", "ENODEV", "EPERM"] {
        let Some(got) = scan_with(&path, &[&format!("mmap:error={error}")], &[]) else { return };
        assert_eq!(got, (Some(1), LINES as u64, Vec::new()), "{error}");
    }
}

/// An error while a file is read: what precedes it counts, and the report has the system's words.
#[test]
fn errors_of_a_disk_are_partial_with_their_words() {
    let (_folder, path) = large();
    for when in ["2", "2+"] {
        let fault = format!("pread64:error=EIO:when={when}");
        let Some((code, found, reasons)) = scan_with(&path, &[&fault], &["--no-mmap"]) else { return };
        assert_eq!(code, Some(3), "{when}: {found} {reasons:?}");
        assert!(found < LINES as u64 && reasons.len() == 1, "{when}: {found} {reasons:?}");
        assert!(reasons[0].contains("Input/output error"), "{reasons:?}");
    }
}

/// The same in what is decoded.
#[test]
fn errors_within_what_is_packed_are_partial_with_their_words() {
    let folder = Folder::new();
    let log = line("orders").repeat(LINES);
    let noise = crate::bundles::noise(2 << 20, 1);
    let packed = [
        folder.write("a.gz", pack(Codec::Gzip, &[log.as_bytes(), &noise].concat())),
        folder.write("a.tar", tar(&[("a.log", log.as_bytes()), ("b.log", &noise)])),
    ];
    for path in packed {
        let Some((code, found, reasons)) = scan_with(&path, &["read,pread64:error=EIO:when=6+"], &[]) else {
            return;
        };
        assert_eq!(code, Some(3), "{}: {found} {reasons:?}", path.display());
        assert!(reasons.iter().any(|reason| reason.contains("Input/output error")), "{reasons:?}");
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_reported_and_the_others_read() {
    let (folder, path) = large();
    folder.write("b.log", line("b"));
    let name = folder.path().to_string_lossy().into_owned();
    for (error, words) in
        [("EMFILE", "Too many open files"), ("EACCES", "Permission denied"), ("EIO", "Input/output error")]
    {
        let fault = format!("openat:error={error}");
        let Some((output, _)) = injected(Some(&path), &[&fault], &["scan", &name, "-f", "json"]) else {
            return;
        };
        let (code, found, reasons) = result(&output);
        assert_eq!((code, found), (Some(3), 1), "{error}: {reasons:?}");
        assert!(reasons.iter().any(|reason| reason.contains(words)), "{error}: {reasons:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_listed_to_its_end_is_reported() {
    let (folder, _) = large();
    let name = folder.path().to_string_lossy().into_owned();
    let fault = ["getdents64:error=EIO:when=1"];
    let Some((output, count)) = injected(Some(folder.path()), &fault, &["scan", &name, "-f", "json"]) else {
        return;
    };
    let (code, _, reasons) = result(&output);
    assert!(count > 0 && code == Some(3), "{code:?} {reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("Input/output error")), "{reasons:?}");
}

/// Whichever step of writing an output fails, the run ends with 4, names the file, and leaves the old file
/// unchanged.
#[test]
fn outputs_that_cannot_be_written_end_the_run_with_4() {
    let folder = Folder::new();
    let out = folder.write("out.json", "the old content");
    let name = out.to_string_lossy().into_owned();
    let faults = [
        ("write:error=ENOSPC", "No space left on device"),
        ("fsync,fdatasync:error=EIO", "Input/output error"),
        ("rename,renameat,renameat2:error=EROFS", "Read-only file system"),
    ];
    for (fault, words) in faults {
        let Some((output, count)) =
            injected(None, &[fault], &["scan", "samples", "-q", "-f", "json", "-o", &name])
        else {
            return;
        };
        if fault.starts_with("fsync") && count == 0 {
            // Not every output is forced to the disk.
            continue;
        }
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(4), "{fault}: {message}");
        // Without any write, there is no message either.
        assert!(message.contains(words) || fault.starts_with("write"), "{fault}: {message}");
        assert_eq!(std::fs::read_to_string(&out).expect("reads"), "the old content", "{fault}");
        let left = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 1, "{fault}: a temporary file is left");
    }
}

/// Six hundred files and a large one, with few descriptors and little memory.
#[test]
fn little_address_space_is_enough() {
    let folder = Folder::new();
    folder.write("large.log", line("orders").repeat(400_000));
    for i in 0..600 {
        folder.write(&format!("{i}.log"), line("orders"));
    }
    // In KiB. A program that is built for tests takes half of it, and the file alone has 45 MB.
    for space in [600_000, 350_000] {
        let script = format!("ulimit -n 24; ulimit -v {space}; exec \"$0\" scan \"$1\" -f json -j 2");
        let program = env!("CARGO_BIN_EXE_migsift");
        let output =
            Command::new("sh").args(["-c", &script, program]).arg(folder.path()).output().expect("runs");
        let (code, found, reasons) = result(&output);
        assert_eq!((code, found), (Some(1), 400_600), "{space}: {reasons:?}");
    }
}
