//! Prometheus: the numbers of a report as metrics, for a textfile collector or a push gateway.
//!
//! A report comes in; text goes out that readers of the Prometheus format and of OpenMetrics both accept:
//! gauges only, each family once with its help and type, `# EOF` at the end.
//!
//! # Why gauges
//!
//! The numbers are those of the last scan, not sums over all scans: if a failure is fixed, its number falls.
//! That is a gauge; a counter must never fall. A code that was not found has no sample, so its series ends
//! and an alert on it resolves. The totals are always there, also as 0: a missing total means that no scan
//! has run, which is an alert of its own kind.
//!
//! Labels hold ids, severities and editions, but no argument and no database. Their number stays small, and a
//! log cannot create time series.

use super::definition::{Definition, Writer};
use super::safe;
use crate::catalog::Severity;
use crate::input::Signature;
use crate::record::VERSION;
use crate::report::history::Run;
use crate::report::{CodeReport, Report};
use std::fmt::Display;
use std::io::{self, Write};

/// The row of the table of formats.
pub(super) const FORMAT: Definition = Definition {
    name: "prometheus",
    aliases: &["openmetrics"],
    about: "Metrics for Prometheus and OpenMetrics readers",
    signatures: &[Signature::Text { start: "# HELP migsift_", marker: "" }],
    writer: Writer::Report(|report, _, out| write_report(report, out)),
};

/// Writes the report.
///
/// # Errors
///
/// Those of the writer.
pub fn write_report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (inputs, totals, stamp) = (&report.inputs, report.totals(), &report.catalog);
    let mut text = Exposition { out };
    text.family("build_info", "The program and the catalogue that were used.")?;
    let labels = [
        ("version", VERSION),
        ("catalog_edition", &*stamp.edition),
        ("catalog_fingerprint", &*stamp.fingerprint),
    ];
    text.sample("build_info", &labels, 1)?;
    text.family("complete", "Whether everything asked for was read (1) or not (0).")?;
    text.sample("complete", &[], u8::from(inputs.complete()))?;
    text.family("inputs", "Inputs by their status.")?;
    for (status, count) in [
        ("scanned", inputs.scanned),
        ("partial", inputs.partial),
        ("skipped", inputs.skipped),
        ("failed", inputs.failed),
    ] {
        text.sample("inputs", &[("status", status)], count)?;
    }
    if let Some(run) = &report.run {
        text.sample("inputs", &[("status", "unchanged")], run.unchanged)?;
        text.sample("inputs", &[("status", "known")], run.known)?;
        text.run(run)?;
    }
    text.family("scanned_bytes", "Bytes read, after decoding.")?;
    text.sample("scanned_bytes", &[], inputs.bytes)?;
    text.family("findings", "Findings by severity.")?;
    text.sample("findings", &[("severity", "error")], totals.errors)?;
    text.sample("findings", &[("severity", "warning")], totals.warnings)?;
    text.family("unknown_findings", "Findings of codes that are not in the catalogue.")?;
    text.sample("unknown_findings", &[], totals.unknown)?;
    text.family("failures", "Distinct codes, arguments and databases: what must be fixed.")?;
    text.sample("failures", &[], totals.failures)?;
    text.family("suppressed_findings", "Findings that the baseline accepts, among all findings.")?;
    text.sample("suppressed_findings", &[], totals.suppressed.findings())?;
    text.family("suppressed_failures", "Failures that the baseline accepts, among all failures.")?;
    text.sample("suppressed_failures", &[], totals.suppressed.failures)?;
    text.codes(&report.codes)?;
    for (name, help, time) in [
        ("first_finding_timestamp_seconds", "The time of the first dated finding.", report.window.first),
        ("last_finding_timestamp_seconds", "The time of the last dated finding.", report.window.last),
    ] {
        if let Some(time) = time {
            text.family(name, help)?;
            text.sample(name, &[], time.instant.as_second())?;
        }
    }
    writeln!(text.out, "# EOF")
}

struct Exposition<'w> {
    out: &'w mut dyn Write,
}

impl Exposition<'_> {
    /// The metrics of a run with a history. Only these depend on a clock.
    fn run(&mut self, run: &Run) -> io::Result<()> {
        let ended = run.ended.instant.as_second();
        let (seconds, milliseconds) = (run.milliseconds() / 1000, run.milliseconds() % 1000);
        self.family("last_run", "The number of the last run in its history.")?;
        self.sample("last_run", &[], run.id)?;
        self.family("last_run_timestamp_seconds", "When the last run ended.")?;
        self.sample("last_run_timestamp_seconds", &[], ended)?;
        self.family("last_run_duration_seconds", "How long the last run took.")?;
        self.sample("last_run_duration_seconds", &[], format!("{seconds}.{milliseconds:03}"))?;
        self.family("new_findings", "Findings of the last run that were not in its history.")?;
        self.sample("new_findings", &[], run.new_findings)
    }

    fn codes(&mut self, codes: &[CodeReport]) -> io::Result<()> {
        if codes.is_empty() {
            return Ok(());
        }
        let error = Severity::Error.to_string();
        let warning = Severity::Warning.to_string();
        self.family("code_findings", "Findings by code and severity.")?;
        for code in codes {
            for (severity, count) in
                [(&error, code.by_severity.errors), (&warning, code.by_severity.warnings)]
            {
                if count > 0 {
                    self.sample("code_findings", &[("code", &code.id), ("severity", severity)], count)?;
                }
            }
        }
        self.family("code_failures", "Distinct arguments and databases by code and its worst severity.")?;
        for code in codes {
            let severity = code.severity.to_string();
            self.sample("code_failures", &[("code", &code.id), ("severity", &severity)], code.failures)?;
        }
        Ok(())
    }

    fn family(&mut self, name: &str, help: &str) -> io::Result<()> {
        writeln!(self.out, "# HELP migsift_{name} {help}\n# TYPE migsift_{name} gauge")
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) -> io::Result<()> {
        let shown = |(name, value): &(&str, &str)| format!("{name}=\"{}\"", label(value));
        let labels = labels.iter().map(shown).collect::<Vec<_>>().join(",");
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        writeln!(self.out, "migsift_{name}{labels} {value}")
    }
}

/// `text` as the value of a label.
fn label(text: &str) -> String {
    safe::line(text).replace('\\', "\\\\").replace('"', "\\\"")
}
