//! Zip archives, made byte by byte: headers and directory can say anything, true or not.

use super::{Codec, pack};
use std::io::Write;

pub const STORED: u16 = 0;
pub const DEFLATE: u16 = 8;
pub const BZIP2: u16 = 12;
pub const ZSTD: u16 = 93;
pub const XZ: u16 = 95;
pub const METHODS: [u16; 5] = [STORED, DEFLATE, BZIP2, ZSTD, XZ];

/// A member, and what its headers say of it.
#[derive(Debug, Clone)]
pub struct Member {
    pub name: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    /// The bytes in the archive.
    pub data: Vec<u8>,
    /// The size and the checksum that its headers state.
    pub size: u64,
    pub crc: u32,
    /// The unix mode.
    pub mode: u32,
    /// Whether the sizes are in the extra field.
    pub zip64: bool,
    /// Whether the directory lists it.
    pub listed: bool,
    /// Whether it is in the archive itself; else it is only in the directory.
    pub present: bool,
}

/// A file, as a member.
pub fn member(name: impl AsRef<[u8]>, method: u16, bytes: impl AsRef<[u8]>) -> Member {
    let (name, bytes) = (name.as_ref().to_vec(), bytes.as_ref());
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let data = match method {
        DEFLATE => {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).expect("writes");
            encoder.finish().expect("ends")
        }
        BZIP2 => pack(Codec::Bzip2, bytes),
        ZSTD => pack(Codec::Zstd, bytes),
        XZ => pack(Codec::Xz, bytes),
        _ => bytes.to_vec(),
    };
    Member {
        name,
        method,
        flags: 0,
        data,
        size: bytes.len() as u64,
        crc: crc.sum(),
        mode: 0o100_644,
        zip64: false,
        listed: true,
        present: true,
    }
}

impl Member {
    /// Its sizes and checksum follow its data.
    pub fn streamed(mut self) -> Member {
        self.flags |= 8;
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Member)) -> Member {
        change(&mut self);
        self
    }

    fn extra(&self) -> Vec<u8> {
        if !self.zip64 {
            return Vec::new();
        }
        let sizes = [self.size.to_le_bytes(), (self.data.len() as u64).to_le_bytes()].concat();
        [&[1, 0, 16, 0][..], &sizes].concat()
    }

    fn sizes(&self) -> [u32; 2] {
        if self.zip64 { [u32::MAX; 2] } else { [self.data.len() as u32, self.size as u32] }
    }

    /// The fields that both headers have, from the flags to the length of the extra field.
    fn shared(&self, streamed: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let [compressed, size] = if streamed { [0; 2] } else { self.sizes() };
        let crc = if streamed { 0 } else { self.crc };
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0, 0, 0x21, 0]);
        out.extend([crc, compressed, size].into_iter().flat_map(u32::to_le_bytes));
        out.extend((self.name.len() as u16).to_le_bytes());
        let extra = if streamed { 0 } else { self.extra().len() as u16 };
        out.extend(extra.to_le_bytes());
        out
    }

    /// Its header, its data and what follows them.
    pub fn local(&self) -> Vec<u8> {
        let streamed = self.flags & 8 != 0;
        let mut out = b"PK\x03\x04\x2d\0".to_vec();
        out.extend(self.shared(streamed));
        out.extend(&self.name);
        if !streamed {
            out.extend(self.extra());
        }
        out.extend(&self.data);
        if streamed {
            out.extend(b"PK\x07\x08");
            out.extend(self.crc.to_le_bytes());
            if self.zip64 {
                out.extend((self.data.len() as u64).to_le_bytes());
                out.extend(self.size.to_le_bytes());
            } else {
                out.extend((self.data.len() as u32).to_le_bytes());
                out.extend((self.size as u32).to_le_bytes());
            }
        }
        out
    }

    fn central(&self, offset: u32) -> Vec<u8> {
        let mut out = b"PK\x01\x02\x2d\x03\x2d\0".to_vec();
        out.extend(self.shared(false));
        out.extend([0; 6]);
        out.extend((self.mode << 16).to_le_bytes());
        out.extend(offset.to_le_bytes());
        out.extend(&self.name);
        out.extend(self.extra());
        out
    }
}

/// An archive, and what the end of its directory says of it.
#[derive(Debug, Clone, Default)]
pub struct Zip {
    pub members: Vec<Member>,
    pub comment: Vec<u8>,
    /// How many members the end of the directory claims, if that is not true.
    pub claimed: Option<u16>,
    /// Whether the end of the directory has its large form, too.
    pub zip64: bool,
    /// Whether all entries of the directory point to the first member.
    pub overlapping: bool,
}

impl Zip {
    pub fn new(members: impl IntoIterator<Item = Member>) -> Zip {
        Zip { members: members.into_iter().collect(), ..Zip::default() }
    }

    pub fn with(mut self, change: impl FnOnce(&mut Zip)) -> Zip {
        change(&mut self);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let (mut out, mut directory, mut listed) = (Vec::new(), Vec::new(), 0u16);
        for member in &self.members {
            let offset = if self.overlapping { 0 } else { out.len() as u32 };
            if member.present {
                out.extend(member.local());
            }
            if member.listed {
                directory.extend(member.central(offset));
                listed += 1;
            }
        }
        let start = out.len();
        out.extend(&directory);
        let claimed = self.claimed.unwrap_or(listed);
        if self.zip64 {
            let end = out.len() as u64;
            out.extend(b"PK\x06\x06");
            out.extend(44u64.to_le_bytes());
            out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for number in [u64::from(claimed), u64::from(claimed), directory.len() as u64, start as u64] {
                out.extend(number.to_le_bytes());
            }
            out.extend(b"PK\x06\x07\0\0\0\0");
            out.extend(end.to_le_bytes());
            out.extend(1u32.to_le_bytes());
        }
        out.extend(if self.zip64 {
            end_record(u16::MAX, u32::MAX, u32::MAX, self.comment.len() as u16)
        } else {
            end_record(claimed, directory.len() as u32, start as u32, self.comment.len() as u16)
        });
        out.extend(&self.comment);
        out
    }
}

/// The record at the end of an archive.
pub fn end_record(members: u16, bytes: u32, start: u32, comment: u16) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    out.extend(members.to_le_bytes());
    out.extend(members.to_le_bytes());
    out.extend(bytes.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend(comment.to_le_bytes());
    out
}

/// A sound archive of files that use all methods in turn.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let methods = METHODS.iter().cycle();
    Zip::new(members.iter().zip(methods).map(|((name, bytes), method)| member(name, *method, bytes))).bytes()
}
