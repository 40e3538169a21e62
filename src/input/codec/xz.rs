//! xz: any number of streams.

use super::raw::{Next, OneStream, RawDecoder, Step, Totals};
use super::{Codec, FRAME_COST_BYTES, Padding, Spec, magic_suffices};
use crate::input::limits::Limit;
use liblzma::stream::{Action, Error, Status, Stream};
use std::io;

pub(super) static SPEC: Spec = Spec {
    codec: Codec::Xz,
    name: "xz",
    magic: b"\xfd7zXZ\0",
    head_bytes: 6,
    confirm: magic_suffices,
    // Its dictionary may take half of the memory; the other half is left to what is nested.
    open: |reader, memory| {
        Ok(Box::new(OneStream::new(Liblzma(Stream::new_stream_decoder(memory / 2, 0)?), reader)))
    },
    memory_left: |memory| memory / 2,
    frame_cost_bytes: FRAME_COST_BYTES,
    followed_by: &[Codec::Xz],
    padding: Padding::ZerosInFours,
    skippable_frames: false,
    zip_methods: &[95],
};

/// A decoder of the library that reads both .xz and .lzma.
pub(super) struct Liblzma(pub Stream);

impl Liblzma {
    fn totals(&self) -> Totals {
        Totals { input: self.0.total_in(), output: self.0.total_out() }
    }
}

impl RawDecoder for Liblzma {
    fn step(&mut self, input: &[u8], into: &mut [u8]) -> Step {
        let before = self.totals();
        let next = match self.0.process(input, into, Action::Run) {
            Ok(status) => Ok(Next::end_if(status == Status::StreamEnd)),
            Err(Error::MemLimit) => Err(Limit::DecoderMemory.into()),
            Err(error) => Err(io::Error::from(error)),
        };
        before.step_to(self.totals(), next)
    }
}
