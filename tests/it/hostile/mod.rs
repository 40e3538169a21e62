//! The hostile set: named inputs that are damaged, that lie, or that are made to break or to hide something.
//!
//! Each case says how the run must end, how many findings it must have, and with which words it must report
//! what was not read. Each is read from a file, mapped and not, and from standard input, within bounds of
//! time and memory. Other tests have zip archives (`zips.rs`), limits and bombs (`limits.rs`), and every cut
//! and every changed byte (`damage.rs`).

mod injection;
mod packed;
#[cfg(unix)]
mod places;
mod tars;
mod text;

use crate::bundles::{Folder, Run, scan_path};
use migsift::scan::Options;
use std::path::Path;
use std::process::{Command, Stdio};

/// One input of the set.
pub struct Case {
    /// What is hostile about it.
    pub name: &'static str,
    /// The input.
    pub bytes: Vec<u8>,
    /// The exit code.
    pub code: i32,
    /// The number of findings.
    pub findings: u64,
    /// Words of a problem that is reported; empty if there must be no problem.
    pub problem: &'static str,
}

/// A case that is read whole.
pub fn whole(name: &'static str, findings: u64, bytes: impl Into<Vec<u8>>) -> Case {
    Case { name, bytes: bytes.into(), code: if findings > 0 { 1 } else { 0 }, findings, problem: "" }
}

/// A case of which something is not read, which is reported in these words.
pub fn partial(name: &'static str, findings: u64, problem: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    Case { name, bytes: bytes.into(), code: 3, findings, problem }
}

/// Limits any case to 30 seconds of processor time and 3 GB of address space: a hundred times what it needs.
const BOUNDS: &str = "ulimit -t 30 2>/dev/null; ulimit -v 3000000 2>/dev/null; exec \"$0\" \"$@\"";

/// Runs the program over a path within [`BOUNDS`]; `input` is its standard input.
pub fn bounded(path: &Path, input: Stdio, args: &[&str]) -> Run {
    let program = env!("CARGO_BIN_EXE_migsift");
    let mut command = if cfg!(unix) { Command::new("sh") } else { Command::new(program) };
    if cfg!(unix) {
        command.args(["-c", BOUNDS, program]);
    }
    command.args(["scan", "-f", "json", "-j", "2"]).args(args).arg(path).stdin(input);
    Run::of(command.output().expect("runs"))
}

/// Compares a run with its case; returns what is wrong with it, if anything is.
fn wrong(case: &Case, how: &str, run: &Run) -> Option<String> {
    let problems = run.problems();
    let right = if case.problem.is_empty() {
        problems.is_empty()
    } else {
        problems.iter().any(|problem| problem.contains(case.problem))
    };
    let same = run.code == Some(case.code) && run.findings() == case.findings && right;
    // A run is complete exactly if it does not end with 3.
    let complete = run.report["complete"] == (case.code != 3);
    (!same || !complete).then(|| {
        format!(
            "{} ({how}): exit {:?}, {} findings, {problems:?}; not {}, {}, {:?}",
            case.name,
            run.code,
            run.findings(),
            case.code,
            case.findings,
            case.problem
        )
    })
}

#[test]
fn each_case_ends_as_expected() {
    let cases: Vec<Case> = [text::cases(), packed::cases(), tars::cases()].into_iter().flatten().collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    let (folder, mut failed) = (Folder::new(), Vec::new());
    for (i, case) in cases.iter().enumerate() {
        assert!(cases[..i].iter().all(|other| other.name != case.name), "{} appears twice", case.name);
        let path = folder.write("a.log", &case.bytes);
        let mapped = bounded(&path, Stdio::null(), &[]);
        let input = std::fs::File::open(&path).expect("opens");
        let piped = bounded(Path::new("-"), input.into(), &[]);
        // The third way needs no process of its own: the first two have shown that the case stays within bounds.
        let read = scan_path(&path, &Options::default().with(|options| options.mmap = false));
        failed.extend(wrong(case, "mapped", &mapped));
        failed.extend(wrong(case, "standard input", &piped));
        let result = |run: &Run| (run.findings(), run.report["complete"] == true);
        if (read.findings.len() as u64, read.inputs.complete()) != result(&mapped) {
            failed.push(format!("{}: another result if it is read: {:?}", case.name, read.inputs));
        }
        let problems: Vec<String> = mapped.problems();
        let reasons = read.reasons();
        if !(problems.len() == reasons.len()
            && reasons.iter().zip(&problems).all(|(why, all)| all.ends_with(why)))
        {
            failed.push(format!("{}: {reasons:?} if it is read, {problems:?} if mapped", case.name));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
}
