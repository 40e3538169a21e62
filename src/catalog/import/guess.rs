//! Guesses about arguments and titles of a published table, all made from names.
//!
//! A name or a message comes in, a kind, a subject or a title goes out. The tables only name their placeholders, so that
//! the rest is guessed here, once, when a pattern file is made. The guesses are written into the file, where a person
//! looks them through; from then on the program reads what is declared and never a name. A wrong guess is edited in the
//! file.

use crate::catalog::template::split_sentences;
use crate::catalog::{Alphabet, ArgValue, Code, CodeSpace, Subject, ValueKind};

/// The shortest text that is taken for a code without being known as one.
pub(super) const MIN_CODE_LEN: usize = 4;

/// Whether a text may be a code of a space that is not known.
pub(super) fn may_be_code(text: &str) -> bool {
    text.len() >= MIN_CODE_LEN && text.contains(|c: char| c.is_ascii_digit()) && Code::new(text).is_some()
}

/// Guesses the code spaces of codes, in the order in which these first occur. Letters before digits only are the prefix
/// (`S0004`), else the first half is (`704001`, `42P01`).
pub(super) fn code_spaces(codes: &[Code]) -> Vec<CodeSpace> {
    let mut spaces: Vec<CodeSpace> = Vec::new();
    for code in codes {
        let letters = code.bytes().take_while(u8::is_ascii_uppercase).count();
        let digits = code[letters..].bytes().all(|byte| byte.is_ascii_digit());
        let alphabet = if digits { Alphabet::Digits } else { Alphabet::Alphanumeric };
        let prefix = if digits && letters > 0 { letters } else { code.len() / 2 };
        if let Ok(space) = CodeSpace::new(&code[..prefix], alphabet, code.len(), "code")
            && !spaces.iter().any(|known| known.contains(&**code))
        {
            spaces.push(space);
        }
    }
    spaces
}

/// Guesses the kind of an argument: a plural of things is a list, all else is any text.
pub(super) fn kind(name: &str) -> ValueKind {
    let list = ["names", "extensions", "roles", "languages", "users", "databases", "tables"];
    if list.iter().any(|plural| name.ends_with(plural)) { ValueKind::List } else { ValueKind::Text }
}

/// Guesses what the values of an argument name: `source_server`, `db_name`, `role_names`.
///
/// The last word decides, or the one before it where the last is "name". `server_version` names no server.
pub(super) fn subject(name: &str) -> Option<Subject> {
    let mut words = name.rsplit('_').map(|word| word.strip_suffix('s').unwrap_or(word));
    let last = words.next()?;
    match if last == "name" { words.next()? } else { last } {
        "server" | "servername" | "host" | "hostname" => Some(Subject::Server),
        "database" | "databasename" | "db" | "dbname" => Some(Subject::Database),
        "role" | "rolename" | "user" | "username" => Some(Subject::Role),
        "table" | "tablename" => Some(Subject::Table),
        "column" | "columnname" => Some(Subject::Column),
        "extension" | "extensionname" => Some(Subject::Extension),
        _ => None,
    }
}

/// Makes up a value for an example, as logs have it; `number` distinguishes values of one text.
pub(super) fn sample_value(name: &str, kind: ValueKind, number: usize) -> ArgValue {
    let one = |value: &str| ArgValue::One(value.to_string());
    match kind {
        ValueKind::List => ArgValue::Many(vec!["postgis".into(), "pg_cron".into()]),
        ValueKind::Number => one("12"),
        ValueKind::Version => one("9.6"),
        ValueKind::Word => one("replica"),
        ValueKind::Text => {
            const TEXTS: [(&str, &str); 8] = [
                ("server", "src"),
                ("host", "src"),
                ("database", "orders"),
                ("db", "orders"),
                ("user", "migadmin"),
                ("role", "app_rw"),
                ("table", "public.items"),
                ("column", "name"),
            ];
            let text = TEXTS.iter().find(|(word, _)| name.contains(word)).map_or("sample", |(_, text)| text);
            ArgValue::One(format!("{text}-{number}"))
        }
    }
}

/// Splits a message cell: its first sentence is the title, the rest the wording.
pub(super) fn title_and_wording(message: &str) -> (&str, &str) {
    let first = split_sentences(message).first().map_or(0, |first| first.len());
    (message[..first].trim(), message[first..].trim())
}

/// Makes an id of a title: lower-case words joined by hyphens.
pub(super) fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// Makes an argument's name of a placeholder: `serverName` becomes `server_name`, `DBName` `db_name`.
pub(super) fn snake_case(placeholder: &str) -> String {
    let mut name = String::with_capacity(placeholder.len() + 4);
    let characters: Vec<char> = placeholder.trim().chars().collect();
    for (i, c) in characters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| characters[i]);
        let starts_word = before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            || before.is_some_and(|b| b.is_ascii_uppercase())
                && characters.get(i + 1).is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && starts_word {
            name.push('_');
        }
        let word = c.is_ascii_alphanumeric() || *c == '_';
        name.push(if word { c.to_ascii_lowercase() } else { '_' });
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_guessed_from_the_last_word() {
        for (name, guess) in [
            ("server", Some(Subject::Server)),
            ("source_server", Some(Subject::Server)),
            ("server_name", Some(Subject::Server)),
            ("host", Some(Subject::Server)),
            ("db_name", Some(Subject::Database)),
            ("dbname", Some(Subject::Database)),
            ("databases", Some(Subject::Database)),
            ("role_names", Some(Subject::Role)),
            ("table_name", Some(Subject::Table)),
            ("column", Some(Subject::Column)),
            ("extensions", Some(Subject::Extension)),
            ("server_version", None),
            ("name", None),
            ("arg0", None),
        ] {
            assert_eq!(subject(name), guess, "{name}");
        }
    }

    #[test]
    fn placeholders_become_names() {
        for (placeholder, name) in
            [("serverName", "server_name"), ("DBName", "db_name"), ("db-name", "db_name"), ("X", "x")]
        {
            assert_eq!(snake_case(placeholder), name);
        }
    }
}
