//! Statements that the catalogue has word for word: the only ones that a report offers to copy.
//!
//! An advice mixes the catalogue's text with values of a log, and both may be in backticks. A log whose user is named
//! "DROP TABLE x;" must not make a report offer that to be copied. So a text in backticks comes in, with the entry of
//! the advice, and only if the entry itself contains the text is it a statement.

use crate::catalog::Entry;
use crate::report::plan::CommandLanguage;

/// The first words of SQL statements.
const SQL: [&str; 10] =
    ["ALTER", "CREATE", "DELETE", "DROP", "GRANT", "REVOKE", "SELECT", "SET", "SHOW", "UPDATE"];
/// The first word of commands for a shell.
const SHELL: &str = "az";

/// The language of `code`, if it is a statement or command of more than one word that `entry` has word for word.
pub(super) fn statement(code: &str, entry: Option<&Entry>) -> Option<CommandLanguage> {
    let (first, _) = code.split_once(' ')?;
    let language = match first {
        SHELL => CommandLanguage::Az,
        _ if SQL.contains(&first) => CommandLanguage::Sql,
        _ => return None,
    };
    let entry = entry?;
    let quoted = format!("`{code}`");
    let mut texts = entry.resolutions.iter().chain(&entry.wordings);
    texts.any(|template| template.text.contains(&quoted)).then_some(language)
}

/// The name of a language on a block of code.
pub(super) fn block_name(language: CommandLanguage) -> &'static str {
    match language {
        CommandLanguage::Sql => "sql",
        CommandLanguage::Az => "sh",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    #[test]
    fn only_statements_of_the_catalogue_are_published() {
        let entry = builtin().entry("603105").expect("an entry");
        let known = "SELECT pg_drop_replication_slot('slot_name');";
        assert_eq!(statement(known, Some(entry)), Some(CommandLanguage::Sql));
        assert_eq!(statement(known, None), None);
        assert_eq!(statement("DROP TABLE x;", Some(entry)), None);
        assert_eq!(statement("max_replication_slots", Some(entry)), None);
    }
}
