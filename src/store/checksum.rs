//! Checksums: prove that the rows of the store are those that runs have written.
//!
//! SQLite finds damage to the structure of its pages, not a changed value. For each table, the store keeps the
//! number of its rows and the sum of their hashes. [`verify`] reads all rows and compares; [`track`] keeps the
//! sums up to date while a run writes, and [`Sums::save`] stores them with each batch, in its transaction.
//!
//! A sum needs no order, so a changed row costs two hashes: the old one is subtracted and the new one added.
//! Temporary triggers do this, whichever statement changes the row. They exist in the connection of a run
//! only: rows that another program has changed do not agree with the sums.
//!
//! Nothing here knows what rows mean.

use super::schema::{SCHEMA, TABLES};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result, params};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use xxhash_rust::xxh3::xxh3_128;

/// The name of the function that the triggers call: table, 1 or -1, and the values of the row.
const FUNCTION: &str = "migsift_sum_row";

/// The number of rows of a table and the sum of their hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    count: i64,
    hashes: u128,
}

impl Sum {
    fn add(&mut self, hash: u128) {
        self.count = self.count.wrapping_add(1);
        self.hashes = self.hashes.wrapping_add(hash);
    }

    fn subtract(&mut self, hash: u128) {
        self.count = self.count.wrapping_sub(1);
        self.hashes = self.hashes.wrapping_sub(hash);
    }
}

/// The sums of all tables, in the order of [`TABLES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums([Sum; TABLES.len()]);

impl Sums {
    /// Sums up the rows of all tables.
    fn of_rows(db: &Connection) -> Result<Sums> {
        let mut sums = Sums::default();
        let mut bytes = Vec::new();
        for (number, table) in TABLES.iter().enumerate() {
            let columns = table.columns.join(", ");
            let mut statement = db.prepare(&format!("SELECT {columns} FROM {} NOT INDEXED", table.name))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                bytes.clear();
                for column in 0..table.columns.len() {
                    encode(row.get_ref(column)?, &mut bytes);
                }
                sums.0[number].add(xxh3_128(&bytes));
            }
        }
        Ok(sums)
    }

    /// Stores the sums.
    pub fn save(&self, db: &Connection) -> Result<()> {
        let mut statement = db.prepare_cached("INSERT OR REPLACE INTO checksum VALUES (?1, ?2, ?3)")?;
        for (table, Sum { count, hashes }) in TABLES.iter().zip(self.0) {
            statement.execute(params![table.name, count, hashes.to_be_bytes()])?;
        }
        Ok(())
    }
}

/// Reads all rows and returns their sums; or what disagrees with the sums of the store. A store without any sums is
/// accepted as it is.
pub fn verify(db: &Connection) -> Result<std::result::Result<Sums, String>> {
    let sums = Sums::of_rows(db)?;
    let mut statement = db.prepare("SELECT name, count, sum FROM checksum")?;
    let rows = statement.query_map([], |row| {
        let sum = Sum { count: row.get(1)?, hashes: u128::from_be_bytes(row.get(2)?) };
        Ok((row.get::<_, String>(0)?, sum))
    })?;
    let stored: HashMap<String, Sum> = rows.collect::<Result<_>>()?;
    if stored.is_empty() {
        return Ok(Ok(sums));
    }
    let wrong = TABLES.iter().zip(sums.0).find(|(table, sum)| stored.get(table.name) != Some(sum));
    Ok(match wrong {
        None => Ok(sums),
        Some((table, _)) => Err(format!("rows of the table {} have changed", table.name)),
    })
}

/// Compares the definitions of tables and views with those that this program creates; returns the name of one that
/// differs. What other programs have added does not matter.
pub fn changed_definition(db: &Connection) -> Result<Option<String>> {
    let own = Connection::open_in_memory()?;
    own.execute_batch(SCHEMA)?;
    let definitions = |db: &Connection| -> Result<Vec<(String, String)>> {
        let sql = "SELECT name, type || ' ' || tbl_name || ' ' || coalesce(sql, '') FROM sqlite_schema \
                   WHERE name NOT LIKE 'sqlite_%'";
        let mut statement = db.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    };
    let stored: HashMap<String, String> = definitions(db)?.into_iter().collect();
    let own = definitions(&own)?;
    let changed = own.into_iter().find(|(name, definition)| stored.get(name) != Some(definition));
    Ok(changed.map(|(name, _)| name))
}

/// The sums of what a connection writes.
#[derive(Debug, Clone)]
pub struct Tracked(Arc<Mutex<Sums>>);

impl Tracked {
    /// The sums as of the last statement.
    pub fn sums(&self) -> Sums {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps `sums` up to date with everything that this connection writes from now on.
pub fn track(db: &Connection, sums: Sums) -> Result<Tracked> {
    let tracked = Tracked(Arc::new(Mutex::new(sums)));
    let state = Arc::clone(&tracked.0);
    let flags = FunctionFlags::SQLITE_UTF8;
    db.create_scalar_function(FUNCTION, -1, flags, move |context| sum_row(context, &state))?;
    // Also rows that `OR REPLACE` deletes.
    let mut sql = String::from("PRAGMA recursive_triggers=ON;");
    for (number, table) in TABLES.iter().enumerate() {
        let name = table.name;
        let call = |sign: i64, row: &str| {
            let columns: Vec<String> = table.columns.iter().map(|column| format!("{row}.{column}")).collect();
            format!("SELECT {FUNCTION}({number}, {sign}, {});", columns.join(", "))
        };
        let (add, subtract) = (call(1, "NEW"), call(-1, "OLD"));
        for (event, body) in
            [("INSERT", &add), ("DELETE", &subtract), ("UPDATE", &format!("{subtract} {add}"))]
        {
            let trigger = format!("sum_{event}_{name}");
            sql += &format!("CREATE TEMP TRIGGER {trigger} AFTER {event} ON main.{name} BEGIN {body} END;\n");
        }
    }
    db.execute_batch(&sql)?;
    Ok(tracked)
}

/// What a trigger calls.
fn sum_row(context: &mut Context<'_>, sums: &Mutex<Sums>) -> Result<Option<i64>> {
    let number = |at: usize| context.get_raw(at).as_i64().map_err(Error::from);
    let (table, sign) = (number(0)?, number(1)?);
    let mut bytes = Vec::with_capacity(256);
    for value in 2..context.len() {
        encode(context.get_raw(value), &mut bytes);
    }
    let hash = xxh3_128(&bytes);
    let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
    let sum = sums.0.get_mut(table as usize).ok_or(Error::InvalidQuery)?;
    if sign < 0 {
        sum.subtract(hash)
    } else {
        sum.add(hash)
    }
    Ok(None)
}

/// Appends a value so that no other list of values has the same bytes.
fn encode(value: ValueRef<'_>, bytes: &mut Vec<u8>) {
    let text = |tag: u8, text: &[u8], bytes: &mut Vec<u8>| {
        bytes.push(tag);
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text);
    };
    match value {
        ValueRef::Null => bytes.push(0),
        ValueRef::Integer(number) => {
            bytes.push(1);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        ValueRef::Real(number) => {
            bytes.push(2);
            bytes.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        ValueRef::Text(value) => text(3, value, bytes),
        ValueRef::Blob(value) => text(4, value, bytes),
    }
}
