//! Zip: members anywhere in the archive, and a directory at its end.
//!
//! A [`ZipFile`] can be read at any place. It lists its members (`directory`), opens them (`content`), and
//! finds those that the directory does not list (`unlisted`, by the members' own headers in `local`). It does
//! not know what members contain, nor which of them are wanted.

mod content;
mod directory;
mod listing;
mod local;
mod unlisted;

use super::member::ExactReader;
use crate::error::SourceError;
use crate::input::limits::Budget;
use crate::input::peek::PeekReader;
use content::{ChecksumReader, decode};
pub use listing::{CompressionMethod, Content, Listing, Member, MemberKind};
pub use local::LocalHeader;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;
pub use unlisted::UnlistedMembers;

/// The end record of an archive on one disk: the start of an archive without members.
const EMPTY_ARCHIVE: &[u8] = b"PK\x05\x06\0\0\0\0";
/// Precedes the first header of an archive that a splitting program wrote as one file.
const SINGLE_SEGMENT: &[u8] = b"PK00";

/// Whether an archive starts with `head`.
pub fn is_archive(head: &[u8]) -> bool {
    let head = without_mark(head);
    head.starts_with(local::MAGIC) || head.starts_with(EMPTY_ARCHIVE)
}

/// Whether the first of several files of one archive starts with `head`.
pub fn is_first_of_several(head: &[u8]) -> bool {
    let rest = without_mark(head).strip_prefix(local::DESCRIPTOR_MAGIC);
    rest.is_some_and(|rest| rest.starts_with(local::MAGIC))
}

fn without_mark(head: &[u8]) -> &[u8] {
    head.strip_prefix(SINGLE_SEGMENT).filter(|rest| rest.starts_with(b"PK")).unwrap_or(head)
}

/// An archive that can be read at any place.
#[derive(Debug, Clone)]
pub struct ZipFile<R> {
    reader: R,
    bytes: u64,
}

impl<R: Read + Seek + Clone> ZipFile<R> {
    /// The archive of `bytes` bytes that `reader` reads. Clones of the reader have positions of their own.
    pub fn new(reader: R, bytes: u64) -> ZipFile<R> {
        ZipFile { reader, bytes }
    }

    /// Reads the directory and compares it with the archive; lists at most `max_members` members.
    pub fn list(&self, max_members: u64) -> Listing {
        directory::list(&self.reader, max_members)
    }

    /// Opens a member, which is compressed by `method`. Its bytes end with an error if they are not what the
    /// directory says.
    ///
    /// # Errors
    ///
    /// [`SourceError::Open`] and [`SourceError::Archive`]: no member starts where the directory says.
    pub fn open<'r>(
        &self,
        member: &Member,
        method: CompressionMethod,
        memory: u64,
        budget: &Rc<Budget>,
    ) -> Result<PeekReader<'r>, SourceError>
    where
        R: 'r,
    {
        let mut reader = self.reader.clone();
        let data = local::data_start(&mut reader, member.header).map_err(SourceError::Open)?;
        let Some(data) = data else {
            return Err(SourceError::Archive("no member starts where the directory says".into()));
        };
        reader.seek(SeekFrom::Start(data)).map_err(SourceError::Open)?;
        let stored = ExactReader::new(reader, member.content.compressed_bytes);
        let stored = PeekReader::with_size_hint(stored, member.content.compressed_bytes);
        let checked = ChecksumReader::new(decode(stored, method, memory, budget), Some(member.content));
        Ok(PeekReader::with_size_hint(checked, member.content.bytes))
    }

    /// Finds the members that `listing` lacks.
    pub fn unlisted(&self, listing: &Listing) -> UnlistedMembers<R> {
        UnlistedMembers::new(self.reader.clone(), listing, self.bytes)
    }
}
