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
//! fact the next member.

use super::member::{ExactReader, member_name};
use crate::error::SourceError;
use crate::input::limits::{Budget, Limit};
use crate::input::peek::{PEEK_BYTES, PeekReader};
use std::io::{self, Read};
use tar::{EntryType, GnuExtSparseHeader, Header, PaxExtensions};

/// A tar block, in bytes.
const BLOCK_BYTES: u64 = 512;

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
    let mut archive = TarReader { reader, max_metadata_bytes, budget, visitor, extended, zero_blocks: 0 };
    while !archive.visitor.stopped() {
        let offset = archive.reader.consumed();
        match archive.block().map_err(|error| SourceError::Read { offset, error })? {
            Block::Zeros => {}
            Block::Header(header) => archive.record(&header, offset)?,
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
}

/// What extended headers say of the member that follows them.
#[derive(Default)]
struct ExtendedHeader {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// A block that is not data.
enum Block {
    Header(Box<Header>),
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
            0 if self.zero_blocks > 0 => return Ok(Block::End),
            0 => return Err(io::Error::other("the tar archive ends without its end mark")),
            BLOCK_BYTES => {}
            _ if self.zero_blocks > 0 && is_zero => return Ok(Block::End),
            _ => return Err(cut_short()),
        }
        if is_zero {
            self.zero_blocks += 1;
            return Ok(Block::Zeros);
        }
        if !is_header(header.as_bytes()) {
            return Err(io::Error::other(match self.zero_blocks {
                0 => "the tar header is damaged",
                _ => "something else follows the tar archive",
            }));
        }
        self.zero_blocks = 0;
        Ok(Block::Header(header))
    }

    /// Reads what the header at `offset` is for.
    fn record(&mut self, header: &Header, offset: u64) -> Result<(), SourceError> {
        let failed = |error| SourceError::Read { offset, error };
        let stated = header.entry_size().map_err(failed)?;
        let kind = header.entry_type();
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() || kind.as_byte() == b'X' {
            return self.extended_header(kind, stated, offset);
        }
        if kind.is_gnu_longlink() || kind.is_pax_global_extensions() {
            return skip(self.reader, stated.saturating_add(padding(stated))).map_err(failed);
        }
        if kind.is_gnu_sparse() {
            skip_sparse_map(self.reader, header).map_err(failed)?;
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
        } else {
            self.extended.read_pax(&data);
        }
        Ok(())
    }

    /// Reads the member of `header`, which states a size of `stated` bytes.
    fn member(&mut self, header: &Header, stated: u64, offset: u64) -> Result<(), SourceError> {
        let kind = header.entry_type();
        let extended = std::mem::take(&mut self.extended);
        let name = extended.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let name = member_name(&name);
        let bytes = self.data_bytes(kind, &name, extended.size.unwrap_or(stated));
        let end = self.reader.consumed().saturating_add(bytes);
        if !kind.is_dir() && !is_label(kind) {
            let taken = self.budget.take_member();
            taken.map_err(|limit| SourceError::Read { offset, error: limit.into() })?;
            match skip_reason(kind) {
                Some(reason) => self.visitor.skipped(&name, reason),
                None => {
                    let data = ExactReader::new(&mut *self.reader, bytes);
                    self.visitor.file(&name, PeekReader::with_size_hint(data, bytes));
                }
            }
        }
        let left = end - self.reader.consumed().min(end);
        let skipped = skip(self.reader, left.saturating_add(padding(bytes)));
        skipped.map_err(|error| SourceError::Read { offset: self.reader.consumed(), error })
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

impl ExtendedHeader {
    fn read_pax(&mut self, fields: &[u8]) {
        let mut sparse = false;
        for field in PaxExtensions::new(fields).flatten() {
            match field.key_bytes() {
                b"path" if !sparse => self.name = Some(field.value_bytes().to_vec()),
                // The path of a sparse file names where its map is; this is the file's.
                b"GNU.sparse.name" => {
                    sparse = true;
                    self.name = Some(field.value_bytes().to_vec());
                }
                b"size" => self.size = field.value().ok().and_then(|text| text.parse().ok()),
                _ => {}
            }
        }
    }
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

/// Skips the blocks that continue the map of a sparse member. Its data is read as it is stored, without the
/// holes.
fn skip_sparse_map(reader: &mut PeekReader<'_>, header: &Header) -> io::Result<()> {
    let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
    while more {
        let mut block = GnuExtSparseHeader::new();
        if read_block(reader, block.as_mut_bytes())? < BLOCK_BYTES {
            return Err(cut_short());
        }
        more = block.is_extended();
    }
    Ok(())
}

fn cut_short() -> io::Error {
    io::Error::other("the tar archive is cut short")
}

fn padding(bytes: u64) -> u64 {
    (BLOCK_BYTES - bytes % BLOCK_BYTES) % BLOCK_BYTES
}

fn skip(reader: &mut PeekReader<'_>, bytes: u64) -> io::Result<()> {
    match io::copy(&mut reader.by_ref().take(bytes), &mut io::sink())? {
        got if got == bytes => Ok(()),
        _ => Err(cut_short()),
    }
}

/// Reads a block; returns how much of it there was.
fn read_block(reader: &mut PeekReader<'_>, block: &mut [u8]) -> io::Result<u64> {
    let mut got = 0;
    while got < block.len() {
        match reader.read(&mut block[got..])? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got as u64)
}
