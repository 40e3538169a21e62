//! Unpacking: any bytes are unpacked to the same result twice and in any pieces, within the limits, and to an
//! end.

use migsift::error::SourceError;
use migsift::input::archive::zip::ZipFile;
use migsift::input::limits::Budget;
use migsift::input::{
    ContainerFormat, FoundBy, Globs, Limits, PeekReader, Position, Selection, Transcoder, Unpacker, Visitor,
};
use std::io::{self, Cursor, Read};
use std::rc::Rc;

/// The limit of decoded bytes.
const OUTPUT: u64 = 256 << 10;
/// The limit of members.
const MEMBERS: u64 = 24;

/// Collects the sources, and what was not read.
#[derive(Debug, Default, PartialEq)]
struct Collected {
    sources: Vec<Source>,
    problems: Vec<(Option<String>, String)>,
    bytes: u64,
}

/// A source that was read to its end.
#[derive(Debug, PartialEq)]
struct Source {
    member: Option<String>,
    hash: u64,
    len: usize,
    error: Option<String>,
}

impl Visitor for Collected {
    fn source(&mut self, member: Option<&str>, mut reader: PeekReader<'_>) {
        let mut bytes = Vec::new();
        let end = Transcoder::new(PeekReader::new(&mut reader)).read_to_end(&mut bytes);
        self.bytes += reader.consumed();
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        let (member, error) = (member.map(str::to_string), end.err().map(|error| error.to_string()));
        self.sources.push(Source { member, hash, len: bytes.len(), error });
    }

    fn unread(&mut self, member: Option<&str>, problem: SourceError) {
        self.problems.push((member.map(str::to_string), problem.to_string()));
    }

    fn damaged(&mut self, member: Option<&str>, problem: SourceError) {
        self.problems.push((member.map(str::to_string), problem.to_string()));
    }

    fn stopped(&self) -> bool {
        false
    }
}

/// Returns `step` bytes at a time, and is interrupted before each read.
struct SlowReader<'b> {
    bytes: &'b [u8],
    step: usize,
    interrupted: bool,
}

impl Read for SlowReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = self.step.min(into.len()).min(self.bytes.len());
        into[..len].copy_from_slice(&self.bytes[..len]);
        self.bytes = &self.bytes[len..];
        Ok(len)
    }
}

fn unpack(limits: &Limits, with: impl FnOnce(&mut Unpacker<'_>)) -> Collected {
    let (globs, mut collected) = (Globs::default(), Collected::default());
    let budget = Rc::new(Budget::new(limits.allowance(0)));
    with(&mut Unpacker {
        limits,
        globs: &globs,
        own_outputs: &[],
        budget: budget.clone(),
        visitor: &mut collected,
    });
    let taken = budget.taken();
    assert!(taken.output <= OUTPUT && taken.members <= MEMBERS, "{taken:?}");
    collected
}

pub fn check(data: &[u8]) {
    let mut limits = Limits::default();
    (limits.nesting, limits.members) = (4, MEMBERS);
    (limits.member_bytes, limits.output_bytes) = (Some(128 << 10), Some(OUTPUT));
    (limits.metadata_bytes, limits.decoder_memory) = (4 << 10, 24 << 20);
    let position = Position::outer(&limits, FoundBy::Name, Selection::All);
    let stream = |step: usize| {
        let reader = SlowReader { bytes: data, step, interrupted: false };
        unpack(&limits, |unpacker| unpacker.unpack(position, PeekReader::new(reader)))
    };
    let whole = unpack(&limits, |unpacker| unpacker.unpack(position, PeekReader::new(data)));
    // What is neither packed nor an archive is one source.
    if ContainerFormat::of(data).is_none() {
        assert!(whole.sources.len() == 1 && whole.bytes == data.len() as u64, "{whole:?}");
    }
    for step in [1, 7, 1000] {
        assert_eq!(stream(step), whole, "in pieces of {step}");
    }
    if ContainerFormat::of(data) == Some(ContainerFormat::Zip) {
        let seek = || {
            unpack(&limits, |unpacker| {
                unpacker.zip(position, &ZipFile::new(Cursor::new(data), data.len() as u64))
            })
        };
        assert_eq!(seek(), seek());
    }
}
