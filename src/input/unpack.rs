//! Unpacking: from a stream of bytes to the sources in it.
//!
//! A stream is told by how it begins: a compressed one is decoded, an archive is taken apart, both as deep as the limits
//! let, and what is neither is a source, shown to a [`Visitor`]. What cannot be read, wholly or at all, is told to it too:
//! nothing is left out in silence. Nothing is written anywhere.

use super::archive::tar::{self, TarVisitor};
use super::archive::zip::{self, Listing, LocalHeader, MemberKind, UnlistedMembers};
use super::decode::{Decoder, memory_within};
use super::format::{ContainerFormat, HEAD};
use super::limits::{Budget, BudgetReader, CappedReader, Limit, Limits};
use super::peek::PeekReader;
use super::{FoundBy, Globs, Selection, own_report};
use crate::error::SourceError;
use std::borrow::Cow;
use std::io::{self, Cursor, Read, Seek};
use std::path::Path;
use std::rc::Rc;

/// Who takes what is found.
pub trait Visitor {
    /// Takes a source and reads it to its end. Its `member` is its name inside the outer file, none for that file's own
    /// stream.
    fn source(&mut self, member: Option<&str>, reader: PeekReader<'_>);
    /// Takes notice of something that is not read.
    fn unread(&mut self, member: Option<&str>, problem: SourceError);
    /// Takes notice of a problem of something that holds sources; there may be several of one.
    fn damaged(&mut self, member: Option<&str>, problem: SourceError);
    /// Whether nothing more is wanted.
    fn stopped(&self) -> bool;
}

/// Takes one outer file, or a part of one, apart.
pub struct Unpacker<'v> {
    /// The limits.
    pub limits: &'v Limits,
    /// Which members are wanted.
    pub globs: &'v Globs,
    /// What of the limits is left.
    pub budget: Rc<Budget>,
    /// Who takes what is found.
    pub visitor: &'v mut dyn Visitor,
}

/// Where in the nesting something stands.
#[derive(Debug, Clone, Copy)]
pub struct Position<'n> {
    /// Its name inside the outer file; nested ones are joined by `!`.
    pub member: Option<&'n str>,
    /// How many archives and compressed streams are around it.
    pub depth: u32,
    /// The memory that decoders may still take.
    pub memory: u64,
    /// Whether somebody named it; a report of this program is skipped if nobody did.
    pub found_by: FoundBy,
    /// Whether it is scanned whatever its own name is.
    pub selection: Selection,
}

impl<'n> Position<'n> {
    /// The outer file itself; found and selected as the [`Input`](super::Input) says.
    pub fn outer(limits: &Limits, found_by: FoundBy, selection: Selection) -> Position<'n> {
        Position { member: None, depth: 0, memory: limits.decoder_memory, found_by, selection }
    }

    /// The name of the archive's member `name`.
    pub fn join(self, name: &str) -> String {
        self.member.map_or_else(|| name.to_string(), |outer| format!("{outer}!{name}"))
    }
}

impl Unpacker<'_> {
    /// Unpacks `reader`.
    pub fn unpack(&mut self, place: Position<'_>, mut reader: PeekReader<'_>) {
        let format = ContainerFormat::of(reader.peek(HEAD));
        if format.is_some_and(|format| !matches!(format, ContainerFormat::Unsupported { .. }))
            && place.depth >= self.limits.nesting
        {
            let limit = Limit::Nesting(self.limits.nesting);
            return self.visitor.unread(place.member, SourceError::Unread(limit.to_string()));
        }
        match format {
            Some(ContainerFormat::Compressed(codec)) => {
                let decoded = Decoder::new(codec, reader, place.memory, self.budget.clone());
                let reader = PeekReader::new(BudgetReader::new(decoded, self.budget.clone()));
                let memory = memory_within(codec, place.memory);
                self.unpack(Position { depth: place.depth + 1, memory, ..place }, reader);
            }
            Some(ContainerFormat::Tar) => self.tar(place, reader),
            Some(ContainerFormat::Zip) => self.zip_in_stream(place, reader),
            Some(ContainerFormat::Unsupported { name, way }) => {
                let text = format!("{name}, which is not read; {way}");
                self.visitor.unread(place.member, SourceError::Unread(text));
            }
            // A person who names a file wants it; members are wanted as the globs say.
            None if place.selection == Selection::Matching && place.member.is_some() => {
                self.visitor.unread(place.member, SourceError::Skipped("not included"));
            }
            None if place.found_by == FoundBy::Walk && own_report::is(reader.peek(own_report::HEAD)) => {
                self.visitor.unread(place.member, SourceError::OwnReport);
            }
            None => match self.limits.member_bytes.filter(|_| place.depth > 0) {
                Some(most) => {
                    let capped = CappedReader::new(reader, most, Limit::MemberBytes(most));
                    self.visitor.source(place.member, PeekReader::new(capped));
                }
                None => self.visitor.source(place.member, reader),
            },
        }
    }

    /// The place of the member `name` of the archive at `place`, with its joined name; none, and said so, if a glob
    /// excludes it.
    fn member<'n>(&mut self, place: Position<'_>, name: &str, joined: &'n str) -> Option<Position<'n>> {
        let path = member_path(name);
        let path = Path::new(&*path);
        if self.globs.exclude(path) {
            self.visitor.unread(Some(joined), SourceError::Skipped("excluded"));
            return None;
        }
        let included = place.selection == Selection::All || self.globs.include(path);
        Some(Position {
            member: Some(joined),
            depth: place.depth + 1,
            found_by: FoundBy::Walk,
            selection: Selection::all_if(included),
            memory: place.memory,
        })
    }

    fn tar(&mut self, place: Position<'_>, mut reader: PeekReader<'_>) {
        let (most, budget) = (self.limits.metadata_bytes, self.budget.clone());
        let result = tar::read(&mut reader, most, &budget, &mut InTar { unpacker: self, place });
        if let Err(problem) = result {
            self.visitor.damaged(place.member, problem);
        }
    }

    /// Holds a zip archive in memory, because its directory stands at its end; if it is too large, reads it by its
    /// members' own headers.
    fn zip_in_stream(&mut self, place: Position<'_>, mut reader: PeekReader<'_>) {
        let most = place.memory / 2;
        let within = |held: &Vec<u8>| Position {
            memory: place.memory.saturating_sub(held.capacity() as u64),
            ..place
        };
        let mut held = Vec::new();
        let got = reader.by_ref().take(most + 1).read_to_end(&mut held);
        match got {
            Ok(_) if held.len() as u64 > most => {
                let text = format!(
                    "a zip archive of more than {most} bytes in a stream, read by its members' own headers; \
                     unpack it first, or raise --max-decoder-memory"
                );
                self.visitor.damaged(place.member, SourceError::Archive(text));
                self.by_local_headers(within(&held), &mut PeekReader::new(Cursor::new(held).chain(reader)));
            }
            Ok(_) => {
                self.zip(within(&held), Cursor::new(&held[..]), held.len() as u64);
            }
            Err(error) => {
                self.visitor.damaged(place.member, SourceError::Read { offset: held.len() as u64, error });
                self.unlisted(
                    within(&held),
                    Cursor::new(&held[..]),
                    held.len() as u64,
                    &Listing::default(),
                    true,
                );
            }
        }
    }

    /// Reads a zip archive of `bytes` bytes, one member after the other.
    pub fn zip<R: Read + Seek + Clone>(&mut self, place: Position<'_>, reader: R, bytes: u64) {
        let mut listing = zip::list(&reader, self.limits.members);
        let told = listing.problem.take();
        let known = told.is_some();
        if let Some(problem) = told {
            self.visitor.damaged(place.member, problem);
        }
        for member in &listing.members {
            if self.visitor.stopped() {
                return;
            }
            self.zip_member(place, &reader, member);
        }
        self.unlisted(place, reader, bytes, &listing, known);
    }

    /// Reads one member of a zip archive.
    pub fn zip_member<R: Read + Seek + Clone>(
        &mut self,
        place: Position<'_>,
        reader: &R,
        member: &zip::Member,
    ) {
        let name = place.join(&member.name);
        if member.kind == MemberKind::Directory {
            return;
        }
        if let Err(limit) = self.budget.take_member() {
            return self.visitor.unread(Some(&name), SourceError::Unread(limit.to_string()));
        }
        let Some(inner) = self.member(place, &member.name, &name) else { return };
        let method = match member.kind {
            MemberKind::File(method) => method,
            MemberKind::Unreadable(why) => {
                return self.visitor.unread(Some(&name), SourceError::Unread(why.into()));
            }
            MemberKind::Link | MemberKind::Directory => {
                return self.visitor.unread(Some(&name), SourceError::Skipped("symbolic link, not followed"));
            }
        };
        match zip::open(reader.clone(), member, method, place.memory, &self.budget) {
            Ok(stream) => {
                let stream = BudgetReader::new(stream, self.budget.clone());
                let memory = method.memory_within(place.memory);
                self.unpack(Position { memory, ..inner }, PeekReader::with_size_hint(stream, member.bytes));
            }
            Err(problem) => self.visitor.unread(Some(&name), problem),
        }
    }

    /// Reads the members of a zip archive that its directory does not tell; `known` if the archive has been called
    /// damaged already.
    pub fn unlisted<R: Read + Seek + Clone>(
        &mut self,
        place: Position<'_>,
        reader: R,
        bytes: u64,
        listing: &Listing,
        mut known: bool,
    ) {
        let mut unlisted = UnlistedMembers::new(reader, listing, bytes);
        loop {
            match unlisted.next() {
                Ok(Some(mut stream)) if !self.visitor.stopped() && !self.budget.exceeded() => {
                    if !known {
                        known = true;
                        let text = "the directory does not tell all members; the others are read by their own headers";
                        self.visitor.damaged(place.member, SourceError::Archive(text.into()));
                    }
                    self.by_local_headers(place, &mut stream);
                    unlisted.advance_to(stream.consumed());
                }
                Ok(_) => return,
                Err(error) => {
                    return self.visitor.damaged(place.member, SourceError::Read { offset: 0, error });
                }
            }
        }
    }

    /// Reads members by their own headers for as long as one follows the other.
    fn by_local_headers(&mut self, place: Position<'_>, reader: &mut PeekReader<'_>) {
        while !self.visitor.stopped() {
            let offset = reader.consumed();
            let local = match LocalHeader::read(reader) {
                Ok(Some(local)) => local,
                Ok(None) => return,
                Err(error) => return self.visitor.damaged(place.member, SourceError::Read { offset, error }),
            };
            let data = reader.consumed();
            let name = place.join(&local.name);
            if local.kind != MemberKind::Directory {
                if let Err(limit) = self.budget.take_member() {
                    return self.visitor.damaged(place.member, SourceError::Archive(limit.to_string()));
                }
                let inner = self.member(place, &local.name, &name);
                match local.open(reader, place.memory, &self.budget) {
                    Ok(stream) => {
                        let mut stream = BudgetReader::new(stream, self.budget.clone());
                        if let Some(inner) = inner {
                            self.unpack(inner, PeekReader::new(&mut stream));
                        }
                        // The next header stands behind all of it; what is wrong with the rest shows there.
                        let _ = io::copy(&mut stream, &mut io::sink());
                    }
                    Err(why) if inner.is_some() => {
                        self.visitor.unread(Some(&name), SourceError::Unread(why.into()))
                    }
                    Err(_) => {}
                }
            }
            match local.pass(reader, data) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let offset = reader.consumed();
                    return self.visitor.damaged(place.member, SourceError::Read { offset, error });
                }
            }
        }
    }
}

/// A member's name as a path that globs are held against: `./logs\\a.log` is `logs/a.log`.
fn member_path(name: &str) -> Cow<'_, str> {
    let mut path = name;
    while let Some(rest) = path.strip_prefix("./").or_else(|| path.strip_prefix('/')) {
        path = rest;
    }
    if path.contains('\\') { Cow::Owned(path.replace('\\', "/")) } else { Cow::Borrowed(path) }
}

/// What a tar archive's members are shown to.
struct InTar<'u, 'v, 'n> {
    unpacker: &'u mut Unpacker<'v>,
    place: Position<'n>,
}

impl TarVisitor for InTar<'_, '_, '_> {
    fn file(&mut self, name: &str, reader: PeekReader<'_>) {
        let joined = self.place.join(name);
        if let Some(inner) = self.unpacker.member(self.place, name, &joined) {
            self.unpacker.unpack(inner, reader);
        }
    }

    fn passed(&mut self, name: &str, why: &'static str) {
        self.unpacker.visitor.unread(Some(&self.place.join(name)), SourceError::Skipped(why));
    }

    fn problem(&mut self, problem: SourceError) {
        self.unpacker.visitor.damaged(self.place.member, problem);
    }

    fn stopped(&self) -> bool {
        self.unpacker.visitor.stopped()
    }
}
