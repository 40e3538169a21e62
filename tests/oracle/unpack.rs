//! Unpacking: any bytes give the same twice and in any pieces, within the limits, and end.

use migsift::error::SourceError;
use migsift::input::archive::zip::ZipFile;
use migsift::input::limits::Budget;
use migsift::input::{
    ContainerFormat, FoundBy, Globs, Limits, PeekReader, Position, Selection, Transcoder, Unpacker, Visitor,
};
use std::io::{self, Cursor, Read};
use std::rc::Rc;

/// Decoded bytes.
const OUTPUT: u64 = 256 << 10;
/// Members.
const MEMBERS: u64 = 24;

/// What was found: for each source its member, a checksum of its bytes and how it ended, and what was not read.
#[derive(Debug, Default, PartialEq)]
struct Taken {
    sources: Vec<(Option<String>, u64, usize, Option<String>)>,
    problems: Vec<(Option<String>, String)>,
    bytes: u64,
}

impl Visitor for Taken {
    fn source(&mut self, member: Option<&str>, mut reader: PeekReader<'_>) {
        let mut bytes = Vec::new();
        let end = Transcoder::new(PeekReader::new(&mut reader)).read_to_end(&mut bytes);
        self.bytes += reader.consumed();
        let hash = xxhash_rust::xxh3::xxh3_64(&bytes);
        self.sources.push((
            member.map(str::to_string),
            hash,
            bytes.len(),
            end.err().map(|error| error.to_string()),
        ));
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

/// Gives so many bytes at a time, and is interrupted before each.
struct Drip<'b> {
    bytes: &'b [u8],
    step: usize,
    interrupted: bool,
}

impl Read for Drip<'_> {
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

fn unpack(limits: &Limits, with: impl FnOnce(&mut Unpacker<'_>)) -> Taken {
    let (globs, mut taken) = (Globs::default(), Taken::default());
    let budget = Rc::new(Budget::new(limits.allowance(0)));
    with(&mut Unpacker { limits, globs: &globs, budget: budget.clone(), visitor: &mut taken });
    let spent = budget.taken();
    assert!(spent.output <= OUTPUT && spent.members <= MEMBERS, "{spent:?}");
    taken
}

pub fn check(data: &[u8]) {
    let limits = Limits {
        nesting: 4,
        members: MEMBERS,
        member_bytes: Some(128 << 10),
        output_bytes: Some(OUTPUT),
        metadata_bytes: 4 << 10,
        decoder_memory: 24 << 20,
    };
    let place = Position::outer(&limits, FoundBy::Name, Selection::All);
    let stream = |step: usize| {
        let drip = Drip { bytes: data, step, interrupted: false };
        unpack(&limits, |unpacker| unpacker.unpack(place, PeekReader::new(drip)))
    };
    let whole = unpack(&limits, |unpacker| unpacker.unpack(place, PeekReader::new(data)));
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
                unpacker.zip(place, &ZipFile::new(Cursor::new(data), data.len() as u64))
            })
        };
        assert_eq!(seek(), seek());
    }
}
