//! Merging reports of other machines or days into one, as if one scan had read everything.
//!
//! Reports that were read back come in one by one; a [`Report`] goes out. Totals, counts, times and
//! everything that was listed whole are exact. If a report does not list all of its argument sets, distinct
//! counts of the sum are lower bounds and marked as such. Reports that would not add up (other catalogues,
//! names hidden with other keys) are rejected. Files are not known here.

use crate::catalog::Catalog;
use crate::error::Error;
use crate::record::read::{MAX_COUNT, ReportFile};
use crate::record::{CatalogRecord, RedactionRecord};
use crate::report::{CatalogStamp, Report};
use crate::scan::Outcome;

/// Adds reports up.
#[derive(Debug)]
pub struct Merger<'c> {
    catalog: &'c Catalog,
    stamp: CatalogStamp,
    /// The first report.
    first: Option<FirstReport>,
    outcome: Outcome,
}

/// What all other reports must agree with.
#[derive(Debug)]
struct FirstReport {
    name: String,
    catalog: CatalogRecord<'static>,
    redaction: Option<RedactionRecord<'static>>,
}

impl Merger<'_> {
    /// Returns a merger without reports. All of them must have been made with `catalog`.
    pub fn new(catalog: &Catalog) -> Merger<'_> {
        Merger { catalog, stamp: CatalogStamp::new(catalog), first: None, outcome: Outcome::default() }
    }

    /// Adds a report.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] if it cannot be added to those before.
    pub fn add(&mut self, file: ReportFile) -> Result<(), Error> {
        let ReportFile { name, record } = file;
        let stamp = record.catalog.clone();
        match &self.first {
            Some(FirstReport { name: first, catalog: theirs, .. })
                if theirs.fingerprint != stamp.fingerprint =>
            {
                let message = format!(
                    "made with catalogue {stamp}, but {first} with {theirs}: what they count is not the same"
                );
                return Err(Error::unusable(&name, Some("catalog".into()), message));
            }
            Some(FirstReport { name: first, redaction, .. }) => {
                if let Some(message) = record.redaction_mismatch(first, redaction.as_ref()) {
                    return Err(Error::unusable(&name, Some("redaction".into()), message));
                }
            }
            None => {
                self.outcome.redaction = record.redaction.as_ref().map(|redaction| redaction.key.to_string());
                let redaction = record.redaction.clone();
                self.first = Some(FirstReport { name: name.clone(), catalog: stamp, redaction });
            }
        }
        let outcome = record.outcome();
        let sums = [
            (self.outcome.summary.findings(), outcome.summary.findings()),
            (self.outcome.inputs.bytes, outcome.inputs.bytes),
            (self.outcome.inputs.total(), outcome.inputs.total()),
        ];
        if sums.iter().any(|(mine, theirs)| mine + theirs > MAX_COUNT) {
            let message = format!("with this report a sum exceeds {MAX_COUNT}");
            return Err(Error::unusable(&name, None, message));
        }
        for (id, code) in &outcome.summary.codes {
            let listed = self.catalog.entry(id).is_some();
            // If the catalogue is another one, `finish` rejects the report with a better message.
            if self.knows_first() && (code.known != listed || !code.known && !self.catalog.is_code(id)) {
                let message =
                    format!("the catalogue {} {id}", if listed { "lists" } else { "does not list" });
                return Err(Error::unusable(&name, Some("codes".into()), message));
            }
        }
        self.outcome.summary.merge(outcome.summary);
        self.outcome.inputs.merge(outcome.inputs);
        Ok(())
    }

    /// Returns the report of all.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] if the reports were made with another catalogue, which has other advice.
    pub fn finish(self) -> Result<Report, Error> {
        if !self.knows_first()
            && let Some(FirstReport { name, catalog: theirs, .. }) = &self.first
        {
            let ours = CatalogRecord::from(&self.stamp);
            let message = format!(
                "made with catalogue {theirs}, but this is {ours}: name the same pattern files by --catalog, or merge with the \
                 program that made the report"
            );
            return Err(Error::unusable(name, Some("catalog".into()), message));
        }
        Ok(Report::build(self.outcome, self.catalog))
    }

    fn knows_first(&self) -> bool {
        self.first.as_ref().is_none_or(|first| first.catalog.fingerprint == self.stamp.fingerprint)
    }
}
