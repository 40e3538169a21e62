//! Merging: reports made apart (other machines, other days) as one, as if one scan had read everything.
//!
//! Reports that were read back come in one by one, a [`Report`] goes out. Totals, counts, times and whatever was listed
//! whole are exact; where a report does not list all of its sets of arguments, a distinct count of the sum is a lower
//! bound and says so. What differs between machines and would not add up (other catalogues, names hidden with other keys)
//! is refused.

use crate::catalog::{CODE_PREFIX, Catalog};
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
    /// The first report's name and catalogue, and how its names are hidden.
    first: Option<(String, CatalogRecord<'static>, Option<RedactionRecord<'static>>)>,
    outcome: Outcome,
}

impl Merger<'_> {
    /// Nothing yet; `catalog` is the one that all the reports were made with.
    pub fn new(catalog: &Catalog) -> Merger<'_> {
        Merger { catalog, stamp: CatalogStamp::new(catalog), first: None, outcome: Outcome::default() }
    }

    /// Takes in a report.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] where it cannot be added to those before.
    pub fn add(&mut self, file: ReportFile) -> Result<(), Error> {
        let ReportFile { name, record } = file;
        let stamp = record.catalog.clone();
        match &self.first {
            Some((first, theirs, _)) if theirs.fingerprint != stamp.fingerprint => {
                let message = format!(
                    "made with catalogue {stamp}, but {first} with {theirs}: what they count is not the same"
                );
                return Err(Error::unusable(&name, Some("catalog".into()), message));
            }
            Some((first, _, redaction)) => {
                if let Some(message) = record.redaction_mismatch(first, redaction.as_ref()) {
                    return Err(Error::unusable(&name, Some("redaction".into()), message));
                }
            }
            None => {
                self.outcome.redaction = record.redaction.as_ref().map(|redaction| redaction.key.to_string());
                self.first = Some((name.clone(), stamp, record.redaction.clone()));
            }
        }
        let outcome = record.outcome();
        let sums = [
            (self.outcome.summary.findings(), outcome.summary.findings()),
            (self.outcome.inputs.bytes, outcome.inputs.bytes),
            (self.outcome.inputs.total(), outcome.inputs.total()),
        ];
        if sums.iter().any(|(mine, theirs)| mine + theirs > MAX_COUNT) {
            let message = format!("with this report there is a sum above {MAX_COUNT}, which is not believed");
            return Err(Error::unusable(&name, None, message));
        }
        for (id, code) in &outcome.summary.codes {
            let listed = self.catalog.entry(id).is_some();
            let unknown = id.len() == 6 && id.starts_with(CODE_PREFIX);
            // With another catalogue it is refused in the end, by a better message.
            if self.knows_first() && (code.known != listed || !code.known && !unknown) {
                let message =
                    format!("the catalogue {} {id}", if listed { "lists" } else { "does not list" });
                return Err(Error::unusable(&name, Some("codes".into()), message));
            }
        }
        self.outcome.summary.merge(outcome.summary);
        self.outcome.inputs.merge(outcome.inputs);
        Ok(())
    }

    /// The report of all.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] where the reports were made with another catalogue, so that it does not know what to do.
    pub fn finish(self) -> Result<Report, Error> {
        if !self.knows_first()
            && let Some((name, theirs, _)) = &self.first
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
        self.first.as_ref().is_none_or(|(_, stamp, _)| stamp.fingerprint == self.stamp.fingerprint)
    }
}
