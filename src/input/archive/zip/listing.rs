//! Members of zip archives: what headers and the directory say of them.

use crate::error::SourceError;
use crate::input::codec::Codec;
use std::ops::Range;

/// What the directory of an archive lists.
#[derive(Debug, Default)]
pub struct Listing {
    /// The members in their order, at most as many as were asked for.
    pub members: Vec<Member>,
    /// What is wrong with the directory; taken by whoever reports it.
    pub problem: Option<SourceError>,
    /// Whether there is or was a problem.
    pub is_damaged: bool,
    /// Where in the archive the directory is.
    pub(super) directory: Range<u64>,
}

impl Listing {
    /// The listing of an archive whose directory could not be read, after that was reported.
    pub fn unreadable() -> Listing {
        Listing { is_damaged: true, ..Listing::default() }
    }
}

/// A member as the directory describes it.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// How it is read, or why it is not.
    pub kind: MemberKind,
    /// What it holds.
    pub content: Content,
    /// Where its local header is.
    pub(super) header: u64,
}

/// Sizes and checksum of a member.
#[derive(Debug, Clone, Copy)]
pub struct Content {
    /// Its size in the archive, in bytes.
    pub compressed_bytes: u64,
    /// Its size when decoded, in bytes.
    pub bytes: u64,
    /// The CRC-32 of the decoded bytes.
    pub crc: u32,
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// A file that can be read.
    File(CompressionMethod),
    /// A file that cannot be read, and why.
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
    /// Deflate data without a header.
    Deflate,
    /// A complete stream of a codec.
    Stream(Codec),
}

impl CompressionMethod {
    /// The memory that its decoder leaves, of `memory`, to those nested in the member.
    pub fn memory_left(self, memory: u64) -> u64 {
        match self {
            CompressionMethod::Stored | CompressionMethod::Deflate => memory,
            CompressionMethod::Stream(codec) => (codec.spec().memory_left)(memory),
        }
    }
}

impl MemberKind {
    /// The kind of a file that is compressed by the method with this number.
    pub(super) fn of_method(method: u16) -> MemberKind {
        if let Some(codec) = Codec::of_zip_method(method) {
            return MemberKind::File(CompressionMethod::Stream(codec));
        }
        match method {
            0 => MemberKind::File(CompressionMethod::Stored),
            8 => MemberKind::File(CompressionMethod::Deflate),
            1 => MemberKind::Unreadable("compressed by shrinking, which is not read; unpack it first"),
            6 => MemberKind::Unreadable("compressed by imploding, which is not read; unpack it first"),
            9 => MemberKind::Unreadable("compressed by Deflate64, which is not read; unpack it first"),
            14 => MemberKind::Unreadable("compressed by LZMA, which is not read; unpack it first"),
            98 => MemberKind::Unreadable("compressed by PPMd, which is not read; unpack it first"),
            99 => MemberKind::Unreadable("encrypted"),
            _ => MemberKind::Unreadable("compressed by an unknown method"),
        }
    }
}
