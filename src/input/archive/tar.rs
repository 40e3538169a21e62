//! Tar: members one after the other, from a stream.
//!
//! A reader comes in; a [`TarVisitor`] gets the files, what is skipped, and what is wrong. Nothing is written
//! anywhere, so paths like `../../etc/passwd` are only names.
//!
//! The headers are read here block by block, because the crate's own iterator reads names and extended
//! headers of any length into memory, and knows no PAX sizes in its raw mode. An archive is a sequence of
//! blocks of 512 bytes:
//!
//! ```text
//! header (L or x)   the name or the fields of the next member, if they do not fit into its header
//! its data          padded to whole blocks
//! header            name, kind, size
//! its data          padded to whole blocks
//! …
//! two zero blocks   the end mark; another archive may follow
//! ```
//!
//! Invariants: names and extended headers are bounded; a member whose data is cut short ends with an error;
//! an archive that ends without its mark is reported; no bytes are taken for the data of a link that are in
//! fact the next member; a header that cannot be read costs its own member, not those after it. What counts
//! as malformed is what GNU tar reports. Fields that say nothing of the data, such as times and owners, are
//! not looked at.

use super::block::{BLOCK_BYTES, cut_short, number, padding, read_block, skip};
use super::member::{ExactReader, member_name};
use super::sparse;
use crate::error::SourceError;
use crate::input::limits::{Budget, Limit};
use crate::input::peek::{PEEK_BYTES, PeekReader};
use std::io::{self, Read};
use tar::{EntryType, Header};

/// Receives what an archive contains.
pub trait TarVisitor {
    /// Receives a file. What is left of the reader is skipped.
    fn file(&mut self, name: &str, reader: PeekReader<'_>);
    /// Receives a member that is no file, and why it is skipped.
    fn skipped(&mut self, name: &str, reason: &'static str);
    /// Receives something that is wrong with the archive, which is read on.
    fn problem(&mut self, problem: SourceError);
    /// Whether reading is to stop.
    fn stopped(&self) -> bool;
}

/// Whether `head` is a tar header: its checksum is right, and it has a name.
pub fn is_header(head: &[u8]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let Some(header) = head.get(..BLOCK_BYTES as usize) else { return false };
    let digits = header[CHECKSUM].iter().filter(|byte| byte.is_ascii_digit()).count();
    if header[0] == 0 && &header[257..262] != b"ustar" || digits == 0 {
        return false;
    }
    let stated = header[CHECKSUM].iter().skip_while(|byte| **byte == b' ');
    let stated = stated
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0u32, |sum, digit| sum.wrapping_mul(8).wrapping_add(u32::from(digit - b'0')));
    // The blanks that count for the field alone add up to more. Most text ends here, before 512 bytes are
    // added up.
    if stated == 0 {
        return false;
    }
    let counted = header.iter().enumerate();
    let counted = counted.map(|(at, byte)| if CHECKSUM.contains(&at) { b' ' } else { *byte });
    let (sum, signed) = counted.fold((0u32, 0u32), |(sum, signed), byte| {
        (sum + u32::from(byte), signed.wrapping_add_signed(i32::from(byte.cast_signed())))
    });
    // Some old writers added bytes up as signed numbers.
    stated == sum || stated == signed
}

/// Reads an archive to its end.
///
/// # Errors
///
/// [`SourceError::Read`] with the offset in the archive: damage, a cut, an error of the stream, or a limit.
pub fn read(
    reader: &mut PeekReader<'_>,
    max_metadata_bytes: u64,
    budget: &Budget,
    visitor: &mut dyn TarVisitor,
) -> Result<(), SourceError> {
    let extended = ExtendedHeader::default();
    let (zero_blocks, lost) = (0, false);
    let mut archive = TarReader { reader, max_metadata_bytes, budget, visitor, extended, zero_blocks, lost };
    while !archive.visitor.stopped() {
        let offset = archive.reader.consumed();
        match archive.block().map_err(|error| SourceError::Read { offset, error })? {
            Block::Zeros => {}
            Block::Header(header) => archive.record(&header, offset)?,
            Block::Damaged => archive.damaged("the tar header is damaged", offset),
            Block::End => break,
        }
    }
    Ok(())
}

/// An archive that is being read.
struct TarReader<'t, 'r> {
    reader: &'t mut PeekReader<'r>,
    max_metadata_bytes: u64,
    budget: &'t Budget,
    visitor: &'t mut dyn TarVisitor,
    extended: ExtendedHeader,
    /// How many zero blocks precede the current one.
    zero_blocks: u64,
    /// Whether the next header is looked for, because one was damaged.
    lost: bool,
}

/// What extended headers say of the member that follows them.
#[derive(Default)]
struct ExtendedHeader {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: sparse::Fields,
}

/// A block that is not data.
enum Block {
    Header(Box<Header>),
    /// Where a header should be.
    Damaged,
    Zeros,
    /// The end of the archive.
    End,
}

impl TarReader<'_, '_> {
    /// Reads the next block.
    fn block(&mut self) -> io::Result<Block> {
        let mut header = Box::new(Header::new_old());
        let got = read_block(self.reader, header.as_mut_bytes())?;
        let is_zero = header.as_bytes().iter().all(|byte| *byte == 0);
        match got {
            0 if self.zero_blocks > 0 || self.lost => return Ok(Block::End),
            0 => return Err(io::Error::other("the tar archive ends without its end mark")),
            BLOCK_BYTES => {}
            _ if self.zero_blocks > 0 && is_zero || self.lost => return Ok(Block::End),
            _ => return Err(cut_short()),
        }
        if is_zero {
            self.zero_blocks += 1;
            return Ok(Block::Zeros);
        }
        if !is_header(header.as_bytes()) {
            return match self.zero_blocks {
                1.. if !self.lost => Err(io::Error::other("something else follows the tar archive")),
                _ => Ok(Block::Damaged),
            };
        }
        (self.zero_blocks, self.lost) = (0, false);
        Ok(Block::Header(header))
    }

    /// Reports that the header at `offset` cannot be used. Where its member ends is not known, so the next
    /// block that is a header counts.
    fn damaged(&mut self, text: &'static str, offset: u64) {
        self.extended = ExtendedHeader::default();
        if !std::mem::replace(&mut self.lost, true) {
            self.visitor.problem(SourceError::Read { offset, error: io::Error::other(text) });
        }
    }

    /// Reads what the header at `offset` is for.
    fn record(&mut self, header: &Header, offset: u64) -> Result<(), SourceError> {
        let failed = |error| SourceError::Read { offset, error };
        let Some(stated) = number(&header.as_old().size) else {
            self.damaged("the size in the tar header is unreadable", offset);
            return Ok(());
        };
        let kind = header.entry_type();
        if kind.is_gnu_longname()
            || kind.is_pax_local_extensions()
            || kind.is_pax_global_extensions()
            || kind.as_byte() == b'X'
        {
            return self.extended_header(kind, stated, offset);
        }
        if kind.is_gnu_longlink() {
            return skip(self.reader, stated.saturating_add(padding(stated))).map_err(failed);
        }
        self.member(header, stated, offset)
    }

    /// Reads a name or PAX fields of `bytes` bytes for the next member.
    fn extended_header(&mut self, kind: EntryType, bytes: u64, offset: u64) -> Result<(), SourceError> {
        let failed = |error| SourceError::Read { offset, error };
        let mut data = Vec::new();
        if bytes > self.max_metadata_bytes {
            self.visitor.problem(failed(Limit::MetadataBytes(self.max_metadata_bytes).into()));
            skip(self.reader, bytes).map_err(failed)?;
        } else if self.reader.by_ref().take(bytes).read_to_end(&mut data).map_err(failed)? as u64 != bytes {
            return Err(failed(cut_short()));
        }
        skip(self.reader, padding(bytes)).map_err(failed)?;
        if kind.is_gnu_longname() {
            let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
            self.extended.name = Some(data[..end].to_vec()).filter(|name| !name.is_empty());
            return Ok(());
        }
        // A global header names no member, and is only checked.
        let mut global = ExtendedHeader::default();
        let fields = if kind.is_pax_global_extensions() { &mut global } else { &mut self.extended };
        if let Err(Malformed(what)) = fields.read_pax(&data) {
            let text = format!("an extended tar header is malformed ({what})");
            self.visitor.problem(failed(io::Error::other(text)));
        }
        Ok(())
    }

    /// Reads the member of `header`, which states a size of `stated` bytes.
    fn member(&mut self, header: &Header, stated: u64, offset: u64) -> Result<(), SourceError> {
        let kind = header.entry_type();
        let extended = std::mem::take(&mut self.extended);
        let name = extended.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let name = member_name(&name);
        if kind.is_gnu_sparse() {
            let map = sparse::skip_old_map(self.reader, header, stated);
            self.check_map(map, &name)?;
        }
        let bytes = self.data_bytes(kind, &name, extended.size.unwrap_or(stated));
        let end = self.reader.consumed().saturating_add(bytes);
        if !kind.is_dir() && !is_label(kind) {
            let taken = self.budget.take_member();
            taken.map_err(|limit| SourceError::Read { offset, error: limit.into() })?;
            match skip_reason(kind) {
                Some(reason) => self.visitor.skipped(&name, reason),
                None => {
                    let map_bytes = self.skip_map_in_data(&extended.sparse, bytes, &name)?;
                    let bytes = bytes - map_bytes;
                    let data = ExactReader::new(&mut *self.reader, bytes);
                    self.visitor.file(&name, PeekReader::with_size_hint(data, bytes));
                }
            }
        }
        let left = end - self.reader.consumed().min(end);
        let skipped = skip(self.reader, left.saturating_add(padding(bytes)));
        skipped.map_err(|error| SourceError::Read { offset: self.reader.consumed(), error })
    }

    /// Skips the map at the start of the `bytes` bytes of data of the member `name`, if the fields of its
    /// extended header say that one is there; returns how many bytes it takes. A map in the fields is checked.
    fn skip_map_in_data(
        &mut self,
        fields: &sparse::Fields,
        bytes: u64,
        name: &str,
    ) -> Result<u64, SourceError> {
        if !fields.has_map_in_data() {
            self.check_map(Ok(fields.map_of(bytes)), name)?;
            return Ok(0);
        }
        let start = self.reader.consumed();
        let map = sparse::skip_map(self.reader, bytes, fields);
        self.check_map(map, name)?;
        Ok(self.reader.consumed() - start)
    }

    /// Reports a map of the sparse member `name` that is malformed; its data is read as it is stored.
    fn check_map(&mut self, map: io::Result<sparse::Map>, name: &str) -> Result<(), SourceError> {
        let offset = self.reader.consumed();
        match map.map_err(|error| SourceError::Read { offset, error })? {
            sparse::Map::Sound => {}
            sparse::Map::Malformed => {
                let text = format!("{name} is a sparse file whose map is malformed, read as it is stored");
                self.visitor.problem(SourceError::Archive(text));
            }
        }
        Ok(())
    }

    /// Returns how many bytes of data follow a header that states `stated`.
    ///
    /// Links and directories have none, but some writers state the size of what a link points to. If a header
    /// follows, there is no data: to skip it would hide the next member. Else the data is skipped, and
    /// reported.
    fn data_bytes(&mut self, kind: EntryType, name: &str, stated: u64) -> u64 {
        let has_no_data = skip_reason(kind).is_some() || kind.is_dir();
        if !has_no_data || stated == 0 {
            return stated;
        }
        if is_header(self.reader.peek(PEEK_BYTES)) {
            return 0;
        }
        let text = format!("{name} is a link, device or directory with {stated} bytes of data, not read");
        self.visitor.problem(SourceError::Archive(text));
        stated
    }
}

/// What of an extended header is malformed.
struct Malformed(String);

impl ExtendedHeader {
    /// Reads the fields of PAX, `LENGTH KEY=VALUE` and a line break each. Where they end or become malformed,
    /// the fields before count.
    fn read_pax(&mut self, mut fields: &[u8]) -> Result<(), Malformed> {
        let result = loop {
            match next_field(&mut fields) {
                Ok(Some((key, value))) => {
                    if let Err(malformed) = self.read_field(key, value) {
                        break Err(malformed);
                    }
                }
                Ok(None) => break Ok(()),
                Err(what) => break Err(Malformed(what.to_string())),
            }
        };
        // The path of a sparse file names where its map is; this is the file's.
        if let Some(name) = self.sparse.name.take() {
            self.name = Some(name);
        }
        result
    }

    fn read_field(&mut self, key: &[u8], value: &[u8]) -> Result<(), Malformed> {
        let malformed = || {
            let value = value[..value.len().min(40)].escape_ascii();
            Malformed(format!("{}={value}", key.escape_ascii()))
        };
        match key {
            b"path" => self.name = Some(value.to_vec()),
            b"size" => self.size = Some(sparse::number(value).ok_or_else(malformed)?),
            _ => self.sparse.read(key, value).ok_or_else(malformed)?,
        }
        Ok(())
    }
}

/// The key and the value of a field.
type Field<'f> = (&'f [u8], &'f [u8]);

/// Returns the next field; `None` at the end of the fields, or at zeros that fill
/// them up.
fn next_field<'f>(fields: &mut &'f [u8]) -> Result<Option<Field<'f>>, &'static str> {
    let field = trim_blanks(fields);
    let digits = field.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return if field.first().is_none_or(|byte| *byte == 0) { Ok(None) } else { Err("a missing length") };
    }
    let length = sparse::number(&field[..digits]).and_then(|length| usize::try_from(length).ok());
    // It counts from where the field starts, with its own digits.
    let length = length.filter(|length| *length <= fields.len()).ok_or("a length that is too large")?;
    let start = fields.len() - field.len() + digits;
    let (field, rest) = fields.split_at(length);
    let Some((b'\n', field)) = field.get(start..).and_then(<[u8]>::split_last) else {
        return Err("a missing line break");
    };
    let key = trim_blanks(field);
    let equals = key.iter().position(|byte| *byte == b'=').ok_or("a missing equals sign")?;
    if key.len() == field.len() {
        return Err("a missing blank");
    }
    *fields = rest;
    Ok(Some((&key[..equals], &key[equals + 1..])))
}

fn trim_blanks(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &bytes[blanks..]
}

/// Why a link or special file is skipped; `None` for what has data.
fn skip_reason(kind: EntryType) -> Option<&'static str> {
    match kind {
        EntryType::Link => Some("hard link to another member"),
        EntryType::Symlink => Some("symbolic link, not followed"),
        EntryType::Char | EntryType::Block => Some("device"),
        EntryType::Fifo => Some("named pipe"),
        _ => None,
    }
}

/// Whether it is a volume's label, or a list of what a directory held.
fn is_label(kind: EntryType) -> bool {
    matches!(kind.as_byte(), b'V' | b'D')
}
