//! The input of a scan: paths from the command line and from `--files-from`.
//!
//! Arguments come in; [`Paths`] go out, which are walked once, before the scan or while it runs. Files are
//! found and opened by the library.

use super::args::{ScanArgs, WalkArgs};
use super::claims::Claims;
use super::exit::UsageError;
use super::{signals, stdio};
use migsift::error::{PathProblem, SourceError, reason};
use migsift::input::{Globs, InterruptibleReader, SymbolicLinks, Walk, WalkOptions, Walker};
use migsift::print::safe;
use migsift::scan::{self, Options};
use migsift::source::STDIN;
use std::cell::OnceCell;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The most entries and bytes of a list, and the most bytes of an entry: far above any list of files, so that
/// a device without an end is recognised while it takes little memory.
const MAX_LISTED_PATHS: usize = 2_000_000;
const MAX_LIST_BYTES: usize = 128 << 20;
const MAX_LISTED_PATH_BYTES: usize = 64 << 10;

/// Paths to walk, at most once.
pub struct Paths {
    operands: Vec<PathBuf>,
    pub options: WalkOptions,
    threads: usize,
    /// The list of `--files-from`, if a signal ended the wait for the rest of it.
    interrupted_list: Option<PathBuf>,
    walk: OnceCell<Walk>,
}

impl Paths {
    /// The paths that the arguments of `scan` name.
    pub fn of_scan(args: &ScanArgs) -> Result<Paths, UsageError> {
        let globs = Globs::new(&args.walk.include, &args.walk.exclude)
            .map_err(|message| UsageError::new(format!("--include, --exclude: {}", safe::line(&message))))?;
        let mut operands = args.paths.clone();
        let mut interrupted_list = None;
        match &args.walk.files_from {
            Some(path) => {
                let list = List::read(path, &args.walk, &operands)?;
                operands.extend(list.paths);
                interrupted_list = list.interrupted.then(|| path.clone());
            }
            None if operands.is_empty() && io::stdin().is_terminal() => {
                let text = "nothing to scan: name files or directories, or pipe a log in (see `migsift scan --help`)";
                return Err(UsageError::new(text));
            }
            None if operands.is_empty() => operands.push(STDIN.into()),
            None => {}
        }
        if stdio::stdin_is_closed() && operands.iter().any(|path| path == Path::new(STDIN)) {
            return Err(UsageError::new("standard input is closed: name files or directories"));
        }
        let links = if args.walk.follow_links { SymbolicLinks::Follow } else { SymbolicLinks::Skip };
        let mut options = WalkOptions::default();
        (options.globs, options.links, options.stop) = (globs, links, signals::stop().clone());
        Ok(Paths { operands, options, threads: args.threads, interrupted_list, walk: OnceCell::new() })
    }

    /// The command reads these paths, and the list of `--files-from`.
    pub fn claim(&self, args: &ScanArgs, claims: &mut Claims) {
        args.walk.files_from.iter().for_each(|list| claims.reads("--files-from", list));
        self.operands.iter().for_each(|path| claims.reads("the input", path));
    }

    /// Whether not all paths are known, because the wait for them was interrupted. Then [`Paths::walk`]
    /// reports that.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted_list.is_some()
    }

    /// Walks everything, for a caller that needs all inputs before the scan.
    pub fn walk(&self) -> &Walk {
        let options = Options::default().with(|options| options.threads = self.threads);
        self.walk.get_or_init(|| {
            let mut walk = scan::walk(self.walker(), &options);
            let list = self.interrupted_list.iter().cloned();
            let interrupted = || SourceError::Interrupted { offset: 0 };
            walk.failed.extend(list.map(|path| PathProblem { path, error: interrupted() }));
            walk
        })
    }

    /// The walk, if it is done already.
    pub fn walked(&self) -> Option<&Walk> {
        self.walk.get()
    }

    /// A walk that goes on while the scan runs.
    pub fn walker(&self) -> Walker {
        Walker::new(&self.operands, &self.options)
    }
}

/// What the list of `--files-from` names.
struct List {
    paths: Vec<PathBuf>,
    /// Whether a signal ended the wait for the rest.
    interrupted: bool,
}

impl List {
    /// Reads the list, which may be standard input if that is not scanned itself, or a device without an end.
    fn read(list: &Path, args: &WalkArgs, operands: &[PathBuf]) -> Result<List, UsageError> {
        let is_stdin = |path: &Path| path == Path::new(STDIN);
        if is_stdin(list) && operands.iter().any(|path| is_stdin(path)) {
            return Err(UsageError::new(
                "standard input cannot be both an input and the list of --files-from",
            ));
        }
        let wrong = |why: &str| {
            UsageError::new(format!("--files-from {}: {why}", safe::line(&list.to_string_lossy())))
        };
        if is_stdin(list) && stdio::stdin_is_closed() {
            return Err(wrong("standard input is closed"));
        }
        let stop: &AtomicBool = signals::stop();
        let opened = if is_stdin(list) {
            InterruptibleReader::stdin(stop)
        } else {
            InterruptibleReader::open(list, stop)
        };
        let read =
            opened.map(BufReader::new).map_err(ListError::Read).and_then(|reader| entries(reader, args.null));
        let (paths, interrupted) = match read {
            Ok(paths) => (paths, false),
            // What was read so far may end within a path, and nothing is scanned any more.
            Err(ListError::Read(_)) if stop.load(Ordering::Relaxed) => (Vec::new(), true),
            Err(error) => return Err(wrong(&error.to_string())),
        };
        if is_stdin(list) && paths.iter().any(|path| is_stdin(path)) {
            return Err(UsageError::new(
                "the list of --files-from is standard input, so it cannot contain `-`",
            ));
        }
        Ok(List { paths, interrupted })
    }
}

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error("{}", reason(.0))]
    Read(io::Error),
    #[error("has NUL bytes; use --null")]
    Nul,
    #[error("a path of more than {MAX_LISTED_PATH_BYTES} bytes: is it a list of paths?")]
    LongPath,
    #[error(
        "more than {MAX_LISTED_PATHS} paths or {MAX_LIST_BYTES} bytes: is it a list of paths? Name folders instead, or scan \
         in parts and add them up with `migsift merge`"
    )]
    TooLong,
    #[error("{0}")]
    Path(UsageError),
}

/// Reads the entries of a list: those that are not empty, as paths.
fn entries(mut reader: impl BufRead, null: bool) -> Result<Vec<PathBuf>, ListError> {
    let end = if null { b'\0' } else { b'\n' };
    let (mut paths, mut bytes) = (Vec::new(), 0);
    let mut entry = Vec::new();
    for _ in 0..=MAX_LISTED_PATHS {
        entry.clear();
        let got = (&mut reader).take(MAX_LISTED_PATH_BYTES as u64 + 1).read_until(end, &mut entry);
        bytes += got.map_err(ListError::Read)?;
        if bytes > MAX_LIST_BYTES {
            break;
        }
        let is_last = entry.pop_if(|byte| *byte == end).is_none();
        if !null && entry.contains(&b'\0') {
            return Err(ListError::Nul);
        }
        if entry.len() > MAX_LISTED_PATH_BYTES {
            return Err(ListError::LongPath);
        }
        if !entry.is_empty() {
            paths.push(path(&entry).map_err(ListError::Path)?);
        }
        if is_last {
            return Ok(paths);
        }
    }
    Err(ListError::TooLong)
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> Result<PathBuf, UsageError> {
    use std::os::unix::ffi::OsStrExt;
    Ok(std::ffi::OsStr::from_bytes(bytes).into())
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> Result<PathBuf, UsageError> {
    let text = str::from_utf8(bytes).map_err(|_| UsageError::new("--files-from: a path is not UTF-8"))?;
    Ok(text.trim_end_matches('\r').into())
}
