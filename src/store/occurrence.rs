//! Findings as rows of `occurrence`.
//!
//! A finding comes in; its row, and rows of the texts that are new, go into the file; and the other way round.
//! `schema.rs` explains how a finding's line of NDJSON is cut into texts. Its view `finding` puts it together
//! for people; [`Lines`] does so in half of the time, as most texts are those of findings before.

use super::parts::Parts;
use crate::context::Time;
use crate::finding::Finding;
use crate::record::FindingRecord;
use crate::source::Origin;
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, Statement, params};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

/// A finding of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'o> {
    pub stream: i64,
    /// Distinguishes members with the same name.
    pub nth: i64,
    pub finding: &'o Finding,
    pub first_run: i64,
    pub last_run: i64,
}

/// Inserts the finding, or updates all of it but its first run; returns whether it is new.
pub fn upsert(db: &Connection, parts: &mut Parts, occurrence: &Occurrence<'_>) -> Result<bool> {
    let Occurrence { stream, nth, finding, first_run, last_run } = *occurrence;
    let wrong = |error: serde_json::Error| Error::ToSqlConversionFailure(Box::new(error));
    let line = serde_json::to_string(&FindingRecord::from(finding)).map_err(wrong)?;
    let texts = Texts::new(&serde_json::from_str(&line).map_err(wrong)?);
    let member = match &finding.origin.member {
        Some(member) => parts.name(db, member)?,
        None => 0,
    };
    let entry = parts.name(db, &finding.id)?;
    let path = parts.name(db, &finding.origin.path.to_string_lossy())?;
    let time = finding.time.map(time_columns);
    let values = params![
        stream,
        member,
        finding.offset as i64,
        entry,
        nth,
        time.map(|(second, _)| second),
        time.map(|(_, fraction)| fraction),
        finding.line as i64,
        finding.length as i64,
        path,
        parts.part(db, &texts.head)?,
        parts.part(db, texts.args)?,
        parts.part(db, texts.context)?,
        parts.part(db, &texts.rest)?,
        first_run,
        last_run,
    ];
    let sql = "INSERT INTO occurrence VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
               ON CONFLICT DO NOTHING";
    if db.prepare_cached(sql)?.execute(values)? == 1 {
        return Ok(true);
    }
    let sql = "UPDATE occurrence SET second=?6, fraction=?7, line=?8, length=?9, path=?10, head=?11, args=?12, context=?13, \
               rest=?14, last_run=max(last_run, ?16), first_run=min(first_run, ?15) \
               WHERE stream=?1 AND member=?2 AND offset=?3 AND entry=?4 AND nth=?5";
    db.prepare_cached(sql)?.execute(values)?;
    Ok(false)
}

/// The Unix time and the fraction of its second.
fn time_columns(time: Time) -> (i64, i64) {
    let digits = time.digits.min(9);
    let instant = time.instant.as_nanosecond();
    let fraction = instant.rem_euclid(SECOND) as i64 / 10_i64.pow(9 - u32::from(digits));
    (instant.div_euclid(SECOND) as i64, fraction * 16 + i64::from(digits))
}

/// The most texts that [`Lines`] keeps.
const MAX_TEXTS: usize = 16_384;

/// Reads findings back.
pub struct Lines<'d> {
    whole: Statement<'d>,
    texts: HashMap<i64, Box<str>>,
    line: String,
}

impl<'d> Lines<'d> {
    pub fn new(db: &'d Connection) -> Result<Lines<'d>> {
        let whole = db.prepare("SELECT text FROM whole WHERE id = ?1")?;
        Ok(Lines { whole, texts: HashMap::new(), line: String::new() })
    }

    /// Reads a row of the stream's path, member, entry, offset, second, fraction, line, length, head, args, context and
    /// rest. The path is where the stream was seen last, not the one that the finding was found with.
    pub fn finding(&mut self, row: &Row<'_>) -> Result<Finding> {
        self.line.clear();
        self.line.push('{');
        self.push_text(row.get(8)?)?;
        self.line.push_str("\"args\":");
        self.push_text(row.get(9)?)?;
        let [offset, line, length] = [row.get(3)?, row.get(6)?, row.get(7)?].map(|number: i64| number as u64);
        let numbers = format!("\"line\":{line},\"offset\":{offset},\"length\":{length}");
        self.line.extend([",\"time\":null,\"path\":\"\",\"member\":null,", &numbers, ",\"context\":"]);
        self.push_text(row.get(10)?)?;
        self.push_text(row.get(11)?)?;
        let record: FindingRecord<'_> = serde_json::from_str(&self.line)
            .map_err(|error| Error::FromSqlConversionFailure(11, Type::Text, Box::new(error)))?;
        let mut finding = Finding::from(record);
        finding.time = match (row.get(4)?, row.get(5)?) {
            (Some(second), Some(fraction)) => Some(time(second, fraction)?),
            _ => None,
        };
        let path = String::from_utf8_lossy(row.get_ref(0)?.as_bytes()?).as_ref().into();
        finding.origin = Arc::new(Origin { path, member: row.get(1)? });
        Ok(finding)
    }

    fn push_text(&mut self, id: i64) -> Result<()> {
        if let Some(text) = self.texts.get(&id) {
            self.line.push_str(text);
            return Ok(());
        }
        let text: String = self.whole.query_row([id], |row| row.get(0))?;
        self.line.push_str(&text);
        if self.texts.len() >= MAX_TEXTS {
            self.texts.clear();
        }
        self.texts.insert(id, text.into());
        Ok(())
    }
}

/// The time of the columns that [`time_columns`] makes.
fn time(second: i64, fraction: i64) -> Result<Time> {
    let digits = (fraction & 15).min(9) as u8;
    let nanosecond = (fraction >> 4).saturating_mul(10_i64.pow(9 - u32::from(digits)));
    let instant =
        i32::try_from(nanosecond).ok().and_then(|nanosecond| Timestamp::new(second, nanosecond).ok());
    let instant = instant.ok_or(Error::IntegralValueOutOfRange(4, second))?;
    Ok(Time { instant, digits })
}

/// The texts of a line of NDJSON.
struct Texts<'l> {
    /// The fields before `args`.
    head: String,
    args: &'l str,
    context: &'l str,
    /// The fields after `context`, and the closing brace.
    rest: String,
}

impl<'l> Texts<'l> {
    fn new(fields: &Fields<'l>) -> Texts<'l> {
        let mut texts = Texts { head: String::new(), args: "{}", context: "{}", rest: String::new() };
        let mut is_rest = false;
        for (key, value) in &fields.0 {
            let value = value.get();
            match *key {
                "args" => {
                    texts.args = value;
                    is_rest = true;
                }
                "context" => texts.context = value,
                // Columns of their own.
                "time" | "path" | "member" | "line" | "offset" | "length" => {}
                key if is_rest => texts.rest.extend([",\"", key, "\":", value]),
                key => texts.head.extend(["\"", key, "\":", value, ","]),
            }
        }
        texts.rest.push('}');
        texts
    }
}

/// The fields of an object in their order.
struct Fields<'l>(Vec<(&'l str, &'l RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Fields<'de>, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<Fields<'de>, M::Error> {
        let mut fields = Vec::with_capacity(20);
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_with_their_digits() {
        for text in [
            "2024-06-06T21:42:53.039Z",
            "2024-06-06T21:42:53.9999999Z",
            "1969-12-31T23:59:59.999999999Z",
            "0001-01-01T00:00:00.000Z",
            "9999-12-30T00:00:00.000000Z",
        ] {
            let wanted: Time = serde_json::from_str(&format!("\"{text}\"")).expect("a time");
            let (second, fraction) = time_columns(wanted);
            assert_eq!(time(second, fraction).expect("a time").to_string(), text);
        }
        assert!(time(0, i64::MAX).is_err() && time(i64::MAX, 3).is_err(), "values of others are no panic");
    }
}
