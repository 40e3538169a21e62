//! The trend: findings of all runs by day and code.

use super::history::Select;
use super::{Store, damaged};
use crate::catalog::Severity;
use crate::error::Error;
use crate::report::history::Trend;
use jiff::civil::Date;
use jiff::tz::TimeZone;

impl Store {
    /// Findings of all runs by day and code, within the days of `select`.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] for a store that is damaged.
    pub fn trend(&self, select: &Select) -> Result<Trend, Error> {
        let sql = "SELECT substr(coalesce(finding.time, run.started), 1, 10), finding.id, \
                   json_extract(record, '$.severity'), count(*) \
                   FROM finding JOIN run ON run.id = finding.first_run GROUP BY 1, 2, 3";
        let mut statement = self.db.prepare(sql).map_err(|error| self.failed(error))?;
        let mut rows = statement.query([]).map_err(|error| self.failed(error))?;
        let day = |instant: jiff::Timestamp| instant.to_zoned(TimeZone::UTC).date();
        let (since, until) = (select.since.map(day), select.until.map(day));
        let mut trend = Trend::default();
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            let text = |at: usize| row.get::<_, String>(at).map_err(|error| self.failed(error));
            let (day, id, severity) = (text(0)?, text(1)?, text(2)?);
            let count: i64 = row.get(3).map_err(|error| self.failed(error))?;
            let Ok(day) = day.parse::<Date>() else {
                return Err(damaged(&self.path, &format!("a finding on the day \"{day}\"")));
            };
            let severity = if severity == "error" { Severity::Error } else { Severity::Warning };
            if since.is_none_or(|since| day >= since) && until.is_none_or(|until| day <= until) {
                trend.add(&id, severity, day, count as u64);
            }
        }
        Ok(trend)
    }
}
