//! Archives: their members, read one by one and never written anywhere.
//!
//! `tar` reads from a stream (with `block` and `sparse`), `zip` from anything that can be sought in, and `member` holds what both need.
//! They know headers, names and sizes; what a member contains is left to [`Unpacker`](super::Unpacker).

mod block;
mod member;
mod sparse;
pub mod tar;
pub mod zip;
