//! The directory at the end of a zip archive.
//!
//! An archive comes in; a [`Listing`] goes out, with what is wrong with the directory. The crate parses the
//! entries; here their number and size are bounded, and the directory is compared with the members' own
//! headers. What it does not list is found by `unlisted`.

use super::listing::{Content, Listing, Member, MemberKind};
use crate::error::SourceError;
use crate::input::archive::member::member_name;
use crate::input::limits::Limit;
use std::collections::HashSet;
use std::io::{BufReader, Read, Seek};
use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config, ZipFileEntry};
use zip::unstable::read::ZipIterable;

/// The most bytes of a directory that are read: what is kept of it takes several times as much memory.
const MAX_DIRECTORY_BYTES: u64 = 32 << 20;
/// The longest target of a symbolic link, in bytes. Something longer is a file with a wrong mode.
const MAX_LINK_BYTES: u64 = 4096;
/// The fixed part of a directory's entry, in bytes.
const ENTRY_BYTES: u64 = 46;

/// Reads the directory and compares it with the archive; lists at most `max_members` members.
pub(super) fn list<R: Read + Seek + Clone>(reader: &R, max_members: u64) -> Listing {
    let mut listing = Listing::default();
    listing.problem = read(reader, max_members, &mut listing).err();
    listing.is_damaged = listing.problem.is_some();
    listing
}

/// Reads into `listing`, which is good for what precedes an error.
fn read<R: Read + Seek + Clone>(
    reader: &R,
    max_members: u64,
    listing: &mut Listing,
) -> Result<(), SourceError> {
    let buffered = || BufReader::new(reader.clone());
    // That it is a zip archive was seen by a header at its start. To search for another start, after data
    // that precedes the archive, would take as much memory as a hostile archive likes.
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut archive = ZipIterable::try_new(buffered(), config).map_err(|error| problem(&error))?;
    let exceeds = archive.len() as u64 > max_members;
    let mut names = Names::default();
    let entries = archive.files().map_err(|error| problem(&error))?;
    for entry in entries.take(usize::try_from(max_members).unwrap_or(usize::MAX)) {
        let entry = entry.map_err(|error| problem(&error))?;
        extend_directory(listing, entry.central_header_start())?;
        let member = member(&entry);
        if member.kind != MemberKind::Directory {
            names.add(&member.name, entry.name_raw());
        }
        listing.members.push(member);
    }
    if exceeds {
        return Err(SourceError::Archive(Limit::Members.to_string()));
    }
    if let Some(name) = names.duplicate {
        return Err(SourceError::Archive(format!("the directory has two members called '{name}'")));
    }
    let archive = ZipArchive::with_config(config, buffered());
    let consistent = archive.and_then(|mut archive| archive.validate_header_consistency());
    consistent.map_err(|error| problem(&error))
}

/// Notes that the directory reaches to the entry at `start`.
fn extend_directory(listing: &mut Listing, start: u64) -> Result<(), SourceError> {
    if listing.members.is_empty() {
        listing.directory.start = start;
    }
    listing.directory.end = start + ENTRY_BYTES;
    if start - listing.directory.start > MAX_DIRECTORY_BYTES {
        let text =
            format!("the directory has more than {MAX_DIRECTORY_BYTES} bytes; the rest of it is not read");
        return Err(SourceError::Archive(text));
    }
    Ok(())
}

/// The member of a directory's entry.
fn member(entry: &ZipFileEntry<'_>) -> Member {
    let name = match entry.name() {
        Ok(name) => member_name(name.as_bytes()),
        Err(_) => member_name(entry.name_raw()),
    };
    let (bytes, compressed_bytes) = (entry.size(), entry.compressed_size());
    let kind = if entry.is_dir() && bytes == 0 && compressed_bytes == 0 {
        MemberKind::Directory
    } else if entry.is_symlink() && bytes <= MAX_LINK_BYTES {
        MemberKind::Link
    } else if entry.encrypted() {
        MemberKind::Unreadable("encrypted")
    } else {
        MemberKind::of_method(method_number(entry.compression()))
    };
    let content = Content { compressed_bytes, bytes, crc: entry.crc32() };
    Member { name, kind, content, header: entry.header_start() }
}

/// The names of the members so far, as hashes.
#[derive(Default)]
struct Names {
    hashes: HashSet<u128>,
    /// The first name that came twice.
    duplicate: Option<String>,
}

impl Names {
    fn add(&mut self, name: &str, raw: &[u8]) {
        if !self.hashes.insert(xxhash_rust::xxh3::xxh3_128(raw)) && self.duplicate.is_none() {
            self.duplicate = Some(name.to_string());
        }
    }
}

/// Puts an error of the crate into words.
fn problem(error: &zip::result::ZipError) -> SourceError {
    let text = error.to_string();
    let text = text.strip_prefix("invalid Zip archive: ").unwrap_or(&text);
    if text == "Could not find EOCD" {
        return SourceError::Archive("the archive has no directory: it is cut short or damaged".into());
    }
    SourceError::Archive(format!("the directory does not describe the whole archive ({text})"))
}

/// The number of a method in the format.
#[allow(deprecated)] // There is no other way to the number of a method that the crate was not built for.
fn method_number(method: zip::CompressionMethod) -> u16 {
    method.to_u16()
}
