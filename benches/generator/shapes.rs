//! Shapes: inputs of any size of which each part is ordinary, but whose structure could make a finding cost more the
//! larger the input is.
//!
//! A size comes in; bytes of about that size go out. What should be found in them is not known here: `benches/shapes.rs`
//! compares the times of sizes, and the tests compare counts of work.

/// An input of one structure.
pub struct Shape {
    /// What it is made of.
    pub name: &'static str,
    /// Returns at least so many bytes of it.
    pub make: fn(usize) -> Vec<u8>,
}

/// Messages of the built-in catalogue in its own words, with their codes.
const TITLED: &str = "603101: Database exists in target. Database `orders` exists on the target server. Ensure the target server doesn't have the database and retry the migration.";
const MESSAGE: &str = "User `repl` doesn't have the replication role on server `src-1`. Grant the replication role before retrying migration.";
/// Codes of the built-in catalogue.
const CODES: [&str; 4] = ["603405", "603107", "603402", "603100"];
/// A message in other words than the catalogue's, of each of these codes.
const DRIFTED: &str = "The migration service will not move a database that has the extension 'azure, pgaadauth' on the source side yet.";
/// A message of which the rest is missing.
const HALF: &str = "User `repl` doesn't have the replication role on";
/// An id that a record can be searched by.
const ID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

/// Repeats what `unit` makes of each number until there are `bytes` bytes.
fn repeat(bytes: usize, mut unit: impl FnMut(usize, &mut String)) -> String {
    let mut text = String::with_capacity(bytes + 4096);
    let mut number = 0;
    while text.len() < bytes {
        unit(number, &mut text);
        number += 1;
    }
    text
}

/// The same between `head` and `tail`, separated by commas.
fn list(bytes: usize, head: &str, tail: &str, mut unit: impl FnMut(usize) -> String) -> Vec<u8> {
    let body = repeat(bytes, |number, text| {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&in_turn(&unit(number), number));
    });
    format!("{head}{body}{tail}").into_bytes()
}

/// An object with such members.
fn object(bytes: usize, member: impl FnMut(usize) -> String) -> Vec<u8> {
    list(bytes, "{", "}\n", member)
}

/// Lines.
fn lines(bytes: usize, mut line: impl FnMut(usize) -> String) -> Vec<u8> {
    repeat(bytes, |number, text| {
        text.push_str(&line(number));
        text.push('\n');
    })
    .into_bytes()
}

/// One line.
fn line(bytes: usize, mut part: impl FnMut(usize) -> String) -> Vec<u8> {
    repeat(bytes, |number, text| text.push_str(&in_turn(&part(number), number))).into_bytes()
}

/// A run of one text with a message here and there.
fn run(bytes: usize, text: &str) -> Vec<u8> {
    let run = text.repeat(4096 / text.len());
    line(bytes, |_| format!("{run} {TITLED} "))
}

/// One run of one text with a message before and after it.
fn one_run(bytes: usize, text: &str) -> Vec<u8> {
    format!("{TITLED} {} {TITLED}\n", text.repeat(bytes / text.len())).into_bytes()
}

/// JSON nested as deep as it is indexed, with findings at each depth.
fn nested(bytes: usize, depth: usize) -> Vec<u8> {
    let mut inner = format!("{{\"m\":\"{TITLED}\"}}");
    for level in 0..depth {
        inner = format!(
            "{{\"databaseName\":\"d{level}\",\"a\":\"603405: x\",\"inner\":{inner},\"z\":\"603107: y\"}}"
        );
    }
    list(bytes, "[", "]\n", |_| inner.clone())
}

/// The text with a code for `CODE`: another one for each number, because one that is repeated on a line is one finding.
fn in_turn(text: &str, number: usize) -> String {
    text.replace("CODE", code(number))
}

fn code(number: usize) -> &'static str {
    CODES[number % CODES.len()]
}

/// An id that differs from others.
fn id(number: usize) -> String {
    format!("{number:08x}{}", &ID[8..])
}

/// A key in one of many mixtures of capital and small letters.
fn mixed_case(key: &str, number: usize) -> String {
    let mut bit = 0;
    let letter = |c: char| {
        let capital = c.is_ascii_alphabetic() && number >> bit & 1 == 1;
        bit += u32::from(c.is_ascii_alphabetic());
        if capital { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    };
    key.chars().map(letter).collect()
}

/// A resource of a migration with `inner` inside.
fn resource(number: usize, inner: &str) -> String {
    format!(
        "{{\"id\":\"/subscriptions/s/migrations/m{number}\",\"properties\":{{\"sourceDbServerResourceId\":\"src-{number}:5432@mig\",\"targetDbServerResourceId\":\"/s/x/flexibleServers/t{number}\",\"dbsToMigrate\":[\"a{number}\",\"b\"],{inner}}}}}"
    )
}

/// All shapes.
pub const SHAPES: &[Shape] = &[
    Shape {
        name: "ordinary lines",
        make: |n| {
            lines(n, |i| format!("2024-06-06 21:42:53.{:03} 80 ERROR  validate.c:214   {TITLED}", i % 1000))
        },
    },
    Shape {
        name: "wide object of drifted codes",
        make: |n| object(n, |i| format!("\"k{i}\":\"CODE: not as of now {i}\"")),
    },
    Shape { name: "wide object of messages", make: |n| object(n, |i| format!("\"k{i}\":\"{TITLED}\"")) },
    Shape {
        name: "wide object, one finding in 100",
        make: |n| {
            object(
                n,
                |i| if i % 100 == 0 { format!("\"k{i}\":\"{TITLED}\"") } else { format!("\"k{i}\":{i}") },
            )
        },
    },
    Shape {
        name: "wide object in a list",
        make: |n| [b"[", object(n, |i| format!("\"k{i}\":\"CODE: x {i}\"")).as_slice(), b"]"].concat(),
    },
    Shape {
        name: "wide object with a log prefix",
        make: |n| {
            [b"2024-06-06T21:42:53Z app[1]: ", object(n, |i| format!("\"k{i}\":\"CODE: x {i}\"")).as_slice()]
                .concat()
        },
    },
    Shape {
        name: "pretty-printed wide object",
        make: |n| list(n, "{\n", "\n}\n", |i| format!("\n  \"k{i}\": \"{TITLED}\"")),
    },
    Shape { name: "wide object with equal keys", make: |n| object(n, |_| format!("\"k\":\"{TITLED}\"")) },
    Shape {
        name: "wide object with escaped keys",
        make: |n| object(n, |i| format!("\"k\\u0041{i}\":\"CODE: x {i}\"")),
    },
    Shape {
        name: "wide object with keys of 1,000 bytes",
        make: |n| object(n, |i| format!("\"{}{i}\":\"CODE: x\"", "k".repeat(1000))),
    },
    Shape {
        name: "one key of half the input",
        make: |n| {
            format!(
                "{{\"{}\":1,{}}}",
                "k".repeat(n / 2),
                String::from_utf8_lossy(&list(n / 2, "", "", |i| format!("\"k{i}\":\"{TITLED}\"")))
            )
            .into_bytes()
        },
    },
    Shape {
        name: "a database named by half the input",
        make: |n| {
            format!(
                "{{\"databaseName\":\"{}\",{}}}",
                "d".repeat(n / 2),
                String::from_utf8_lossy(&list(n / 2, "", "", |i| format!("\"k{i}\":\"CODE: x {i}\"")))
            )
            .into_bytes()
        },
    },
    Shape {
        name: "a time of half the input",
        make: |n| {
            format!(
                "{{\"time\":\"{}\",{}}}",
                "12:34:56 ".repeat(n / 18),
                String::from_utf8_lossy(&list(n / 2, "", "", |i| format!("\"k{i}\":\"CODE: x {i}\"")))
            )
            .into_bytes()
        },
    },
    Shape {
        name: "many time keys",
        make: |n| object(n, |i| format!("\"time{i}\":\"12:34:56\",\"k{i}\":\"CODE: x\"")),
    },
    Shape {
        name: "dbDetails with many databases",
        make: |n| {
            list(n, "{\"dbDetails\":{", "}}", |i| {
                format!("\"db{i}\":{{\"message\":\"{TITLED}\",\"state\":\"Failed\"}}")
            })
        },
    },
    Shape {
        name: "list of objects",
        make: |n| list(n, "[", "]", |i| format!("{{\"databaseName\":\"db{i}\",\"message\":\"{TITLED}\"}}")),
    },
    Shape { name: "list of strings", make: |n| list(n, "{\"errors\":[", "]}", |_| format!("\"{TITLED}\"")) },
    Shape {
        name: "list of drifted strings",
        make: |n| list(n, "[", "]", |_| format!("\"CODE: {DRIFTED}\"")),
    },
    Shape { name: "objects nested 20 deep", make: |n| nested(n, 20) },
    Shape { name: "objects nested 60 deep", make: |n| nested(n, 60) },
    Shape { name: "objects nested 120 deep", make: |n| nested(n, 120) },
    Shape {
        name: "lists nested 100 deep",
        make: |n| list(n, "[", "]", |_| format!("{}\"{TITLED}\"{}", "[".repeat(100), "]".repeat(100))),
    },
    Shape {
        name: "many migrations",
        make: |n| list(n, "[", "]", |i| resource(i, &format!("\"message\":\"{TITLED}\""))),
    },
    Shape {
        name: "one migration with many findings",
        make: |n| {
            [
                b"[",
                resource(1, &String::from_utf8_lossy(&list(n, "", "", |i| format!("\"k{i}\":\"{TITLED}\""))))
                    .as_bytes(),
                b"]",
            ]
            .concat()
        },
    },
    Shape {
        name: "migrations inside a migration",
        make: |n| {
            [
                b"[",
                resource(
                    1,
                    &String::from_utf8_lossy(&list(n, "", "", |i| {
                        format!("\"k{i}\":\"CODE: x\",\"i{i}\":{}", resource(i, "\"m\":\"603107: y\""))
                    })),
                )
                .as_bytes(),
                b"]",
            ]
            .concat()
        },
    },
    Shape {
        name: "a migration of many databases",
        make: |n| {
            format!(
                "{{\"sourceDbServerResourceId\":\"src\",\"dbsToMigrate\":{},\"list\":{}}}",
                String::from_utf8_lossy(&list(n / 2, "[", "]", |i| format!("\"db{i}\""))),
                String::from_utf8_lossy(&list(n / 2, "[", "]", |i| format!(
                    "{{\"trackingId\":\"{}\",\"m\":\"CODE: x\"}}",
                    id(i)
                )))
            )
            .into_bytes()
        },
    },
    Shape {
        name: "many tracking ids",
        make: |n| {
            object(n, |i| {
                format!(
                    "\"{}\":\"{}\",\"k{i}\":\"CODE: x\"",
                    mixed_case("x-ms-correlation-request-id", i),
                    id(i)
                )
            })
        },
    },
    Shape {
        name: "tracking ids around and inside",
        make: |n| {
            format!(
                "{{{},\"list\":{}}}",
                String::from_utf8_lossy(&list(n / 2, "", "", |i| format!(
                    "\"{}\":\"{}\"",
                    mixed_case("x-ms-correlation-request-id", i),
                    id(i)
                ))),
                String::from_utf8_lossy(&list(n / 2, "[", "]", |i| format!(
                    "{{\"trackingId\":\"{}\",\"m\":\"CODE: x\"}}",
                    id(i)
                )))
            )
            .into_bytes()
        },
    },
    Shape {
        name: "tracking ids in one line",
        make: |n| line(n, |i| format!("CODE: x, tracking id {} ", id(i))),
    },
    Shape {
        name: "databaseName inside a migration",
        make: |n| {
            list(n, "{\"targetDbServerResourceId\":\"t\",\"list\":[", "]}", |i| {
                format!("{{\"databaseName\":\"db{i}\",\"m\":\"{TITLED}\"}}")
            })
        },
    },
    Shape {
        name: "lists of databases and broken keys",
        make: |n| {
            list(n, "[", "]", |i| {
                if i % 2 == 0 {
                    "{\"dbsToMigrate\":[]}".to_string()
                } else {
                    "{\"\\ud800\":1,\"m\":\"CODE: x\"}".to_string()
                }
            })
        },
    },
    Shape {
        name: "JSON lines",
        make: |n| {
            lines(n, |i| {
                format!(
                    "{{\"time\":\"2024-06-06T21:42:53.082Z\",\"databaseName\":\"db{i}\",\"message\":\"{TITLED}\"}}"
                )
            })
        },
    },
    Shape {
        name: "JSON in JSON",
        make: |n| {
            list(n, "{\"m\":\"[", "]\"}", |i| {
                format!("{{\\\"databaseName\\\":\\\"db{i}\\\",\\\"message\\\":\\\"{TITLED}\\\"}}")
            })
        },
    },
    Shape {
        name: "JSON in JSON in JSON",
        make: |n| {
            list(n, "{\"m\":\"{\\\"m\\\":\\\"[", "]\\\"}\"}", |i| {
                format!(
                    "{{\\\\\\\"databaseName\\\\\\\":\\\\\\\"db{i}\\\\\\\",\\\\\\\"message\\\\\\\":\\\\\\\"{MESSAGE}\\\\\\\"}}"
                )
            })
        },
    },
    Shape {
        name: "a document that ends early",
        make: |n| list(n, "{\"errors\":[", "", |_| format!("\"{TITLED}\"")),
    },
    Shape { name: "one line of messages", make: |n| line(n, |_| format!("{TITLED} ")) },
    Shape { name: "one line of messages without codes", make: |n| line(n, |_| format!("{MESSAGE} ")) },
    Shape { name: "one line of drifted messages", make: |n| line(n, |_| format!("CODE: {DRIFTED} ")) },
    Shape {
        name: "one line of times and messages",
        make: |n| line(n, |i| format!("2024-06-06 21:42:{:02} ERROR db=x {TITLED} ", i % 60)),
    },
    Shape {
        name: "one line of equals signs and colons",
        make: |n| line(n, |_| format!("a=b c:d:e@f error CODE: {DRIFTED} ")),
    },
    Shape {
        name: "one line in escapes",
        make: |n| line(n, |_| format!("\\u0027\\\"{}\\n ", TITLED.replace('`', "\\\""))),
    },
    Shape { name: "one line of codes alone", make: |n| line(n, |_| "error CODE ".to_string()) },
    Shape {
        name: "one line of unknown codes",
        make: |n| line(n, |i| format!("error code 603{:03} ", i % 1000)),
    },
    Shape {
        name: "one line of codes in a list",
        make: |n| list(n, "codes: ", "\n", |i| format!("6034{:02}", i % 100)),
    },
    Shape {
        name: "one line that is not UTF-8",
        make: |n| {
            repeat(n, |_, text| text.push_str(&format!("{TITLED} é ")))
                .into_bytes()
                .into_iter()
                .map(|byte| if byte == 0xc3 { 0xff } else { byte })
                .collect()
        },
    },
    Shape {
        name: "drifted lines, all equal",
        make: |n| lines(n, |i| format!("2024-06-06 21:42:53 ERROR {}: {DRIFTED}", code(i))),
    },
    Shape {
        name: "drifted lines, all different",
        make: |n| {
            lines(n, |i| {
                format!(
                    "2024-06-06 21:42:53 ERROR 603405: The service will not move database {i} that has the extension 'azure{i}' on the source side yet."
                )
            })
        },
    },
    Shape {
        name: "drifted records of eight lines",
        make: |n| {
            lines(n, |i| {
                if i % 8 == 0 {
                    "2024-06-06 21:42:53 ERROR 603405: the service".to_string()
                } else {
                    format!("will not move database number {i} with the extension")
                }
            })
        },
    },
    Shape {
        name: "drifted text of many words",
        make: |n| {
            lines(n, |_| {
                format!(
                    "2024-06-06 21:42:53 ERROR 603405: {}",
                    "the migration of databases on the source ".repeat(50)
                )
            })
        },
    },
    Shape { name: "half messages in lines", make: |n| lines(n, |_| HALF.to_string()) },
    Shape { name: "half messages in one line", make: |n| line(n, |_| format!("{HALF} ")) },
    Shape {
        name: "first halves, then second halves",
        make: |n| {
            lines(n, |i| {
                if i % 2 == 0 {
                    HALF.to_string()
                } else {
                    "server `src-1`. Grant the replication role".to_string()
                }
            })
        },
    },
    Shape {
        name: "messages that start and never end",
        make: |n| line(n, |_| "Database `orders exists on the target Database `".to_string()),
    },
    Shape {
        name: "messages inside arguments",
        make: |n| {
            lines(n, |_| {
                format!(
                    "User `Database `a` exists on the target server. doesn't have the replication role on server `{MESSAGE}`."
                )
            })
        },
    },
    Shape {
        name: "messages that overlap",
        make: |n| {
            line(n, |_| {
                format!("Database `x` exists on the target server. Ensure the target server {MESSAGE} ")
            })
        },
    },
    Shape {
        name: "literals between arguments",
        make: |n| line(n, |_| "Collation 'a,for table,for table,in column,in column,".to_string()),
    },
    Shape { name: "placeholders' literals alone", make: |n| line(n, |_| "for table in column ".to_string()) },
    Shape {
        name: "permissions in a row",
        make: |n| {
            line(n, |_| {
                "User `a` has 'permissions, and user has permissions' permissions, and user ".to_string()
            })
        },
    },
    Shape {
        name: "wrapped messages",
        make: |n| {
            lines(n, |i| {
                [
                    "User migadmin@contoso-src does not have the",
                    "replication role on server contoso-src.postgres.database.azure.com. Grant the",
                    "replication role before retrying migration.",
                    "",
                ][i % 4]
                    .to_string()
            })
        },
    },
    Shape {
        name: "wrapped and escaped messages",
        make: |n| {
            lines(n, |i| {
                [
                    "\"message\": \"User \\\"a\\\" does not have the",
                    "replication role on server \\\"b\\\". Grant the",
                ][i % 2]
                    .to_string()
            })
        },
    },
    Shape {
        name: "codes without titles",
        make: |n| lines(n, |i| format!("ERROR 6034{:02}: see the log", i % 100)),
    },
    Shape {
        name: "ambiguous codes",
        make: |n| lines(n, |_| "2024-06-06 21:42:53.039 603405 copy started".to_string()),
    },
    Shape {
        name: "ambiguous codes with titles",
        make: |n| lines(n, |_| "2024-06-06 21:42:53.039 603107 GUC Settings Error".to_string()),
    },
    Shape {
        name: "ambiguous codes in columns",
        make: |n| lines(n, |i| format!("{i},603405,603107,GUC Settings Error,603403,Collation mismatch")),
    },
    Shape {
        name: "one message and ambiguous codes",
        make: |n| {
            lines(n, |i| if i % 50 == 0 { MESSAGE.to_string() } else { "12:00:00 603104 x".to_string() })
        },
    },
    Shape {
        name: "CSV rows",
        make: |n| {
            lines(n, |i| format!("{i},\"2024-06-06 21:42:53\",\"{}\",ERROR", TITLED.replace('`', "\"\"")))
        },
    },
    Shape {
        name: "csvlog",
        make: |n| {
            lines(n, |i| {
                format!(
                    "2024-06-06 21:42:53.039 UTC,\"mig\",\"orders{i}\",60,\"h:1\",66.1,1,\"idle\",\"x\",1/1,0,ERROR,XX000,\"{TITLED}\""
                )
            })
        },
    },
    Shape {
        name: "table borders",
        make: |n| {
            lines(n, |i| {
                if i % 2 == 0 {
                    format!("| {} | {TITLED} |", i % 1000)
                } else {
                    format!("+{}+{}+", "-".repeat(8), "-".repeat(150))
                }
            })
        },
    },
    Shape { name: "one long table border", make: |n| one_run(n, "-") },
    Shape {
        name: "carriage returns only",
        make: |n| line(n, |_| format!("2024-06-06 21:42:53 ERROR {TITLED}\r")),
    },
    Shape { name: "zeros", make: |n| [TITLED.as_bytes(), vec![0; n].as_slice(), TITLED.as_bytes()].concat() },
    Shape { name: "messages between zeros", make: |n| line(n, |_| format!("{TITLED}\0\0\0\0")) },
    Shape { name: "runs of blanks", make: |n| run(n, " ") },
    Shape { name: "one run of blanks", make: |n| one_run(n, " ") },
    Shape { name: "one run of line breaks", make: |n| one_run(n, "\n") },
    Shape { name: "runs of double quotes", make: |n| run(n, "\"") },
    Shape { name: "one run of double quotes", make: |n| one_run(n, "\"") },
    Shape { name: "runs of backslashes", make: |n| run(n, "\\") },
    Shape { name: "runs of escaped quotes", make: |n| run(n, "\\\"") },
    Shape { name: "runs of apostrophes", make: |n| run(n, "'") },
    Shape { name: "runs of grave accents", make: |n| run(n, "`") },
    Shape { name: "runs of escapes", make: |n| run(n, "\\u005c") },
    Shape { name: "runs of ampersands", make: |n| run(n, "&amp;") },
    Shape { name: "runs of colours", make: |n| run(n, "\x1b[31m") },
    Shape { name: "runs of braces", make: |n| run(n, "{") },
    Shape { name: "runs of closed braces", make: |n| run(n, "{}") },
    Shape { name: "runs of colons", make: |n| run(n, ":") },
    Shape { name: "runs of quoted mail", make: |n| lines(n, |_| format!("> > > {TITLED}")) },
    Shape { name: "runs of contractions", make: |n| run(n, "can't ") },
    Shape { name: "runs of a part of a message", make: |n| run(n, "target server ") },
    Shape { name: "runs of a word", make: |n| run(n, "x") },
    Shape { name: "runs of digits", make: |n| run(n, "603") },
    Shape {
        name: "stack traces",
        make: |n| {
            lines(n, |i| {
                if i % 9 == 0 {
                    format!("2024-06-06 21:42:53 ERROR {TITLED}")
                } else {
                    "    at com.example.Migration.run(Migration.java:603)".to_string()
                }
            })
        },
    },
    Shape {
        name: "XML",
        make: |n| {
            lines(n, |i| {
                format!(
                    "<event id=\"{i}\"><message>{}</message></event>",
                    TITLED.replace('`', "&quot;").replace('\'', "&apos;")
                )
            })
        },
    },
    Shape {
        name: "YAML",
        make: |n| lines(n, |i| format!("- id: {i}\n  message: \"{}\"", TITLED.replace('`', "\\\""))),
    },
];
