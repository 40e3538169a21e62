//! From paths to inputs.
//!
//! Named paths come in; what is to be read goes out in the order of the report, with what was passed over by rule and
//! what could not be looked at. A [`Walker`] gives inputs as it meets them, a [`Walk`] is what all of it comes to. Nothing
//! is opened here, so a walk over a FIFO or a device cannot hang.

use super::directory::{DirWalk, EntryStat, FileEntry};
use super::{FoundBy, Globs, Input, InputKind, Selection, Stat};
use crate::error::{PathProblem, SourceError};
use crate::source::STDIN;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// How to walk.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// What of the files below a named directory is wanted.
    pub globs: Globs,
    /// Whether symbolic links below a named directory are followed.
    pub follow_links: bool,
    /// What is written meanwhile, and not read.
    pub output: Option<OutputFile>,
}

/// A file that is written while inputs are read.
#[derive(Debug, Clone)]
pub struct OutputFile(Identity);

impl OutputFile {
    /// Standard output, where it goes to a file and the system tells to which.
    pub fn standard() -> Option<OutputFile> {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd;
            let file = fs::File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
            let metadata = file.metadata().ok().filter(Metadata::is_file)?;
            identity(Path::new(""), &metadata).map(OutputFile)
        }
        #[cfg(not(unix))]
        None
    }
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
    Walker::new(paths, options).finish()
}

/// A walk under way: gives inputs in the order of the report. A single directory is walked on as they are asked for; what
/// several paths lead to is put in order first.
#[derive(Debug)]
pub struct Walker {
    met: std::vec::IntoIter<Candidate>,
    below: Vec<DirWalk>,
    /// Whether several paths may lead to the same files, and what is met is to be put in order.
    several: bool,
    /// By which path each file is read.
    taken: HashMap<Identity, PathBuf>,
    /// What is not read, so far.
    unread: Walk,
}

/// What was met, and what makes it the same file as another.
pub(super) type Candidate = (Input, Option<Identity>);

impl Iterator for Walker {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        if self.several {
            self.meet(look_one_by_one);
        }
        loop {
            let (input, identity) = match self.met.next() {
                Some(met) => met,
                None => {
                    let found = self.below.first_mut()?.next(&mut self.unread)?;
                    let looked = found.stat();
                    let Some(met) = found.met(looked, &mut self.unread) else { continue };
                    met
                }
            };
            match identity.map(|identity| self.taken.entry(identity)) {
                Some(Entry::Occupied(known)) => {
                    let why = format!("the same file as {}", known.get().to_string_lossy());
                    self.unread.skipped.push((input.path, why.into()));
                }
                Some(Entry::Vacant(new)) => {
                    new.insert(input.path.clone());
                    return Some(input);
                }
                None => return Some(input),
            }
        }
    }
}

impl Walker {
    /// Begins to walk `paths`, as [`walk()`] does.
    pub fn new(paths: &[PathBuf], options: &WalkOptions) -> Walker {
        let (mut met, mut below, mut unread) = (Vec::new(), Vec::new(), Walk::default());
        for path in paths {
            if path == Path::new(STDIN) {
                let kind = InputKind::Stdin;
                met.push((
                    Input {
                        path: path.clone(),
                        kind,
                        found_by: FoundBy::Name,
                        selection: Selection::All,
                        resume: None,
                    },
                    None,
                ));
                continue;
            }
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => below.push(DirWalk::new(path, options)),
                Ok(metadata) => {
                    let name = Path::new(path.file_name().unwrap_or_default());
                    let selection = Selection::all_if(options.globs.include(name));
                    let kind = named(&metadata);
                    let input =
                        Input { path: path.clone(), kind, found_by: FoundBy::Name, selection, resume: None };
                    met.push((input, identity(path, &metadata)));
                }
                Err(error) => unread.failed(path.clone(), error),
            }
        }
        let several = paths.len() > 1;
        let output = options.output.clone().map(|OutputFile(identity)| (identity, "standard output".into()));
        Walker { met: met.into_iter(), below, several, taken: output.into_iter().collect(), unread }
    }

    /// Walks on to the end: gives the inputs that nobody has asked for, and all that is not read.
    pub fn finish(self) -> Walk {
        self.finish_with(look_one_by_one)
    }

    /// The same; `look` gives what [`FileEntry::stat`] says of each file, in their order, and may ask on many threads.
    pub fn finish_with(mut self, look: impl FnMut(&[FileEntry]) -> Vec<EntryStat>) -> Walk {
        self.meet(look);
        let inputs = self.by_ref().collect();
        let mut walk = Walk { inputs, ..self.unread };
        walk.skipped.sort();
        walk.skipped.dedup();
        walk.failed.sort_by(|a, b| a.path.cmp(&b.path));
        walk.failed.dedup_by(|a, b| a.path == b.path);
        walk
    }

    /// Meets all that is left.
    fn meet(&mut self, mut look: impl FnMut(&[FileEntry]) -> Vec<EntryStat>) {
        let mut met: Vec<Candidate> = std::mem::take(&mut self.met).collect();
        for mut below in std::mem::take(&mut self.below) {
            let found: Vec<FileEntry> = std::iter::from_fn(|| below.next(&mut self.unread)).collect();
            let looked = look(&found);
            let files = found.into_iter().zip(looked);
            met.extend(files.filter_map(|(found, looked)| found.met(looked, &mut self.unread)));
        }
        if std::mem::take(&mut self.several) {
            met = ordered(met);
        }
        self.met = met.into_iter();
    }
}

fn look_one_by_one(found: &[FileEntry]) -> Vec<EntryStat> {
    found.iter().map(FileEntry::stat).collect()
}

/// What was met by several paths in order, each path once; a file that has more of them is wanted as any of them is.
fn ordered(mut met: Vec<Candidate>) -> Vec<Candidate> {
    met.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
    met.dedup_by(|(again, _), (known, _)| known.is(again));
    let mut firsts: HashMap<&Identity, usize> = HashMap::new();
    let mut pairs = Vec::new();
    for (index, (_, identity)) in met.iter().enumerate() {
        let first = identity.as_ref().map_or(index, |identity| *firsts.entry(identity).or_insert(index));
        pairs.push((first, index));
    }
    for (first, again) in pairs.into_iter().filter(|(first, again)| first < again) {
        let (before, from) = met.split_at_mut(again);
        before[first].0.wanted_as(&from[0].0);
    }
    met
}

impl Walk {
    pub(super) fn failed(&mut self, path: PathBuf, error: io::Error) {
        self.failed.push(PathProblem { path, error: SourceError::Open(error) });
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
        if again.found_by == FoundBy::Name {
            self.found_by = FoundBy::Name;
        }
        if again.selection == Selection::All {
            self.selection = Selection::All;
        }
    }
}

/// What makes two paths the same file.
#[cfg(unix)]
pub(super) type Identity = (u64, u64);
/// What makes two paths the same file.
#[cfg(not(unix))]
pub(super) type Identity = PathBuf;

#[cfg(unix)]
pub(super) fn identity(_: &Path, metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
pub(super) fn identity(path: &Path, _: &Metadata) -> Option<Identity> {
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
