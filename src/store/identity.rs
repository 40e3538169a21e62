//! Identity: what the file system says of a file, and what its bytes say.
//!
//! A file comes in, with the lengths of streams that it may continue; a [`Content`] goes out. Decoded bytes count, but for
//! archives, which are told by their own.

use crate::error::SourceError;
use crate::input::limits::Budget;
use crate::input::{Input, Nested, Opened, Peek, Recoded, Unpacker, Visit};
use crate::scan::Options;
use std::fs::Metadata;
use std::io::{self, Read};
use std::rc::Rc;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// How many first bytes propose which stream a file continues.
pub const HEAD: usize = 1024;
/// How much is hashed at once, in bytes.
const STEP: usize = 256 << 10;
/// Times younger than this, in nanoseconds, prove nothing: the file may change within a tick of the file system's clock.
const SETTLED: i128 = 3_000_000_000;

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Its size in bytes.
    pub size: i64,
    /// When it was written, in nanoseconds.
    pub mtime: i64,
    /// When its inode was changed, in nanoseconds; 0 where the system does not tell.
    pub ctime: i64,
    /// Its inode; 0 where the system does not tell.
    pub inode: i64,
}

impl Stat {
    /// What `metadata` says.
    pub fn new(metadata: &Metadata) -> Stat {
        let nanoseconds = |time: io::Result<std::time::SystemTime>| {
            let since = time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            since.map_or(0, |since| since.as_nanos() as i64)
        };
        let (size, mtime) = (metadata.len() as i64, nanoseconds(metadata.modified()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let ctime = metadata.ctime().wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec());
            Stat { size, mtime, ctime, inode: metadata.ino() as i64 }
        }
        #[cfg(not(unix))]
        Stat { size, mtime, ctime: 0, inode: 0 }
    }

    /// Whether its times are old enough at `now`, in nanoseconds, to show any later change.
    pub fn settled(&self, now: i128) -> bool {
        i128::from(self.mtime.max(self.ctime)) + SETTLED < now
    }
}

/// What a file's bytes say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Whether it holds members: its own bytes count, and nothing continues it.
    pub archive: bool,
    /// How many bytes count.
    pub length: u64,
    /// Their hash.
    pub hash: [u8; 16],
    /// The hash of the first of them, at most 1,024 bytes.
    pub head: [u8; 16],
    /// The hash of its begin for each length that was asked for and is not longer.
    pub prefixes: Vec<(u64, [u8; 16])>,
}

/// What is asked of a file's begin: the lengths of streams that begin with these bytes, sorted.
pub type Lengths<'l> = dyn FnMut(&[u8]) -> Vec<u64> + 'l;

/// Reads what the bytes of `input` say.
///
/// # Errors
///
/// Those of opening it. What cannot be decoded to its end counts as far as it goes; the scan tells.
pub fn content(input: &Input, options: &Options, lengths: &mut Lengths<'_>) -> Result<Content, SourceError> {
    let opened = Opened::input(input, false, &mut Vec::new())?;
    if opened.plain {
        return Ok(hashed(opened.part(None), lengths));
    }
    let budget = Rc::new(Budget::new(options.limits.allowance(opened.bytes)));
    let mut outer = Outer { found: None, members: false, lengths };
    let place = Nested::outer(&options.limits, input.walked, input.included);
    let mut unpacker = Unpacker { limits: &options.limits, globs: &options.globs, budget, visit: &mut outer };
    unpacker.unpack(place, Peek::new(opened.part(None)));
    match outer.found.filter(|_| !outer.members) {
        Some(content) => Ok(content),
        None => Ok(Content { archive: true, ..hashed(opened.part(None), &mut |_| Vec::new()) }),
    }
}

/// Hashes the outer file's own stream, and gives up when there are members.
struct Outer<'o, 'l> {
    found: Option<Content>,
    members: bool,
    lengths: &'o mut Lengths<'l>,
}

impl Visit for Outer<'_, '_> {
    fn source(&mut self, member: Option<&str>, reader: Peek<'_>) {
        match member {
            None => self.found = Some(hashed(Recoded::new(reader), self.lengths)),
            Some(_) => self.members = true,
        }
    }

    fn unread(&mut self, member: Option<&str>, _: SourceError) {
        self.members |= member.is_some();
    }

    fn damaged(&mut self, _: Option<&str>, _: SourceError) {}

    fn stopped(&self) -> bool {
        self.members
    }
}

/// Hashes what `reader` gives, as far as it goes.
fn hashed(mut reader: impl Read, lengths: &mut Lengths<'_>) -> Content {
    let mut head = Vec::new();
    let _ = (&mut reader).take(HEAD as u64).read_to_end(&mut head);
    let mut wanted = lengths(&head);
    wanted.sort_unstable();
    wanted.dedup();
    let mut content = Content { head: xxh3_128(&head).to_be_bytes(), ..Content::default() };
    let mut wanted = wanted.into_iter().peekable();
    let mut hasher = Xxh3::new();
    let mut take = |bytes: &[u8], content: &mut Content| {
        let mut rest = bytes;
        while let Some(length) = wanted.next_if(|length| *length <= content.length + rest.len() as u64) {
            let (until, behind) = rest.split_at(length.saturating_sub(content.length) as usize);
            hasher.update(until);
            content.length += until.len() as u64;
            content.prefixes.push((length, hasher.digest128().to_be_bytes()));
            rest = behind;
        }
        hasher.update(rest);
        content.length += rest.len() as u64;
        hasher.digest128().to_be_bytes()
    };
    content.hash = take(&head, &mut content);
    let mut buffer = vec![0; STEP];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return content,
            Ok(got) => content.hash = take(&buffer[..got], &mut content),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return content,
        }
    }
}
