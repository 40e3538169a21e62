//! The catalogue inside the binary: the pattern file that is compiled in, parsed when it is first asked for.

use super::{Catalog, file};
use std::sync::OnceLock;

/// The name of the built-in pattern file in messages.
pub const BUILTIN_FILE: &str = "patterns/azure-postgres-migration.toml";

/// Returns the built-in catalogue, parsed once.
///
/// # Panics
///
/// If the file that was compiled in is no valid pattern file, which the tests exclude.
pub fn builtin() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let text = include_str!("../../patterns/azure-postgres-migration.toml");
        match file::parse(BUILTIN_FILE, text) {
            Ok(catalog) => catalog,
            Err(error) => panic!("the built-in catalogue is not valid:\n{error}"),
        }
    })
}
