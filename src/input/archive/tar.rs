//! Tar: members one after the other from a stream.
//!
//! The crate's headers and PAX records are read here block by block, because its own iterator takes names and extended
//! headers of any length into memory, and in its raw mode knows no sizes from PAX. Names are bounded, a member that is
//! cut short is an error, archives that follow each other are read on.

use super::{ExactReader, member_name};
use crate::error::SourceError;
use crate::input::format::{HEAD, is_tar};
use crate::input::limits::{Budget, Limit};
use crate::input::peek::PeekReader;
use std::io::{self, Read};
use tar::{EntryType, GnuExtSparseHeader, Header, PaxExtensions};

/// A tar block, in bytes.
const BLOCK: u64 = 512;

/// What happens to what is met.
pub trait TarVisitor {
    /// A file.
    fn file(&mut self, name: &str, reader: PeekReader<'_>);
    /// Something that is no file and is passed over, and why.
    fn passed(&mut self, name: &str, why: &'static str);
    /// Something that is wrong with the archive, which is read on.
    fn problem(&mut self, problem: SourceError);
    /// Whether to go on.
    fn stopped(&self) -> bool;
}

/// What the headers before a member's own say of it.
#[derive(Default)]
struct ExtendedHeader {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Reads an archive to its end.
///
/// # Errors
///
/// [`SourceError::Read`] with the offset in the archive: damage, a cut, an error of the stream or a limit.
pub fn read(
    reader: &mut PeekReader<'_>,
    metadata_bytes: u64,
    budget: &Budget,
    members: &mut dyn TarVisitor,
) -> Result<(), SourceError> {
    let mut ahead = ExtendedHeader::default();
    let mut zeros = 0u64;
    while !members.stopped() {
        let offset = reader.consumed();
        let failed = |error| SourceError::Read { offset, error };
        let mut header = Header::new_old();
        match read_block(reader, header.as_mut_bytes()).map_err(failed)? {
            0 if zeros > 0 => return Ok(()),
            0 => return Err(failed(io::Error::other("the tar archive ends without its end mark"))),
            BLOCK => {}
            _ if zeros > 0 && header.as_bytes().iter().all(|byte| *byte == 0) => return Ok(()),
            _ => return Err(failed(io::Error::other("the tar archive is cut short"))),
        }
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            zeros += 1;
            continue;
        }
        if !is_tar(header.as_bytes()) {
            let what =
                if zeros > 0 { "what follows the tar archive is none" } else { "the tar header is damaged" };
            return Err(failed(io::Error::other(what)));
        }
        zeros = 0;
        let stated = header.entry_size().map_err(failed)?;
        let kind = header.entry_type();
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() || kind.as_byte() == b'X' {
            let mut bytes = Vec::new();
            if stated > metadata_bytes {
                members.problem(failed(Limit::MetadataBytes(metadata_bytes).into()));
                skip(reader, stated).map_err(failed)?;
            } else if reader.by_ref().take(stated).read_to_end(&mut bytes).map_err(failed)? as u64 != stated {
                return Err(failed(io::Error::other("the tar archive is cut short")));
            }
            skip(reader, padding(stated)).map_err(failed)?;
            if kind.is_gnu_longname() {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                ahead.name = Some(bytes[..end].to_vec()).filter(|name| !name.is_empty());
            } else {
                read_pax(&bytes, &mut ahead);
            }
            continue;
        }
        if kind.is_gnu_longlink() || kind.is_pax_global_extensions() {
            skip(reader, stated.saturating_add(padding(stated))).map_err(failed)?;
            continue;
        }
        if kind.is_gnu_sparse() {
            skip_sparse_map(reader, &header).map_err(failed)?;
        }
        let ahead = std::mem::take(&mut ahead);
        let bytes = ahead.size.unwrap_or(stated);
        let name = ahead.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let name = member_name(&name);
        let why = passed_over(kind);
        let dataless = why.is_some() || kind.is_dir();
        // Some writers state the size of what a link points to, and no data follows.
        let bytes = if dataless && bytes > 0 && is_tar(reader.peek(HEAD)) { 0 } else { bytes };
        if dataless && bytes > 0 {
            let text =
                format!("{name} is a link, device or directory with {bytes} bytes of its own, not read");
            members.problem(SourceError::Archive(text));
        }
        let end = reader.consumed().saturating_add(bytes);
        if !kind.is_dir() && !is_label(kind) {
            budget.take_member().map_err(|limit| failed(limit.into()))?;
            match why {
                Some(why) => members.passed(&name, why),
                None => members
                    .file(&name, PeekReader::with_size_hint(ExactReader::new(&mut *reader, bytes), bytes)),
            }
        }
        let left = end - reader.consumed().min(end);
        skip(reader, left.saturating_add(padding(bytes)))
            .map_err(|error| SourceError::Read { offset: reader.consumed(), error })?;
    }
    Ok(())
}

/// Links and special files carry no bytes of their own.
fn passed_over(kind: EntryType) -> Option<&'static str> {
    match kind {
        EntryType::Link => Some("hard link to another member"),
        EntryType::Symlink => Some("symbolic link, not followed"),
        EntryType::Char | EntryType::Block => Some("device"),
        EntryType::Fifo => Some("named pipe"),
        _ => None,
    }
}

/// A volume's label, or a list of what a directory held.
fn is_label(kind: EntryType) -> bool {
    matches!(kind.as_byte(), b'V' | b'D')
}

fn read_pax(bytes: &[u8], ahead: &mut ExtendedHeader) {
    let mut sparse = false;
    for record in PaxExtensions::new(bytes).flatten() {
        match record.key_bytes() {
            b"path" if !sparse => ahead.name = Some(record.value_bytes().to_vec()),
            b"GNU.sparse.name" => {
                sparse = true;
                ahead.name = Some(record.value_bytes().to_vec());
            }
            b"size" => ahead.size = record.value().ok().and_then(|text| text.parse().ok()),
            _ => {}
        }
    }
}

/// Passes the blocks that go on with the map of a sparse member; what is read of it is what is stored.
fn skip_sparse_map(reader: &mut PeekReader<'_>, header: &Header) -> io::Result<()> {
    let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
    while more {
        let mut block = GnuExtSparseHeader::new();
        if read_block(reader, block.as_mut_bytes())? < BLOCK {
            return Err(io::Error::other("the tar archive is cut short"));
        }
        more = block.is_extended();
    }
    Ok(())
}

fn padding(bytes: u64) -> u64 {
    (BLOCK - bytes % BLOCK) % BLOCK
}

fn skip(reader: &mut PeekReader<'_>, bytes: u64) -> io::Result<()> {
    match io::copy(&mut reader.by_ref().take(bytes), &mut io::sink())? {
        got if got == bytes => Ok(()),
        _ => Err(io::Error::other("the tar archive is cut short")),
    }
}

/// Reads a block; gives how much of it there was.
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
