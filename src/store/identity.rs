//! Identity: what a file's bytes say, read before it is scanned.
//!
//! A file comes in, with the lengths of the streams that it may continue; a [`Look`] goes out. Decoded bytes count, but
//! for archives, which are told by their own. What nothing known begins like is not read on: the scan tells what it is.

use crate::error::SourceError;
use crate::input::limits::Budget;
use crate::input::{Access, Input, OpenFile, PeekReader, Position, Transcoder, Unpacker, Visitor};
use crate::scan::{self, Content, HEAD_BYTES, Hash, Hasher, Options, TAIL_BYTES};
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

/// How much is read at once, in bytes.
const STEP: usize = 256 << 10;

/// What is known of a file before it is scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Nothing in the store begins like it.
    Fresh,
    /// All that counts of it, and the hash of its begin for each length that was asked for and is not longer.
    Known(Content, Vec<(u64, Hash)>),
}

/// What is asked of a begin: the lengths of streams that begin with these bytes, sorted, each once; none if there is no such
/// stream, and nothing else of these first bytes either.
pub type Lengths<'l> = dyn Fn(&[u8]) -> Option<Vec<u64>> + 'l;

/// Reads what the bytes of `input` say.
///
/// # Errors
///
/// Those of opening it. What cannot be decoded to its end counts as far as it goes; the scan tells.
pub fn look(input: &Input, options: &Options, lengths: &Lengths<'_>) -> Result<Look, SourceError> {
    let opened = OpenFile::open_input(input, Access::Read, &mut Vec::new())?;
    if opened.plain {
        return Ok(read(opened.reader(None), lengths, false));
    }
    let budget = Rc::new(Budget::new(options.limits.allowance(opened.bytes)));
    let mut outer = Outer { found: None, members: false, lengths };
    let place = Position::outer(&options.limits, input.found_by, input.selection);
    let mut unpacker =
        Unpacker { limits: &options.limits, globs: &options.globs, budget, visitor: &mut outer };
    unpacker.unpack(place, PeekReader::new(opened.reader(None)));
    match outer.found.filter(|_| !outer.members) {
        Some(look) => Ok(look),
        None => Ok(read(opened.reader(None), &|head| lengths(head).map(|_| Vec::new()), true)),
    }
}

/// Whether the plain file `input` begins with `head` and has, before `length`, what hashes to `tail`.
pub fn goes_on(input: &Input, head: u64, length: u64, tail: &Hash) -> bool {
    let read = || -> Option<bool> {
        let opened =
            OpenFile::open_input(input, Access::Read, &mut Vec::new()).ok().filter(|opened| opened.plain)?;
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
    read().unwrap_or(false)
}

/// Looks at the outer file's own stream, and gives up when there are members.
struct Outer<'o> {
    found: Option<Look>,
    members: bool,
    lengths: &'o Lengths<'o>,
}

impl Visitor for Outer<'_> {
    fn source(&mut self, member: Option<&str>, reader: PeekReader<'_>) {
        match member {
            None => self.found = Some(read(Transcoder::new(reader), self.lengths, false)),
            Some(_) => self.members = true,
        }
    }

    fn unread(&mut self, member: Option<&str>, _: SourceError) {
        self.members |= member.is_some();
    }

    fn damaged(&mut self, _: Option<&str>, _: SourceError) {}

    fn stopped(&self) -> bool {
        self.members || self.found.is_some()
    }
}

/// Hashes what `reader` gives, as far as it goes, if anything known begins like it.
fn read(mut reader: impl Read, lengths: &Lengths<'_>, archive: bool) -> Look {
    let mut head = Vec::new();
    let _ = (&mut reader).take(HEAD_BYTES as u64).read_to_end(&mut head);
    let Some(wanted) = lengths(&head) else { return Look::Fresh };
    let mut wanted = wanted.into_iter().peekable();
    let (mut hasher, mut prefixes) = (Hasher::default(), Vec::new());
    let mut take = |bytes: &[u8]| {
        let mut rest = bytes;
        while let Some(length) = wanted.next_if(|length| *length <= hasher.length + rest.len() as u64) {
            let (until, behind) = rest.split_at(length.saturating_sub(hasher.length) as usize);
            hasher.update(until);
            prefixes.push((length, hasher.hash()));
            rest = behind;
        }
        hasher.update(rest);
    };
    take(&head);
    let mut buffer = vec![0; STEP];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => take(&buffer[..got]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    let (length, hash, head) = (hasher.length, hasher.hash(), scan::head_hash(&head));
    Look::Known(Content { archive, length, hash, head, continuation: None }, prefixes)
}
