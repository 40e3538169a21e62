//! Inputs and streams: which inputs a run reads, as which stream, and the rows that say so.
//!
//! Inputs come in with their metadata, then with their identity; decisions go out, and rows of `input` and
//! `stream`. How a file is recognised is explained in `mod.rs`. Findings are the recorder's.
//!
//! A stream is **reserved** by the first file of a run that is, or will be, this stream. Reservation makes
//! copies count once: the second file with the same bytes finds the stream reserved and is not read. So all
//! unchanged inputs must be asked about ([`Store::freshness`]) before any changed one is reserved; else a
//! copy of an unchanged log that comes earlier in the walk would be read as that log.

use super::connection::{Store, failed};
use super::identity::{Identified, Identifier};
use super::known::{KnownInput, KnownStream, Mtime, StreamKind};
use super::method::StaleReason;
use super::occurrence::{self, Occurrence};
use super::parts::Parts;
use super::pending::PendingStream;
use super::sql::{continuation_value, path_value};
use crate::error::Error;
use crate::finding::Finding;
use crate::input::{Input, InputKind};
use crate::scan::Content;
use rusqlite::params;
use std::path::Path;

/// What the metadata of an input says about its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing has changed since it was read to its end: it need not be opened.
    Unchanged,
    /// It is new, or something has changed.
    Changed,
    /// Nothing has changed, but it was read with another method.
    Stale(StaleReason),
}

/// What to do with an input whose content was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing, its content is known: it was renamed, copied or touched.
    Known,
    /// Read it as this stream.
    Read(i64),
}

/// Whether known content is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reread {
    /// Only if it is stale or was not read to its end.
    IfNeeded,
    /// Always, as `--rescan` asks for.
    Always,
}

impl Store {
    /// Compares the metadata of an input with those of the last run. Must be asked about all inputs of a run
    /// before any is reserved.
    pub fn freshness(&mut self, input: &Input) -> Freshness {
        let InputKind::File { stat } = input.kind else { return Freshness::Changed };
        if self.known.inputs.is_empty() {
            return Freshness::Changed;
        }
        let key = self.key(&input.path);
        let Some(known) = self.known.inputs.get_mut(&*key) else { return Freshness::Changed };
        if known.stat != stat || known.is_gone {
            return Freshness::Changed;
        }
        let Some(stream) = self.known.streams.get_mut(&known.stream).filter(|stream| stream.is_complete)
        else {
            return Freshness::Changed;
        };
        if stream.method == self.method {
            if !known.mtime.mtime_is_reliable() {
                return Freshness::Changed;
            }
            stream.is_reserved = true;
            known.is_met = true;
            return Freshness::Unchanged;
        }
        let old = self.methods.iter().find(|(id, _)| *id == stream.method);
        let own = self.methods.iter().find(|(id, _)| *id == self.method);
        match (own, old) {
            (Some((_, own)), Some((_, old))) => Freshness::Stale(own.changed_since(old)),
            _ => Freshness::Changed,
        }
    }

    /// Returns what identifies changed files, on many threads, before any of them is reserved.
    pub fn identifier(&self) -> Identifier<'_> {
        Identifier { known: &self.known, folder: &self.folder, method: self.method }
    }

    /// Whether the store has no stream yet, so that nothing can be recognised.
    pub fn is_empty(&self) -> bool {
        self.known.streams.is_empty()
    }

    /// Reserves the stream of a file that [`Identifier::continues`] it. Returns false if another file has
    /// reserved it, or if its head is among `heads`, those of other files of the batch: one of them may be a
    /// copy of the whole grown file, which only a hash of all its bytes shows.
    pub fn reserve_continued(&mut self, stream: i64, heads: &[u64]) -> bool {
        let known = self.known.streams.get_mut(&stream);
        known.is_some_and(|known| {
            !heads.contains(&known.content.head) && !std::mem::replace(&mut known.is_reserved, true)
        })
    }

    /// Finds the stream of a file that was hashed, reserves it, and decides whether the file is read.
    ///
    /// # Errors
    ///
    /// As [`Store::start_run`].
    pub fn reserve(
        &mut self,
        input: &Input,
        mtime: Mtime,
        identified: &Identified,
        reread: Reread,
    ) -> Result<Decision, Error> {
        let Some(id) = self.known.same_content(&identified.content) else {
            return Ok(Decision::Read(self.reserve_prefix(input, identified)));
        };
        let method = self.method;
        let Some(stream) = self.known.streams.get_mut(&id) else { return Ok(Decision::Read(id)) };
        let is_copy = std::mem::replace(&mut stream.is_reserved, true);
        let must_read = reread == Reread::Always || !stream.is_complete || stream.method != method;
        if !is_copy && must_read {
            return Ok(Decision::Read(id));
        }
        if !is_copy {
            let key = self.key(&input.path);
            let sql = "UPDATE stream SET path=?2, last_run=?3 WHERE id=?1";
            self.execute(sql, params![id, path_value(&key), self.run])?;
        }
        self.upsert_input(input, mtime, id)?;
        Ok(Decision::Known)
    }

    /// Reserves the longest known log that the file continues, else a new stream.
    fn reserve_prefix(&mut self, input: &Input, identified: &Identified) -> i64 {
        let prefixes = identified.prefixes.iter().map(|prefix| (prefix.length, prefix.hash));
        let continued = self.known.longest_prefix(prefixes, self.stream_of(input));
        let id = continued.unwrap_or_else(|| self.known.next_stream());
        // Not read yet, but from here on a file with the same bytes is a copy.
        let stream = KnownStream {
            content: identified.content.clone(),
            is_complete: false,
            method: self.method,
            is_reserved: true,
            is_new: continued.is_none(),
            same_head: None,
        };
        self.known.insert(id, stream);
        id
    }

    /// The stream that the input's path held in an earlier run.
    pub(super) fn stream_of(&self, input: &Input) -> Option<i64> {
        self.known.inputs.get(&*self.key(&input.path)).map(|known| known.stream)
    }

    /// Records that the input holds the stream.
    pub(super) fn upsert_input(&mut self, input: &Input, mtime: Mtime, stream: i64) -> Result<(), Error> {
        let InputKind::File { stat } = input.kind else { return Ok(()) };
        let key = self.key(&input.path);
        let sql = "INSERT OR REPLACE INTO input VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)";
        let (size, inode, settled) = (stat.size as i64, stat.inode as i64, mtime.mtime_is_reliable());
        let values = params![path_value(&key), stream, size, stat.mtime, stat.ctime, inode, settled];
        self.execute(sql, values)?;
        // A run asks once for each path, so a new one need not be remembered.
        if let Some(known) = self.known.inputs.get_mut(&*key) {
            *known = KnownInput { stat, mtime, stream, is_gone: false, is_met: true };
        }
        Ok(())
    }

    /// Records the content of an earlier run's stream, which was read to its end.
    pub(super) fn update_stream(&mut self, id: i64, path: &Path, content: Content) -> Result<(), Error> {
        let key = self.key(path);
        let path = path_value(&key);
        let kind = StreamKind::of(&content).name();
        let (length, head) = (content.length as i64, content.head as i64);
        let end = continuation_value(content.continuation.as_ref());
        let values = params![id, kind, length, content.hash, head, end, self.method, path, self.run];
        let sql = "UPDATE stream SET kind=?2, length=?3, hash=?4, head=?5, read_on=?6, complete=1, method=?7, path=?8, \
                   last_run=?9 WHERE id=?1";
        self.execute(sql, values)?;
        self.remember(id, content);
        Ok(())
    }

    /// Records a new stream, which the input holds.
    pub(super) fn insert_stream(
        &mut self,
        stream: i64,
        input: &Input,
        content: Content,
        mtime: Mtime,
    ) -> Result<(), Error> {
        let InputKind::File { stat } = input.kind else { return Ok(()) };
        let key = self.key(&input.path);
        if let Some(known) = self.known.inputs.get_mut(&*key) {
            *known = KnownInput { stat, mtime, stream, is_gone: false, is_met: true };
        }
        let pending = PendingStream { stream, key: (&*key).into(), content: content.clone(), stat, mtime };
        let is_full = {
            let mut rows = self.pending.borrow_mut();
            rows.push(pending);
            rows.is_full()
        };
        if is_full {
            self.flush_pending()?;
        }
        self.remember(stream, content);
        Ok(())
    }

    /// Keeps a stream that this run has read to its end in memory.
    fn remember(&mut self, id: i64, content: Content) {
        let stream = KnownStream {
            content,
            is_complete: true,
            method: self.method,
            is_reserved: true,
            is_new: self.known.is_new(id),
            same_head: None,
        };
        self.known.insert(id, stream);
    }

    /// Removes a stream that this run has created for the input.
    pub(super) fn delete_stream(&mut self, id: i64, input: &Input) -> Result<(), Error> {
        let key = self.key(&input.path);
        self.execute("DELETE FROM stream WHERE id=?1", params![id])?;
        self.execute("DELETE FROM input WHERE path=?1", params![path_value(&key)])?;
        self.known.inputs.remove(&*key);
        self.known.remove(id);
        Ok(())
    }

    /// Creates a stream for what comes through a pipe: it is counted, and never recognised again.
    pub(super) fn insert_pipe(&mut self, path: &Path) -> Result<i64, Error> {
        let id = self.known.next_stream();
        let sql = "INSERT INTO stream VALUES (?1, 'pipe', 0, x'', 0, NULL, 1, ?2, ?3, ?4, ?4)";
        let key = self.key(path);
        let values = params![id, self.method, path_value(&key), self.run];
        self.execute(sql, values)?;
        Ok(id)
    }

    /// Stores a finding of the stream; returns whether it is new. `nth` distinguishes members with the same name.
    pub(super) fn upsert_finding(&mut self, stream: i64, nth: i64, finding: &Finding) -> Result<bool, Error> {
        let run = self.run;
        let Store { db, parts, path, .. } = self;
        let failed = |error| failed(path, error);
        let parts = match parts {
            Some(parts) => parts,
            None => parts.insert(Parts::load(db).map_err(failed)?),
        };
        let occurrence = Occurrence { stream, nth, finding, first_run: run, last_run: run };
        occurrence::upsert(db, parts, &occurrence).map_err(failed)
    }

    /// Records that the stream was not read to its end.
    pub(super) fn mark_incomplete(&self, stream: i64) -> Result<(), Error> {
        self.execute("UPDATE stream SET complete=0 WHERE id=?1", params![stream]).map(|_| ())
    }
}
