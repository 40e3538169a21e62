//! The input of a scan: paths from the command line and from `--files-from`.
//!
//! Arguments come in; [`Paths`] go out, which are walked once, before the scan or while it runs. Files are
//! found and opened by the library.

use super::args::{ScanArgs, WalkArgs};
use super::exit::UsageError;
use migsift::input::{Globs, OutputFile, SymbolicLinks, Walk, WalkOptions, Walker};
use migsift::print::safe;
use migsift::scan::{self, Options};
use migsift::source::STDIN;
use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// Paths to walk, at most once.
pub struct Paths {
    operands: Vec<PathBuf>,
    pub options: WalkOptions,
    threads: usize,
    walk: OnceCell<Walk>,
}

impl Paths {
    /// The paths that the arguments of `scan` name.
    pub fn of_scan(args: &ScanArgs) -> Result<Paths, UsageError> {
        let globs = Globs::new(&args.walk.include, &args.walk.exclude)
            .map_err(|message| UsageError::new(format!("--include, --exclude: {}", safe::line(&message))))?;
        let mut operands = args.paths.clone();
        match &args.walk.files_from {
            Some(list) => operands.extend(listed(list, &args.walk, &operands)?),
            None if operands.is_empty() && io::stdin().is_terminal() => {
                let text = "nothing to scan: name files or directories, or pipe a log in (see `migsift scan --help`)";
                return Err(UsageError::new(text));
            }
            None if operands.is_empty() => operands.push(STDIN.into()),
            None => {}
        }
        let links = if args.walk.follow_links { SymbolicLinks::Follow } else { SymbolicLinks::Skip };
        let mut options = WalkOptions::default();
        (options.globs, options.links, options.output) = (globs, links, OutputFile::standard());
        Ok(Paths { operands, options, threads: args.threads, walk: OnceCell::new() })
    }

    /// Walks everything, for a caller that needs all inputs before the scan.
    pub fn walk(&self) -> &Walk {
        let options = Options::default().with(|options| options.threads = self.threads);
        self.walk.get_or_init(|| scan::walk(self.walker(), &options))
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

/// Reads the list of `--files-from`. It may be standard input, if that is not scanned itself.
fn listed(list: &Path, args: &WalkArgs, operands: &[PathBuf]) -> Result<Vec<PathBuf>, UsageError> {
    let name = || format!("--files-from {}", safe::line(&list.to_string_lossy()));
    let mut bytes = Vec::new();
    let read = if list != Path::new(STDIN) {
        File::open(list).and_then(|mut file| file.read_to_end(&mut bytes))
    } else if operands.iter().any(|path| path == Path::new(STDIN)) {
        return Err(UsageError::new("standard input cannot be both an input and the list of --files-from"));
    } else {
        io::stdin().lock().read_to_end(&mut bytes)
    };
    if let Err(error) = read {
        return Err(UsageError::new(format!("{}: {error}", name())));
    }
    let end = if args.null { b'\0' } else { b'\n' };
    if !args.null && bytes.contains(&b'\0') {
        return Err(UsageError::new(format!("{}: has NUL bytes; use --null", name())));
    }
    let paths = bytes.split(|byte| *byte == end).filter(|path| !path.is_empty());
    let paths: Vec<PathBuf> = paths.map(path).collect::<Result<_, UsageError>>()?;
    if list == Path::new(STDIN) && paths.iter().any(|path| path == Path::new(STDIN)) {
        return Err(UsageError::new("the list of --files-from is standard input, so it cannot contain `-`"));
    }
    Ok(paths)
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
