//! What is to be scanned: named paths and lists of them.

use super::args::{Scan, WalkArgs};
use migsift::input::{Globs, OutputFile, SymbolicLinks, Walk, WalkOptions, Walker};
use migsift::print::safe;
use migsift::scan::{self, Options};
use migsift::source::STDIN;
use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// Named paths, to be walked once.
pub struct Paths {
    named: Vec<PathBuf>,
    pub options: WalkOptions,
    threads: usize,
    walked: OnceCell<Walk>,
}

impl Paths {
    /// All that is found, where somebody has to know it before the scan.
    pub fn walk(&self) -> &Walk {
        let options = Options { threads: self.threads, ..Options::default() };
        self.walked.get_or_init(|| scan::walk(self.walker(), &options))
    }

    /// The same, if somebody has asked for it.
    pub fn walked(&self) -> Option<&Walk> {
        self.walked.get()
    }

    /// A walk that goes on with the scan.
    pub fn walker(&self) -> Walker {
        Walker::new(&self.named, &self.options)
    }
}

/// The paths that `args` name. What is wrong with the arguments comes back in words.
pub fn named(args: &Scan) -> Result<Paths, String> {
    let globs = Globs::new(&args.walk.include, &args.walk.exclude)
        .map_err(|message| format!("--include, --exclude: {}", safe::line(&message)))?;
    let mut paths = args.paths.clone();
    match &args.walk.files_from {
        Some(list) => paths.extend(listed(list, &args.walk, &paths)?),
        None if paths.is_empty() && io::stdin().is_terminal() => {
            let text =
                "nothing to scan: name files or directories, or pipe a log in (see `migsift scan --help`)";
            return Err(text.into());
        }
        None if paths.is_empty() => paths.push(STDIN.into()),
        None => {}
    }
    let links = if args.walk.follow_links { SymbolicLinks::Follow } else { SymbolicLinks::Skip };
    let options = WalkOptions { globs, links, output: OutputFile::standard() };
    Ok(Paths { named: paths, options, threads: args.threads, walked: OnceCell::new() })
}

/// The paths in a list, which may come from standard input if nothing else does.
fn listed(list: &Path, args: &WalkArgs, named: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut bytes = Vec::new();
    let read = if list != Path::new(STDIN) {
        File::open(list).and_then(|mut file| file.read_to_end(&mut bytes))
    } else if named.iter().any(|path| path == Path::new(STDIN)) {
        return Err("standard input cannot be scanned and hold the list of --files-from, too".into());
    } else {
        io::stdin().lock().read_to_end(&mut bytes)
    };
    if let Err(error) = read {
        return Err(format!("--files-from {}: {error}", safe::line(&list.to_string_lossy())));
    }
    let end = if args.null { b'\0' } else { b'\n' };
    if !args.null && bytes.contains(&b'\0') {
        let list = list.to_string_lossy();
        return Err(format!("--files-from {}: has NUL bytes; say --null", safe::line(&list)));
    }
    let paths = bytes.split(|byte| *byte == end).filter(|path| !path.is_empty());
    let paths: Result<Vec<PathBuf>, String> = paths.map(path).collect();
    let paths = paths?;
    if list == Path::new(STDIN) && paths.iter().any(|path| path == Path::new(STDIN)) {
        return Err("the list of --files-from comes from standard input, so `-` cannot be in it".into());
    }
    Ok(paths)
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> Result<PathBuf, String> {
    use std::os::unix::ffi::OsStrExt;
    Ok(std::ffi::OsStr::from_bytes(bytes).into())
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> Result<PathBuf, String> {
    let text = str::from_utf8(bytes).map_err(|_| "--files-from: a path is no UTF-8".to_string())?;
    Ok(text.trim_end_matches('\r').into())
}
