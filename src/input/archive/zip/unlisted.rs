//! Unlisted members: what an archive contains that its directory does not list.
//!
//! A zip archive describes its members twice: in the directory at the end, and in a local header before each.
//! Other programs read only the directory. So an archive that was cut off has lost everything to them, and
//! one that was made to deceive can hold members that they never show. Here nothing is lost or hidden:
//!
//! ```text
//! 0        900       2,000      2,600      4,000     4,300
//! │ a.log   │ b.log   │ c.log    │ d.log    │directory│
//! └─listed──┴─gap─────┴─listed───┴─gap──────┴─────────┘     the directory lists a.log and c.log
//! ```
//!
//! 1. Each listed member takes up the range from its header to the end of its data; the directory has a
//!    range, too.
//! 2. What no range covers is a gap. An archive without a directory is one gap.
//! 3. In a gap, the next four magic bytes that are followed by a plausible header are the start of a run:
//!    members are read by their local headers for as long as one follows the other.
//! 4. Where that ends, the search continues in the rest of the gap.
//!
//! Invariants: no byte is read as part of two members, so the headers of an archive that is stored inside a
//! listed member are not found a second time; every step moves forward by at least the magic bytes, so the
//! search ends.

use super::listing::Listing;
use super::local::{self, data_start};
use crate::input::peek::PeekReader;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

/// The gaps of an archive, searched one after the other.
pub struct UnlistedMembers<R> {
    reader: R,
    /// What is left to search, the next gap last.
    gaps: Vec<Range<u64>>,
}

impl<R: Read + Seek + Clone> UnlistedMembers<R> {
    /// Finds the gaps that `listing` leaves in an archive of `bytes` bytes.
    pub(super) fn new(reader: R, listing: &Listing, bytes: u64) -> UnlistedMembers<R> {
        let mut headers = BufReader::with_capacity(local::FIXED_BYTES, reader.clone());
        let mut listed: Vec<Range<u64>> = vec![listing.directory.clone()];
        for member in &listing.members {
            if let Ok(Some(data)) = data_start(&mut headers, member.header) {
                listed.push(member.header..data.saturating_add(member.content.compressed_bytes));
            }
        }
        listed.sort_unstable_by_key(|range| (range.start, range.end));
        let mut gaps = Vec::new();
        let mut at = 0;
        for range in listed {
            if range.start > at {
                gaps.push(at..range.start.min(bytes));
            }
            at = at.max(range.end);
        }
        if at < bytes {
            gaps.push(at..bytes);
        }
        gaps.retain(|gap| gap.end.saturating_sub(gap.start) >= local::FIXED_BYTES as u64);
        gaps.reverse();
        UnlistedMembers { reader, gaps }
    }

    /// Returns the next run of members, as a stream from the first header to the end of the gap. Say with
    /// [`UnlistedMembers::advance`] how much of it was read.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn next<'r>(&mut self) -> io::Result<Option<PeekReader<'r>>>
    where
        R: 'r,
    {
        while let Some(mut gap) = self.gaps.pop() {
            if let Some(at) = find_header(&mut self.reader.clone(), gap.clone())? {
                let mut reader = self.reader.clone();
                reader.seek(SeekFrom::Start(at))?;
                let run = PeekReader::new(reader.take(gap.end - at));
                gap.start = at + local::MAGIC.len() as u64;
                self.gaps.push(gap);
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// Continues the search after the first `bytes` bytes of the run that was returned last.
    pub fn advance(&mut self, bytes: u64) {
        if let Some(gap) = self.gaps.last_mut() {
            let read = bytes.saturating_sub(local::MAGIC.len() as u64);
            gap.start = gap.end.min(gap.start + read);
        }
    }
}

/// Returns the first offset in `gap` that looks like a local header.
fn find_header<R: Read + Seek>(reader: &mut R, gap: Range<u64>) -> io::Result<Option<u64>> {
    reader.seek(SeekFrom::Start(gap.start))?;
    let mut stream = PeekReader::new(reader.take(gap.end - gap.start));
    loop {
        let buffer = stream.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        match memchr::memchr(local::MAGIC[0], buffer) {
            None => {
                let len = buffer.len();
                stream.consume(len);
            }
            Some(at) => {
                stream.consume(at);
                if local::is_header(stream.peek(local::FIXED_BYTES)) {
                    return Ok(Some(gap.start + stream.consumed()));
                }
                stream.consume(1);
            }
        }
    }
}
