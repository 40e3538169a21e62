//! Unpacking: from a stream of bytes to the sources in it.
//!
//! A stream comes in, identified by its first bytes: a compressed one is decoded, an archive is taken apart,
//! both as deep as the limits allow. What is neither is a source and goes to a [`Visitor`]. So does
//! everything that is not read, with the reason: nothing is left out in silence. Nothing is written anywhere,
//! and nothing is known of what sources mean.
//!
//! ```text
//! bundle.zip
//! ├─ app.log            source, member "app.log"
//! ├─ old.tgz            gzip, then tar
//! │  └─ app.log.1       source, member "old.tgz!app.log.1"
//! └─ core.7z            unread: "a 7-Zip archive, which is not read; unpack it first"
//! ```
//!
//! A [`Position`] goes down with each level: the joined name, the depth, the memory that decoders may still
//! use, and whether a glob selected something further out. The [`Budget`] is shared by all levels.

mod zip;

use super::archive::tar::{self, TarVisitor};
use super::codec::Codec;
use super::decode::Decoder;
use super::format::ContainerFormat;
use super::limits::{Budget, BudgetReader, CappedReader, Limit, Limits};
use super::peek::{PEEK_BYTES, PeekReader};
use super::{FoundBy, Globs, Selection, Signature, own_report};
use crate::error::SourceError;
use std::borrow::Cow;
use std::path::Path;
use std::rc::Rc;

/// Receives what unpacking finds.
pub trait Visitor {
    /// Receives a source, to be read to its end. `member` is its name inside the outer file; `None` for that
    /// file's own stream.
    fn source(&mut self, member: Option<&str>, reader: PeekReader<'_>);
    /// Receives something that is not read.
    fn unread(&mut self, member: Option<&str>, problem: SourceError);
    /// Receives a problem of something that holds sources; there may be several of one.
    fn damaged(&mut self, member: Option<&str>, problem: SourceError);
    /// Whether unpacking is to stop.
    fn stopped(&self) -> bool;
}

/// Unpacks one outer file, or a part of one.
pub struct Unpacker<'v> {
    /// The limits.
    pub limits: &'v Limits,
    /// Which members are wanted.
    pub globs: &'v Globs,
    /// Signatures of outputs of this program, which are not read.
    pub own_outputs: &'static [Signature],
    /// What is left of the limits.
    pub budget: Rc<Budget>,
    /// Receives what is found.
    pub visitor: &'v mut dyn Visitor,
}

/// The position of a stream in nested archives and compressed streams.
#[derive(Debug, Clone, Copy)]
pub struct Position<'n> {
    /// Its name inside the outer file; nested ones are joined by `!`.
    pub member: Option<&'n str>,
    /// How many archives and compressed streams are around it.
    pub depth: u32,
    /// The memory that decoders may still use, in bytes.
    pub memory: u64,
    /// Whether somebody named it; a report of this program is skipped if nobody did.
    pub found_by: FoundBy,
    /// Whether it is scanned whatever its own name is.
    pub selection: Selection,
}

impl<'n> Position<'n> {
    /// The outer file itself, found and selected as the [`Input`](super::Input) says.
    pub fn outer(limits: &Limits, found_by: FoundBy, selection: Selection) -> Position<'n> {
        Position { member: None, depth: 0, memory: limits.decoder_memory, found_by, selection }
    }

    /// The name of the archive's member `name` inside the outer file.
    fn joined(self, name: &str) -> String {
        self.member.map_or_else(|| name.to_string(), |outer| format!("{outer}!{name}"))
    }
}

impl Unpacker<'_> {
    /// Unpacks `reader`.
    pub fn unpack(&mut self, position: Position<'_>, mut reader: PeekReader<'_>) {
        let format = ContainerFormat::of(reader.peek(PEEK_BYTES));
        if format.is_some_and(ContainerFormat::is_supported) && position.depth >= self.limits.nesting {
            let limit = Limit::Nesting(self.limits.nesting);
            return self.visitor.unread(position.member, SourceError::Unread(limit.to_string()));
        }
        match format {
            Some(ContainerFormat::Compressed(codec)) => self.compressed(position, codec, reader),
            Some(ContainerFormat::Tar) => self.tar(position, reader),
            Some(ContainerFormat::Zip) => self.zip_in_stream(position, reader),
            Some(ContainerFormat::Unsupported { name, hint }) => {
                let text = format!("{name}, which is not read; {hint}");
                self.visitor.unread(position.member, SourceError::Unread(text));
            }
            None => self.source(position, reader),
        }
    }

    fn compressed(&mut self, position: Position<'_>, codec: Codec, reader: PeekReader<'_>) {
        let decoder = Decoder::new(codec, reader, position.memory, self.budget.clone());
        let reader = PeekReader::new(BudgetReader::new(decoder, self.budget.clone()));
        let memory = (codec.spec().memory_left)(position.memory);
        self.unpack(Position { depth: position.depth + 1, memory, ..position }, reader);
    }

    fn tar(&mut self, position: Position<'_>, mut reader: PeekReader<'_>) {
        let (max_metadata_bytes, budget) = (self.limits.metadata_bytes, self.budget.clone());
        let mut members = TarMembers { unpacker: self, position };
        let result = tar::read(&mut reader, max_metadata_bytes, &budget, &mut members);
        if let Err(problem) = result {
            self.visitor.damaged(position.member, problem);
        }
    }

    /// Hands a source on, unless it is not wanted.
    fn source(&mut self, position: Position<'_>, mut reader: PeekReader<'_>) {
        // Who names a file wants it; members are wanted as the globs say.
        if position.selection == Selection::Matching && position.member.is_some() {
            return self.visitor.unread(position.member, SourceError::Skipped("not included"));
        }
        if position.found_by == FoundBy::Walk
            && own_report::is(self.own_outputs, reader.peek(own_report::HEAD_BYTES))
        {
            return self.visitor.unread(position.member, SourceError::OwnReport);
        }
        // A log that is not packed is no member.
        match self.limits.member_bytes.filter(|_| position.depth > 0) {
            Some(most) => {
                let capped = CappedReader::new(reader, most, Limit::MemberBytes(most));
                self.visitor.source(position.member, PeekReader::new(capped));
            }
            None => self.visitor.source(position.member, reader),
        }
    }

    /// Returns the position of the member `name` of the archive at `position`, with the name `joined`;
    /// `None`, reported, if a glob excludes it.
    fn member<'n>(&mut self, position: Position<'_>, name: &str, joined: &'n str) -> Option<Position<'n>> {
        let path = member_path(name);
        let path = Path::new(&*path);
        if self.globs.exclude(path) {
            self.visitor.unread(Some(joined), SourceError::Skipped("excluded"));
            return None;
        }
        let included = position.selection == Selection::All || self.globs.include(path);
        Some(Position {
            member: Some(joined),
            depth: position.depth + 1,
            memory: position.memory,
            found_by: FoundBy::Walk,
            selection: Selection::all_if(included),
        })
    }
}

/// A member's name as the path that globs are matched against: `./logs\\a.log` is `logs/a.log`.
fn member_path(name: &str) -> Cow<'_, str> {
    let mut path = name;
    while let Some(rest) = path.strip_prefix("./").or_else(|| path.strip_prefix('/')) {
        path = rest;
    }
    if path.contains('\\') { Cow::Owned(path.replace('\\', "/")) } else { Cow::Borrowed(path) }
}

/// Receives the members of the tar archive at a position.
struct TarMembers<'u, 'v, 'n> {
    unpacker: &'u mut Unpacker<'v>,
    position: Position<'n>,
}

impl TarVisitor for TarMembers<'_, '_, '_> {
    fn file(&mut self, name: &str, reader: PeekReader<'_>) {
        let joined = self.position.joined(name);
        if let Some(inner) = self.unpacker.member(self.position, name, &joined) {
            self.unpacker.unpack(inner, reader);
        }
    }

    fn skipped(&mut self, name: &str, reason: &'static str) {
        self.unpacker.visitor.unread(Some(&self.position.joined(name)), SourceError::Skipped(reason));
    }

    fn problem(&mut self, problem: SourceError) {
        self.unpacker.visitor.damaged(self.position.member, problem);
    }

    fn stopped(&self) -> bool {
        self.unpacker.visitor.stopped()
    }
}
