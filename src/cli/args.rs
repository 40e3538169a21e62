//! What the command line says, as plain data.

use clap::{Args, Parser, Subcommand, ValueEnum};
use migsift::catalog::Severity;
use migsift::input::Limits;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Reads the logs a failed PostgreSQL migration leaves behind and tells, per error code, what happened and what to do.
#[derive(Debug, Parser)]
#[command(name = "migsift", version = version(), arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// The program's version and the catalogue's edition.
fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        format!("{} (catalogue {})", env!("CARGO_PKG_VERSION"), migsift::catalog::builtin().edition)
    })
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan files, directories, archives or standard input and print a summary or the findings
    Scan(Box<Scan>),
    /// Explain one error code, offline
    Explain(Explain),
    /// Add up JSON reports made apart (other machines, other days) into one
    Merge(Merge),
    /// Show what is fixed, new and still failing between two JSON reports or two runs of a history; exit code 1 when something is new
    Diff(Diff),
    /// Report from the history that `scan --store` keeps, without scanning
    Report(History),
    /// Print the JSON Schema of an output or of a pattern file
    Schema {
        /// What it describes
        #[arg(value_enum)]
        of: SchemaOf,
    },
    /// Look at the catalogue of messages
    Catalog {
        #[command(subcommand)]
        command: CatalogCommand,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing found at or above --fail-on, 1 something found, 2 usage or catalogue error, \
                        3 an input could not be read whole, 4 the output could not be written, 5 the store is in use by \
                        another run, 130 interrupted, 143 terminated, after a partial result"
)]
pub struct Scan {
    /// Files, directories and archives to scan; `-` is standard input. Without any: standard input, if it is no terminal
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub outputs: OutputArgs,
    /// Leave cells of CSV that a spreadsheet would take for formulas as they are
    #[arg(long)]
    pub csv_raw: bool,
    /// Show N lines before and behind each finding, up to 100: under samples in human text, as `before` and `after` in
    /// json and ndjson. A line is cut at 512 bytes and then ends with an ellipsis; lines that begin more than 32 KiB away are
    /// not shown. Not with --redact, as such lines may name anything
    #[arg(short = 'C', long, value_name = "N", default_value_t = 0, hide_default_value = true, conflicts_with = "redact",
          value_parser = clap::value_parser!(u32).range(..=100))]
    pub context_lines: u32,
    /// Replace names of servers, databases, roles, tables, paths, addresses and subscriptions by tokens, so that the output
    /// can be shown to others. With MAPFILE, the key and what the tokens stand for are kept in this file, so that later
    /// runs give the same tokens: do not give it away
    #[arg(long, value_name = "MAPFILE", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "absent, alone, with a file")]
    pub redact: Option<Option<PathBuf>>,
    /// Keep a history in this file, and read only what it does not know: files are told by their content, so that rotated,
    /// renamed and compressed logs are not read twice. What is printed is of what this run has read; where standard output is
    /// no terminal, a report is printed only if --format or --output asks for it. Not with --redact, and not with what leaves
    /// findings out
    #[arg(long, value_name = "FILE", conflicts_with_all = ["redact", "code", "severity", "since", "until", "last_attempt"])]
    pub store: Option<PathBuf>,
    /// Print and judge only findings that the store did not have
    #[arg(long, requires = "store")]
    pub new_only: bool,
    /// Read everything again, also what the store knows; nothing counts twice
    #[arg(long, requires = "store")]
    pub rescan: bool,
    /// Forget what has vanished for so long (90d, 36h): files that this run and those since then did not find any more, with
    /// their findings, and runs that are older
    #[arg(long, requires = "store", value_name = "DURATION")]
    pub retention: Option<String>,
    /// Wait while another run uses the store, instead of ending with exit code 5
    #[arg(long, requires = "store")]
    pub wait: bool,
    /// Count only findings of this code or id (repeatable)
    #[arg(long, value_name = "CODE")]
    pub code: Vec<String>,
    /// Count only findings at least this severe
    #[arg(long, value_enum)]
    pub severity: Option<Least>,
    /// Count only findings at this time or later: RFC 3339, YYYY-MM-DD[ HH:MM[:SS]], -3d, 2h30m, today, yesterday
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Count only findings before this time
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// What becomes of findings without a time under --since and --until
    #[arg(long, value_enum, default_value_t = Undated::Keep)]
    pub undated: Undated,
    /// The zone of times that name none, in logs and in --since and --until
    #[arg(long, value_name = "TZ", default_value = "UTC", allow_hyphen_values = true)]
    pub timezone: String,
    /// Count only findings of the last attempt: of the migration whose findings are the latest, or where none is named,
    /// of the time since nothing was found for an hour. Reads the inputs twice, so they cannot be streams
    #[arg(long)]
    pub last_attempt: bool,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    #[command(flatten)]
    pub walk: WalkArgs,
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Worker threads; 0 takes one for each core
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// Read files instead of mapping them
    #[arg(long)]
    pub no_mmap: bool,
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// When to show progress on standard error
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub progress: When,
    /// Say nothing on standard error but errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Say more on standard error
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// What is printed, where and how.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Format of the output [default: human]
    #[arg(short, long, value_enum)]
    pub format: Option<Format>,
    /// Write to this file instead of standard output, whole or not at all
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write a report in another format to a file in the same pass, whole or not at all (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report)]
    pub report: Vec<(Format, PathBuf)>,
    /// Print the steps to take in order, with commands to read, and what a support case needs (human; JSON always has them)
    #[arg(long)]
    pub plan: bool,
    /// When to colour
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub color: When,
}

/// What decides the exit code.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// A TOML file of failures that are known and accepted: they are counted and said, but do not fail the run
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// What makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Error)]
    pub fail_on: FailOn,
    /// Exit with 0 where it would be 1
    #[arg(long)]
    pub exit_zero: bool,
}

#[derive(Debug, Args)]
pub struct WalkArgs {
    /// Scan only files and members of archives that this glob matches: a name (`*.log`), or a path below what was named
    /// (`logs/*.gz`). An archive whose own name it matches is read whole; below a directory no other is
    /// opened (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<String>,
    /// Pass over files, directories and members of archives that this glob matches (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Follow symbolic links below the directories that were named
    #[arg(long)]
    pub follow_links: bool,
    /// Scan the paths in this file too, one a line; `-` is standard input
    #[arg(long, value_name = "FILE|-")]
    pub files_from: Option<PathBuf>,
    /// The paths of --files-from end with NUL, as `find -print0` prints them
    #[arg(short = '0', long, requires = "files_from")]
    pub null: bool,
}

/// Limits of unpacking; none where the default holds.
#[derive(Debug, Args)]
pub struct LimitArgs {
    /// How deep archives and compressed files may be nested, up to 64 [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=64))]
    pub max_nesting: Option<u32>,
    /// Members of the archives in one file [default: 100000]
    #[arg(long, value_name = "N")]
    pub max_members: Option<u64>,
    /// Decoded bytes of one member [default: no limit]
    #[arg(long, value_name = "N", value_parser = bytes)]
    pub max_member_bytes: Option<u64>,
    /// Decoded bytes of one file [default: 4G, or 200 times the file's size where that is more]
    #[arg(long, value_name = "N", value_parser = bytes)]
    pub max_output_bytes: Option<u64>,
    /// Bytes of one name or extended header in a tar archive [default: 1M]
    #[arg(long, value_name = "N", value_parser = bytes)]
    pub max_metadata_bytes: Option<u64>,
    /// Bytes that the decoders of one file may hold, half of it for a window or dictionary, or for a zip archive in a
    /// stream; numbers of bytes may end with K, M, G or T [default: 256M]
    #[arg(long, value_name = "N", value_parser = bytes)]
    pub max_decoder_memory: Option<u64>,
}

impl From<&LimitArgs> for Limits {
    fn from(args: &LimitArgs) -> Limits {
        let default = Limits::default();
        Limits {
            nesting: args.max_nesting.unwrap_or(default.nesting),
            members: args.max_members.unwrap_or(default.members),
            member_bytes: args.max_member_bytes.or(default.member_bytes),
            output_bytes: args.max_output_bytes.or(default.output_bytes),
            metadata_bytes: args.max_metadata_bytes.unwrap_or(default.metadata_bytes),
            decoder_memory: args.max_decoder_memory.unwrap_or(default.decoder_memory),
        }
    }
}

/// A number of bytes: `1048576`, `1024K`, `1M`.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let power = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => 0,
        "k" | "kib" => 1,
        "m" | "mib" => 2,
        "g" | "gib" => 3,
        "t" | "tib" => 4,
        _ => return Err("not a number of bytes such as 1048576, 1024K or 1M".into()),
    };
    let number: u64 = digits.parse().map_err(|error: std::num::ParseIntError| error.to_string())?;
    number.checked_mul(1 << (10 * power)).ok_or_else(|| "too large".into())
}

/// A run of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOf {
    /// The last that ended.
    Last,
    /// This one.
    Number(i64),
}

fn run(text: &str) -> Result<RunOf, String> {
    match text {
        "last" => Ok(RunOf::Last),
        _ => text.parse().map(RunOf::Number).map_err(|_| "neither the number of a run nor `last`".into()),
    }
}

impl OutputArgs {
    /// The format of the first output.
    pub fn format(&self) -> Format {
        self.format.unwrap_or(Format::Human)
    }
}

/// `FORMAT=FILE`.
fn report(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("not FORMAT=FILE")?;
    let format = Format::from_str(format, false).map_err(|_| {
        let names: Vec<String> = Format::value_variants()
            .iter()
            .filter_map(|format| Some(format.to_possible_value()?.get_name().to_string()))
            .collect();
        format!("the format is none of {}", names.join(", "))
    })?;
    match path {
        "" => Err("the file has no name".into()),
        "-" => Err("standard output is what --format prints to".into()),
        path => Ok((format, path.into())),
    }
}

#[derive(Debug, Args)]
pub struct CatalogArgs {
    /// Add the pattern file, or the pattern files of a directory, to the catalogue (repeatable)
    #[arg(long = "catalog", value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// Leave the built-in catalogue out
    #[arg(long, requires = "files")]
    pub no_builtin: bool,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// The code, or the id of an entry without one
    pub code: String,
    /// Format of the output
    #[arg(short, long, value_enum, default_value_t = TextFormat::Human)]
    pub format: TextFormat,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    /// When to colour
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub color: When,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing found at or above --fail-on, 1 something found, 2 usage error or a report that \
                        cannot be used, 3 a report is of a scan that could not read everything, 4 the output could not be \
                        written"
)]
pub struct Merge {
    /// Reports that `migsift scan --format json` wrote; `-` is standard input
    #[arg(value_name = "REPORT", required = true)]
    pub reports: Vec<PathBuf>,
    #[command(flatten)]
    pub outputs: OutputArgs,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    #[command(flatten)]
    pub judge: JudgeArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing found at or above --fail-on, 1 something found, 2 usage error or a store that cannot \
                        be used, 3 the run could not read everything, 4 the output could not be written, 5 the store is in \
                        use by a run"
)]
pub struct History {
    /// The store
    #[arg(long, value_name = "FILE")]
    pub store: PathBuf,
    /// Only findings that this run was the first to see: its number, or `last`
    #[arg(long, value_name = "RUN", value_parser = run)]
    pub run: Option<RunOf>,
    /// Only findings at this time or later in the log, and those without a time, as for `scan`, in UTC
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Only findings before this time, and those without a time
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    pub until: Option<String>,
    #[command(flatten)]
    pub outputs: OutputArgs,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    #[command(flatten)]
    pub judge: JudgeArgs,
}

#[derive(Debug, Args)]
pub struct Diff {
    /// Compare two runs of this history: what they were the first to see. OLD and NEW are their numbers
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    /// The report of before, as `migsift scan --format json` wrote it; `-` is standard input
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The report of now
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Format of the output
    #[arg(short, long, value_enum, default_value_t = TextFormat::Human)]
    pub format: TextFormat,
    /// When to colour
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub color: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// A line of NDJSON: a finding, or one of the lines before and behind findings
    Finding,
    /// A JSON report
    Report,
    /// A pattern file
    Catalog,
}

#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// List the entries
    List {
        /// Format of the output
        #[arg(short, long, value_enum, default_value_t = TextFormat::Human)]
        format: TextFormat,
        #[command(flatten)]
        catalog: CatalogArgs,
        /// When to colour
        #[arg(long, value_enum, default_value_t = When::Auto)]
        color: When,
    },
    /// Prove pattern files: each example is found with exactly its arguments, no negative is
    Check(CatalogCheck),
    /// Make a pattern file of Microsoft's Markdown tables of error codes
    Import(CatalogImport),
    /// Show what differs between two catalogues; exit code 1 when something does
    Diff(CatalogDiff),
}

#[derive(Debug, Args)]
pub struct CatalogCheck {
    /// Pattern files, or directories of them
    #[arg(value_name = "FILE|DIR", required = true)]
    pub files: Vec<PathBuf>,
    /// Prove them without the built-in catalogue beside them
    #[arg(long)]
    pub no_builtin: bool,
}

#[derive(Debug, Args)]
pub struct CatalogImport {
    /// The Markdown document; tables without a column of codes and one of messages are skipped
    #[arg(value_name = "TABLE.md")]
    pub table: PathBuf,
    /// Names for the placeholders of a code, or of the id of an entry without one, in the order in which they first
    /// stand in its texts (repeatable)
    #[arg(long, value_name = "CODE=NAME,NAME", value_parser = names)]
    pub names: Vec<(String, Vec<String>)>,
    /// Write to this file instead of standard output, whole or not at all
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `CODE=name,name`.
fn names(text: &str) -> Result<(String, Vec<String>), String> {
    let (id, list) = text.split_once('=').ok_or("not CODE=NAME,NAME")?;
    let names: Vec<String> = list.split(',').map(|name| name.trim().to_string()).collect();
    match names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
        Some((_, twice)) => Err(format!("the name `{twice}` stands twice")),
        None => Ok((id.trim().to_string(), names)),
    }
}

#[derive(Debug, Args)]
pub struct CatalogDiff {
    /// The old pattern file; `builtin` is the built-in catalogue
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The new pattern file; `builtin` is the built-in catalogue
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Format of the output
    #[arg(short, long, value_enum, default_value_t = TextFormat::Human)]
    pub format: TextFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A summary by code, for people
    #[value(alias = "text")]
    Human,
    /// One JSON document
    Json,
    /// One JSON object a line, findings as they are found
    #[value(aliases = ["jsonl", "json-lines"])]
    Ndjson,
    /// One row a finding
    Csv,
    /// A report to paste into a ticket
    #[value(alias = "md")]
    Markdown,
    /// JUnit XML: each entry of the catalogue is a test case, one that was found fails as --fail-on says
    Junit,
    /// Metrics for Prometheus and OpenMetrics readers
    #[value(alias = "openmetrics")]
    Prometheus,
    /// One page for a browser, which needs nothing else
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TextFormat {
    /// For people
    #[value(alias = "text")]
    Human,
    /// One JSON document
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Least {
    Warning,
    Error,
}

impl From<Least> for Severity {
    fn from(least: Least) -> Severity {
        match least {
            Least::Warning => Severity::Warning,
            Least::Error => Severity::Error,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Undated {
    /// They count
    Keep,
    /// They do not
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Findings that are errors
    Error,
    /// Any finding
    Warning,
    /// Codes that no catalogue lists
    Unknown,
    /// Nothing
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal
    Auto,
    Always,
    Never,
}
