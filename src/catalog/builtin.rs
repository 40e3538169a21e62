//! The catalogue inside the binary.

use super::{Catalog, file};
use std::sync::OnceLock;

/// The name that the built-in pattern file goes by in messages.
pub const BUILTIN_FILE: &str = "patterns/azure-postgres-migration.toml";

/// The built-in catalogue, parsed once.
///
/// # Panics
///
/// When the file that was compiled in is no valid pattern file; the test suite proves that it is one.
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
