//! Prometheus: a report's numbers as metrics, for a textfile collector or a gateway.
//!
//! A report comes in; text that readers of the Prometheus format and of OpenMetrics both take goes out: gauges alone,
//! each family once with its help and type, `# EOF` last. A gauge says what the last scan found, so a code
//! that is gone has no sample; the sums are always there.

use super::safe;
use crate::catalog::Severity;
use crate::record::VERSION;
use crate::report::history::Run;
use crate::report::{CodeReport, Report};
use std::fmt::Display;
use std::io::{self, Write};

/// What the text begins with; inputs that do are passed over as reports of this program.
pub const HEAD: &str = "# HELP migsift_";

/// Writes the report.
///
/// # Errors
///
/// What the writer gives.
pub fn write_report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (inputs, totals, stamp) = (&report.inputs, report.totals(), &report.catalog);
    let mut page = Page { out };
    page.family("build_info", "The program and the catalogue that were used.")?;
    let labels = [
        ("version", VERSION),
        ("catalog_edition", &*stamp.edition),
        ("catalog_fingerprint", &*stamp.fingerprint),
    ];
    page.sample("build_info", &labels, 1)?;
    page.family("complete", "Whether everything asked for was read (1) or not (0).")?;
    page.sample("complete", &[], u8::from(inputs.complete()))?;
    page.family("inputs", "Inputs by what became of them.")?;
    for (status, count) in [
        ("scanned", inputs.scanned),
        ("partial", inputs.partial),
        ("skipped", inputs.skipped),
        ("failed", inputs.failed),
    ] {
        page.sample("inputs", &[("status", status)], count)?;
    }
    if let Some(run) = &report.run {
        page.sample("inputs", &[("status", "unchanged")], run.unchanged)?;
        page.sample("inputs", &[("status", "known")], run.known)?;
        page.run(run)?;
    }
    page.family("scanned_bytes", "Bytes read, after decoding.")?;
    page.sample("scanned_bytes", &[], inputs.bytes)?;
    page.family("findings", "Findings by severity.")?;
    page.sample("findings", &[("severity", "error")], totals.errors)?;
    page.sample("findings", &[("severity", "warning")], totals.warnings)?;
    page.family("unknown_findings", "Findings of codes that no catalogue lists.")?;
    page.sample("unknown_findings", &[], totals.unknown)?;
    page.family("failures", "Distinct codes, arguments and databases: what has to be fixed.")?;
    page.sample("failures", &[], totals.failures)?;
    page.family("suppressed_findings", "Findings that a baseline says are known and accepted, of all.")?;
    page.sample("suppressed_findings", &[], totals.suppressed.findings())?;
    page.family("suppressed_failures", "Failures that a baseline says are known and accepted, of all.")?;
    page.sample("suppressed_failures", &[], totals.suppressed.failures)?;
    page.codes(&report.codes)?;
    for (name, help, time) in [
        ("first_finding_timestamp_seconds", "The time of the first dated finding.", report.window.first),
        ("last_finding_timestamp_seconds", "The time of the last dated finding.", report.window.last),
    ] {
        if let Some(time) = time {
            page.family(name, help)?;
            page.sample(name, &[], time.instant.as_second())?;
        }
    }
    writeln!(page.out, "# EOF")
}

struct Page<'w> {
    out: &'w mut dyn Write,
}

impl Page<'_> {
    /// What is said of a run with a history, and of nothing else: it has a clock.
    fn run(&mut self, run: &Run) -> io::Result<()> {
        let ended = run.times[1].instant.as_second();
        let (seconds, milliseconds) = (run.milliseconds() / 1000, run.milliseconds() % 1000);
        self.family("last_run", "The number of the last run in its history.")?;
        self.sample("last_run", &[], run.id)?;
        self.family("last_run_timestamp_seconds", "When the last run ended.")?;
        self.sample("last_run_timestamp_seconds", &[], ended)?;
        self.family("last_run_duration_seconds", "How long the last run took.")?;
        self.sample("last_run_duration_seconds", &[], format!("{seconds}.{milliseconds:03}"))?;
        self.family("new_findings", "Findings of the last run that its history did not have.")?;
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

/// `text` as a label's value.
fn label(text: &str) -> String {
    safe::line(text).replace('\\', "\\\\").replace('"', "\\\"")
}
