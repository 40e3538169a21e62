//! From paths to inputs.
//!
//! Named paths come in; what is to be read goes out in the order of the report, with what was passed over by rule and
//! what could not be looked at. Nothing is opened here, so a walk over a FIFO or a device cannot hang.

use super::{Globs, Input, InputKind, Stat};
use crate::error::{PathProblem, SourceError};
use crate::source::STDIN;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// How to walk.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// What of the files below a named directory is wanted.
    pub globs: Globs,
    /// Whether symbolic links below a named directory are followed.
    pub follow_links: bool,
}

/// What a walk found, each list sorted by path.
#[derive(Debug, Default)]
pub struct Walk {
    /// What is to be read.
    pub inputs: Vec<Input>,
    /// What was passed over by rule, and why.
    pub skipped: Vec<(PathBuf, Cow<'static, str>)>,
    /// What could not be looked at.
    pub failed: Vec<PathProblem>,
}

/// Walks `paths`: files and streams as they are named, directories with all below them; `-` is standard input. A file
/// that is reached by several paths is read by the first.
pub fn walk(paths: &[PathBuf], options: &WalkOptions) -> Walk {
    let mut walk = Walk::default();
    let mut met = Vec::new();
    for path in paths {
        if path == Path::new(STDIN) {
            let kind = InputKind::Stdin;
            met.push((Input { path: path.clone(), kind, walked: false, included: true, from: None }, None));
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk.directory(path, options, &mut met),
            Ok(metadata) => {
                let included = options.globs.include(Path::new(path.file_name().unwrap_or_default()));
                let kind = named(&metadata);
                let input = Input { path: path.clone(), kind, walked: false, included, from: None };
                met.push((input, identity(path, &metadata)));
            }
            Err(error) => walk.failed(path.clone(), error),
        }
    }
    // One directory comes in order, each path once, and comparing paths is what its walk would spend most on.
    if paths.len() > 1 {
        met.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        met.dedup_by(|(again, _), (known, _)| known.is(again));
    }
    walk.take(met);
    walk.skipped.sort();
    walk.skipped.dedup();
    walk.failed.sort_by(|a, b| a.path.cmp(&b.path));
    walk.failed.dedup_by(|a, b| a.path == b.path);
    walk
}

impl Walk {
    fn failed(&mut self, path: PathBuf, error: io::Error) {
        self.failed.push(PathProblem { path, error: SourceError::Open(error) });
    }

    fn directory(&mut self, root: &Path, options: &WalkOptions, met: &mut Vec<(Input, Option<Identity>)>) {
        let mut walk = WalkDir::new(root).follow_links(options.follow_links).sort_by_file_name().into_iter();
        while let Some(item) = walk.next() {
            match item {
                Ok(item) => {
                    let below = item.path().strip_prefix(root).unwrap_or(item.path());
                    if options.globs.exclude(below) {
                        if item.file_type().is_dir() {
                            walk.skip_current_dir();
                        }
                        self.skipped.push((item.into_path(), "excluded".into()));
                    } else if let Some(input) = self.entry(&item, options.globs.include(below)) {
                        met.push(input);
                    }
                }
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_path_buf();
                    match error.loop_ancestor().map(Path::to_path_buf) {
                        Some(ancestor) => {
                            let why = format!("a symbolic link back to {}", ancestor.to_string_lossy());
                            self.skipped.push((path, why.into()));
                        }
                        None => {
                            let error = error.into_io_error();
                            self.failed(path, error.unwrap_or_else(|| io::Error::other("unreadable")));
                        }
                    }
                }
            }
        }
    }

    /// What is to be read of something below a directory.
    fn entry(&mut self, item: &DirEntry, included: bool) -> Option<(Input, Option<Identity>)> {
        let kind = item.file_type();
        if kind.is_dir() {
            return None;
        }
        let path = item.path().to_path_buf();
        if !kind.is_file() {
            self.skipped.push((path, special(kind).into()));
            return None;
        }
        if !included {
            self.skipped.push((path, "not included".into()));
            return None;
        }
        match item.metadata() {
            Ok(metadata) => {
                let identity = identity(&path, &metadata);
                let kind = InputKind::File { stat: Stat::new(&metadata) };
                Some((Input { path, kind, walked: true, included: true, from: None }, identity))
            }
            Err(error) => {
                let error = error.into_io_error().unwrap_or_else(|| io::Error::other("unreadable"));
                self.failed(path, error);
                None
            }
        }
    }

    /// Takes what was met, each file once.
    fn take(&mut self, met: Vec<(Input, Option<Identity>)>) {
        let mut seen: HashMap<Identity, usize> = HashMap::with_capacity(met.len());
        for (input, identity) in met {
            let new = self.inputs.len();
            let first = identity.map_or(new, |identity| *seen.entry(identity).or_insert(new));
            match self.inputs.get_mut(first) {
                None => self.inputs.push(input),
                Some(known) => {
                    known.wanted_as(&input);
                    let why = format!("the same file as {}", known.path.to_string_lossy());
                    self.skipped.push((input.path, why.into()));
                }
            }
        }
    }
}

impl Input {
    /// Whether `again` is the same path, which is then wanted as either is.
    fn is(&mut self, again: &Input) -> bool {
        let same = self.path == again.path;
        if same {
            self.wanted_as(again);
        }
        same
    }

    fn wanted_as(&mut self, again: &Input) {
        self.walked &= again.walked;
        self.included |= again.included;
    }
}

/// What makes two paths the same file.
#[cfg(unix)]
type Identity = (u64, u64);
/// What makes two paths the same file.
#[cfg(not(unix))]
type Identity = PathBuf;

#[cfg(unix)]
fn identity(_: &Path, metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> Option<Identity> {
    fs::canonicalize(path).ok()
}

/// A named file of no length may still have content, as those of `/proc` do: it is read as a stream.
fn named(metadata: &Metadata) -> InputKind {
    if metadata.is_file() && metadata.len() > 0 {
        InputKind::File { stat: Stat::new(metadata) }
    } else {
        InputKind::Stream
    }
}

/// What a special file is called when a walk passes over it.
fn special(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        return "symbolic link, not followed";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "named pipe";
        }
        if kind.is_socket() {
            return "socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "device";
        }
    }
    "special file"
}
