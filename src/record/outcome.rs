//! From a report back to an outcome, to be merged with others and reported again.
//!
//! A [`ReportRecord`] comes in; an [`Outcome`] goes out. What the report lists becomes what was counted. What
//! it counts without listing it (argument sets beyond the bound) becomes a number. What follows from the
//! rest, such as resolutions, is left out: [`Report::build`](crate::report::Report::build) computes it again.

use super::finding::origin;
use super::{ArgSetRecord, CodeRecord, InputsRecord, ProblemRecord, ReportRecord};
use crate::scan::{Inputs, Outcome, Problem};
use crate::summary::{ArgSet, Attempts, CodeSummary, Drift, ReportedCount, SeverityCounts, Summary, Times};

impl ReportRecord<'_> {
    /// Returns the outcome of the scan that made the report.
    pub fn outcome(self) -> Outcome {
        let codes = self.codes.into_iter().map(|code| (code.id.as_ref().into(), summary(code))).collect();
        let attempts = Attempts::from_list(self.attempts.into_owned(), self.attempts_truncated);
        let migration = self.support.migration_facts();
        Outcome {
            summary: Summary { codes, migration, attempts },
            inputs: self.inputs.into(),
            redaction: self.redaction.map(|redaction| redaction.key.into_owned()),
        }
    }
}

impl From<InputsRecord<'_>> for Inputs {
    fn from(record: InputsRecord<'_>) -> Inputs {
        let InputsRecord { scanned, partial, skipped, failed, bytes, problems } = record;
        let problems = problems.into_iter().map(Into::into).collect();
        Inputs { scanned, partial, skipped, failed, bytes, problems }
    }
}

impl From<ProblemRecord<'_>> for Problem {
    fn from(record: ProblemRecord<'_>) -> Problem {
        Problem {
            origin: origin(&record.path, record.member),
            status: record.status,
            reason: record.reason.into_owned(),
            bytes: record.bytes,
        }
    }
}

fn summary(record: CodeRecord<'_>) -> CodeSummary {
    let mut code = CodeSummary::new(record.code, record.title.into(), record.known);
    code.by_severity = SeverityCounts { warnings: record.warning, errors: record.error };
    code.wording = record.wording.counts();
    code.times = Times { first: record.first, last: record.last };
    code.timeline = (&record.timeline).into();
    code.servers = record.servers.into_owned();
    code.prior_sources = record.files;
    code.samples = record.samples.into_iter().map(Into::into).collect();
    code.drift = record.drift.map(|drift| Drift {
        origin: origin(&drift.path, drift.member),
        offset: drift.offset,
        text: drift.says.into_owned(),
    });
    for set in record.args {
        code.add_listed(set.into());
    }
    code.set_prior_counts(
        ReportedCount { count: record.failures, lower_bound: record.failures_truncated },
        ReportedCount { count: record.args_distinct, lower_bound: record.args_distinct_truncated },
    );
    code
}

impl From<ArgSetRecord<'_>> for ArgSet {
    fn from(record: ArgSetRecord<'_>) -> ArgSet {
        let mut set = ArgSet {
            args: record.args.into_owned(),
            count: record.count,
            times: Times { first: record.first, last: record.last },
            other_databases: SeverityCounts { warnings: record.warning, errors: record.error },
            ..ArgSet::default()
        };
        for found in record.by_database {
            let counts = SeverityCounts { warnings: found.warning, errors: found.error };
            // What the report does not list by database is what is left of the sum.
            set.other_databases = set.other_databases.saturating_sub(counts);
            match found.database {
                Some(database) => {
                    set.databases.insert(database.into_owned(), counts);
                }
                None => set.without_database = counts,
            }
        }
        set
    }
}
