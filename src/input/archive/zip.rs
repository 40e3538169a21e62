//! Zip: a directory at the end, members anywhere before it.
//!
//! The directory is read by the crate and held against the archive: what it does not tell is found by the members' own
//! headers ([`LocalHeader`]), as in an archive that is cut short or in a stream. Members are decoded here and held against
//! their size and checksum.

use super::{ExactReader, member_name};
use crate::error::SourceError;
use crate::input::decode::{Decoder, memory_within};
use crate::input::format::Codec;
use crate::input::limits::{Budget, Limit};
use crate::input::peek::PeekReader;
use crate::input::raw::{OneStream, RawDecoder};
use flate2::Crc;
use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::rc::Rc;
use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};
use zip::unstable::read::ZipIterable;

/// The most bytes of a directory that are read: what is kept of it takes several times as much memory.
const MAX_DIRECTORY: u64 = 32 << 20;
/// The most bytes that a link can point to; what is longer is a file with a mode that is wrong.
const MAX_LINK: u64 = 4096;
/// The size of a member's own header before its name.
const LOCAL_HEADER: usize = 30;
const LOCAL_MAGIC: &[u8] = b"PK\x03\x04";
/// A size that stands in the extra field instead.
const IN_ZIP64: u32 = u32::MAX;

/// What a directory says of a member.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// What it is read as, or why it is not.
    pub kind: MemberKind,
    /// Its size in the archive, in bytes.
    pub compressed: u64,
    /// Its size when decoded, in bytes.
    pub bytes: u64,
    header: u64,
    crc: u32,
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// A file that can be read.
    File(CompressionMethod),
    /// A file that cannot, and why.
    Unreadable(&'static str),
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
}

/// How a member is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionMethod {
    /// Not at all.
    Stored,
    /// Raw deflate.
    Deflate,
    /// A stream of its own.
    Stream(Codec),
}

impl CompressionMethod {
    /// What its decoder leaves of `memory` for those nested in the member.
    pub fn memory_within(self, memory: u64) -> u64 {
        match self {
            CompressionMethod::Stored | CompressionMethod::Deflate => memory,
            CompressionMethod::Stream(codec) => memory_within(codec, memory),
        }
    }
}

/// What an archive's directory tells.
#[derive(Debug, Default)]
pub struct Listing {
    /// Its members in order, at most as many as were asked for.
    pub members: Vec<Member>,
    /// What is wrong with it, if anything is.
    pub problem: Option<SourceError>,
    /// Where it lies.
    directory: Range<u64>,
}

/// Reads the directory and holds it against the archive; at most `most` members are listed.
pub fn list<R: Read + Seek + Clone>(reader: &R, most: u64) -> Listing {
    let mut listing = Listing::default();
    let reader = || BufReader::new(reader.clone());
    // The format is told by a header at the begin; to look for another begin takes memory as a hostile archive pleases.
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut archive = match ZipIterable::try_new(reader(), config) {
        Ok(archive) => archive,
        Err(error) => {
            listing.problem = Some(problem(&error));
            return listing;
        }
    };
    if archive.len() as u64 > most {
        listing.problem = Some(SourceError::Archive(Limit::Members.to_string()));
    }
    let mut names = HashSet::new();
    let mut twice = None;
    let entries = match archive.files() {
        Ok(entries) => entries,
        Err(error) => {
            listing.problem = Some(problem(&error));
            return listing;
        }
    };
    for entry in entries.take(usize::try_from(most).unwrap_or(usize::MAX)) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                listing.problem = Some(problem(&error));
                return listing;
            }
        };
        let start = entry.central_header_start();
        listing.directory.start = if listing.members.is_empty() { start } else { listing.directory.start };
        listing.directory.end = start + 46;
        if start - listing.directory.start > MAX_DIRECTORY {
            let text =
                format!("the directory has more than {MAX_DIRECTORY} bytes; the rest of it is not read");
            listing.problem = Some(SourceError::Archive(text));
            return listing;
        }
        let name = match entry.name() {
            Ok(name) => member_name(name.as_bytes()),
            Err(_) => member_name(entry.name_raw()),
        };
        let kind = if entry.is_dir() && entry.size() == 0 && entry.compressed_size() == 0 {
            MemberKind::Directory
        } else if entry.is_symlink() && entry.size() <= MAX_LINK {
            MemberKind::Link
        } else if entry.encrypted() {
            MemberKind::Unreadable("encrypted")
        } else {
            kind_of(method_number(entry.compression()))
        };
        let hash = xxhash_rust::xxh3::xxh3_128(entry.name_raw());
        if kind != MemberKind::Directory && !names.insert(hash) && twice.is_none() {
            twice = Some(name.clone());
        }
        listing.members.push(Member {
            name,
            kind,
            compressed: entry.compressed_size(),
            bytes: entry.size(),
            header: entry.header_start(),
            crc: entry.crc32(),
        });
    }
    if listing.problem.is_some() {
        return listing;
    }
    listing.problem = match twice {
        Some(name) => Some(SourceError::Archive(format!("the directory has two members called '{name}'"))),
        None => ZipArchive::with_config(config, reader())
            .and_then(|mut zip| zip.validate_header_consistency())
            .err()
            .map(|error| problem(&error)),
    };
    listing
}

fn problem(error: &zip::result::ZipError) -> SourceError {
    let text = error.to_string();
    let text = text.strip_prefix("invalid Zip archive: ").unwrap_or(&text);
    if text == "Could not find EOCD" {
        return SourceError::Archive("the archive has no directory: it is cut short or damaged".into());
    }
    SourceError::Archive(format!("the directory does not tell the whole archive ({text})"))
}

/// The number of a method in the format.
#[allow(deprecated)] // The only way to the number of a method that the crate was not built for.
fn method_number(method: zip::CompressionMethod) -> u16 {
    method.to_u16()
}

fn kind_of(method: u16) -> MemberKind {
    match method {
        0 => MemberKind::File(CompressionMethod::Stored),
        8 => MemberKind::File(CompressionMethod::Deflate),
        12 => MemberKind::File(CompressionMethod::Stream(Codec::Bzip2)),
        20 | 93 => MemberKind::File(CompressionMethod::Stream(Codec::Zstd)),
        95 => MemberKind::File(CompressionMethod::Stream(Codec::Xz)),
        1 => MemberKind::Unreadable("compressed by shrinking, which is not read; unpack it first"),
        6 => MemberKind::Unreadable("compressed by imploding, which is not read; unpack it first"),
        9 => MemberKind::Unreadable("compressed by Deflate64, which is not read; unpack it first"),
        14 => MemberKind::Unreadable("compressed by LZMA, which is not read; unpack it first"),
        98 => MemberKind::Unreadable("compressed by PPMd, which is not read; unpack it first"),
        99 => MemberKind::Unreadable("encrypted"),
        _ => MemberKind::Unreadable("compressed by a method that is not known"),
    }
}

/// Opens a member; its bytes end with an error where they are not what the directory says.
///
/// # Errors
///
/// [`SourceError::Open`] and [`SourceError::Archive`]: no member begins where the directory says.
pub fn open<'r, R: Read + Seek + 'r>(
    mut reader: R,
    member: &Member,
    method: CompressionMethod,
    memory: u64,
    budget: &Rc<Budget>,
) -> Result<PeekReader<'r>, SourceError> {
    let data = data_start(&mut reader, member.header).map_err(SourceError::Open)?;
    let Some(data) = data else {
        return Err(SourceError::Archive("no member begins where the directory says".into()));
    };
    reader.seek(SeekFrom::Start(data)).map_err(SourceError::Open)?;
    let stored = PeekReader::with_size_hint(ExactReader::new(reader, member.compressed), member.compressed);
    let decoded = decoded(stored, method, memory, budget);
    Ok(PeekReader::with_size_hint(
        ChecksumReader::new(decoded, Some((member.bytes, member.crc))),
        member.bytes,
    ))
}

/// A member's bytes, not yet held against anything.
fn decoded<'r>(
    reader: PeekReader<'r>,
    method: CompressionMethod,
    memory: u64,
    budget: &Rc<Budget>,
) -> Box<dyn Read + 'r> {
    match method {
        CompressionMethod::Stored => Box::new(reader),
        CompressionMethod::Deflate => Box::new(WholeDeflate(OneStream::new(RawDecoder::deflate(), reader))),
        CompressionMethod::Stream(codec) => Box::new(Decoder::new(codec, reader, memory, budget.clone())),
    }
}

/// Deflate data that fills all of its reader; what is left behind it is an error.
struct WholeDeflate<'r>(OneStream<PeekReader<'r>>);

impl Read for WholeDeflate<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.0.read(into)?;
        if got == 0 && !into.is_empty() && !self.0.reader().fill_buf()?.is_empty() {
            return Err(io::Error::other("something follows the deflate data"));
        }
        Ok(got)
    }
}

/// Where the data of the member begins whose header is at `header`; none if there is none.
fn data_start<R: Read + Seek>(reader: &mut R, header: u64) -> io::Result<Option<u64>> {
    reader.seek(SeekFrom::Start(header))?;
    let mut fixed = [0; LOCAL_HEADER];
    match reader.read_exact(&mut fixed) {
        Ok(()) if fixed.starts_with(LOCAL_MAGIC) => {}
        Ok(()) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let len = |at: usize| u64::from(u16::from_le_bytes([fixed[at], fixed[at + 1]]));
    Ok(header.checked_add(LOCAL_HEADER as u64 + len(26) + len(28)))
}

/// A member's bytes, held against the size and the checksum that were promised.
struct ChecksumReader<'r> {
    inner: Box<dyn Read + 'r>,
    promised: Option<(u64, u32)>,
    crc: Crc,
    got: u64,
}

impl<'r> ChecksumReader<'r> {
    fn new(inner: Box<dyn Read + 'r>, promised: Option<(u64, u32)>) -> ChecksumReader<'r> {
        ChecksumReader { inner, promised, crc: Crc::new(), got: 0 }
    }
}

impl Read for ChecksumReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.promised.map_or(u64::MAX, |(bytes, _)| bytes - self.got);
        let len = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        // Behind the promised bytes one more is asked for, which must not come.
        let mut probe = [0];
        let got = match self.inner.read(if len > 0 { &mut into[..len] } else { &mut probe }) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Err(io::Error::other("deflate data is damaged"));
            }
            got => got?,
        };
        let Some((bytes, crc)) = self.promised else { return Ok(got) };
        match (got, len) {
            (1.., 0) => {
                Err(io::Error::other(format!("longer than the {bytes} bytes that the directory says")))
            }
            (1.., _) => {
                self.crc.update(&into[..got]);
                self.got += got as u64;
                Ok(got)
            }
            (0, _) if self.got < bytes => {
                let text = format!("{} bytes instead of the {bytes} that the directory says", self.got);
                Err(io::Error::other(text))
            }
            (0, _) if self.crc.sum() != crc => Err(io::Error::other("the checksum is wrong")),
            (0, _) => Ok(0),
        }
    }
}

/// Where members lie that the directory does not tell: what no listed member and not the directory itself takes up,
/// from the next header in it on.
pub struct UnlistedMembers<R> {
    reader: R,
    gaps: Vec<Range<u64>>,
}

impl<R: Read + Seek + Clone> UnlistedMembers<R> {
    /// Looks beside what `listing` lists, in an archive of `bytes` bytes.
    pub fn new(reader: R, listing: &Listing, bytes: u64) -> UnlistedMembers<R> {
        let mut headers = BufReader::with_capacity(LOCAL_HEADER, reader.clone());
        let mut taken: Vec<Range<u64>> = vec![listing.directory.clone()];
        for member in &listing.members {
            if let Ok(Some(data)) = data_start(&mut headers, member.header) {
                taken.push(member.header..data.saturating_add(member.compressed));
            }
        }
        taken.sort_unstable_by_key(|range| (range.start, range.end));
        let mut gaps = Vec::new();
        let mut at = 0;
        for range in taken {
            if range.start > at {
                gaps.push(at..range.start.min(bytes));
            }
            at = at.max(range.end);
        }
        if at < bytes {
            gaps.push(at..bytes);
        }
        gaps.retain(|gap| gap.end.saturating_sub(gap.start) >= LOCAL_HEADER as u64);
        gaps.reverse();
        UnlistedMembers { reader, gaps }
    }

    /// The next run of headers, as a stream that ends where the gap does. Say with [`UnlistedMembers::advance_to`] how much of it
    /// was read.
    ///
    /// # Errors
    ///
    /// What reading gives.
    pub fn next<'r>(&mut self) -> io::Result<Option<PeekReader<'r>>>
    where
        R: 'r,
    {
        while let Some(mut gap) = self.gaps.pop() {
            if let Some(at) = find_header(&mut self.reader.clone(), gap.clone())? {
                let mut reader = self.reader.clone();
                reader.seek(SeekFrom::Start(at))?;
                let stream = PeekReader::new(reader.take(gap.end - at));
                gap.start = at + LOCAL_MAGIC.len() as u64;
                self.gaps.push(gap);
                return Ok(Some(stream));
            }
        }
        Ok(None)
    }

    /// Goes on behind the first `bytes` of the stream given last.
    pub fn advance_to(&mut self, bytes: u64) {
        if let Some(gap) = self.gaps.last_mut() {
            gap.start = gap.end.min(gap.start + bytes.saturating_sub(LOCAL_MAGIC.len() as u64));
        }
    }
}

/// The first place in `gap` that looks like a member's header.
fn find_header<R: Read + Seek>(reader: &mut R, gap: Range<u64>) -> io::Result<Option<u64>> {
    reader.seek(SeekFrom::Start(gap.start))?;
    let mut stream = PeekReader::new(reader.take(gap.end - gap.start));
    loop {
        let buffer = stream.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        match memchr::memchr(LOCAL_MAGIC[0], buffer) {
            None => {
                let len = buffer.len();
                stream.consume(len);
            }
            Some(at) => {
                stream.consume(at);
                if LocalHeader::parse(stream.peek(LOCAL_HEADER)).is_some() {
                    return Ok(Some(gap.start + stream.consumed()));
                }
                stream.consume(1);
            }
        }
    }
}

/// A member as its own header tells it.
#[derive(Debug)]
pub struct LocalHeader {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: MemberKind,
    /// Its size in the archive, its size when decoded and its checksum; none where they follow the data.
    sizes: Option<(u64, u64, u32)>,
}

impl LocalHeader {
    /// The fixed part of a header: flags, method, checksum, sizes, lengths of name and extra field.
    fn parse(fixed: &[u8]) -> Option<(u16, u16, u32, u32, u32, usize, usize)> {
        let fixed: &[u8; LOCAL_HEADER] = fixed.try_into().ok()?;
        let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let long = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let (version, method, name) = (short(4) & 0xff, short(8), short(26));
        let plausible = fixed.starts_with(LOCAL_MAGIC) && version <= 63 && method <= 99 && name > 0;
        plausible.then(|| {
            (short(6), method, long(14), long(18), long(22), usize::from(name), usize::from(short(28)))
        })
    }

    /// Reads the header that `reader` stands at; none if it stands at none.
    ///
    /// # Errors
    ///
    /// What reading gives, and a cut.
    pub fn read(reader: &mut PeekReader<'_>) -> io::Result<Option<LocalHeader>> {
        let Some((flags, method, crc, compressed, bytes, name_len, extra_len)) =
            LocalHeader::parse(reader.peek(LOCAL_HEADER))
        else {
            return Ok(None);
        };
        reader.consume(LOCAL_HEADER);
        let mut name = vec![0; name_len];
        reader.read_exact(&mut name)?;
        let mut extra = vec![0; extra_len];
        reader.read_exact(&mut extra)?;
        let (mut compressed, mut bytes) = (widened(compressed), widened(bytes));
        if let Some(mut zip64) = extra_field(&extra, 1) {
            for size in [&mut bytes, &mut compressed] {
                if size.is_none()
                    && let Some((long, rest)) = zip64.split_first_chunk::<8>()
                {
                    (*size, zip64) = (Some(u64::from_le_bytes(*long)), rest);
                }
            }
        }
        let name = member_name(&name);
        let kind = match (name.ends_with('/') && compressed == Some(0) && bytes == Some(0), flags & 1) {
            (true, _) => MemberKind::Directory,
            (_, 1) => MemberKind::Unreadable("encrypted"),
            _ => kind_of(method),
        };
        let sizes = match (compressed, bytes) {
            // Bit 3: they follow the data.
            _ if flags & 8 != 0 && compressed.unwrap_or(0) == 0 => None,
            (Some(compressed), Some(bytes)) => Some((compressed, bytes, crc)),
            _ => None,
        };
        Ok(Some(LocalHeader { name, kind, sizes }))
    }

    /// The member's bytes, from a reader that stands behind its header.
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
            MemberKind::Unreadable(why) => return Err(why),
            MemberKind::Directory | MemberKind::Link => return Err("no file"),
        };
        match (self.sizes, method) {
            (Some((compressed, bytes, crc)), _) => {
                let stored = PeekReader::with_size_hint(ExactReader::new(reader, compressed), compressed);
                Ok(PeekReader::with_size_hint(
                    ChecksumReader::new(decoded(stored, method, memory, budget), Some((bytes, crc))),
                    bytes,
                ))
            }
            // It ends by itself, and the decoder takes no byte behind its end.
            (None, CompressionMethod::Deflate) => {
                let deflate: Box<dyn Read> = Box::new(OneStream::new(RawDecoder::deflate(), reader));
                Ok(PeekReader::new(ChecksumReader::new(deflate, None)))
            }
            _ => Err("its size is not known where it begins"),
        }
    }

    /// Passes what is left of the member, which took the reader's bytes from `data` on, and what may follow it; whether
    /// the next header can be told.
    ///
    /// # Errors
    ///
    /// What reading gives.
    pub fn pass(&self, reader: &mut PeekReader<'_>, data: u64) -> io::Result<bool> {
        if let Some((compressed, ..)) = self.sizes {
            let left = data.saturating_add(compressed).saturating_sub(reader.consumed());
            return Ok(io::copy(&mut reader.by_ref().take(left), &mut io::sink())? == left);
        }
        if self.kind == MemberKind::File(CompressionMethod::Deflate) {
            // The sizes, of 4 or 8 bytes, with or without a mark; the next record begins with PK.
            let follows = reader.peek(28);
            let lens = if follows.starts_with(b"PK\x07\x08") { [16, 24] } else { [12, 20] };
            if let Some(len) = lens.into_iter().find(|len| follows.get(*len..*len + 2) == Some(b"PK")) {
                reader.consume(len);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn widened(size: u32) -> Option<u64> {
    (size != IN_ZIP64).then_some(u64::from(size))
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
