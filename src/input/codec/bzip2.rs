//! bzip2: any number of streams.

use super::raw::{Next, OneStream, RawDecoder, Step, Totals};
use super::{Codec, Padding, Spec};
use bzip2::{Decompress, Status};
use std::io;

/// What the first block starts with (the digits of π), or what ends a stream without blocks (those of its
/// root).
const FIRST_BLOCK: [&[u8]; 2] = [b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90"];

pub(super) static SPEC: Spec = Spec {
    codec: Codec::Bzip2,
    name: "bzip2",
    magic: b"BZh",
    head_bytes: 10,
    // Its magic bytes are text: "BZh9" may start a log.
    confirm: |head| matches!(head[3], b'1'..=b'9') && FIRST_BLOCK.contains(&&head[4..10]),
    open: |reader, _| Ok(Box::new(OneStream::new(Bzip2(Decompress::new(false)), reader))),
    // It takes less than 5 MiB.
    memory_left: |memory| memory,
    // A decoder takes 120 µs to start, in which others decode this much.
    frame_cost_bytes: 64 << 10,
    followed_by: &[Codec::Bzip2],
    padding: Padding::None,
    skippable_frames: false,
    zip_methods: &[12],
};

struct Bzip2(Decompress);

impl Bzip2 {
    fn totals(&self) -> Totals {
        Totals { input: self.0.total_in(), output: self.0.total_out() }
    }
}

impl RawDecoder for Bzip2 {
    fn step(&mut self, input: &[u8], into: &mut [u8]) -> Step {
        let before = self.totals();
        let status = self.0.decompress(input, into);
        let next = status.map(|status| Next::end_if(status == Status::StreamEnd)).map_err(io::Error::from);
        before.step_to(self.totals(), next)
    }
}
