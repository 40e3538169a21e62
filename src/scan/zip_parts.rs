//! Large zip archives: their members as parts that workers share.
//!
//! An opened file comes in; [`ZipPart`]s go out, each a range of members. A zip in a file, not in a stream,
//! can be read at any place, so its parts are independent but for one thing: all of them take what they
//! decode from one allowance, in the order of the archive. How that is settled is explained in `scheduler`.

use super::numbering::{PartId, Source};
use crate::error::SourceError;
use crate::input::archive::zip::{Listing, ZipFile};
use crate::input::limits::{Amount, Limits};
use crate::input::{FileReader, FoundBy, OpenFile, Position, Selection, Unpacker};
use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

/// How many bytes the members of one part add up to, unless one member is larger.
const PART_BYTES: u64 = 4 << 20;
/// The most members of one part.
const PART_MEMBERS: usize = 256;

/// A zip archive in a file.
pub(super) struct ZipArchive<'s> {
    /// The file, as an input that has a problem if its directory does.
    pub container: Source,
    file: ZipFile<FileReader<'s>>,
    listing: Listing,
    /// Which members are scanned.
    selection: Selection,
    /// What the parts that were admitted have left of the allowance.
    left: Mutex<Amount>,
}

/// A part of an archive.
#[derive(Clone)]
pub(super) struct ZipPart<'s> {
    pub part_id: PartId,
    pub zip: Arc<ZipArchive<'s>>,
    members: Members,
}

/// The members of a part.
#[derive(Clone)]
enum Members {
    /// Those that the directory lists in this range.
    Listed(Range<usize>),
    /// Those that the directory does not list; they come last.
    Unlisted,
}

impl<'s> ZipArchive<'s> {
    /// Reads the directory of `file`. Returns what is wrong with it, too. `read` counts the bytes that are
    /// read.
    pub fn open(
        container: Source,
        file: &OpenFile,
        selection: Selection,
        limits: &Limits,
        read: &'s AtomicU64,
    ) -> (ZipArchive<'s>, Option<SourceError>) {
        let left = limits.allowance(file.bytes);
        let mut listing = ZipFile::new(file.reader(None), file.bytes).list(left.members);
        let problem = listing.problem.take();
        let zip = ZipArchive {
            container,
            file: ZipFile::new(file.reader(Some(read)), file.bytes),
            listing,
            selection,
            left: Mutex::new(left),
        };
        (zip, problem)
    }

    /// Cuts the archive into parts, of which the first is at `part_id`.
    pub fn parts(self, part_id: PartId) -> Vec<ZipPart<'s>> {
        let listed = self.ranges().into_iter().map(Members::Listed);
        let members: Vec<Members> = listed.chain([Members::Unlisted]).collect();
        let zip = Arc::new(self);
        let part = |(i, members)| ZipPart {
            part_id: PartId { part: part_id.part + i, ..part_id },
            zip: zip.clone(),
            members,
        };
        members.into_iter().enumerate().map(part).collect()
    }

    /// Cuts the listed members into ranges of about [`PART_BYTES`] and at most [`PART_MEMBERS`].
    fn ranges(&self) -> Vec<Range<usize>> {
        let members = &self.listing.members;
        let mut ranges = Vec::new();
        let mut first = 0;
        while first < members.len() {
            let (mut bytes, mut end) = (members[first].content.bytes, first + 1);
            while end < members.len() && end - first < PART_MEMBERS {
                bytes = bytes.saturating_add(members[end].content.bytes);
                if bytes > PART_BYTES {
                    break;
                }
                end += 1;
            }
            ranges.push(first..end);
            first = end;
        }
        ranges
    }

    /// Returns what is left of the allowance after the parts that were admitted and are closed.
    pub fn left(&self) -> Amount {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subtracts what a part has spent.
    pub fn take(&self, spent: Amount) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.less(spent).unwrap_or_default();
    }
}

impl ZipPart<'_> {
    /// Unpacks the part.
    pub fn unpack(&self, unpacker: &mut Unpacker<'_>) {
        let zip = &*self.zip;
        let place = Position::outer(unpacker.limits, FoundBy::Walk, zip.selection);
        match &self.members {
            Members::Unlisted => {
                unpacker.zip_unlisted(place, &zip.file, &zip.listing);
            }
            Members::Listed(range) => {
                for member in &zip.listing.members[range.clone()] {
                    if unpacker.visitor.stopped() {
                        return;
                    }
                    unpacker.zip_member(place, &zip.file, member);
                }
            }
        }
    }
}
