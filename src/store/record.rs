//! Runs and inputs: what a run is, and which of its inputs need not be read.

use super::identity::{self, Look};
use super::known::{Known, Seen, Stream, encode};
use super::made::Made;
use super::{Store, Totals};
use crate::error::{Error, SourceError};
use crate::input::{Input, InputKind, Resume, Stat};
use crate::scan::{Content, Hash, InputCounts, Options, Problem};
use crate::source::STDIN;
use rusqlite::params;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Times younger than this, in nanoseconds, prove nothing: the file may change within a tick of the file system's clock.
const SETTLED: i128 = 3_000_000_000;

/// What changes which findings the same bytes give: streams that were read with another are read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// The program's version.
    pub version: String,
    /// The catalogue's fingerprint.
    pub catalog: String,
    /// The options that change what is found.
    pub options: String,
}

impl Method {
    /// What has changed since `old`, in words.
    fn since(&self, old: &Method) -> &'static str {
        if self.version != old.version {
            "they were read by another version of migsift"
        } else if self.catalog != old.catalog {
            "the catalogue has changed"
        } else {
            "options that change what is found have changed"
        }
    }
}

/// What the file system's word is worth for an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It need not be opened: nothing has changed since it was read whole.
    Unchanged,
    /// It is new, or something has changed.
    Changed,
    /// Nothing has changed, but it was read with another method; what that is, in words.
    Again(&'static str),
}

/// What is to be done with an input whose content is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: it has another name, or its times have changed.
    Known,
    /// It is read as this stream.
    Read(i64),
}

/// A path as the store has it: text where it is UTF-8, else its bytes.
pub(super) fn value(place: &[u8]) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match std::str::from_utf8(place) {
        Ok(_) => ValueRef::Text(place),
        Err(_) => ValueRef::Blob(place),
    })
}

/// Whether a path is written as the store writes it.
fn is_plain(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    let odd = |slash: usize| matches!(bytes.get(slash + 1), Some(b'/' | b'.'));
    cfg!(unix) && path.is_absolute() && !memchr::memchr_iter(b'/', bytes).any(odd)
}

impl Store {
    /// Begins a run at `now`, RFC 3339, and its first batch; gives its number.
    ///
    /// # Errors
    ///
    /// [`Error::Output`] and [`Error::Unusable`], as all that writes.
    pub fn begin_run(&mut self, now: &str, method: &Method) -> Result<i64, Error> {
        self.begin()?;
        let values = params![method.version, method.catalog, method.options];
        self.execute("INSERT OR IGNORE INTO method (version, catalog, options) VALUES (?1, ?2, ?3)", values)?;
        self.methods = self.known_methods()?;
        let own = self.methods.iter().find(|(_, known)| known == method);
        self.method = own.map_or(0, |(id, _)| *id);
        self.execute("INSERT INTO run (started, method) VALUES (?1, ?2)", params![now, self.method])?;
        self.run = self.db.last_insert_rowid();
        Ok(self.run)
    }

    fn known_methods(&self) -> Result<Vec<(i64, Method)>, Error> {
        let failed = |error| self.failed(error);
        let mut statement =
            self.db.prepare("SELECT id, version, catalog, options FROM method").map_err(failed)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, Method { version: row.get(1)?, catalog: row.get(2)?, options: row.get(3)? }))
        });
        rows.and_then(Iterator::collect).map_err(failed)
    }

    /// Ends the run at `now`, RFC 3339, and its last batch.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn end_run(&mut self, now: &str, totals: &Totals, problems: &[Problem]) -> Result<(), Error> {
        for problem in problems {
            let sql = "INSERT INTO problem VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let (origin, bytes) = (&problem.origin, problem.bytes as i64);
            let (place, status) = (self.place(&origin.path), problem.status.name());
            let path = value(&place);
            self.execute(sql, params![self.run, path, origin.member, status, problem.reason, bytes])?;
        }
        let sql = "UPDATE run SET ended=?2, complete=?3, scanned=?4, partial=?5, skipped=?6, failed=?7, unchanged=?8, \
                   known=?9, bytes=?10, findings=?11, new_findings=?12 WHERE id=?1";
        let InputCounts { scanned, partial, skipped, failed } = totals.inputs;
        let [scanned, partial, skipped, failed] =
            [scanned, partial, skipped, failed].map(|count| count as i64);
        let (unchanged, known) = (totals.unchanged as i64, totals.known as i64);
        let complete = totals.inputs.complete();
        let (bytes, findings, new) = (totals.bytes as i64, totals.findings as i64, totals.new as i64);
        let values = params![
            self.run, now, complete, scanned, partial, skipped, failed, unchanged, known, bytes, findings,
            new
        ];
        self.execute(sql, values)?;
        self.commit()
    }

    /// Begins a batch: all or nothing of it is kept.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn begin(&mut self) -> Result<(), Error> {
        self.sql("BEGIN IMMEDIATE")
    }

    /// Ends a batch: it is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn commit(&mut self) -> Result<(), Error> {
        self.write_made()?;
        self.sql("COMMIT")
    }

    pub(super) fn place<'p>(&self, path: &'p Path) -> Cow<'p, [u8]> {
        place(&self.folder, path)
    }

    /// Whether the file need be opened. To be asked of all inputs of a run before any is claimed.
    pub fn standing(&mut self, input: &Input) -> Standing {
        let InputKind::File { stat } = input.kind else { return Standing::Changed };
        if self.known.inputs.is_empty() {
            return Standing::Changed;
        }
        let place = self.place(&input.path);
        let Some(seen) = self.known.inputs.get_mut(&*place) else { return Standing::Changed };
        if seen.stat != stat || seen.gone {
            return Standing::Changed;
        }
        let Some(stream) = self.known.streams.get_mut(&seen.stream).filter(|stream| stream.complete) else {
            return Standing::Changed;
        };
        if stream.method == self.method {
            if !seen.settled {
                return Standing::Changed;
            }
            stream.held = true;
            seen.met = true;
            return Standing::Unchanged;
        }
        let old = self.methods.iter().find(|(id, _)| *id == stream.method);
        let own = self.methods.iter().find(|(id, _)| *id == self.method);
        match (own, old) {
            (Some((_, own)), Some((_, old))) => Standing::Again(own.since(old)),
            _ => Standing::Changed,
        }
    }

    /// What can be told of files before they are claimed, by many threads.
    pub fn looker(&self) -> Looker<'_> {
        Looker { known: &self.known, folder: &self.folder, method: self.method }
    }

    /// Takes the stream of a file that goes on for this run; whether no other file has it, nor one of these `heads`.
    pub fn take(&mut self, stream: i64, heads: &[u64]) -> bool {
        let known = self.known.streams.get_mut(&stream);
        known.is_some_and(|known| {
            !heads.contains(&known.content.head) && !std::mem::replace(&mut known.held, true)
        })
    }

    /// Whether it knows no content yet.
    pub fn is_fresh(&self) -> bool {
        self.known.streams.is_empty()
    }

    /// Decides what is to be done with a file of this content, whose begin has these hashes; `settled` says whether its times
    /// can be trusted later, `rescan` that what is known is read again.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn claim(
        &mut self,
        input: &Input,
        settled: bool,
        (content, prefixes): (&Content, &[(u64, Hash)]),
        rescan: bool,
    ) -> Result<Decision, Error> {
        let place = self.place(&input.path);
        let Some(id) = self.known.same(content) else {
            let own = self.known.inputs.get(&*place).map(|seen| seen.stream);
            let continued = self.known.continued(prefixes, own);
            let id = continued.unwrap_or_else(|| self.known.number());
            let (content, method, fresh) = (content.clone(), self.method, continued.is_none());
            // Not read yet, but a copy of it counts once.
            self.known.put(id, Stream { content, complete: false, method, held: true, fresh, alike: None });
            return Ok(Decision::Read(id));
        };
        let method = self.method;
        let Some(stream) = self.known.streams.get_mut(&id) else { return Ok(Decision::Read(id)) };
        let copy = std::mem::replace(&mut stream.held, true);
        if !copy && (rescan || !stream.complete || stream.method != method) {
            return Ok(Decision::Read(id));
        }
        if !copy {
            let sql = "UPDATE stream SET path=?2, last_run=?3 WHERE id=?1";
            self.execute(sql, params![id, value(&place), self.run])?;
        }
        self.see(input, settled, id)?;
        Ok(Decision::Known)
    }

    /// The stream that the input's path has held.
    pub(super) fn own(&self, input: &Input) -> Option<i64> {
        self.known.inputs.get(&*self.place(&input.path)).map(|seen| seen.stream)
    }

    /// Notes that the input holds the stream.
    pub(super) fn see(&mut self, input: &Input, settled: bool, stream: i64) -> Result<(), Error> {
        let InputKind::File { stat } = input.kind else { return Ok(()) };
        let place = self.place(&input.path);
        let sql = "INSERT OR REPLACE INTO input VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)";
        let (size, inode) = (stat.size as i64, stat.inode as i64);
        let values = params![value(&place), stream, size, stat.mtime, stat.ctime, inode, settled];
        self.execute(sql, values)?;
        // Each path is met once in a run: one that is new need not be known.
        if let Some(seen) = self.known.inputs.get_mut(&*place) {
            *seen = Seen { stat, settled, stream, gone: false, met: true };
        }
        Ok(())
    }

    /// Notes what a stream that was read to its end is by now.
    pub(super) fn keep(&mut self, id: i64, path: &Path, content: Content) -> Result<(), Error> {
        let place = self.place(path);
        let path = value(&place);
        let kind = if content.archive { "archive" } else { "log" };
        let (length, head) = (content.length as i64, content.head as i64);
        let end = content.continuation.as_ref().map(encode);
        let values = params![id, kind, length, content.hash, head, end, self.method, path, self.run];
        let sql = "UPDATE stream SET kind=?2, length=?3, hash=?4, head=?5, read_on=?6, complete=1, method=?7, path=?8, \
                   last_run=?9 WHERE id=?1";
        self.execute(sql, values)?;
        let (method, fresh) = (self.method, self.known.is_fresh(id));
        self.known.put(id, Stream { content, complete: true, method, held: true, fresh, alike: None });
        Ok(())
    }

    /// Notes a stream that this run has made, which the input holds.
    pub(super) fn hold(
        &mut self,
        stream: i64,
        input: &Input,
        content: Content,
        settled: bool,
    ) -> Result<(), Error> {
        let InputKind::File { stat } = input.kind else { return Ok(()) };
        let place = self.place(&input.path);
        if let Some(seen) = self.known.inputs.get_mut(&*place) {
            *seen = Seen { stat, settled, stream, gone: false, met: true };
        }
        self.make(Made { stream, place: (&*place).into(), content: content.clone(), stat, settled })?;
        let method = self.method;
        self.known
            .put(stream, Stream { content, complete: true, method, held: true, fresh: true, alike: None });
        Ok(())
    }

    /// Forgets a stream that this run has made of the input.
    pub(super) fn forget(&mut self, id: i64, input: &Input) -> Result<(), Error> {
        let place = self.place(&input.path);
        self.execute("DELETE FROM stream WHERE id=?1", params![id])?;
        self.execute("DELETE FROM input WHERE path=?1", params![value(&place)])?;
        self.known.inputs.remove(&*place);
        self.known.forget(id);
        Ok(())
    }

    /// A stream for what came through a pipe: it is counted and never met again.
    pub(super) fn pipe(&mut self, path: &Path) -> Result<i64, Error> {
        let id = self.known.number();
        let sql = "INSERT INTO stream VALUES (?1, 'pipe', 0, x'', 0, NULL, 1, ?2, ?3, ?4, ?4)";
        let place = self.place(path);
        let values = params![id, self.method, value(&place), self.run];
        self.execute(sql, values)?;
        Ok(id)
    }

    /// Executes a statement behind all that waits to be written.
    pub(super) fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Error> {
        self.write_made()?;
        self.write(sql, values)
    }

    /// Executes a statement that what waits to be written does not bear on.
    pub(super) fn write(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Error> {
        let done = self.db.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
        done.map_err(|error| self.failed(error))
    }
}

/// Whether a file with these times can be trusted to show any change behind `now`, in nanoseconds since 1970.
pub fn settled(stat: &Stat, now: i128) -> bool {
    i128::from(stat.mtime.max(stat.ctime)) + SETTLED < now
}

/// The bytes by which a path is known: absolute, without what changes nothing.
fn place<'p>(folder: &Path, path: &'p Path) -> Cow<'p, [u8]> {
    if path.as_os_str() == STDIN || is_plain(path) {
        return Cow::Borrowed(path.as_os_str().as_encoded_bytes());
    }
    #[cfg(unix)]
    let place: PathBuf = folder.join(path).components().collect();
    #[cfg(not(unix))]
    let place: PathBuf = std::path::absolute(path).unwrap_or_else(|_| folder.join(path));
    Cow::Owned(place.into_os_string().into_encoded_bytes())
}

/// Looks at files, on any thread.
#[derive(Debug, Clone, Copy)]
pub struct Looker<'s> {
    known: &'s Known,
    folder: &'s Path,
    method: i64,
}

impl Looker<'_> {
    /// What the bytes of `input` say.
    ///
    /// # Errors
    ///
    /// Those of opening it. What cannot be decoded to its end counts as far as it goes; the scan tells.
    pub fn look(&self, input: &Input, options: &Options) -> Result<Look, SourceError> {
        identity::look(input, options, &|head| self.known.lengths(head))
    }

    /// Where the grown file is read on, and as which stream, if it need not be read from its begin: it is the same file, its
    /// first bytes are those of its stream and so are those before the stream's end.
    pub fn goes_on(&self, input: &Input) -> Option<(i64, Resume)> {
        let InputKind::File { stat } = input.kind else { return None };
        let seen = self.known.inputs.get(&*place(self.folder, &input.path))?;
        let stream = self.known.streams.get(&seen.stream)?;
        let (content, end) = (&stream.content, stream.content.continuation?);
        let same = seen.stat.inode == stat.inode && stat.inode != 0 && !seen.gone;
        let read = stream.complete && stream.method == self.method && content.length == seen.stat.size;
        let grown = same && read && stat.size > content.length;
        let goes_on = grown && identity::goes_on(input, content.head, content.length, &end.tail);
        goes_on.then_some((seen.stream, end.from))
    }
}
