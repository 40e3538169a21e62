//! The board: where workers take work from and bring what they found to.
//!
//! Work has a [`Place`] in the order of the report. Windows that a worker has read and others may match, and parts of
//! archives, wait in a queue, first places first; what was found waits in its part until its turn has come and is then
//! written. Two things bound the memory: a worker that reads ahead of the others matches a window itself, and one whose
//! findings would wait too long waits. The oldest unfinished part never waits, so that there is always one that goes on.
//!
//! Parts of an archive take what they decode from one allowance. Only the oldest part knows what is left of it; a part
//! that runs ahead is *held*: if, when its turn comes, less is left than it took, what it found is dropped and it
//! is done again. So limits cut at the same byte for any number of threads.

use super::archive::Members;
use super::content::{self, Content, Hashed};
use super::rows::Rows;
use super::share::{Place, Share, Source};
use super::tasks::{Task, Tasks};
use super::{FileStart, Sink, Work};
use crate::error::Error;
use crate::finding::Finding;
use crate::input::limits::Amount;
use crate::input::{OwnedWindow, STREAM_WINDOW_BYTES};
use crate::source::Origin;
use crate::summary::Summary;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How many tasks a worker may be ahead of the oldest unfinished one.
const LOOKAHEAD: usize = 64;
/// How many findings may wait for their turn before those who find more wait, too.
const MAX_WAITING: usize = 50_000;
/// How many buffers are kept for the next windows, and how large they may be, in bytes.
const MAX_SPARE: (usize, usize) = (16, 2 * STREAM_WINDOW_BYTES);
/// How much memory windows in the queue may hold for each worker, in bytes.
const MAX_QUEUED: usize = 8 << 20;

/// Something to do.
pub(super) enum Job<'s> {
    /// A task, by its number.
    Task(usize, Task),
    /// Windows to match.
    Windows(Batch),
    /// A part of an archive.
    Members(Members<'s>),
}

/// Windows that were read and are to be matched.
pub(super) struct Batch {
    pub place: Place,
    /// Their number in the part.
    pub number: usize,
    /// Whether the part may have to be done again.
    pub held: bool,
    pub windows: Vec<(Source, OwnedWindow)>,
}

impl Batch {
    /// How much memory it holds, in bytes; never nothing.
    fn memory(&self) -> usize {
        1 + self.windows.iter().map(|(_, cut)| cut.bytes.capacity()).sum::<usize>()
    }
}

/// What was found in some windows of a part.
#[derive(Default)]
pub(super) struct Chunk {
    pub scanned: Vec<Scanned>,
    /// What a held part adds to the outcome.
    pub share: Option<Box<Share>>,
}

/// What was found in one window.
pub(super) struct Scanned {
    pub source: u32,
    /// The findings that are wanted one by one, with lines counted from the window's core.
    pub findings: Vec<Finding>,
    /// All of them as rows, where they are wanted so.
    pub rows: Rows,
    /// Line breaks in the window's core.
    pub lines: u64,
    /// What it says of its file, where that is asked for.
    pub mark: Option<Box<Mark>>,
}

/// What is said of an outer file between its findings.
pub(super) enum Mark {
    /// A window of it, before what was found there.
    Window { source: Source, hashed: Hashed },
    /// It is an archive, before what was found in its members.
    Archive { origin: Arc<Origin>, content: Content },
    /// It is done; `plain` says whether its own bytes were read.
    End { origin: Arc<Origin>, plain: bool },
}

impl Scanned {
    /// Nothing found, but something said of the file that `source` is.
    pub fn mark(source: &Source, mark: Mark) -> Scanned {
        Scanned { mark: Some(Box::new(mark)), ..Scanned::nothing(source) }
    }

    /// The same, which says nothing of its file where that has changed meanwhile.
    pub fn sound<T>(mut self, still: &Result<(), T>) -> Scanned {
        if still.is_err() {
            self.mark = None;
        }
        self
    }

    /// Nothing found.
    pub fn nothing(source: &Source) -> Scanned {
        Scanned { source: source.number, findings: Vec::new(), rows: Rows::default(), lines: 0, mark: None }
    }

    /// How much of the room for findings that wait it takes.
    pub fn weight(&self) -> usize {
        self.rows.weight() + self.findings.iter().map(Finding::cost).sum::<usize>()
    }
}

impl Chunk {
    /// How much of the room for findings that wait it takes.
    pub fn weight(&self) -> usize {
        self.scanned.iter().map(Scanned::weight).sum()
    }
}

/// The board.
pub(super) struct Board<'s, 'k> {
    state: Mutex<State<'s>>,
    writer: Mutex<Writer<'k>>,
    changed: Condvar,
    stop: AtomicBool,
    /// How much memory windows may hold in the queue, in bytes.
    capacity: usize,
}

struct State<'s> {
    tasks: Tasks<'s>,
    /// The number of the next task, and whether there is none.
    next: usize,
    exhausted: bool,
    /// Jobs that some worker is at.
    running: usize,
    queue: BTreeMap<(Place, usize), Job<'s>>,
    /// How much memory the windows in the queue hold, in bytes.
    queued: usize,
    /// Whose turn it is.
    at: Place,
    parts: BTreeMap<Place, Part<'s>>,
    /// How many parts each task has had that is done.
    ends: BTreeMap<usize, usize>,
    /// Findings that wait for their turn.
    waiting: usize,
    writing: bool,
    spare: Vec<Vec<u8>>,
}

/// What has come of a part.
#[derive(Default)]
struct Part<'s> {
    chunks: BTreeMap<usize, Chunk>,
    next: usize,
    closed: Option<usize>,
    held: Option<Held<'s>>,
}

/// A part that may have to be done again.
struct Held<'s> {
    members: Members<'s>,
    /// What it took, if a limit did not stop it.
    spent: Option<Amount>,
}

/// How a held part goes on.
pub(super) enum Turn {
    /// It stays held.
    Held,
    /// Its turn has come; so much is left.
    Exact(Amount),
    /// Its turn has come, and it took more than was left.
    Over,
}

impl<'s, 'k> Board<'s, 'k> {
    pub fn new(tasks: Tasks<'s>, sink: Option<&'k mut (dyn Sink + 'k)>, threads: usize) -> Board<'s, 'k> {
        let state = State {
            tasks,
            next: 0,
            exhausted: false,
            running: 0,
            queue: BTreeMap::new(),
            queued: 0,
            at: Place { task: 0, part: 0 },
            parts: BTreeMap::new(),
            ends: BTreeMap::new(),
            waiting: 0,
            writing: false,
            spare: Vec::new(),
        };
        let writer = Writer {
            every: sink.as_ref().is_some_and(|sink| sink.wants_findings()),
            sink,
            reading: None,
            source: 0,
            lines: 0,
            buffer: Vec::new(),
            samples: Summary::default(),
            share: Share::default(),
            error: None,
        };
        Board {
            state: Mutex::new(state),
            writer: Mutex::new(writer),
            changed: Condvar::new(),
            stop: AtomicBool::new(false),
            capacity: if threads == 1 { 0 } else { MAX_QUEUED * threads },
        }
    }

    /// Whether the sink has failed and nothing more is wanted.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The next thing to do; none when all is done. Say with [`Board::done`] when it is.
    pub fn next(&self) -> Option<Job<'s>> {
        let mut state = self.state();
        loop {
            if self.stopped() {
                return None;
            }
            if let Some(job) = state.pop() {
                state.running += 1;
                return Some(job);
            }
            let ahead = state.next >= state.at.task + LOOKAHEAD
                || state.waiting > MAX_WAITING && state.next > state.at.task;
            if !state.exhausted && !ahead {
                match state.tasks.next() {
                    Some(task) => {
                        state.running += 1;
                        state.next += 1;
                        return Some(Job::Task(state.next - 1, task));
                    }
                    None => state.exhausted = true,
                }
                continue;
            }
            if state.exhausted && state.running == 0 {
                return None;
            }
            state = self.wait(state);
        }
    }

    /// Says that a job from [`Board::next`] is done.
    pub fn done(&self) {
        self.state().running -= 1;
        self.changed.notify_all();
    }

    /// Puts windows into the queue.
    pub fn offer(&self, batch: Batch) {
        let mut state = self.state();
        state.queued += batch.memory();
        state.queue.insert((batch.place, batch.number), Job::Windows(batch));
        drop(state);
        self.changed.notify_one();
    }

    /// Puts parts of an archive into the queue.
    pub fn offer_members(&self, parts: Vec<Members<'s>>) {
        let mut state = self.state();
        for members in parts {
            state.queue.insert((members.place, 0), Job::Members(members));
        }
        drop(state);
        self.changed.notify_all();
    }

    /// What a worker that reads at `place` has to do before it reads on, if anything; waits where too much is waiting.
    pub fn relieve(&self, place: Place) -> Option<Job<'s>> {
        let mut state = self.state();
        loop {
            // While one writes, nobody's turn moves the findings on.
            let behind = state.waiting > MAX_WAITING && (state.at != place || state.writing);
            if self.stopped() || !behind && state.queued <= self.capacity {
                return None;
            }
            let windows = state.queue.iter().find(|(_, job)| matches!(job, Job::Windows(_)));
            // A part of an archive only if its turn has come: then it waits for nothing.
            let first = state.queue.first_key_value().filter(|((at, _), _)| behind && *at == state.at);
            if let Some(key) = first.or(windows).map(|(key, _)| *key) {
                return state.take(key);
            }
            state = self.wait(state);
        }
    }

    /// Begins a part of an archive: gives what it may take, and whether it is held.
    pub fn begin(&self, members: &Members<'s>) -> (Amount, bool) {
        let mut state = self.state();
        let held = state.at != members.place;
        let part = state.parts.entry(members.place).or_default();
        part.held = held.then(|| Held { members: members.clone(), spent: None });
        (members.zip.left(), held)
    }

    /// Tells a held part that took `spent` so far whether its turn has come.
    pub fn turn(&self, members: &Members<'s>, spent: Amount) -> Turn {
        let mut state = self.state();
        if state.at != members.place {
            return Turn::Held;
        }
        let Some(left) = members.zip.left().less(spent) else { return Turn::Over };
        if let Some(part) = state.parts.get_mut(&members.place) {
            part.held = None;
        }
        self.advance(state);
        Turn::Exact(left)
    }

    /// Hands in what was found in the windows `number` of a part.
    pub fn submit(&self, place: Place, number: usize, chunk: Chunk) {
        let mut state = self.state();
        state.waiting += chunk.weight();
        state.parts.entry(place).or_default().chunks.insert(number, chunk);
        self.advance(state);
    }

    /// Says that a part has handed in `count` chunks and no more will come.
    pub fn close(&self, place: Place, count: usize) {
        let mut state = self.state();
        state.parts.entry(place).or_default().closed = Some(count);
        self.advance(state);
    }

    /// The same of a part of an archive, which took `spent`; none if a limit has stopped it.
    pub fn close_members(&self, members: &Members<'s>, count: usize, spent: Amount, met: bool) {
        let mut state = self.state();
        let part = state.parts.entry(members.place).or_default();
        part.closed = Some(count);
        match &mut part.held {
            Some(held) => held.spent = (!met).then_some(spent),
            None => members.zip.take(spent),
        }
        self.advance(state);
    }

    /// Says that a task has had `parts` parts and no more will come.
    pub fn end(&self, task: usize, parts: usize) {
        let mut state = self.state();
        state.ends.insert(task, parts);
        self.advance(state);
    }

    /// A buffer for a window.
    pub fn spare(&self) -> Vec<u8> {
        self.state().spare.pop().unwrap_or_default()
    }

    /// Takes back a buffer.
    pub fn give_back(&self, buffer: Vec<u8>) {
        let mut state = self.state();
        if state.spare.len() < MAX_SPARE.0 && buffer.capacity() <= MAX_SPARE.1 {
            state.spare.push(buffer);
        }
    }

    /// What the work was, and what was sampled and added in order; or what the sink failed with.
    pub fn finish(self) -> Result<(Work<'s>, Summary, Share), Error> {
        let writer = self.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let work = state.tasks.into_work();
        writer.error.map_or(Ok((work, writer.samples, writer.share)), Err)
    }

    fn state(&self) -> MutexGuard<'_, State<'s>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State<'s>>) -> MutexGuard<'g, State<'s>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what has become due, outside the board's lock and in order: one worker writes, the others go on.
    fn advance<'g>(&'g self, mut state: MutexGuard<'g, State<'s>>) {
        if state.writing {
            return;
        }
        state.writing = true;
        loop {
            let due = state.due();
            self.changed.notify_all();
            if due.is_empty() {
                state.writing = false;
                return;
            }
            drop(state);
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.write_all(due);
            if writer.error.is_some() {
                self.stop.store(true, Ordering::Relaxed);
            }
            drop(writer);
            state = self.state();
        }
    }
}

impl<'s> State<'s> {
    fn pop(&mut self) -> Option<Job<'s>> {
        let key = *self.queue.first_key_value()?.0;
        self.take(key)
    }

    fn take(&mut self, key: (Place, usize)) -> Option<Job<'s>> {
        let job = self.queue.remove(&key)?;
        if let Job::Windows(batch) = &job {
            self.queued -= batch.memory();
        }
        Some(job)
    }

    /// What is to be written next; moves on to the first part that is not done.
    fn due(&mut self) -> Vec<Chunk> {
        let mut due = Vec::new();
        loop {
            let Some(part) = self.parts.get_mut(&self.at) else {
                if self.ends.get(&self.at.task) != Some(&self.at.part) {
                    return due;
                }
                self.ends.remove(&self.at.task);
                self.at = Place { task: self.at.task + 1, part: 0 };
                continue;
            };
            if let Some(held) = &part.held {
                if part.closed != Some(part.chunks.len()) {
                    return due;
                }
                if held.spent.is_none_or(|spent| held.members.zip.left().less(spent).is_none()) {
                    self.again();
                    return due;
                }
                held.members.zip.take(held.spent.unwrap_or_default());
                part.held = None;
            }
            while let Some(chunk) = part.chunks.remove(&part.next) {
                part.next += 1;
                self.waiting -= chunk.weight();
                due.push(chunk);
            }
            if part.closed != Some(part.next) {
                return due;
            }
            self.parts.remove(&self.at);
            self.at.part += 1;
        }
    }

    /// Drops what the part whose turn it is has found, and puts it into the queue again.
    fn again(&mut self) {
        let Some(part) = self.parts.remove(&self.at) else { return };
        self.waiting -= part.chunks.values().map(Chunk::weight).sum::<usize>();
        if let Some(held) = part.held {
            self.queue.insert((self.at, 0), Job::Members(held.members));
        }
    }
}

/// Writes in order.
struct Writer<'k> {
    sink: Option<&'k mut (dyn Sink + 'k)>,
    /// Whether it takes every finding, not only rows.
    every: bool,
    /// The source last written and the line breaks before its next window.
    source: u32,
    lines: u64,
    /// The file whose windows come, where that is asked for.
    reading: Option<content::Reading>,
    /// Memory for rows.
    buffer: Vec<u8>,
    samples: Summary,
    share: Share,
    error: Option<Error>,
}

impl Writer<'_> {
    /// Writes chunks; a panic of the sink is an error of the output, not a writer that never comes back.
    fn write_all(&mut self, due: Vec<Chunk>) {
        let result = catch_unwind(AssertUnwindSafe(|| due.into_iter().for_each(|chunk| self.write(chunk))));
        if result.is_err() {
            let error = std::io::Error::other("internal error; please report it");
            self.error = Some(Error::output("the output", error));
        }
    }

    /// Puts together what is said of the open file, and says it to the sink.
    fn heed(&mut self, mark: &Mark) -> Result<(), Error> {
        let Some(files) = self.sink.as_mut().and_then(|sink| sink.file_sink()) else { return Ok(()) };
        match mark {
            Mark::Window { source, hashed } => {
                let begins = self.reading.is_none();
                if begins {
                    self.lines = source.from.map_or(0, |from| from.lines);
                }
                let reading = self.reading.get_or_insert_with(|| content::Reading::new(hashed, source.from));
                reading.push(hashed, self.lines);
                if !begins {
                    return Ok(());
                }
                let content = hashed.only.then_some(&reading.content);
                let (path, head) = (&source.origin.path, reading.content.head);
                files.start(&FileStart { path, from: reading.from, head, content })
            }
            Mark::Archive { origin, content } => {
                let (path, head) = (&origin.path, content.head);
                files.start(&FileStart { path, from: 0, head, content: Some(content) })
            }
            Mark::End { origin, plain } => {
                let content = self.reading.take().map(|reading| reading.finish(*plain));
                files.end(&origin.path, content.unwrap_or_default())
            }
        }
    }

    fn write(&mut self, chunk: Chunk) {
        for scanned in chunk.scanned {
            if self.source != scanned.source {
                (self.source, self.lines, self.reading) = (scanned.source, 0, None);
            }
            if let Some(mark) = &scanned.mark
                && self.error.is_none()
            {
                self.error = self.heed(mark).err();
            }
            if self.error.is_none()
                && !scanned.rows.is_empty()
                && let Some(sink) = self.sink.as_mut().and_then(|sink| sink.row_sink())
            {
                let put = |rows: &[u8]| sink.rows(rows);
                self.error = scanned.rows.each(self.lines, &mut self.buffer, put).err();
            }
            for mut finding in scanned.findings {
                finding.line += self.lines;
                self.samples.sample(&finding);
                if let Some(sink) = &mut self.sink
                    && self.every
                    && self.error.is_none()
                {
                    self.error = sink.finding(&finding).err();
                }
            }
            self.lines += scanned.lines;
        }
        if let Some(share) = chunk.share {
            self.share.merge(*share);
        }
    }
}
