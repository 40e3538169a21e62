//! Identity: hashes a file before it is scanned, to find the stream that it is or continues.
//!
//! A file comes in; an [`Identity`] goes out, with a hash for each length that a known stream has. Decoded
//! bytes count, except for archives, which are identified by their own bytes. A file whose first 1 KiB starts
//! no known stream is not read further: the scan, which reads it anyway, reports its content. What an
//! identity means for the run is decided in `inputs.rs`.
//!
//! One pass is enough for any number of candidates. If streams of 100, 4,000 and 9,000 bytes share the file's
//! head, the hasher pauses at 100, 4,000 and 9,000 bytes and notes its value each time;
//! [`Known::longest_prefix`] then compares.

use super::known::{Known, StreamKind};
use super::sql::path_key;
use crate::error::SourceError;
use crate::input::limits::Budget;
use crate::input::{
    Access, Input, InputKind, OpenFile, PeekReader, Position, Resume, Transcoder, Unpacker, Visitor,
};
use crate::scan::{self, Content, HEAD_BYTES, Hash, Hasher, Options, TAIL_BYTES};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The size of one read, in bytes.
const READ_BYTES: usize = 256 << 10;

/// The result of hashing a file before the scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// No known stream starts with the same bytes. The file was not hashed.
    New,
    /// Some stream starts with the same bytes, so the whole file was hashed.
    Hashed(Identified),
}

/// A file that was hashed as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// Length and hash of all its bytes.
    pub content: Content,
    /// The hashes of its prefixes that may be known logs, sorted by length.
    pub prefixes: Vec<Prefix>,
}

/// The first bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// How many.
    pub length: u64,
    /// Their hash.
    pub hash: Hash,
}

/// Lengths of the known logs that may be a prefix of a file with this head, sorted, each once; `None` if no
/// known stream starts with these bytes.
pub(super) type PrefixLengths<'l> = dyn Fn(&[u8]) -> Option<Vec<u64>> + 'l;

/// Identifies files against the store, on any thread.
#[derive(Debug, Clone, Copy)]
pub struct Identifier<'s> {
    pub(super) known: &'s Known,
    pub(super) folder: &'s Path,
    pub(super) method: i64,
}

impl Identifier<'_> {
    /// Hashes `input`, if a known stream starts with the same bytes.
    ///
    /// # Errors
    ///
    /// Those of opening it, and [`SourceError::Interrupted`] once `stop` is set. Bytes after a decoding error
    /// are ignored here; the scan reports the error.
    pub fn identify(
        &self,
        input: &Input,
        options: &Options,
        stop: &AtomicBool,
    ) -> Result<Identity, SourceError> {
        identify(input, options, &|head| self.known.prefix_lengths(head), stop)
    }

    /// Returns the stream that the grown file continues, and where to resume reading it; `None` if the whole
    /// file must be read. It continues its stream if it is the same inode, and neither its head nor the 32
    /// KiB before the stream's end have changed.
    pub fn continues(&self, input: &Input, options: &Options) -> Option<(i64, Resume)> {
        let InputKind::File { stat } = input.kind else { return None };
        let known = self.known.inputs.get(&*path_key(self.folder, &input.path))?;
        let stream = self.known.streams.get(&known.stream)?;
        let (content, end) = (&stream.content, stream.content.continuation?);
        // Some file systems have no inodes and report 0.
        let is_same_file = known.stat.inode == stat.inode && stat.inode != 0 && !known.is_gone;
        let was_read =
            stream.is_complete && stream.method == self.method && content.length == known.stat.size;
        let has_grown = is_same_file && was_read && stat.size > content.length;
        let continues = has_grown && continues(input, options, content.head, content.length, &end.tail);
        continues.then_some((known.stream, end.from))
    }
}

/// Hashes `input`, if `lengths` has any for its head.
///
/// # Errors
///
/// As [`Identifier::identify`].
pub(super) fn identify(
    input: &Input,
    options: &Options,
    lengths: &PrefixLengths<'_>,
    stop: &AtomicBool,
) -> Result<Identity, SourceError> {
    let identity = identify_until(input, options, lengths, stop)?;
    // It is that of a part, and lengths of a whole would be wrong.
    if stop.load(Ordering::Relaxed) { Err(SourceError::Interrupted { offset: 0 }) } else { Ok(identity) }
}

/// The same, but of the bytes that were read before `stop` was set.
fn identify_until(
    input: &Input,
    options: &Options,
    lengths: &PrefixLengths<'_>,
    stop: &AtomicBool,
) -> Result<Identity, SourceError> {
    let opened = OpenFile::open_input(input, Access::Read, options.own_outputs, &mut Vec::new())?;
    let bytes = || UntilStopped { reader: opened.reader(None), stop };
    if opened.plain {
        return Ok(hash(bytes(), lengths, StreamKind::Log));
    }
    let budget = Rc::new(Budget::new(options.limits.allowance(opened.bytes)));
    let mut outer = OuterStream { identity: None, has_members: false, lengths };
    let place = Position::outer(&options.limits, input.found_by, input.selection);
    let mut unpacker = Unpacker {
        limits: &options.limits,
        globs: &options.globs,
        own_outputs: options.own_outputs,
        budget,
        visitor: &mut outer,
    };
    unpacker.unpack(place, PeekReader::new(bytes()));
    match outer.identity.filter(|_| !outer.has_members) {
        Some(identity) => Ok(identity),
        // An archive never continues another, so no prefix of it is hashed.
        None => Ok(hash(bytes(), &|head| lengths(head).map(|_| Vec::new()), StreamKind::Archive)),
    }
}

/// Whether the plain file `input` has this head and, before `length`, bytes that hash to `tail`.
fn continues(input: &Input, options: &Options, head: u64, length: u64, tail: &Hash) -> bool {
    let check = || -> Option<bool> {
        let opened = OpenFile::open_input(input, Access::Read, options.own_outputs, &mut Vec::new())
            .ok()
            .filter(|opened| opened.plain)?;
        let mut part = opened.reader(None);
        let mut bytes = vec![0; HEAD_BYTES];
        part.read_exact(&mut bytes).ok()?;
        if scan::head_hash(&bytes) != head {
            return None;
        }
        bytes.resize(TAIL_BYTES, 0);
        part.seek(SeekFrom::Start(length.checked_sub(TAIL_BYTES as u64)?)).ok()?;
        part.read_exact(&mut bytes).ok()?;
        Some(scan::tail_hash(&bytes) == *tail)
    };
    check().unwrap_or(false)
}

/// A reader that fails once a flag is set.
struct UntilStopped<'s, R> {
    reader: R,
    stop: &'s AtomicBool,
}

impl<R: Read> Read for UntilStopped<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("interrupted"));
        }
        self.reader.read(into)
    }
}

/// Hashes the decoded stream of a compressed file; stops as soon as the file turns out to have members.
struct OuterStream<'o> {
    identity: Option<Identity>,
    has_members: bool,
    lengths: &'o PrefixLengths<'o>,
}

impl Visitor for OuterStream<'_> {
    fn source(&mut self, member: Option<&str>, reader: PeekReader<'_>) {
        match member {
            None => self.identity = Some(hash(Transcoder::new(reader), self.lengths, StreamKind::Log)),
            Some(_) => self.has_members = true,
        }
    }

    fn unread(&mut self, member: Option<&str>, _: SourceError) {
        self.has_members |= member.is_some();
    }

    fn damaged(&mut self, _: Option<&str>, _: SourceError) {}

    fn stopped(&self) -> bool {
        self.has_members || self.identity.is_some()
    }
}

/// Hashes everything that `reader` yields before an error, if `lengths` has any for its head.
fn hash(mut reader: impl Read, lengths: &PrefixLengths<'_>, kind: StreamKind) -> Identity {
    let mut head = Vec::new();
    let _ = (&mut reader).take(HEAD_BYTES as u64).read_to_end(&mut head);
    let Some(lengths) = lengths(&head) else { return Identity::New };
    let mut hasher = PrefixHasher::new(lengths);
    hasher.update(&head);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let PrefixHasher { hasher, prefixes, .. } = hasher;
    let (length, hash, head) = (hasher.length, hasher.hash(), scan::head_hash(&head));
    let archive = kind == StreamKind::Archive;
    Identity::Hashed(Identified {
        content: Content { archive, length, hash, head, continuation: None },
        prefixes,
    })
}

/// A hasher that notes its value at some lengths.
struct PrefixHasher {
    hasher: Hasher,
    /// The lengths that are still ahead, sorted.
    lengths: std::iter::Peekable<std::vec::IntoIter<u64>>,
    prefixes: Vec<Prefix>,
}

impl PrefixHasher {
    fn new(lengths: Vec<u64>) -> PrefixHasher {
        let lengths = lengths.into_iter().peekable();
        PrefixHasher { hasher: Hasher::default(), lengths, prefixes: Vec::new() }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        let hasher = &mut self.hasher;
        while let Some(length) = self.lengths.next_if(|length| *length <= hasher.length + bytes.len() as u64)
        {
            let (until, rest) = bytes.split_at(length.saturating_sub(hasher.length) as usize);
            hasher.update(until);
            self.prefixes.push(Prefix { length, hash: hasher.hash() });
            bytes = rest;
        }
        hasher.update(bytes);
    }
}
