//! The writer: the end of the scan's output, where findings get their line numbers and reach the sink.
//!
//! Chunks come in, in the order of the report; findings, rows and file events go to the sink, samples and the
//! totals of chunks are kept. Who waits for whom is not known here: the scheduler lets one worker at a time
//! write.

use super::chunk::{Chunk, FileEvent, WindowOutput};
use super::content::ContentBuilder;
use super::sink::{FileStart, Sink};
use super::totals::WorkerTotals;
use crate::error::Error;
use crate::summary::Summary;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Writes chunks in order.
pub(super) struct Writer<'k> {
    sink: Option<&'k mut (dyn Sink + 'k)>,
    /// Whether the sink receives every finding, not only rows.
    all_findings: bool,
    /// The number of the source written last.
    source: u32,
    /// Line breaks in that source before its next window.
    lines: u64,
    /// The content of the file whose windows are being written, if files are identified.
    content: Option<ContentBuilder>,
    /// Scratch memory for rows.
    buffer: Vec<u8>,
    written: Written,
    pub error: Option<Error>,
}

/// What the writer kept of all that it wrote.
#[derive(Default)]
pub(super) struct Written {
    /// The samples of each code.
    pub samples: Summary,
    /// The totals that came with chunks.
    pub totals: WorkerTotals,
}

impl<'k> Writer<'k> {
    pub fn new(sink: Option<&'k mut (dyn Sink + 'k)>) -> Writer<'k> {
        Writer {
            all_findings: sink.as_ref().is_some_and(|sink| sink.wants_findings()),
            sink,
            source: 0,
            lines: 0,
            content: None,
            buffer: Vec::new(),
            written: Written::default(),
            error: None,
        }
    }

    /// Returns what was kept, or the sink's error.
    pub fn finish(self) -> Result<Written, Error> {
        self.error.map_or(Ok(self.written), Err)
    }

    /// Writes chunks. A panic of the sink becomes an error of the output; else the scheduler would wait for
    /// ever.
    pub fn write_all(&mut self, due: Vec<Chunk>) {
        let result = catch_unwind(AssertUnwindSafe(|| due.into_iter().for_each(|chunk| self.write(chunk))));
        if result.is_err() {
            let error = std::io::Error::other("internal error; please report it");
            self.error = Some(Error::output("the output", error));
        }
    }

    fn write(&mut self, chunk: Chunk) {
        for window in chunk.windows {
            self.window(window);
        }
        if let Some(totals) = chunk.totals {
            self.written.totals.merge(*totals);
        }
    }

    /// Writes a window: its file's event, its rows, its findings. After an error only samples are kept.
    fn window(&mut self, window: WindowOutput) {
        if self.source != window.source {
            (self.source, self.lines, self.content) = (window.source, 0, None);
        }
        if let Some(event) = &window.event
            && self.error.is_none()
        {
            self.error = self.apply(event).err();
        }
        if self.error.is_none()
            && !window.rows.is_empty()
            && let Some(sink) = self.sink.as_mut().and_then(|sink| sink.row_sink())
        {
            let write = |rows: &[u8]| sink.rows(rows);
            self.error = window.rows.write(self.lines, &mut self.buffer, write).err();
        }
        for mut finding in window.findings {
            finding.line += self.lines;
            self.written.samples.sample(&finding);
            if let Some(sink) = &mut self.sink
                && self.all_findings
                && self.error.is_none()
            {
                self.error = sink.finding(&finding).err();
            }
        }
        self.lines += window.lines;
    }

    /// Applies an event to the content of the open file, and calls the file sink where a file starts or ends.
    fn apply(&mut self, event: &FileEvent) -> Result<(), Error> {
        let files = self.sink.as_mut().and_then(|sink| sink.file_sink());
        match event {
            FileEvent::Window { source, hashes } => {
                let is_first = self.content.is_none();
                if is_first {
                    self.lines = source.from.map_or(0, |from| from.lines);
                }
                let builder = self.content.get_or_insert_with(|| ContentBuilder::new(hashes, source.from));
                builder.push(hashes, self.lines);
                let Some(files) = files.filter(|_| is_first) else { return Ok(()) };
                let content = hashes.only.then_some(&builder.content);
                let (path, head) = (&source.origin.path, builder.content.head);
                files.start(&FileStart { path, from: builder.from, head, content })
            }
            FileEvent::Archive { origin, content } => {
                let Some(files) = files else { return Ok(()) };
                let (path, head) = (&origin.path, content.head);
                files.start(&FileStart { path, from: 0, head, content: Some(content) })
            }
            FileEvent::End { origin, read_as } => {
                let content = self.content.take().map(|builder| builder.finish(*read_as));
                let Some(files) = files else { return Ok(()) };
                files.end(&origin.path, content.unwrap_or_default())
            }
        }
    }
}
