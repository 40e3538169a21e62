//! Local headers: what precedes each member in the archive itself.
//!
//! A reader at a header comes in; a [`LocalHeader`] goes out, which opens the member and finds where the next
//! header may be. This is how members are read that no directory lists, and archives in streams that are too
//! large to be held.

use super::content::{ChecksumReader, decode};
use super::listing::{CompressionMethod, Content, MemberKind};
use crate::input::archive::member::{ExactReader, member_name};
use crate::input::codec::deflate::Deflate;
use crate::input::codec::raw::OneStream;
use crate::input::limits::Budget;
use crate::input::peek::PeekReader;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::rc::Rc;

/// The magic bytes of a local header.
pub(super) const MAGIC: &[u8; 4] = b"PK\x03\x04";
/// The magic bytes of the sizes and checksum that follow the data.
pub(super) const DESCRIPTOR_MAGIC: &[u8; 4] = b"PK\x07\x08";
/// The fixed part of a local header, in bytes.
pub(super) const FIXED_BYTES: usize = 30;
/// A size in the fixed part that is in the zip64 extra field instead.
const IN_ZIP64: u32 = u32::MAX;
/// The number of the zip64 extra field.
const ZIP64_FIELD: u16 = 1;

/// Bit 0 of the flags: the member is encrypted.
const ENCRYPTED: u16 = 1;
/// Bit 3 of the flags: sizes and checksum follow the data.
const STREAMED: u16 = 8;

/// The largest version of the format and the largest number of a method that a header can plausibly have.
const MAX_VERSION: u16 = 63;
const MAX_METHOD: u16 = 99;

/// A member as its own header describes it.
#[derive(Debug)]
pub struct LocalHeader {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: MemberKind,
    /// Sizes and checksum; `None` if they follow the data.
    content: Option<Content>,
}

/// The fixed part of a local header.
struct Fixed {
    flags: u16,
    method: u16,
    crc: u32,
    compressed: u32,
    size: u32,
    name_bytes: usize,
    extra_bytes: usize,
}

impl Fixed {
    /// Parses [`FIXED_BYTES`] bytes; `None` if they are no header. Four magic bytes may occur in any data, so
    /// the rest has to be plausible, too.
    fn parse(head: &[u8]) -> Option<Fixed> {
        let head: &[u8; FIXED_BYTES] = head.try_into().ok()?;
        let short = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let long = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (version, method, name) = (short(4) & 0xff, short(8), short(26));
        let plausible = head.starts_with(MAGIC) && version <= MAX_VERSION && method <= MAX_METHOD && name > 0;
        plausible.then(|| Fixed {
            flags: short(6),
            method,
            crc: long(14),
            compressed: long(18),
            size: long(22),
            name_bytes: usize::from(name),
            extra_bytes: usize::from(short(28)),
        })
    }
}

/// Whether the first [`FIXED_BYTES`] of a local header are `head`.
pub(super) fn is_header(head: &[u8]) -> bool {
    Fixed::parse(head).is_some()
}

impl LocalHeader {
    /// Reads the header that `reader` is at; `None` if it is at none.
    ///
    /// # Errors
    ///
    /// Those of reading, and a cut.
    pub fn read(reader: &mut PeekReader<'_>) -> io::Result<Option<LocalHeader>> {
        let Some(fixed) = Fixed::parse(reader.peek(FIXED_BYTES)) else { return Ok(None) };
        reader.consume(FIXED_BYTES);
        let mut name = vec![0; fixed.name_bytes];
        reader.read_exact(&mut name)?;
        let mut extra = vec![0; fixed.extra_bytes];
        reader.read_exact(&mut extra)?;
        let (compressed, size) = sizes(&fixed, &extra);
        let name = member_name(&name);
        let kind = if name.ends_with('/') && compressed == Some(0) && size == Some(0) {
            MemberKind::Directory
        } else if fixed.flags & ENCRYPTED != 0 {
            MemberKind::Unreadable("encrypted")
        } else {
            MemberKind::of_method(fixed.method)
        };
        let content = match (compressed, size) {
            _ if fixed.flags & STREAMED != 0 && compressed.unwrap_or(0) == 0 => None,
            (Some(compressed_bytes), Some(bytes)) => {
                Some(Content { compressed_bytes, bytes, crc: fixed.crc })
            }
            _ => None,
        };
        Ok(Some(LocalHeader { name, kind, content }))
    }

    /// Opens the member; `reader` is after its header.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn open<'r>(
        &self,
        reader: &'r mut PeekReader<'_>,
        memory: u64,
        budget: &Rc<Budget>,
    ) -> Result<PeekReader<'r>, &'static str> {
        let method = match self.kind {
            MemberKind::File(method) => method,
            MemberKind::Unreadable(reason) => return Err(reason),
            MemberKind::Directory | MemberKind::Link => return Err("no file"),
        };
        match (self.content, method) {
            (Some(content), _) => {
                let stored = ExactReader::new(reader, content.compressed_bytes);
                let stored = PeekReader::with_size_hint(stored, content.compressed_bytes);
                let checked = ChecksumReader::new(decode(stored, method, memory, budget), Some(content));
                Ok(PeekReader::with_size_hint(checked, content.bytes))
            }
            // Deflate data ends by itself, and its decoder consumes nothing after the end.
            (None, CompressionMethod::Deflate) => {
                let deflate = Box::new(OneStream::new(Deflate::bare(), reader));
                Ok(PeekReader::new(ChecksumReader::new(deflate, None)))
            }
            _ => Err("its size is not known where it starts"),
        }
    }

    /// Skips what is left of the member, whose data starts at `data` in the reader, and what follows it.
    /// Returns whether the reader is now where the next header may be.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub fn skip_rest(&self, reader: &mut PeekReader<'_>, data: u64) -> io::Result<bool> {
        if let Some(content) = self.content {
            let left = data.saturating_add(content.compressed_bytes).saturating_sub(reader.consumed());
            return Ok(io::copy(&mut reader.by_ref().take(left), &mut io::sink())? == left);
        }
        if self.kind == MemberKind::File(CompressionMethod::Deflate) {
            // A checksum and two sizes of 4 or 8 bytes, with or without magic bytes; the next record starts
            // with PK.
            let descriptor = reader.peek(28);
            let lens = if descriptor.starts_with(DESCRIPTOR_MAGIC) { [16, 24] } else { [12, 20] };
            let next = |len: &usize| descriptor.get(*len..*len + 2) == Some(b"PK");
            if let Some(len) = lens.into_iter().find(next) {
                reader.consume(len);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The compressed size and the size of a member, from the fixed part or the zip64 extra field.
fn sizes(fixed: &Fixed, extra: &[u8]) -> (Option<u64>, Option<u64>) {
    let widened = |size: u32| (size != IN_ZIP64).then_some(u64::from(size));
    let (mut compressed, mut size) = (widened(fixed.compressed), widened(fixed.size));
    let mut zip64 = extra_field(extra, ZIP64_FIELD).unwrap_or_default();
    // The field holds only the sizes that do not fit, in this order.
    for missing in [&mut size, &mut compressed] {
        if missing.is_none()
            && let Some((long, rest)) = zip64.split_first_chunk::<8>()
        {
            (*missing, zip64) = (Some(u64::from_le_bytes(*long)), rest);
        }
    }
    (compressed, size)
}

/// The extra field with the number `wanted`.
fn extra_field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let len = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let field = rest.get(..len)?;
        if u16::from_le_bytes([head[0], head[1]]) == wanted {
            return Some(field);
        }
        extra = &rest[len..];
    }
    None
}

/// Returns where the data of the member starts whose header is at `header`; `None` if no header is there.
pub(super) fn data_start<R: Read + Seek>(reader: &mut R, header: u64) -> io::Result<Option<u64>> {
    reader.seek(SeekFrom::Start(header))?;
    let mut fixed = [0; FIXED_BYTES];
    match reader.read_exact(&mut fixed) {
        Ok(()) if fixed.starts_with(MAGIC) => {}
        Ok(()) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let len = |at: usize| u64::from(u16::from_le_bytes([fixed[at], fixed[at + 1]]));
    Ok(header.checked_add(FIXED_BYTES as u64 + len(26) + len(28)))
}
