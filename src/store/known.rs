//! What the store knows, in memory: paths as they were last seen, and the contents that they held.
//!
//! Read once when a run begins, kept in step with what the run notes. To be asked from many threads at once.

use crate::input::{Resume, Stat};
use crate::scan::{Content, Continuation, HEAD_BYTES, Hash};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher};

/// A path as it was last seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub stat: Stat,
    /// Whether its times were old enough to be trusted.
    pub settled: bool,
    pub stream: i64,
    /// Whether it was not found any more.
    pub gone: bool,
    /// Whether this run has met it.
    pub met: bool,
}

/// One content.
#[derive(Debug, Clone)]
pub struct Stream {
    pub content: Content,
    /// Whether it was read to its end.
    pub complete: bool,
    /// What it was read with.
    pub method: i64,
    /// Whether this run has read it, or has met it as it is.
    pub held: bool,
    /// Whether this run has made it.
    pub fresh: bool,
    /// Another one that begins like it.
    pub alike: Option<i64>,
}

/// Paths and contents.
#[derive(Debug, Default)]
pub struct Known {
    /// By the path's bytes.
    pub inputs: HashMap<Box<[u8]>, Seen>,
    pub streams: HashMap<i64, Stream, Spread>,
    /// The last one by the hash of the first bytes; it leads to the others.
    heads: HashMap<u64, i64, Spread>,
    /// By length and hash, the first one that has both.
    contents: HashMap<u64, i64, Spread>,
    /// How many logs are as short as less than a head, by length.
    short: BTreeMap<u64, u64>,
    /// The number of the next stream.
    next: i64,
}

impl Known {
    /// Reads all that is known.
    pub fn load(db: &Connection) -> rusqlite::Result<Known> {
        let mut known = Known::default();
        let sql = "SELECT path, stream, size, mtime, ctime, inode, settled, gone IS NOT NULL FROM input";
        let mut statement = db.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let path = row.get_ref(0)?.as_bytes()?.into();
            let stat = Stat {
                size: row.get::<_, i64>(2)? as u64,
                mtime: row.get(3)?,
                ctime: row.get(4)?,
                inode: row.get::<_, i64>(5)? as u64,
            };
            let (settled, stream, gone) = (row.get(6)?, row.get(1)?, row.get(7)?);
            known.inputs.insert(path, Seen { stat, settled, stream, gone, met: false });
        }
        let sql = "SELECT id, kind = 'archive', length, hash, head, read_on, complete, method FROM stream \
                   WHERE kind <> 'pipe'";
        let mut statement = db.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let end = row.get_ref(5)?.as_blob_or_null()?.and_then(decode);
            let content = Content {
                archive: row.get(1)?,
                length: row.get::<_, i64>(2)? as u64,
                hash: row.get(3)?,
                head: row.get::<_, i64>(4)? as u64,
                continuation: end,
            };
            let stream = Stream {
                content,
                complete: row.get(6)?,
                method: row.get(7)?,
                held: false,
                fresh: false,
                alike: None,
            };
            known.put(row.get(0)?, stream);
        }
        known.next = db.query_row("SELECT coalesce(max(id), 0) + 1 FROM stream", [], |row| row.get(0))?;
        Ok(known)
    }

    /// The number of a new stream.
    pub fn number(&mut self) -> i64 {
        self.next += 1;
        self.next - 1
    }

    /// Whether no run before has had the stream.
    pub fn is_fresh(&self, id: i64) -> bool {
        self.streams.get(&id).is_none_or(|stream| stream.fresh)
    }

    /// Notes what the stream is by now.
    pub fn put(&mut self, id: i64, mut stream: Stream) {
        self.forget(id);
        let content = &stream.content;
        stream.alike = self.heads.insert(content.head, id);
        self.contents.entry(name(content.archive, content.length, &content.hash)).or_insert(id);
        if is_short(content) {
            *self.short.entry(content.length).or_default() += 1;
        }
        self.streams.insert(id, stream);
    }

    /// Forgets the stream.
    pub fn forget(&mut self, id: i64) {
        let Some(Stream { content, alike, .. }) = self.streams.remove(&id) else { return };
        let last = self.heads.get(&content.head).copied();
        let before = self.alike(last).find(|other| self.streams[other].alike == Some(id));
        match (before.and_then(|before| self.streams.get_mut(&before)), alike) {
            (Some(before), _) => before.alike = alike,
            (None, Some(alike)) => {
                self.heads.insert(content.head, alike);
            }
            (None, None) => {
                self.heads.remove(&content.head);
            }
        }
        let name = name(content.archive, content.length, &content.hash);
        if self.contents.get(&name) == Some(&id) {
            self.contents.remove(&name);
        }
        if let Some(count) = self.short.get_mut(&content.length).filter(|_| is_short(&content)) {
            *count -= 1;
            if *count == 0 {
                self.short.remove(&content.length);
            }
        }
    }

    /// The streams that begin like `first`, which comes first.
    fn alike(&self, first: Option<i64>) -> impl Iterator<Item = i64> {
        let first = first.filter(|first| self.streams.contains_key(first));
        std::iter::successors(first, |id| self.streams.get(id)?.alike)
    }

    /// The stream with this content.
    fn found(&self, archive: bool, length: u64, hash: &Hash) -> Option<i64> {
        let id = *self.contents.get(&name(archive, length, hash))?;
        let content = &self.streams.get(&id)?.content;
        (content.archive == archive && content.length == length && content.hash == *hash).then_some(id)
    }

    /// The stream with exactly this content.
    pub fn same(&self, content: &Content) -> Option<i64> {
        self.found(content.archive, content.length, &content.hash)
    }

    /// Whether a stream begins like what has this hash of its first bytes.
    pub fn begins(&self, head: u64) -> bool {
        self.heads.contains_key(&head)
    }

    /// The lengths of the logs that may have begun with `head`, sorted; none if nothing known begins so.
    pub fn lengths(&self, head: &[u8]) -> Option<Vec<u64>> {
        let alike = self.heads.get(&crate::scan::head_hash(head)).copied();
        let short = self.short.range(..head.len() as u64).map(|(length, _)| *length);
        let logs = self.alike(alike).map(|id| &self.streams[&id].content);
        let logs =
            logs.filter(|content| !content.archive && content.length > 0).map(|content| content.length);
        let lengths: BTreeSet<u64> = short.chain(logs).collect();
        let none = lengths.is_empty() && alike.is_none();
        (!none).then(|| lengths.into_iter().collect())
    }

    /// The longest log that something begins with, which has these hashes of its begin: of those that are free, or `own`.
    pub fn continued(&self, prefixes: &[(u64, Hash)], own: Option<i64>) -> Option<i64> {
        let mut found = prefixes.iter().rev().filter_map(|(length, hash)| self.found(false, *length, hash));
        found.find(|id| own == Some(*id) || !self.streams[id].held)
    }
}

/// What a content is looked for by.
fn name(archive: bool, length: u64, hash: &Hash) -> u64 {
    let hash = hash.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
    hash ^ length.rotate_left(32) ^ u64::from(archive)
}

/// Whether a log is shorter than what its begin is told by.
fn is_short(content: &Content) -> bool {
    !content.archive && content.length > 0 && content.length < HEAD_BYTES as u64
}

/// Spreads numbers, which are hashes already or count up, over a table.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spread(u64);

impl BuildHasher for Spread {
    type Hasher = Spread;

    fn build_hasher(&self) -> Spread {
        Spread(0)
    }
}

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(self.0.rotate_left(8) ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Where reading goes on, as the store keeps it.
pub fn encode(end: &Continuation) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&end.from.offset.to_be_bytes());
    bytes[8..16].copy_from_slice(&end.from.lines.to_be_bytes());
    bytes[16..32].copy_from_slice(&end.from.chain);
    bytes[32..].copy_from_slice(&end.tail);
    bytes
}

fn decode(bytes: &[u8]) -> Option<Continuation> {
    let number = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let hash = |at: usize| bytes.get(at..at + 16)?.try_into().ok();
    let from = Resume { offset: number(0)?, lines: number(8)?, chain: hash(16)? };
    Some(Continuation { from, tail: hash(32)? })
}
