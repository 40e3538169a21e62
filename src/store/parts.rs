//! Parts and names: the texts of findings, each stored once, and as a difference from one that is like it.
//!
//! A text comes in, its number goes out; the row is inserted if the text is new. What rows look like is
//! explained in `schema.rs`. All known texts are in memory as hashes, so no index on texts is needed; they are
//! loaded when a run has its first finding to store.

use rusqlite::{Connection, Result, params};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

/// How many bytes of a text are compared to find one that is like it, from its start or to its end. The longer
/// ones are tried first.
const LIKENESS_BYTES: [usize; 3] = [40, 20, 10];
/// The fewest bytes that a difference must save: what its own columns need, and some more.
const MIN_SAVED_BYTES: usize = 12;
/// The most texts to compare with: a log of texts that are all unlike each other has no use for more.
const MAX_BASES: usize = 16_384;

/// The texts that the store has.
#[derive(Debug, Default)]
pub struct Parts {
    names: HashMap<Box<str>, i64>,
    /// By hash; its seed is random, so that no log can be made to have two texts with the same hash.
    parts: HashMap<u128, i64>,
    seed: u64,
    /// Texts that others are compared with, by the hash of some of their bytes: the last one of each.
    likes: HashMap<u64, usize>,
    bases: Vec<Base>,
    last_name: i64,
    last_part: i64,
}

/// A text that is stored whole.
#[derive(Debug)]
struct Base {
    id: i64,
    text: Box<str>,
}

/// What two texts have in common, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Overlap {
    prefix: usize,
    suffix: usize,
}

impl Parts {
    /// Reads the texts of the store.
    pub fn load(db: &Connection) -> Result<Parts> {
        let mut parts = Parts { seed: RandomState::new().hash_one(0), ..Parts::default() };
        let mut statement = db.prepare("SELECT id, text FROM name")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            parts.last_name = parts.last_name.max(id);
            parts.names.insert(row.get::<_, String>(1)?.into(), id);
        }
        let sql = "SELECT part.id, base IS NULL, whole.text FROM part JOIN whole USING (id) ORDER BY part.id";
        let mut statement = db.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            let text = row.get_ref(2)?.as_str()?;
            parts.last_part = id;
            parts.parts.insert(xxh3_128_with_seed(text.as_bytes(), parts.seed), id);
            if row.get(1)? {
                parts.add_base(id, text);
            }
        }
        Ok(parts)
    }

    /// Returns the number of a member, a path or an id.
    pub fn name(&mut self, db: &Connection, text: &str) -> Result<i64> {
        if let Some(id) = self.names.get(text) {
            return Ok(*id);
        }
        self.last_name = self.last_name.saturating_add(1);
        db.prepare_cached("INSERT INTO name VALUES (?1, ?2)")?.execute(params![self.last_name, text])?;
        self.names.insert(text.into(), self.last_name);
        Ok(self.last_name)
    }

    /// Returns the number of a part of a record.
    pub fn part(&mut self, db: &Connection, text: &str) -> Result<i64> {
        let hash = xxh3_128_with_seed(text.as_bytes(), self.seed);
        if let Some(id) = self.parts.get(&hash) {
            return Ok(*id);
        }
        // A store of others may hold any number; the row is rejected then.
        self.last_part = self.last_part.saturating_add(1);
        let id = self.last_part;
        let mut statement = db.prepare_cached("INSERT INTO part VALUES (?1, ?2, ?3, ?4, ?5)")?;
        match self.base(text) {
            Some((base, Overlap { prefix, suffix })) => {
                let (start, end) = (&text[..prefix], &text[text.len() - suffix..]);
                let count = |text: &str| text.chars().count() as i64;
                let between = &text[prefix..text.len() - suffix];
                statement.execute(params![id, base.id, count(start), count(end), between])?;
            }
            None => {
                let none = None::<i64>;
                statement.execute(params![id, none, none, none, text])?;
                self.add_base(id, text);
            }
        }
        self.parts.insert(hash, id);
        Ok(id)
    }

    /// The text that has the most in common with this one, among the last ones with the same first or last bytes.
    fn base(&self, text: &str) -> Option<(&Base, Overlap)> {
        let candidates =
            keys(text).into_iter().flatten().filter_map(|key| self.bases.get(*self.likes.get(&key)?));
        let overlaps = candidates.map(|base| (base, overlap(&base.text, text)));
        let best = overlaps.max_by_key(|(_, overlap)| overlap.prefix + overlap.suffix)?;
        (best.1.prefix + best.1.suffix >= MIN_SAVED_BYTES).then_some(best)
    }

    fn add_base(&mut self, id: i64, text: &str) {
        if self.bases.len() >= MAX_BASES {
            self.bases.clear();
            self.likes.clear();
        }
        for key in keys(text).into_iter().flatten() {
            self.likes.insert(key, self.bases.len());
        }
        self.bases.push(Base { id, text: text.into() });
    }
}

/// The hashes of some bytes at the start and the end of a text that are found in texts like it.
fn keys(text: &str) -> [Option<u64>; 2 * LIKENESS_BYTES.len()] {
    let bytes = text.as_bytes();
    let mut keys = [None; 2 * LIKENESS_BYTES.len()];
    for (length, keys) in LIKENESS_BYTES.into_iter().zip(keys.chunks_exact_mut(2)) {
        // Inverted, as a text that ends like this one starts is not like it.
        keys[0] = bytes.get(..length).map(xxh3_64);
        keys[1] = bytes.len().checked_sub(length).map(|start| !xxh3_64(&bytes[start..]));
    }
    keys
}

/// How much of its start and of its end `text` has in common with `base`, in whole characters that do not overlap
/// in either.
fn overlap(base: &str, text: &str) -> Overlap {
    let same = |(a, b): &(u8, u8)| a == b;
    let mut prefix = base.bytes().zip(text.bytes()).take_while(same).count();
    while !text.is_char_boundary(prefix) {
        prefix -= 1;
    }
    let most = base.len().min(text.len()) - prefix;
    let mut suffix = base.bytes().rev().zip(text.bytes().rev()).take(most).take_while(same).count();
    while !text.is_char_boundary(text.len() - suffix) {
        suffix -= 1;
    }
    Overlap { prefix, suffix }
}

#[cfg(test)]
mod tests {
    use super::super::schema::SCHEMA;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn overlaps_are_whole_characters_and_do_not_overlap() {
        assert_eq!(overlap("abab", "ab"), Overlap { prefix: 2, suffix: 0 });
        assert_eq!(
            overlap("xäy", "xöy"),
            Overlap { prefix: 1, suffix: 1 },
            "ä and ö have the same first byte"
        );
        assert_eq!(overlap("日本", "月本"), Overlap { prefix: 0, suffix: 3 });
        assert_eq!(overlap("", "a"), Overlap { prefix: 0, suffix: 0 });
    }

    proptest! {
        /// What comes out of the store is what went in, and each text has one number, also after loading.
        #[test]
        fn texts_survive_and_have_one_number(
            texts in proptest::collection::vec("(text:603405: extension\\(s\\) |)[äa-c]{0,9}( on the source server|日本語の長い終わり|)", 1..60),
            load_at in 0..60_usize,
        ) {
            let db = Connection::open_in_memory().expect("a database");
            db.execute_batch(SCHEMA).expect("tables");
            let mut parts = Parts::load(&db).expect("texts");
            let mut numbers: BTreeMap<&str, i64> = BTreeMap::new();
            for (i, text) in texts.iter().enumerate() {
                if i == load_at {
                    parts = Parts::load(&db).expect("texts");
                }
                let id = parts.part(&db, text).expect("a number");
                prop_assert_eq!(*numbers.entry(text).or_insert(id), id);
            }
            for (text, id) in numbers {
                let stored: String =
                    db.query_row("SELECT text FROM whole WHERE id = ?1", [id], |row| row.get(0)).expect("a row");
                prop_assert_eq!(stored, text);
            }
        }
    }
}
