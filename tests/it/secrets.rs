//! No secret leaks: forms of secrets, values with every printable character, and all places that a report shows.
//!
//! Each form writes a value as its container does. A value is `Zq1`, a character and `2qZ`, so that neither end of it
//! may be in any output.

use crate::bundles::zip::{DEFLATE, Zip, member};
use crate::{program, run, stdout};
use std::collections::BTreeSet;
use std::path::Path;
use tempfile::TempDir;

/// Every format that a report has, and the one of findings.
const FORMATS: [&str; 8] = ["human", "json", "ndjson", "csv", "markdown", "html", "junit", "prometheus"];
/// Parts of a value that nothing else has.
const PARTS: [&str; 2] = ["Zq1", "2qZ"];

/// How a container writes a value; none if it cannot.
type Encode = fn(&str) -> Option<String>;

/// A form: a text with `{}` for the value, and how the value is written.
struct Form {
    text: &'static str,
    encode: Encode,
}

const fn form(text: &'static str, encode: Encode) -> Form {
    Form { text, encode }
}

fn escaped(value: &str, special: &[char]) -> String {
    value.chars().flat_map(|c| special.contains(&c).then_some('\\').into_iter().chain([c])).collect()
}

fn doubled(value: &str, quote: char) -> String {
    value.chars().flat_map(|c| std::iter::repeat_n(c, if c == quote { 2 } else { 1 })).collect()
}

fn conninfo(value: &str) -> Option<String> {
    let bare = !value.contains(' ') && !value.starts_with('\'');
    bare.then(|| escaped(value, &['\\', '\'']))
}

fn conninfo_quoted(value: &str) -> Option<String> {
    Some(escaped(value, &['\\', '\'']))
}

/// A word of a shell.
fn shell(value: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    Some(value.chars().flat_map(|c| (!plain(c)).then_some('\\').into_iter().chain([c])).collect())
}

fn shell_single(value: &str) -> Option<String> {
    Some(value.replace('\'', r"'\''"))
}

fn shell_double(value: &str) -> Option<String> {
    Some(escaped(value, &['"', '\\', '$', '`']))
}

fn dotnet(value: &str) -> Option<String> {
    let plain =
        !value.contains(';') && !value.starts_with(['"', '\'', '{', ' ', '=']) && !value.ends_with(' ');
    plain.then(|| value.to_string())
}

fn doubled_double(value: &str) -> Option<String> {
    Some(doubled(value, '"'))
}

fn doubled_single(value: &str) -> Option<String> {
    Some(doubled(value, '\''))
}

fn odbc(value: &str) -> Option<String> {
    Some(doubled(value, '}'))
}

fn percent(value: &str) -> Option<String> {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$*+,".contains(&byte);
    Some(
        value
            .bytes()
            .map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect(),
    )
}

/// The password of a URI as people write it: what would end it is encoded.
fn uri(value: &str) -> Option<String> {
    let ends = |byte: u8| b" \"'<>`?#@".contains(&byte);
    Some(
        value
            .bytes()
            .map(|byte| if ends(byte) { format!("%{byte:02x}") } else { char::from(byte).to_string() })
            .collect(),
    )
}

fn json(value: &str) -> Option<String> {
    Some(escaped(value, &['"', '\\']))
}

/// As .NET writes JSON: all but letters and digits as `\u0027`.
fn json_units(value: &str) -> Option<String> {
    let unit =
        |c: char| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\u{:04X}", u32::from(c)) };
    Some(value.chars().map(unit).collect())
}

fn json_in_json(value: &str) -> Option<String> {
    json(&json(value)?)
}

fn python(value: &str) -> Option<String> {
    Some(escaped(value, &['\'', '\\']))
}

fn yaml_plain(value: &str) -> Option<String> {
    let first = value.chars().next()?;
    let plain = !"-?:,[]{}#&*!|>'\"%@` ".contains(first) && !value.contains(": ") && !value.contains(" #");
    (plain && !value.ends_with([':', ' '])).then(|| value.to_string())
}

fn xml(value: &str) -> Option<String> {
    Some(
        value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&apos;"),
    )
}

fn dollars(value: &str) -> Option<String> {
    (!value.contains('$')).then(|| value.to_string())
}

fn pgpass(value: &str) -> Option<String> {
    (!value.starts_with(' ') && !value.ends_with(' ')).then(|| escaped(value, &[':', '\\']))
}

fn graphic(value: &str) -> Option<String> {
    let word = value.chars().all(|c| c.is_ascii_alphanumeric() || "._~+/=-".contains(c));
    word.then(|| format!("{value}abcdefghijklmnop"))
}

/// Text to the end of a line.
fn line(value: &str) -> Option<String> {
    (value.trim() == value && !value.starts_with(['"', '\'', '`'])).then(|| value.to_string())
}

static FORMS: [Form; 93] = [
    // Connection strings of libpq.
    form("host=src password={} user=mig", conninfo),
    form("host=src password='{}' user=mig", conninfo_quoted),
    form("host=src user=mig password = '{}'", conninfo_quoted),
    form("host=src sslpassword={} user=mig", conninfo),
    form("connection to \"host=src password='{}' user=mig\" failed", conninfo_quoted),
    form("dblink_connect('host=src password={}')", |value| {
        conninfo(value).filter(|_| !value.contains(['\'', '\\']))
    }),
    // Shells and environments.
    form("PGPASSWORD={} psql -h src", shell),
    form("PGPASSWORD='{}' psql -h src", shell_single),
    form("PGPASSWORD=\"{}\" psql -h src", shell_double),
    form("export DB_PASSWORD={}", shell),
    form("export DB_PASSWORD='{}'", shell_single),
    form("set -x; SOURCE_DB_PASSWORD='{}' run", shell_single),
    form("DBPASS={} run", shell),
    form("DBPASS='{}' run", shell_single),
    form("userpass='{}' run", shell_single),
    form("ARM_CLIENT_SECRET=\"{}\"", shell_double),
    form("docker run -e PGPASSWORD='{}' x", shell_single),
    form("psql --password '{}' -d x", shell_single),
    form("psql --password={} -d x", shell),
    form("psql --password='{}' -d x", shell_single),
    form("az storage x --account-key '{}' -o y", shell_single),
    form("az storage x --account-key {} -o y", shell),
    form("az x --admin-password '{}' -o y", shell_single),
    form("az login -u me -p '{}' -t x", shell_single),
    form("sshpass -p '{}' ssh x", shell_single),
    form("curl -u 'me:{}' https://x", shell_single),
    form("kubectl create secret generic x --from-literal=password='{}'", shell_single),
    // .NET, ODBC, JDBC and accounts of Azure.
    form("Server=src;Database=db;Password={};Ssl Mode=Require", dotnet),
    form("Server=src;User Id=mig;Pwd={};Ssl Mode=Require", dotnet),
    form("Server=src;Database=db;Password={}", dotnet),
    form("Server=src;Password=\"{}\";Ssl Mode=Require", doubled_double),
    form("Server=src;Password='{}';Ssl Mode=Require", doubled_single),
    form("conn: \"Server=src;Database=db;Password={}\" failed", |value| {
        dotnet(value).filter(|value| !value.contains('"'))
    }),
    form("Password={};Server=src;Database=db", dotnet),
    form("Driver={PostgreSQL};Server=src;PWD={{}};UID=mig", odbc),
    form("jdbc:postgresql://src/db?user=mig&password={}&ssl=true", percent),
    form("DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=y", dotnet),
    form("Endpoint=sb://x/;SharedAccessKeyName=root;SharedAccessKey={}", dotnet),
    form("BlobEndpoint=https://x/;SharedAccessSignature=sv=1&sig={}", percent),
    // URIs.
    form("postgres://mig:{}@src:5432/db", uri),
    form("postgresql://mig:{}@src/db?sslmode=require", uri),
    form("'postgresql://mig:{}@src/db'", uri),
    form("jdbc url https://mig:{}@src.contoso.com/x", uri),
    form("amqp://mig:{}@src:5672//vhost", uri),
    form("https://x.blob.core.windows.net/c/b?sv=1&sig={}&se=2", percent),
    form("x?se=2&sig={}", percent),
    form("https://x/y?access_token={}&z=1", percent),
    form("https://x/y?code=1&client_secret={}", percent),
    // JSON.
    form("{\"user\":\"mig\",\"password\":\"{}\",\"port\":5432}", json),
    form("{\"user\": \"mig\", \"adminPassword\": \"{}\"}", json),
    form("{\"sourceServerPassword\": \"{}\", \"x\": 1}", json_units),
    form("{\"client_secret\":\"{}\",\"x\":1}", json_units),
    form("{\"m\":\"{\\\"password\\\":\\\"{}\\\",\\\"x\\\":1}\"}", json_in_json),
    form("{\"m\":\"host=src password={} user=mig\"}", |value| json(&conninfo(value)?)),
    form("{\"m\":\"host=src password='{}' user=mig\"}", |value| json(&conninfo_quoted(value)?)),
    form("{\"m\":\"Server=src;Database=db;Password={};Ssl=1\"}", |value| json(&dotnet(value)?)),
    form("{\"m\":\"Server=src;Database=db;Password={}\"}", |value| json(&dotnet(value)?)),
    form("{\"m\":\"password\\u003d\\u0027{}\\u0027 x\"}", |value| json_units(&conninfo_quoted(value)?)),
    form("{\"uri\":\"postgres://mig:{}@src/db\"}", uri),
    form("{\"name\":\"PGPASSWORD\",\"value\":\"{}\"}", json),
    form("{ \"name\": \"DB_PASS\", \"value\": \"{}\" }", json),
    form("[\"login\", \"-p\", \"{}\"]", |value| json(value).filter(|_| value.starts_with('Z'))),
    form("[\"--password\", \"{}\"]", json),
    form("{\"secretKey\" : \"{}\"}", json),
    // Python and other languages.
    form("{'user': 'mig', 'password': '{}', 'port': 5432}", python),
    form("connect(host='src', password='{}', port=5432)", python),
    form("connect(password=\"{}\", port=5432)", |value| Some(escaped(value, &['"', '\\']))),
    form("os.environ['PGPASSWORD'] = '{}'", python),
    form("{:password=>\"{}\", :x=>1}", |value| Some(escaped(value, &['"', '\\']))),
    form("password := \"{}\"", |value| Some(escaped(value, &['"', '\\']))),
    // YAML, settings and headers.
    form("password: {}", yaml_plain),
    form("  - adminPassword: {}", yaml_plain),
    form("  password: '{}'", doubled_single),
    form("  password: \"{}\"", json),
    form("{user: mig, password: '{}'}", doubled_single),
    form("password = {}", line),
    form("spring.datasource.password = {}", line),
    form("X-Api-Key: {}", line),
    form("Authorization: Bearer {}", graphic),
    form("Authorization: Basic {}", graphic),
    form("got Bearer {} x", graphic),
    // XML.
    form("<password>{}</password>", xml),
    form("<db:Password type=\"s\">{}</db:Password>", xml),
    form("<add key=\"Password\" value=\"{}\"/>", xml),
    form("<x password=\"{}\" y=\"1\"/>", xml),
    form("<![CDATA[host=src password={} user=mig]]>", |value| {
        conninfo(value).filter(|_| !value.contains(']'))
    }),
    // SQL.
    form("ALTER ROLE mig PASSWORD '{}' VALID UNTIL 'infinity'", doubled_single),
    form("CREATE ROLE mig LOGIN ENCRYPTED PASSWORD '{}';", doubled_single),
    form("ALTER ROLE mig PASSWORD E'{}';", conninfo_quoted),
    form("ALTER ROLE mig PASSWORD $${}$$;", dollars),
    form("CREATE USER mig IDENTIFIED BY '{}'", doubled_single),
    form("OPTIONS (user 'mig', password '{}')", doubled_single),
    // Files of passwords.
    form("src.contoso.com:5432:orders:mig:{}", pgpass),
];

/// Secrets that are known by their form, each with a part of it that must not be left.
const SHAPES: [(&str, &str); 24] = [
    ("ghp_Zq1abcdefghijklmnopqrstuvwxyz0123456", "Zq1abc"),
    ("gho_Zq1abcdefghijklmnopqrstuvwxyz0123456", "Zq1abc"),
    ("github_pat_Zq1abcdefghijklmnopqrstuv_wxyz", "Zq1abc"),
    ("glpat-Zq1abcdefghijklmnopqr", "Zq1abc"),
    ("glrt-Zq1abcdefghijklmnopqr", "Zq1abc"),
    ("xoxb-Zq1abcdefghi-abcdefghi", "Zq1abc"),
    ("xapp-1-Zq1abcdefghi-abcdefghi", "Zq1abc"),
    ("https://hooks.slack.com/services/T00000000/B00000000/Zq1abcdefghijklmnopqrstuv", "Zq1abc"),
    ("npm_Zq1abcdefghijklmnopqrstuvwxyz0123456", "Zq1abc"),
    ("hvs.Zq1abcdefghijklmnopqrstuv", "Zq1abc"),
    ("hvb.Zq1abcdefghijklmnopqrstuv", "Zq1abc"),
    ("Zq18Q~abcdefghijklmnopqrstuvwxyz0123456789", "Zq1"),
    ("$2b$12$Zq1defghijklmnopqrstuvabcdefghijklmnopqrstuvabcdefghi", "Zq1def"),
    ("$argon2id$v=19$m=65536,t=3,p=4$Zq1abcde$aGFzaA", "Zq1abc"),
    ("$6$rounds=5000$Zq1salt$Zq1abcdefghijklmnopqrst", "Zq1abc"),
    ("SCRAM-SHA-256$4096:Zq1abc$def:ghi", "Zq1abc"),
    ("scram-sha-256$4096:Zq1abc$def:ghi", "Zq1abc"),
    ("md5900150983cd24fb0d6963f7d28e17f72", "900150983cd24fb0"),
    ("MD5900150983CD24FB0D6963F7D28E17F72", "900150983CD24FB0"),
    ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJacTEifQ.Zq1abcdefghij", "Zq1abc"),
    ("key: Zq1abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM12=", "Zq1abc"),
    ("clone me:Zq1abcdefg@git.contoso.com", "Zq1abc"),
    ("AGE-SECRET-KEY-1ZQ1ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUV", "ZQ1ABC"),
];

/// A private key, with what a program may write before each of its lines.
const KEY: [&str; 5] = [
    "-----BEGIN RSA PRIVATE KEY-----",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8Zq1",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8Zq1",
    "Zq1abcdefghijklmnop2qZ==",
    "-----END RSA PRIVATE KEY-----",
];
const PREFIXES: [&str; 4] = ["", "2024-06-06 21:37:45 UTC LOG:  ", "> ", "app-1  | "];

/// Values with every printable character that is neither a letter nor a digit, inside and at both ends.
fn values() -> Vec<String> {
    let special = (' '..='~').filter(|c| !c.is_ascii_alphanumeric());
    let mut values: Vec<String> = special
        .flat_map(|c| {
            [format!("Zq1{c}2qZ"), format!("{c}Zq1x2qZ"), format!("Zq1x2qZ{c}"), format!("Zq1{c} {c}2qZ")]
        })
        .collect();
    values.push("Zq1x2qZ".into());
    values
}

/// Each form with each value that it can have.
fn written() -> impl Iterator<Item = String> {
    let shapes = SHAPES.iter().map(|(text, _)| format!("x {text} y"));
    let written = FORMS.iter().flat_map(|form| {
        let values = values().into_iter().filter_map(|value| (form.encode)(&value));
        values.map(|value| form.text.replacen("{}", &value, 1)).collect::<Vec<_>>()
    });
    written.chain(shapes)
}

/// A message with an argument.
fn message(user: &str, at: usize) -> String {
    format!(
        "2024-06-06 21:{:02}:{:02} UTC ERROR 603104: Missing Replication Role. User `{user}` doesn't have the replication role on server `src`.",
        at / 60 % 60,
        at % 60
    )
}

/// The lines of `text` with a part of a secret.
fn leaks(text: &str) -> Vec<&str> {
    let shapes = SHAPES.iter().map(|(_, part)| *part);
    let parts: Vec<&str> = PARTS.into_iter().chain(shapes).collect();
    text.lines().filter(|line| parts.iter().any(|part| line.contains(part))).collect()
}

#[track_caller]
fn assert_none(what: &str, text: &str) {
    let found: Vec<String> = leaks(text).into_iter().map(|line| line.chars().take(600).collect()).collect();
    let shown: BTreeSet<&str> = found.iter().map(|line| &**line).collect();
    assert!(
        found.is_empty(),
        "{what}: {} lines leak:\n{}",
        shown.len(),
        shown.into_iter().take(60).collect::<Vec<_>>().join("\n")
    );
}

/// Scans `path` in these formats and into a store: nothing that is written has a part of a secret.
#[track_caller]
fn assert_clean(path: &Path, formats: &[&str]) {
    let path = path.to_str().expect("a path");
    for format in formats {
        let output =
            program().args(["scan", path, "-f", format, "-C", "2"]).output().expect("the program runs");
        assert!(matches!(output.status.code(), Some(1 | 3)), "{format}: {output:?}");
        assert_none(format, &String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8"));
    }
    let folder = TempDir::new().expect("a folder");
    let store = folder.path().join("history.db");
    run(&["scan", path, "-q", "--store", store.to_str().expect("a path")]);
    let bytes = std::fs::read(&store).expect("a store");
    assert_none("the store", &String::from_utf8_lossy(&bytes));
}

/// Writes a line of each form and value as `write` has it, and checks the outputs: all findings in NDJSON and the store, a
/// part of them in all formats.
#[track_caller]
fn assert_lines_are_clean(name: &str, write: impl Fn(&str, usize) -> String) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join(name);
    let lines: Vec<String> = written().enumerate().map(|(at, line)| write(&line, at)).collect();
    std::fs::write(&path, lines.concat()).expect("writes");
    assert_clean(&path, &["ndjson"]);
    let some: Vec<&str> = lines.iter().step_by(17).map(|line| &**line).collect();
    std::fs::write(&path, some.concat()).expect("writes");
    assert_clean(&path, &FORMATS);
}

#[test]
fn lines_around_findings_leak_nothing() {
    assert_lines_are_clean("a.log", |line, at| format!("{line}\n{}\n", message("repl", at)));
}

#[test]
fn arguments_and_texts_leak_nothing() {
    assert_lines_are_clean("a.log", |line, at| {
        // A grave accent would end the argument.
        let user = if line.contains('`') { "repl" } else { line };
        format!("{}\n{line} ERROR 603104: Missing Replication Role.\n", message(user, at))
    });
}

#[test]
fn documents_leak_nothing() {
    assert_lines_are_clean("a.jsonl", |line, at| {
        let escaped: String = line
            .chars()
            .map(|c| match c {
                '"' => "\\\"".into(),
                '\\' => "\\\\".into(),
                '\'' | '&' | '<' | '>' | '+' | '`' if at % 2 == 1 => format!("\\u{:04x}", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        format!(
            "{{\"time\":\"2024-06-06T21:37:45Z\",\"databaseName\":\"{escaped}\",\"serverName\":\"src\",\
             \"message\":\"603104: {escaped} User `repl` doesn\\u0027t have the replication role on server `src`.\"}}\n"
        )
    });
}

#[test]
fn private_keys_leak_nothing() {
    let folder = TempDir::new().expect("a folder");
    let mut text = String::new();
    for (at, prefix) in PREFIXES.iter().enumerate() {
        for line in KEY {
            text += &format!("{prefix}{line}\n");
        }
        text += &format!("{}\n", message("repl", at));
        // Without its first line, without its last line, and in the middle of it.
        for part in [&KEY[1..], &KEY[..4], &KEY[1..4]] {
            for line in part {
                text += &format!("{prefix}{line}\n");
            }
            text += &format!("{}\n", message("repl", at + 10));
        }
        let one_line = KEY.join("\\n");
        text += &format!("{prefix}{{\"k\":\"{one_line}\"}}\n{prefix}{{\"m\":\"603104: {one_line}\"}}\n");
    }
    std::fs::write(folder.path().join("a.log"), text).expect("writes");
    for context in ["1", "2", "3", "9"] {
        let output = run(&["scan", folder.path().to_str().expect("a path"), "-f", "ndjson", "-C", context]);
        assert_none(context, &stdout(&output));
    }
    assert_clean(&folder.path().join("a.log"), &FORMATS);
}

#[test]
fn names_of_files_and_members_leak_nothing() {
    let folder = TempDir::new().expect("a folder");
    let log = format!("{}\n", message("repl", 1));
    let mut members = Vec::new();
    // Nobody writes names with escapes of JSON.
    let names =
        written().enumerate().filter(|(at, line)| at % 37 == 0 && line.len() < 200 && !line.contains("\\u"));
    for (at, line) in names {
        members.push((format!("{at}/{line}.log"), log.clone()));
        // One that is read, and one with a problem.
        for (ending, bytes) in [("log", &*log), ("gz", "\u{1f}")] {
            if !line.contains('/') {
                std::fs::write(folder.path().join(format!("{line}.{ending}")), bytes).expect("writes");
            }
        }
    }
    let zipped = members.iter().map(|(name, log)| member(name, DEFLATE, log.as_bytes()));
    std::fs::write(folder.path().join("a.zip"), Zip::new(zipped.collect::<Vec<_>>()).bytes())
        .expect("writes");
    assert_clean(folder.path(), &FORMATS);
}

/// Two paths that differ in their secrets only stay two inputs of a store, which knows both on the next run.
#[test]
fn masked_paths_stay_different() {
    let folder = TempDir::new().expect("a folder");
    let store = TempDir::new().expect("a folder");
    for (name, user) in [("b?sig=Zq1a", "one"), ("b?sig=Zq1b", "two")] {
        std::fs::write(folder.path().join(name), format!("{}\n", message(user, 1))).expect("writes");
    }
    let path = folder.path().to_str().expect("a path");
    let store = store.path().join("history.db");
    let args = ["scan", path, "-f", "json", "--store", store.to_str().expect("a path")];
    let first = stdout(&run(&args));
    assert_none("first", &first);
    assert!(first.contains("\"one\"") && first.contains("\"two\""), "{first}");
    let second: serde_json::Value = serde_json::from_str(&stdout(&run(&args))).expect("JSON");
    assert_eq!(second["totals"]["findings"], 0, "{second}");
}
