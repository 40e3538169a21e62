//! Upgrades a store of version 1 to the present tables.
//!
//! A connection in a transaction comes in, with tables of version 1; new tables go out with all their rows.
//! Version 1 had the line of NDJSON of each finding as a column, indexes, and no checksums.

use super::occurrence::{Occurrence, upsert};
use super::parts::Parts;
use super::schema::{SCHEMA, TABLES};
use crate::finding::Finding;
use crate::record::FindingRecord;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result};

/// The tables that both versions have.
const KEPT: [&str; 5] = ["method", "run", "problem", "stream", "input"];

/// Rebuilds the tables of version 1.
pub fn from_version_1(db: &Connection) -> Result<()> {
    db.execute_batch("DROP VIEW failure; DROP INDEX problem_run; DROP INDEX finding_run;")?;
    for table in KEPT.into_iter().chain(["finding"]) {
        db.execute_batch(&format!("ALTER TABLE {table} RENAME TO old_{table}"))?;
    }
    db.execute_batch(SCHEMA)?;
    for table in TABLES.iter().filter(|table| KEPT.contains(&table.name)) {
        let (name, columns) = (table.name, table.columns.join(", "));
        db.execute_batch(&format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM old_{name}"))?;
    }
    copy_findings(db)?;
    // References first.
    for table in ["finding", "input", "stream", "problem", "run", "method"] {
        db.execute_batch(&format!("DROP TABLE old_{table}"))?;
    }
    Ok(())
}

fn copy_findings(db: &Connection) -> Result<()> {
    let mut parts = Parts::load(db)?;
    let mut statement = db.prepare("SELECT stream, nth, record, first_run, last_run FROM old_finding")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let record: FindingRecord<'_> = serde_json::from_str(row.get_ref(2)?.as_str()?)
            .map_err(|error| Error::FromSqlConversionFailure(2, Type::Text, Box::new(error)))?;
        let finding = Finding::from(record);
        let (stream, nth, first_run, last_run) = (row.get(0)?, row.get(1)?, row.get(3)?, row.get(4)?);
        upsert(db, &mut parts, &Occurrence { stream, nth, finding: &finding, first_run, last_run })?;
    }
    Ok(())
}
