//! From paths to inputs.
//!
//! Paths that somebody named come in; inputs go out in the order of the report, with what rules skipped and
//! what could not be walked. A [`Walker`] yields inputs as it finds them, a [`Walk`] is the result of a whole
//! walk. Nothing is opened here, and nothing is known of what is in the files.
//!
//! With one path, a directory is walked while the scan already reads: nothing else can lead to the same
//! files, and the walk yields them in order. With several paths all are walked first, because an earlier path
//! of the report, or a wider selection, may come from a later one.

use super::directory::{Candidate, DirWalk, EntryStat, FileEntry, Item, SkippedPath, SymbolicLinks};
use super::file_id::{FileId, Kind, folder};
use super::stat::{Identity, identity};
use super::{FoundBy, Globs, Input, InputKind, Selection, Stat};
use crate::error::{PathProblem, SourceError};
use crate::source::STDIN;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How to walk.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct WalkOptions {
    /// Which files below a named directory are wanted.
    pub globs: Globs,
    /// What happens to symbolic links below a named directory.
    pub links: SymbolicLinks,
    /// What the program writes meanwhile, and does not read.
    pub outputs: Vec<OutputFile>,
    /// Once it is set, named directories are not walked to their ends, and are listed as interrupted.
    pub stop: Arc<AtomicBool>,
}

/// A file that is written while inputs are read, so that a walk skips it.
#[derive(Debug, Clone)]
pub struct OutputFile {
    id: FileId,
    /// What the report says of it.
    reason: Cow<'static, str>,
}

impl OutputFile {
    /// The file at `path`, which may be created only later; `reason` is what the report says of it.
    pub fn new(path: &Path, reason: impl Into<Cow<'static, str>>) -> OutputFile {
        OutputFile { id: FileId::of(path), reason: reason.into() }
    }

    /// Standard output, if it goes to a file and the system says to which.
    pub fn standard() -> Option<OutputFile> {
        let id = standard_file(std::io::stdout())?;
        Some(OutputFile { id, reason: "the same file as standard output".into() })
    }
}

/// The regular file that a standard stream comes from or goes to, if it does and the system says which.
#[cfg(unix)]
pub fn standard_file(stream: impl std::os::fd::AsFd) -> Option<FileId> {
    let file = fs::File::from(stream.as_fd().try_clone_to_owned().ok()?);
    file.metadata().ok().filter(Metadata::is_file)?;
    FileId::of_open(&file)
}

/// The regular file that a standard stream comes from or goes to, if it does and the system says which.
#[cfg(not(unix))]
pub fn standard_file<S>(_: S) -> Option<FileId> {
    None
}

/// The result of a walk, each list sorted by path.
#[derive(Debug, Default)]
pub struct Walk {
    /// What is to be read.
    pub inputs: Vec<Input>,
    /// What rules skipped.
    pub skipped: Vec<SkippedPath>,
    /// What could not be walked.
    pub failed: Vec<PathProblem>,
}

/// Walks `paths`: files and streams as they are named, directories with everything below them; `-` is
/// standard input. A file that several paths lead to is read by the first.
pub fn walk(paths: &[PathBuf], options: &WalkOptions) -> Walk {
    Walker::new(paths, options).finish()
}

/// A walk in progress: yields inputs in the order of the report.
#[derive(Debug)]
pub struct Walker {
    candidates: std::vec::IntoIter<Candidate>,
    directories: Vec<DirWalk>,
    order: Order,
    /// The files that other paths may lead to, too.
    taken: HashMap<Identity, Taken>,
    /// Outputs that did not exist when the walk started.
    new_outputs: Vec<NewOutput>,
    /// What is not read, so far.
    unread: Walk,
}

/// Why a file is not read again.
#[derive(Debug)]
enum Taken {
    /// It is read by this path.
    Read(PathBuf),
    /// It is written, for this reason.
    Written(Cow<'static, str>),
}

/// An output that did not exist when the walk started; the walk may meet it nevertheless.
#[derive(Debug)]
struct NewOutput {
    folder: Identity,
    name: OsString,
    reason: Cow<'static, str>,
}

impl NewOutput {
    /// Whether it is the file at `path`.
    fn is_at(&self, path: &Path) -> bool {
        // Nearly all files have other names, and need no look at the file system.
        path.file_name() == Some(&self.name)
            && matches!(FileId::of(folder(path)), FileId(Kind::Known(found)) if found == self.folder)
    }
}

/// When inputs can be yielded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// As they are found, which is in order.
    AsFound,
    /// After all are found and sorted: several paths may lead to the same files.
    Sorted,
}

impl Iterator for Walker {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        if self.order == Order::Sorted {
            self.find_all(stat_one_by_one);
        }
        loop {
            let Candidate { input, identity } = self.candidate()?;
            if let Some(output) = self.new_outputs.iter().find(|output| output.is_at(&input.path)) {
                let reason = output.reason.clone();
                self.unread.skipped.push(SkippedPath { path: input.path, reason });
                continue;
            }
            match identity.map(|identity| self.taken.entry(identity)) {
                Some(Entry::Occupied(known)) => {
                    let reason = match known.get() {
                        Taken::Read(path) => format!("the same file as {}", path.to_string_lossy()).into(),
                        Taken::Written(reason) => reason.clone(),
                    };
                    self.unread.skipped.push(SkippedPath { path: input.path, reason });
                }
                Some(Entry::Vacant(new)) => {
                    new.insert(Taken::Read(input.path.clone()));
                    return Some(input);
                }
                None => return Some(input),
            }
        }
    }
}

impl Walker {
    /// Starts to walk `paths`, as [`walk()`] does.
    pub fn new(paths: &[PathBuf], options: &WalkOptions) -> Walker {
        let (mut candidates, mut directories, mut unread) = (Vec::new(), Vec::new(), Walk::default());
        for path in paths {
            if path == Path::new(STDIN) {
                candidates
                    .push(Candidate { input: named(path, InputKind::Stdin, Selection::All), identity: None });
                continue;
            }
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => {
                    directories.push(DirWalk::new(path, &options.globs, options.links, &options.stop));
                }
                Ok(metadata) => {
                    let name = Path::new(path.file_name().unwrap_or_default());
                    let selection = Selection::all_if(options.globs.include(name));
                    let input = named(path, kind(&metadata), selection);
                    candidates.push(Candidate { input, identity: identity(path, &metadata) });
                }
                Err(error) => {
                    let error = SourceError::Open(error);
                    unread.failed.push(PathProblem { path: path.clone(), error });
                }
            }
        }
        let order = if paths.len() > 1 { Order::Sorted } else { Order::AsFound };
        let (mut taken, mut new_outputs) = (HashMap::new(), Vec::new());
        for OutputFile { id: FileId(id), reason } in options.outputs.iter().cloned() {
            match id {
                Kind::Known(identity) => drop(taken.insert(identity, Taken::Written(reason))),
                Kind::New { folder, name } => new_outputs.push(NewOutput { folder, name, reason }),
                // Its folder does not exist, so it cannot be created.
                Kind::Unknown(_) => {}
            }
        }
        Walker { candidates: candidates.into_iter(), directories, order, taken, new_outputs, unread }
    }

    /// Walks to the end: returns the inputs that have not been yielded yet, and everything that is not read.
    pub fn finish(self) -> Walk {
        self.finish_with(stat_one_by_one)
    }

    /// The same, but `stat` calls [`FileEntry::stat`] for each file and returns the results in the same
    /// order. It may do so on many threads.
    pub fn finish_with(mut self, stat: impl FnMut(&[FileEntry]) -> Vec<EntryStat>) -> Walk {
        self.find_all(stat);
        let inputs = self.by_ref().collect();
        let mut walk = Walk { inputs, ..self.unread };
        walk.skipped.sort();
        walk.skipped.dedup();
        walk.failed.sort_by(|a, b| a.path.cmp(&b.path));
        walk.failed.dedup_by(|a, b| a.path == b.path);
        walk
    }

    /// Returns the next candidate: one that was found already, or the next file of a directory.
    fn candidate(&mut self) -> Option<Candidate> {
        loop {
            if let Some(candidate) = self.candidates.next() {
                return Some(candidate);
            }
            let item = self.directories.first_mut()?.next()?;
            let Some(entry) = self.unread.file(item) else { continue };
            let stat = entry.stat();
            if let Some(candidate) = self.unread.candidate(entry, stat) {
                return Some(candidate);
            }
        }
    }

    /// Finds all that is left, and sorts it if several paths lead to it.
    fn find_all(&mut self, mut stat: impl FnMut(&[FileEntry]) -> Vec<EntryStat>) {
        let mut candidates: Vec<Candidate> = std::mem::take(&mut self.candidates).collect();
        for directory in std::mem::take(&mut self.directories) {
            let entries: Vec<FileEntry> = directory.filter_map(|item| self.unread.file(item)).collect();
            let stats = stat(&entries);
            let found = entries.into_iter().zip(stats);
            candidates.extend(found.filter_map(|(entry, stat)| self.unread.candidate(entry, stat)));
        }
        if self.order == Order::Sorted {
            self.order = Order::AsFound;
            candidates = sorted(candidates);
        }
        self.candidates = candidates.into_iter();
    }
}

impl Walk {
    /// Returns the file of an item; notes anything else.
    fn file(&mut self, item: Item) -> Option<FileEntry> {
        match item {
            Item::File(entry) => return Some(entry),
            Item::Skipped(skipped) => self.skipped.push(skipped),
            Item::Failed(problem) => self.failed.push(problem),
        }
        None
    }

    /// Returns the candidate for a file; notes why there is none.
    fn candidate(&mut self, entry: FileEntry, stat: EntryStat) -> Option<Candidate> {
        entry.candidate(stat).map_err(|problem| self.failed.push(problem)).ok()
    }
}

fn stat_one_by_one(entries: &[FileEntry]) -> Vec<EntryStat> {
    entries.iter().map(FileEntry::stat).collect()
}

/// Sorts candidates by path, each path once. The path that is read of a file is wanted as any path of it is.
fn sorted(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|a, b| a.input.path.cmp(&b.input.path));
    candidates.dedup_by(|again, known| {
        let same = known.input.path == again.input.path;
        if same {
            known.input.widen(&again.input);
        }
        same
    });
    let mut firsts: HashMap<&Identity, usize> = HashMap::new();
    let mut repeats = Vec::new();
    for (index, Candidate { identity, .. }) in candidates.iter().enumerate() {
        let first = identity.as_ref().map_or(index, |identity| *firsts.entry(identity).or_insert(index));
        if first < index {
            repeats.push((first, index));
        }
    }
    for (first, again) in repeats {
        let (before, from) = candidates.split_at_mut(again);
        before[first].input.widen(&from[0].input);
    }
    candidates
}

impl Input {
    /// Adds what `other`, a path of the same file, asks for: what somebody named is read even if it is our
    /// own report, and what is selected as a whole is not narrowed to members.
    fn widen(&mut self, other: &Input) {
        if other.found_by == FoundBy::Name {
            self.found_by = FoundBy::Name;
        }
        if other.selection == Selection::All {
            self.selection = Selection::All;
        }
    }
}

/// The input of a path that somebody named.
fn named(path: &Path, kind: InputKind, selection: Selection) -> Input {
    Input { path: path.to_path_buf(), kind, found_by: FoundBy::Name, selection, resume: None }
}

/// A named file of length 0 may still have content, as those of `/proc` do: it is read as a stream.
fn kind(metadata: &Metadata) -> InputKind {
    if metadata.is_file() && metadata.len() > 0 {
        InputKind::File { stat: Stat::new(metadata) }
    } else {
        InputKind::Stream
    }
}
