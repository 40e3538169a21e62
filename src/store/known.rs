//! The store's knowledge in memory: every path as it was last seen, and every stream.
//!
//! Loaded once when a run starts, and updated with everything that the run writes. The lookups serve many
//! threads at once: which streams may start with this head, which stream has this content, which stream is
//! the longest prefix. Nothing here writes to the file.
//!
//! Three indexes make a lookup independent of the size of the history. `contents` finds a stream by length
//! and hash. `heads` finds all streams whose first 1 KiB hashes to a value: it holds the last one, and each
//! stream links to the one before it. A log shorter than 1 KiB has the hash of all its bytes as head, so a
//! longer file that continues it has another head; `short` counts the lengths of such logs, and each of those
//! lengths is tried for every file.

use super::sql;
use crate::input::Stat;
use crate::scan::{Content, HEAD_BYTES, Hash};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher};

/// How long before `now` the last change of a file must be for its times to be reliable, in nanoseconds. The
/// coarsest clock of a common file system has ticks of two seconds (FAT).
const RACY_NANOSECONDS: i128 = 3_000_000_000;

/// Whether a file's times show that it has not changed since it was read.
///
/// With a clock of one second, a file that is written at 0.2 s, read at 0.4 s and written again at 0.6 s to
/// the same size has the same metadata before and after the second write. Git calls such an entry of its
/// index *racily clean*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mtime {
    /// The file had been unchanged for some seconds when it was read: any later change shows.
    Reliable,
    /// The file had changed just before it was read: a later change may not show.
    Racy,
}

impl Mtime {
    /// Judges the times of a file that is read after `now`, in nanoseconds since 1970.
    pub fn new(stat: &Stat, now: i128) -> Mtime {
        if i128::from(stat.mtime.max(stat.ctime)) + RACY_NANOSECONDS < now {
            Mtime::Reliable
        } else {
            Mtime::Racy
        }
    }

    /// Whether unchanged times prove unchanged content.
    pub fn mtime_is_reliable(self) -> bool {
        self == Mtime::Reliable
    }

    fn from_column(settled: bool) -> Mtime {
        if settled { Mtime::Reliable } else { Mtime::Racy }
    }
}

/// A path as it was last seen.
#[derive(Debug, Clone, Copy)]
pub struct KnownInput {
    pub stat: Stat,
    pub mtime: Mtime,
    /// The stream that it held.
    pub stream: i64,
    /// Whether a run did not find it any more.
    pub is_gone: bool,
    /// Whether this run has found it.
    pub is_met: bool,
}

/// A stream as it was last read.
#[derive(Debug, Clone)]
pub struct KnownStream {
    pub content: Content,
    /// Whether it was read to its end.
    pub is_complete: bool,
    /// The number of the method that it was read with.
    pub method: i64,
    /// Whether a file of this run is this stream. Any further file with the same bytes is a copy.
    pub is_reserved: bool,
    /// Whether this run has created it.
    pub is_new: bool,
    /// The stream before this one in the list of streams with the same head.
    pub same_head: Option<i64>,
}

/// Which bytes the hash of a stream covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// Decoded bytes.
    Log,
    /// The archive's own bytes.
    Archive,
}

impl StreamKind {
    pub fn of(content: &Content) -> StreamKind {
        if content.archive { StreamKind::Archive } else { StreamKind::Log }
    }

    /// The value of the column `kind`.
    pub fn name(self) -> &'static str {
        match self {
            StreamKind::Log => "log",
            StreamKind::Archive => "archive",
        }
    }
}

/// All inputs and streams of the store.
#[derive(Debug, Default)]
pub struct Known {
    /// By path key.
    pub inputs: HashMap<Box<[u8]>, KnownInput>,
    pub streams: HashMap<i64, KnownStream, NumberHasher>,
    /// The last stream with this hash of its head.
    heads: HashMap<u64, i64, NumberHasher>,
    /// The first stream with this length and hash.
    contents: HashMap<u64, i64, NumberHasher>,
    /// The number of logs shorter than a head, by length.
    short: BTreeMap<u64, u64>,
    /// The number of the next stream.
    next: i64,
}

impl Known {
    /// Reads everything that the store knows.
    pub fn load(db: &Connection) -> rusqlite::Result<Known> {
        let mut known = Known::default();
        known.load_inputs(db)?;
        known.load_streams(db)?;
        known.next = db.query_row("SELECT coalesce(max(id), 0) + 1 FROM stream", [], |row| row.get(0))?;
        Ok(known)
    }

    fn load_inputs(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let sql = "SELECT path, stream, size, mtime, ctime, inode, settled, gone IS NOT NULL FROM input";
        let mut statement = db.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = row.get_ref(0)?.as_bytes()?.into();
            let stat = Stat {
                size: row.get::<_, i64>(2)? as u64,
                mtime: row.get(3)?,
                ctime: row.get(4)?,
                inode: row.get::<_, i64>(5)? as u64,
            };
            let mtime = Mtime::from_column(row.get(6)?);
            let (stream, is_gone) = (row.get(1)?, row.get(7)?);
            self.inputs.insert(key, KnownInput { stat, mtime, stream, is_gone, is_met: false });
        }
        Ok(())
    }

    fn load_streams(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let sql = "SELECT id, kind = 'archive', length, hash, head, read_on, complete, method FROM stream \
                   WHERE kind <> 'pipe'";
        let mut statement = db.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let content = Content {
                archive: row.get(1)?,
                length: row.get::<_, i64>(2)? as u64,
                hash: row.get(3)?,
                head: row.get::<_, i64>(4)? as u64,
                continuation: row.get_ref(5)?.as_blob_or_null()?.and_then(sql::decode_continuation),
            };
            let stream = KnownStream {
                content,
                is_complete: row.get(6)?,
                method: row.get(7)?,
                is_reserved: false,
                is_new: false,
                same_head: None,
            };
            self.insert(row.get(0)?, stream);
        }
        Ok(())
    }

    /// Returns the number of a new stream.
    pub fn next_stream(&mut self) -> i64 {
        self.next += 1;
        self.next - 1
    }

    /// Whether no earlier run has had the stream.
    pub fn is_new(&self, id: i64) -> bool {
        self.streams.get(&id).is_none_or(|stream| stream.is_new)
    }

    /// Adds the stream, or replaces it.
    pub fn insert(&mut self, id: i64, mut stream: KnownStream) {
        self.remove(id);
        let content = &stream.content;
        stream.same_head = self.heads.insert(content.head, id);
        let kind = StreamKind::of(content);
        self.contents.entry(content_key(kind, content.length, &content.hash)).or_insert(id);
        if is_short(content) {
            *self.short.entry(content.length).or_default() += 1;
        }
        self.streams.insert(id, stream);
    }

    /// Removes the stream from all indexes.
    pub fn remove(&mut self, id: i64) {
        let Some(KnownStream { content, same_head, .. }) = self.streams.remove(&id) else { return };
        let last = self.heads.get(&content.head).copied();
        let after = self.same_heads(last).find(|other| self.streams[other].same_head == Some(id));
        match (after.and_then(|after| self.streams.get_mut(&after)), same_head) {
            (Some(after), _) => after.same_head = same_head,
            (None, Some(same_head)) => {
                self.heads.insert(content.head, same_head);
            }
            (None, None) => {
                self.heads.remove(&content.head);
            }
        }
        let key = content_key(StreamKind::of(&content), content.length, &content.hash);
        if self.contents.get(&key) == Some(&id) {
            self.contents.remove(&key);
        }
        if let Some(count) = self.short.get_mut(&content.length).filter(|_| is_short(&content)) {
            *count -= 1;
            if *count == 0 {
                self.short.remove(&content.length);
            }
        }
    }

    /// The streams with the same head as `first`, which comes first.
    fn same_heads(&self, first: Option<i64>) -> impl Iterator<Item = i64> {
        let first = first.filter(|first| self.streams.contains_key(first));
        std::iter::successors(first, |id| self.streams.get(id)?.same_head)
    }

    fn find(&self, kind: StreamKind, length: u64, hash: &Hash) -> Option<i64> {
        let id = *self.contents.get(&content_key(kind, length, hash))?;
        let content = &self.streams.get(&id)?.content;
        let is_same = StreamKind::of(content) == kind && content.length == length && content.hash == *hash;
        is_same.then_some(id)
    }

    /// Returns the stream with exactly this content.
    pub fn same_content(&self, content: &Content) -> Option<i64> {
        self.find(StreamKind::of(content), content.length, &content.hash)
    }

    /// Whether a stream has this hash of its head.
    pub fn has_head(&self, head: u64) -> bool {
        self.heads.contains_key(&head)
    }

    /// Lengths of the logs that may be a prefix of a file with this head, sorted. `None` if no stream starts
    /// with these bytes: the file cannot be known, and there is no need to hash it.
    pub fn prefix_lengths(&self, head: &[u8]) -> Option<Vec<u64>> {
        let last = self.heads.get(&crate::scan::head_hash(head)).copied();
        let short = self.short.range(..head.len() as u64).map(|(length, _)| *length);
        let logs = self.same_heads(last).map(|id| &self.streams[&id].content);
        let logs =
            logs.filter(|content| !content.archive && content.length > 0).map(|content| content.length);
        let lengths: BTreeSet<u64> = short.chain(logs).collect();
        let is_unknown = lengths.is_empty() && last.is_none();
        (!is_unknown).then(|| lengths.into_iter().collect())
    }

    /// Returns the longest known log that is one of these prefixes of a file, among unreserved streams and
    /// `own`, the stream that the file's path has held. The prefixes are sorted by length.
    pub fn longest_prefix(
        &self,
        prefixes: impl DoubleEndedIterator<Item = (u64, Hash)>,
        own: Option<i64>,
    ) -> Option<i64> {
        let mut logs = prefixes.rev().filter_map(|(length, hash)| self.find(StreamKind::Log, length, &hash));
        logs.find(|id| own == Some(*id) || !self.streams[id].is_reserved)
    }
}

/// The key of `contents`. Different contents may share a key, so a hit is compared in full.
fn content_key(kind: StreamKind, length: u64, hash: &Hash) -> u64 {
    let hash = hash.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
    hash ^ length.rotate_left(32) ^ u64::from(kind == StreamKind::Archive)
}

/// Whether a log is shorter than a head, so that a continuation of it has another head.
fn is_short(content: &Content) -> bool {
    !content.archive && content.length > 0 && content.length < HEAD_BYTES as u64
}

/// A hasher for numbers that are hashes already, or that count up: one multiplication spreads them over the
/// table. A collision costs time, never a wrong match.
#[derive(Debug, Clone, Copy, Default)]
pub struct NumberHasher(u64);

impl BuildHasher for NumberHasher {
    type Hasher = NumberHasher;

    fn build_hasher(&self) -> NumberHasher {
        NumberHasher(0)
    }
}

impl Hasher for NumberHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(self.0.rotate_left(8) ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio, as in Fibonacci hashing.
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
