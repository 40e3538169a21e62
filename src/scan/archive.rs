//! Large zip archives: their members as parts that workers share.
//!
//! A zip that is a file of its own can be read at any place, so its members are cut into [`Members`] that go into the
//! queue one by one. All of them take what they decode from one allowance, in the order of the archive; what nobody's
//! directory entry tells comes last.

use super::share::{Place, Source};
use crate::error::SourceError;
use crate::input::archive::zip::{self, Listing};
use crate::input::limits::{Amount, Limits};
use crate::input::{FileReader, FoundBy, OpenFile, Position, Selection, Unpacker};
use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

/// How much the members of one part add up to: bytes, and members.
const PART: (u64, usize) = (4 << 20, 256);

/// A zip archive in a file.
pub(super) struct Zip<'s> {
    /// The file, as an input that has a problem if its directory does.
    pub container: Source,
    file: FileReader<'s>,
    bytes: u64,
    listing: Listing,
    /// Whether it has been called damaged.
    damaged: bool,
    /// Which members are scanned.
    selection: Selection,
    /// What the parts whose turn has come have left.
    left: Mutex<Amount>,
}

/// A part of an archive.
#[derive(Clone)]
pub(super) struct Members<'s> {
    pub place: Place,
    pub zip: Arc<Zip<'s>>,
    /// Its members; none for those that the directory does not tell.
    listed: Option<Range<usize>>,
}

impl<'s> Zip<'s> {
    /// Reads the directory of `file`; gives what is wrong with it, too.
    pub fn open(
        container: Source,
        file: &OpenFile,
        selection: Selection,
        limits: &Limits,
        count: &'s AtomicU64,
    ) -> (Zip<'s>, Option<SourceError>) {
        let left = limits.allowance(file.bytes);
        let mut listing = zip::list(&file.reader(None), left.members);
        let problem = listing.problem.take();
        let zip = Zip {
            container,
            file: file.reader(Some(count)),
            bytes: file.bytes,
            listing,
            damaged: problem.is_some(),
            selection,
            left: Mutex::new(left),
        };
        (zip, problem)
    }

    /// Cuts the archive into parts; the first is at `place`.
    pub fn parts(self, place: Place) -> Vec<Members<'s>> {
        let zip = Arc::new(self);
        let members = &zip.listing.members;
        let mut ranges = Vec::new();
        let mut first = 0;
        while first < members.len() {
            let (mut bytes, mut end) = (members[first].bytes, first + 1);
            while end < members.len() && end - first < PART.1 {
                bytes = bytes.saturating_add(members[end].bytes);
                if bytes > PART.0 {
                    break;
                }
                end += 1;
            }
            ranges.push(Some(first..end));
            first = end;
        }
        ranges.push(None);
        let at = |(i, listed)| Members {
            place: Place { part: place.part + i, ..place },
            zip: zip.clone(),
            listed,
        };
        ranges.into_iter().enumerate().map(at).collect()
    }

    /// What is left of the allowance, as far as it is known.
    pub fn left(&self) -> Amount {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a part has spent.
    pub fn take(&self, spent: Amount) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.less(spent).unwrap_or_default();
    }
}

impl Members<'_> {
    /// Unpacks the part.
    pub fn unpack(&self, unpacker: &mut Unpacker<'_>) {
        let zip = &*self.zip;
        let place = Position::outer(unpacker.limits, FoundBy::Walk, zip.selection);
        match &self.listed {
            None => unpacker.unlisted(place, zip.file.clone(), zip.bytes, &zip.listing, zip.damaged),
            Some(listed) => {
                for member in &zip.listing.members[listed.clone()] {
                    if unpacker.visitor.stopped() {
                        return;
                    }
                    unpacker.zip_member(place, &zip.file, member);
                }
            }
        }
    }
}
