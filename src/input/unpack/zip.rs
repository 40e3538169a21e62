//! Unpacking zip archives: by their directory where there is one, else by the members' own headers.
//!
//! | the archive | how it is read |
//! |---|---|
//! | a file, or a stream that is held in memory | the listed members in their order, then those in the gaps |
//! | a stream that breaks off | what was held of it, as an archive that is one gap |
//! | a stream too large for the memory | one local header after the other, until one of them does not follow |
//!
//! The directory is at the end, so a stream has to be held until then. Half of the memory that decoders may
//! use is spent on that, and the other half is left for what is nested in the archive.

use super::{Position, Unpacker};
use crate::error::SourceError;
use crate::input::archive::zip::{Listing, LocalHeader, Member, MemberKind, ZipFile};
use crate::input::limits::BudgetReader;
use crate::input::peek::PeekReader;
use std::io::{self, Cursor, Read, Seek};

/// Whether the member's header is to be followed by another.
#[derive(PartialEq, Eq)]
enum Run {
    Continues,
    Ends,
}

impl Unpacker<'_> {
    /// Unpacks an archive from a stream.
    pub(super) fn zip_in_stream(&mut self, position: Position<'_>, mut reader: PeekReader<'_>) {
        let max_held_bytes = position.memory / 2;
        let mut held = Vec::new();
        let got = reader.by_ref().take(max_held_bytes + 1).read_to_end(&mut held);
        let memory = position.memory.saturating_sub(held.capacity() as u64);
        let inner = Position { memory, ..position };
        let bytes = held.len() as u64;
        match got {
            Ok(_) if bytes > max_held_bytes => {
                let text = format!(
                    "a zip archive of more than {max_held_bytes} bytes in a stream, read by its members' own \
                     headers; unpack it first, or raise --max-decoder-memory"
                );
                self.visitor.damaged(position.member, SourceError::Archive(text));
                self.by_local_headers(inner, &mut PeekReader::new(Cursor::new(held).chain(reader)));
            }
            Ok(_) => self.zip(inner, &ZipFile::new(Cursor::new(&held[..]), bytes)),
            Err(error) => {
                self.visitor.damaged(position.member, SourceError::Read { offset: bytes, error });
                let archive = ZipFile::new(Cursor::new(&held[..]), bytes);
                self.zip_unlisted(inner, &archive, &Listing::unreadable());
            }
        }
    }

    /// Unpacks an archive, one member after the other.
    pub fn zip<R: Read + Seek + Clone>(&mut self, position: Position<'_>, archive: &ZipFile<R>) {
        let mut listing = archive.list(self.limits.members);
        if let Some(problem) = listing.problem.take() {
            self.visitor.damaged(position.member, problem);
        }
        for member in &listing.members {
            if self.visitor.stopped() {
                return;
            }
            self.zip_member(position, archive, member);
        }
        self.zip_unlisted(position, archive, &listing);
    }

    /// Unpacks one member that the directory lists.
    pub fn zip_member<R: Read + Seek + Clone>(
        &mut self,
        position: Position<'_>,
        archive: &ZipFile<R>,
        member: &Member,
    ) {
        let name = position.joined(&member.name);
        if member.kind == MemberKind::Directory {
            return;
        }
        if let Err(limit) = self.budget.take_member() {
            return self.visitor.unread(Some(&name), SourceError::Unread(limit.to_string()));
        }
        let Some(inner) = self.member(position, &member.name, &name) else { return };
        let method = match member.kind {
            MemberKind::File(method) => method,
            MemberKind::Unreadable(reason) => {
                return self.visitor.unread(Some(&name), SourceError::Unread(reason.into()));
            }
            MemberKind::Link | MemberKind::Directory => {
                let problem = SourceError::Skipped("symbolic link, not followed");
                return self.visitor.unread(Some(&name), problem);
            }
        };
        match archive.open(member, method, position.memory, &self.budget) {
            Ok(stream) => {
                let stream = BudgetReader::new(stream, self.budget.clone());
                let memory = method.memory_left(position.memory);
                let reader = PeekReader::with_size_hint(stream, member.content.bytes);
                self.unpack(Position { memory, ..inner }, reader);
            }
            Err(problem) => self.visitor.unread(Some(&name), problem),
        }
    }

    /// Unpacks the members that `listing` lacks. The first of them makes the archive damaged, if nothing else
    /// has.
    pub fn zip_unlisted<R: Read + Seek + Clone>(
        &mut self,
        position: Position<'_>,
        archive: &ZipFile<R>,
        listing: &Listing,
    ) {
        let mut unlisted = archive.unlisted(listing);
        let mut reported = listing.is_damaged;
        loop {
            match unlisted.next() {
                Ok(Some(mut run)) if !self.visitor.stopped() && !self.budget.exceeded() => {
                    if !reported {
                        reported = true;
                        let text = "the directory does not list all members; the others are read by their own headers";
                        self.visitor.damaged(position.member, SourceError::Archive(text.into()));
                    }
                    self.by_local_headers(position, &mut run);
                    unlisted.advance(run.consumed());
                }
                Ok(_) => return,
                Err(error) => {
                    return self.visitor.damaged(position.member, SourceError::Read { offset: 0, error });
                }
            }
        }
    }

    /// Unpacks members by their own headers for as long as one follows the other.
    fn by_local_headers(&mut self, position: Position<'_>, reader: &mut PeekReader<'_>) {
        while !self.visitor.stopped() {
            let offset = reader.consumed();
            let header = match LocalHeader::read(reader) {
                Ok(Some(header)) => header,
                Ok(None) => return,
                Err(error) => {
                    return self.visitor.damaged(position.member, SourceError::Read { offset, error });
                }
            };
            let data = reader.consumed();
            if self.local_member(position, reader, &header) == Run::Ends {
                return;
            }
            match header.skip_rest(reader, data) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let offset = reader.consumed();
                    return self.visitor.damaged(position.member, SourceError::Read { offset, error });
                }
            }
        }
    }

    /// Unpacks the member of `header`, which `reader` is after.
    fn local_member(
        &mut self,
        position: Position<'_>,
        reader: &mut PeekReader<'_>,
        header: &LocalHeader,
    ) -> Run {
        if header.kind == MemberKind::Directory {
            return Run::Continues;
        }
        if let Err(limit) = self.budget.take_member() {
            self.visitor.damaged(position.member, SourceError::Archive(limit.to_string()));
            return Run::Ends;
        }
        let name = position.joined(&header.name);
        let inner = self.member(position, &header.name, &name);
        match header.open(reader, position.memory, &self.budget) {
            Ok(stream) => {
                let mut stream = BudgetReader::new(stream, self.budget.clone());
                if let Some(inner) = inner {
                    self.unpack(inner, PeekReader::new(&mut stream));
                }
                // The next header is after all of it. If something is wrong with the rest, no header will be
                // there.
                let _ = io::copy(&mut stream, &mut io::sink());
            }
            Err(reason) if inner.is_some() => {
                self.visitor.unread(Some(&name), SourceError::Unread(reason.into()));
            }
            Err(_) => {}
        }
        Run::Continues
    }
}
