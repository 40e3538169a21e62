//! Tests of what is a secret and what is left of a text.

use super::*;
use crate::catalog;
use proptest::prelude::*;

/// Texts and what is left of them.
const EXAMPLES: &[(&str, &str)] = &[
    ("host=a password=hunter2 user=b", "host=a password=*** user=b"),
    ("host=a password=,;x& user=b", "host=a password=*** user=b"),
    (r"host=a password='hun\' ter' user=b", "host=a password=*** user=b"),
    ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
    (r#"PGPASSWORD=hun"t e"r2 psql"#, "PGPASSWORD=*** psql"),
    (r"PGPASSWORD='hun'\''t er' psql", "PGPASSWORD=*** psql"),
    (r#"{"sourceServerPassword": "hu,nt er2", "x": 1}"#, r#"{"sourceServerPassword": ***, "x": 1}"#),
    (r#"{\"password\":\"hunter2\",\"x\":1}"#, r#"{\"password\":***,\"x\":1}"#),
    (r#"{"password":"hun\"t:er","x":1}"#, r#"{"password":***,"x":1}"#),
    (r#"{"password":"hunter\\","x":1}"#, r#"{"password":***,"x":1}"#),
    (r#"{"m":"password=hunter2","x":1}"#, r#"{"m":"password=***","x":1}"#),
    (r#"{"m":"Server=a;Password=hun ter,2;Ssl=1","x":1}"#, r#"{"m":"Server=a;Password=***;Ssl=1","x":1}"#),
    (r#"{"m":"Server=a;Password=hun ter,2","x":1}"#, r#"{"m":"Server=a;Password=***","x":1}"#),
    ("Driver={PostgreSQL};Pwd={a;b}}c};Uid=x", "Driver={PostgreSQL};Pwd=***;Uid=x"),
    ("ALTER ROLE mig PASSWORD 'it''s' VALID", "ALTER ROLE mig PASSWORD *** VALID"),
    ("ALTER ROLE mig PASSWORD $$it's$$ VALID", "ALTER ROLE mig PASSWORD *** VALID"),
    ("CREATE USER x IDENTIFIED BY 'hun ter'", "CREATE USER x IDENTIFIED BY ***"),
    ("psql --password hunter2 -d x", "psql --password *** -d x"),
    ("az storage --account-key hunter2 -d x", "az storage --account-key *** -d x"),
    ("az login -u me -p hunter2 -t x", "az login -u me -p *** -t x"),
    ("curl -u me:hunter2 https://x", "curl -u me:*** https://x"),
    ("mysql -phunter2 db", "mysql -p*** db"),
    (r#"["login", "-p", "hunter2"]"#, r#"["login", "-p", ***]"#),
    ("postgres://mig:hunt/er@2@src:5432/db", "postgres://mig:***@src:5432/db"),
    ("postgres://mig:hun&ter@src/db?x=a@b", "postgres://mig:***@src/db?x=a@b"),
    ("clone me:hunter2hunter2@git.contoso.com", "clone me:***@git.contoso.com"),
    ("Authorization: Basic aHVudGVyMg==", "Authorization: ***"),
    ("got Bearer abcdefghijklmnopqrst", "got Bearer ***"),
    ("https://x/y?sv=1&sig=ab%2Fc&se=2", "https://x/y?sv=1&sig=***&se=2"),
    ("sig%3Dab%252Fc%26se", "sig%3D***%26se"),
    ("AccountName=a;AccountKey=ab/c==;x", "AccountName=a;AccountKey=***;x"),
    ("t eyJhbGciOiJIUzI1.eyJzdWIiOiIx.abc_d", "t ***"),
    ("id AKIAIOSFODNN7EXAMPLE end", "id *** end"),
    ("id ASIAIOSFODNN7EXAMPLE end", "id *** end"),
    ("?SharedAccessSignature=ab%2Fc", "?SharedAccessSignature=***"),
    ("SCRAM-SHA-256$4096:abc$def:ghi", "***"),
    ("hash MD5900150983CD24FB0D6963F7D28E17F72", "hash ***"),
    ("$2b$12$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvabcdefghi", "***"),
    ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA end", "*** end"),
    ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "***"),
    ("x glpat-abcdefghij0123456789", "x ***"),
    ("xoxb-123456789012-abcdefghijkl", "***"),
    ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "***"),
    ("hvs.abcdefghijklmnopqrstuvwx", "***"),
    ("abc8Q~abcdefghijklmnopqrstuvwxyz0123456789", "***89"),
    ("<password>hun ter</password>", "<password>***</password>"),
    (r#"<add key="Password" value="hun ter"/>"#, r#"<add key="Password" value=***/>"#),
    (r#"{"name":"PGPASSWORD","value":"hun ter"}"#, r#"{"name":"PGPASSWORD","value":***}"#),
    ("- name: PGPASSWORD\n  value: hun ter", "- name: PGPASSWORD\n  value: ***"),
    ("password: hun ter, 2", "password: ***"),
    ("  adminPassword: 'hun''ter' # x", "  adminPassword: *** # x"),
    ("x {password: hunter2, user: b}", "x {password: ***, user: b}"),
    ("DBPASS=hunter2 userpass=hunter3", "DBPASS=*** userpass=***"),
    ("src.contoso.com:5432:orders:mig:hun:ter 2", "src.contoso.com:5432:orders:mig:***"),
    ("*:*:*:mig:hunter2", "*:*:*:mig:***"),
    ("key = abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789+/=", "key = ***"),
    ("password='hun ter", "password=***"),
    (
        "a\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nb",
        "a\n-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nb",
    ),
    (
        "t -----BEGIN PRIVATE KEY-----\nt MIIEvQIBADANBgkqhk\nt end of it",
        "t -----BEGIN PRIVATE KEY-----***\nt end of it",
    ),
    ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "***"),
    ("app | MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "app | ***"),
];

/// Texts without a secret.
const HARMLESS: &[&str] = &[
    "the password for server x is incorrect",
    "primary key",
    "a://b",
    "passenger list",
    "",
    "Key (id)=(5) already exists.",
    "password_encryption = scram-sha-256",
    "\"passwordAuth\": \"Enabled\"",
    "password: null",
    "psql -h src -p 5432 -U mig",
    "mkdir -p /var/lib/x",
    "docker run -p 8080:80 x",
    "bypass=on compass: north",
    "2024-06-06 21:42:53 UTC:10.0.0.1(40394):migadmin@orders:[16471]:ERROR:  x",
    "mail to:john.doe99@contoso.com",
    "pgsql.c:2330 pgsql_open",
    "pgsql.c:2330:pgsql_open:mig: failed",
    "primary key: orders_pkey",
    "https://src.contoso.com:5432/a@b",
    "FATAL:  password authentication failed for user \"mig\"",
    "asia-southeast1 and Asian",
    "syntax error at or near \"token\"",
    "Ensure that the password is not empty.",
];

#[test]
fn secrets_are_masked_in_place() {
    let wrong = EXAMPLES.iter().filter(|(text, masked)| mask(text) != *masked);
    let wrong: Vec<_> =
        wrong.map(|(text, masked)| format!("{text}\n is {}\n not {masked}", mask(text))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for &(text, masked) in EXAMPLES {
        let mut own = text.to_string();
        mask_in_place(&mut own);
        assert_eq!(own, masked);
        assert_eq!(mask(masked), masked, "masking again changes nothing");
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in HARMLESS {
        assert_eq!(mask(text), *text);
    }
}

#[test]
fn nothing_is_left_of_a_secret_that_is_partly_in_the_range() {
    let text = b"a password=hunter2 b";
    let secrets = find(text, &|_| 1);
    assert_eq!((secrets.len(), &secrets[0]), (1, &(11..18)));
    for (range, shown) in [
        (0..20, "a password=*** b"),
        (0..13, "a password=***"),
        (13..20, "*** b"),
        (12..14, "***"),
        (18..20, " b"),
        (0..11, "a password="),
        (11..11, ""),
    ] {
        assert_eq!(cut(text, range.clone(), &secrets), shown.as_bytes(), "{range:?}");
    }
}

/// Secrets, pieces of their forms, and what nearly is one.
fn fragment() -> impl Strategy<Value = String> {
    let examples = prop::sample::select(EXAMPLES).prop_map(|(text, _)| text.to_string());
    let harmless = prop::sample::select(HARMLESS).prop_map(str::to_string);
    let marks = KINDS.iter().map(|(marks, _)| *marks).chain(SHAPES.iter().map(|shape| shape.marks));
    let marks = prop::sample::select(marks.flatten().map(|mark| mark.to_string()).collect::<Vec<_>>());
    let pieces = vec![
        "primary_",
        "user:",
        "eyJ",
        "-----BEGIN ",
        "\n",
        "=",
        ": ",
        " => ",
        " '",
        "' ",
        "\"",
        "@host.de",
        "\\",
        "$",
        "{",
        "}",
        ";",
        "é",
    ];
    let pieces = prop::sample::select(pieces).prop_map(str::to_string);
    let shape = prop::sample::select(vec![str::to_string, str::to_ascii_uppercase, str::to_ascii_lowercase]);
    (prop_oneof![examples, harmless, marks, pieces, "[A-Za-z0-9+/]{86}", "[ -~]{0,3}"], shape)
        .prop_map(|(text, shape)| shape(&text))
}

fn of(text: &str) -> Text<'_> {
    Text { bytes: text.as_bytes(), raw_len: &|_| 1 }
}

proptest! {
    /// Marks save time and hide nothing: trying each kind on every text finds the same.
    #[test]
    fn every_secret_has_a_mark(fragments in prop::collection::vec(fragment(), 0..6)) {
        let text = fragments.concat();
        prop_assert_eq!(find(text.as_bytes(), &|_| 1), find_kinds(&of(&text), u64::MAX));
    }

    /// Ranges are in order, inside of the text, and between characters; masked text has no more secrets of which
    /// anything could be cut.
    #[test]
    fn ranges_are_in_order(fragments in prop::collection::vec(fragment(), 0..6)) {
        let text = fragments.concat();
        let found = find(text.as_bytes(), &|_| 1);
        prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start), "{:?}", found);
        prop_assert!(found.iter().all(|range| text.get(range.clone()).is_some_and(|secret| !secret.is_empty())), "{:?}", found);
    }

    /// A name, a separator and a value between quotes: no character of the value stays, whatever it is.
    #[test]
    fn nothing_of_a_quoted_value_stays(
        name in prop::sample::select(vec!["password", "PGPASSWORD", "adminPassword", "db.secret", "api_key", "SAS_TOKEN"]),
        separator in prop::sample::select(vec!["=", ": ", " => ", " = ", ":"]),
        value in "Zq[ -~]{0,12}Zq",
    ) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        for text in [
            format!("x {name}{separator}\"{escaped}\" y"),
            format!("{{\"{name}\":\"{escaped}\",\"x\":1}}"),
        ] {
            let masked = mask(&text);
            prop_assert!(!masked.contains("Zq"), "{}", masked);
            prop_assert!(masked.ends_with(" y") || masked.ends_with(",\"x\":1}"), "{}", masked);
        }
    }
}

/// Masking does not change the messages of the catalogue, so that they match.
#[test]
fn no_message_looks_like_a_secret() {
    for entry in &catalog::builtin().entries {
        for template in entry.wordings.iter().chain(&entry.followups).chain(&entry.resolutions) {
            assert_eq!(mask(&template.text), template.text, "{}", entry.id);
        }
    }
}
