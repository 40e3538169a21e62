//! Claims: which files a command reads and which it writes. No file is both, and none is written twice.
//!
//! Flags and paths come in; [`Claims::check`] refuses the command before it writes anything. Files are compared
//! by what they are, not by their names ([`FileId`]): `in.log`, `./in.log`, a hard link and a symbolic link to
//! it are one file, whether it exists or not. What else a walk finds is not known here; it skips what is
//! written ([`Claims::outputs`]).
//!
//! Terminals, `/dev/null` and sockets may be read and written at once: nothing that they hold is lost.

use super::args::OutputArgs;
use super::exit::UsageError;
use migsift::input::{FileId, OutputFile, follow_links, standard_file};
use migsift::print::safe;
use migsift::source::STDIN;
use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// What SQLite appends to the name of a store for the files that it writes beside it.
const STORE_ENDINGS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// The files of a command.
#[derive(Default)]
pub struct Claims {
    read: Vec<Claim>,
    written: Vec<Claim>,
    /// What a walk does not read, although it may find it.
    outputs: Vec<OutputFile>,
}

/// A file, and how a message names it.
struct Claim {
    id: FileId,
    name: String,
    /// Whether what it holds is lost if it is written.
    holds: bool,
}

impl Claim {
    fn new(path: &Path, name: String) -> Claim {
        Claim { id: FileId::of(path), name, holds: holds(path) }
    }
}

impl Claims {
    /// The command reads `path`; `-` is standard input. `what` is its flag or `the input`.
    pub fn reads(&mut self, what: &str, path: &Path) {
        if path == Path::new(STDIN) {
            let id = standard_file(io::stdin());
            self.read.extend(id.map(|id| Claim { id, name: "standard input".into(), holds: true }));
        } else {
            self.read.push(Claim::new(path, named(what, path)));
        }
    }

    /// The command writes the file at `path`, which `flag` names.
    pub fn writes(&mut self, flag: &str, path: &Path) {
        self.written.push(Claim::new(path, named(flag, path)));
        self.outputs.push(OutputFile::new(path, "an output of this run"));
    }

    /// The command writes to standard output.
    pub fn writes_stdout(&mut self) {
        let id = standard_file(io::stdout());
        self.written.extend(id.map(|id| Claim { id, name: "standard output".into(), holds: true }));
        self.outputs.extend(OutputFile::standard());
    }

    /// The command writes what these flags ask for; to standard output only if it prints its main output.
    pub fn writes_outputs(&mut self, args: &OutputArgs, main: MainOutput) {
        match &args.output {
            Some(path) => self.writes("--output", path),
            None if main == MainOutput::Printed => self.writes_stdout(),
            None => {}
        }
        for (format, path) in &args.report {
            self.writes(&format!("--report {}=", format.name()), path);
        }
    }

    /// The command writes to the store at `path`, and to the files that SQLite keeps beside it.
    pub fn writes_store(&mut self, path: &Path) {
        let mut claim = |path: &Path, name: String| {
            self.written.push(Claim::new(path, name));
            self.outputs.push(OutputFile::new(path, "the store itself"));
        };
        claim(path, named("--store", path));
        // Beside the file that a symbolic link leads to.
        let path = follow_links(path).unwrap_or_else(|| path.to_path_buf());
        for ending in STORE_ENDINGS {
            let mut beside = OsString::from(&path);
            beside.push(ending);
            let beside = PathBuf::from(beside);
            let name = format!("the file {} that --store keeps", beside.display());
            claim(&beside, name);
        }
    }

    /// What a walk must not read.
    pub fn outputs(&self) -> Vec<OutputFile> {
        self.outputs.clone()
    }

    /// Checks that nothing is written that is read, or that is written already.
    pub fn check(&self) -> Result<(), UsageError> {
        let mut written: HashMap<&FileId, &Claim> = HashMap::new();
        for claim in &self.written {
            if let Some(other) = written.insert(&claim.id, claim) {
                return Err(UsageError::new(format!(
                    "two outputs to the same file: {} and {}; name another file for one of them",
                    other.name, claim.name
                )));
            }
        }
        let both = self.read.iter().find_map(|input| Some((input, *written.get(&input.id)?)));
        match both.filter(|(input, _)| input.holds) {
            None => Ok(()),
            Some((input, output)) => Err(UsageError::new(format!(
                "{} and {} are the same file, which would be lost; write to another file",
                input.name, output.name
            ))),
        }
    }
}

/// Whether a command prints its main output, if no file is named for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MainOutput {
    /// It does.
    Printed,
    /// It has none.
    Silent,
}

/// How a message names a file.
fn named(flag: &str, path: &Path) -> String {
    let path = path.to_string_lossy();
    let blank = if flag.ends_with('=') { "" } else { " " };
    format!("{flag}{blank}{}", safe::line(&path))
}

/// Whether what `path` leads to can be lost. A terminal and `/dev/null` can be read and written at once.
#[cfg(unix)]
fn holds(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().is_ok_and(|known| {
        let kind = known.file_type();
        !kind.is_char_device() && !kind.is_socket()
    }) || !path.exists()
}

#[cfg(not(unix))]
fn holds(_: &Path) -> bool {
    true
}
