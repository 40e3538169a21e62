//! The catalogue inside the binary: the pattern file that is compiled in, parsed when it is first asked for.

use super::{Catalog, file};
use crate::error::Error;
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
        match file::parse(BUILTIN_FILE, text, &[]) {
            Ok(catalog) => catalog,
            Err(error) => panic!("the built-in catalogue is not valid:\n{error}"),
        }
    })
}

/// Parses the pattern file `name` with the content `text`. The built-in code spaces are always among its own,
/// so that an entry can correct a built-in one without declaring them again.
///
/// # Errors
///
/// [`Error::Catalog`] with every problem found.
pub fn parse(name: &str, text: &str) -> Result<Catalog, Error> {
    let mut catalog = file::parse(name, text, &builtin().code_spaces)?;
    catalog.add_code_spaces(&builtin().code_spaces);
    Ok(catalog)
}

impl Catalog {
    /// Returns a catalogue that has the built-in code spaces and no entry: the codes of the built-in
    /// catalogue are codes even where its entries are left out.
    pub fn without_entries() -> Catalog {
        Catalog { code_spaces: builtin().code_spaces.clone(), ..Catalog::default() }
    }
}
