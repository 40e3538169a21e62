//! The hostile set: named inputs that are damaged, lie, or are made to break or to hide something. Each says how the run has
//! to end, how many findings it has to give, and which words tell what was not read; each is read from a file and, where
//! that makes sense, from standard input, within bounds of work and memory. What stands elsewhere is not repeated: zip
//! archives (`zips.rs`), limits and bombs (`limits.rs`), every cut and every changed byte (`damage.rs`).

mod injection;
mod packed;
#[cfg(unix)]
mod places;
mod tars;
mod text;

use crate::bundles::{Folder, Run};
use std::path::Path;
use std::process::{Command, Stdio};

/// One input of the set.
pub struct Case {
    /// What is hostile about it.
    pub name: &'static str,
    /// The input.
    pub bytes: Vec<u8>,
    /// How the run ends.
    pub code: i32,
    /// How many findings it gives.
    pub findings: u64,
    /// Words of a problem that is told; none is where they are empty.
    pub told: &'static str,
}

/// A case that is read whole.
pub fn whole(name: &'static str, findings: u64, bytes: impl Into<Vec<u8>>) -> Case {
    Case { name, bytes: bytes.into(), code: if findings > 0 { 1 } else { 0 }, findings, told: "" }
}

/// A case of which something is not read, and that is told in these words.
pub fn told(name: &'static str, findings: u64, told: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    Case { name, bytes: bytes.into(), code: 3, findings, told }
}

/// Seconds of processor time and KiB of address space that any case gets: a hundred times what it needs.
const BOUNDS: &str = "ulimit -t 30 2>/dev/null; ulimit -v 3000000 2>/dev/null; exec \"$0\" \"$@\"";

/// Runs the program over a path within bounds; `input` is its standard input.
pub fn bounded(path: &Path, input: Stdio, args: &[&str]) -> Run {
    let program = env!("CARGO_BIN_EXE_migsift");
    let mut command = if cfg!(unix) { Command::new("sh") } else { Command::new(program) };
    if cfg!(unix) {
        command.args(["-c", BOUNDS, program]);
    }
    command.args(["scan", "-f", "json", "-j", "2"]).args(args).arg(path).stdin(input);
    Run::of(command.output().expect("runs"))
}

/// Holds a run to what its case says; what is wrong with it, if anything is.
fn wrong(case: &Case, how: &str, run: &Run) -> Option<String> {
    let problems = run.problems();
    let right = if case.told.is_empty() {
        problems.is_empty()
    } else {
        problems.iter().any(|problem| problem.contains(case.told))
    };
    let same = run.code == Some(case.code) && run.findings() == case.findings && right;
    // What is read whole is never short of anything.
    let complete = run.report["complete"] == (case.code != 3);
    (!same || !complete).then(|| {
        format!(
            "{} ({how}): exit {:?}, {} findings, {problems:?}; not {}, {}, {:?}",
            case.name,
            run.code,
            run.findings(),
            case.code,
            case.findings,
            case.told
        )
    })
}

#[test]
fn each_ends_as_it_has_to() {
    let cases: Vec<Case> = [text::cases(), packed::cases(), tars::cases()].into_iter().flatten().collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    let (folder, mut failed) = (Folder::new(), Vec::new());
    for (i, case) in cases.iter().enumerate() {
        assert!(cases[..i].iter().all(|other| other.name != case.name), "{} stands twice", case.name);
        let path = folder.write("a.log", &case.bytes);
        for (how, args) in [("mapped", &[][..]), ("read", &["--no-mmap"])] {
            failed.extend(wrong(case, how, &bounded(&path, Stdio::null(), args)));
        }
        let input = std::fs::File::open(&path).expect("opens");
        failed.extend(wrong(case, "standard input", &bounded(Path::new("-"), input.into(), &[])));
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
}
