//! The arguments of the command line, as plain data.
//!
//! Each flag is defined once, on its field: name, value, help, conflicts, and its [`Effect`] on findings.
//! Help, completions and the manual page come from here, and so do the lists of `flags.rs`. Nothing is read
//! or opened here; combinations that clap cannot express are checked by the commands.

use super::effect::{Effect, WithEffect};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use migsift::catalog::Severity;
use migsift::input::Limits;
use migsift::print::Format;
use migsift::scan::MAX_THREADS;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Reads the logs of a failed PostgreSQL migration and reports, for each error code, what happened and how to
/// fix it.
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
    /// Scan files, directories, archives or standard input, and print a summary or the findings
    Scan(Box<ScanArgs>),
    /// Explain an error code, offline
    Explain(ExplainArgs),
    /// Merge JSON reports of other machines or other days into one
    Merge(MergeArgs),
    /// Compare two JSON reports or two runs of a history: what is fixed, new and still failing. Exits with 1
    /// if something is new
    Diff(DiffArgs),
    /// Report from the history that `scan --store` keeps, without scanning
    Report(ReportArgs),
    /// Print the JSON Schema of an output or of a pattern file
    Schema {
        /// The document that it describes
        #[arg(value_enum)]
        of: SchemaKind,
    },
    /// List, check, import and compare catalogues of messages
    Catalog {
        #[command(subcommand)]
        command: CatalogCommand,
    },
    /// Print the completions for a shell
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
                  3 an input was not read to its end, 4 the output could not be written, 5 the store is in use by \
                  another run; after a partial result: 130 interrupted, 143 terminated"
)]
pub struct ScanArgs {
    /// Files, directories and archives to scan; `-` is standard input. Default: standard input, unless it is
    /// a terminal
    #[arg(value_name = "PATH", effect = Effect::None)]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub outputs: OutputArgs,
    /// Do not escape CSV cells that a spreadsheet would read as formulas
    #[arg(long, effect = Effect::None)]
    pub csv_raw: bool,
    /// Show N lines before and after each finding, up to 100: below samples in human output, as `before` and
    /// `after` in json and ndjson. A line is cut at 512 bytes and then ends with an ellipsis; lines that
    /// start more than 32 KiB away are left out
    // Such lines may contain any name, so they cannot be redacted.
    #[arg(short = 'C', long, value_name = "N", default_value_t = 0, hide_default_value = true, effect = Effect::Findings,
          conflicts_with = "redact", value_parser = clap::value_parser!(u32).range(..=100))]
    pub context_lines: u32,
    /// Replace names of servers, databases, roles, tables, paths, addresses and subscriptions by tokens, so
    /// that the output can be shared. With MAPFILE, the key and the names are kept in this file, and later
    /// runs use the same tokens: keep it secret
    #[arg(long, value_name = "MAPFILE", num_args = 0..=1, require_equals = true, effect = Effect::None)]
    #[expect(clippy::option_option, reason = "absent, alone, with a file")]
    pub redact: Option<Option<PathBuf>>,
    /// Keep a history in FILE, and read only what is new. Files are identified by their content, so rotated,
    /// renamed and compressed logs are not read twice. The report covers what this run has read; without
    /// --format and --output it is printed only on a terminal
    // A filtered or redacted history would lack what later runs do not read again; filters conflict by their
    // effect.
    #[arg(long, value_name = "FILE", effect = Effect::None, conflicts_with = "redact")]
    pub store: Option<PathBuf>,
    /// Print and judge only findings that the store does not have yet
    #[arg(long, requires = "store", effect = Effect::None)]
    pub new_only: bool,
    /// Read all inputs again, even those that the store knows; no finding counts twice
    #[arg(long, requires = "store", effect = Effect::None)]
    pub rescan: bool,
    /// Drop records of files that have been missing for at least DURATION (90d, 36h), with their findings,
    /// and records of older runs
    #[arg(long, requires = "store", value_name = "DURATION", effect = Effect::None)]
    pub retention: Option<String>,
    /// Wait while another run uses the store, instead of ending with exit code 5
    #[arg(long, requires = "store", effect = Effect::None)]
    pub wait: bool,
    /// Count only findings with this code or id (repeatable)
    #[arg(long, value_name = "CODE", effect = Effect::Filter)]
    pub code: Vec<String>,
    /// Count only findings of at least this severity
    #[arg(long, value_enum, effect = Effect::Filter)]
    pub severity: Option<MinSeverity>,
    /// Count only findings at this time or later: RFC 3339, a date (2024-06-13) with or without a time
    /// (21:37), -3d, 2h30m, today or yesterday
    #[arg(long, value_name = "T", allow_hyphen_values = true, effect = Effect::Filter)]
    pub since: Option<String>,
    /// Count only findings before this time
    #[arg(long, value_name = "T", allow_hyphen_values = true, effect = Effect::Filter)]
    pub until: Option<String>,
    /// Whether findings without a time count under --since and --until
    // No filter by itself: without the other two it does nothing.
    #[arg(long, value_enum, default_value_t = Undated::Keep, effect = Effect::None)]
    pub undated: Undated,
    /// The time zone of times without one, in logs and in --since and --until
    #[arg(long, value_name = "TZ", default_value = "UTC", allow_hyphen_values = true, effect = Effect::Findings)]
    pub timezone: String,
    /// Count only findings of the last attempt: those of the migration with the latest finding or, where no
    /// migration is named, those since the last hour without any. Reads the inputs twice, so they cannot be
    /// streams
    #[arg(long, effect = Effect::Filter)]
    pub last_attempt: bool,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    #[command(flatten)]
    pub walk: WalkArgs,
    #[command(flatten)]
    pub limits: LimitArgs,
    /// The most worker threads, up to 1,024; 0 is one for each core. No more are started than there is work for
    #[arg(short = 'j', long, value_name = "N", default_value_t = 0, effect = Effect::None, value_parser = threads())]
    pub threads: usize,
    /// Read files instead of mapping them into memory
    #[arg(long, effect = Effect::None)]
    pub no_mmap: bool,
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// When to show progress on standard error
    #[arg(long, value_enum, default_value_t = When::Auto, effect = Effect::None)]
    pub progress: When,
    /// Print only errors on standard error
    #[arg(short, long, effect = Effect::None)]
    pub quiet: bool,
    /// Print more on standard error
    #[arg(short, long, conflicts_with = "quiet", effect = Effect::None)]
    pub verbose: bool,
}

/// Outputs: what is printed, where and how.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Format of the output [default: human]
    #[arg(short, long, value_parser = format_values(), effect = Effect::None)]
    pub format: Option<Format>,
    /// Write the output to FILE, whole or not at all, instead of standard output
    #[arg(short, long, value_name = "FILE", effect = Effect::None)]
    pub output: Option<PathBuf>,
    /// Also write a report in FORMAT to FILE, whole or not at all (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report, effect = Effect::None)]
    pub report: Vec<(Format, PathBuf)>,
    /// Print the plan: ordered steps with commands to review, and what a support case needs (human; JSON
    /// always has it)
    #[arg(long, effect = Effect::None)]
    pub plan: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = When::Auto, effect = Effect::None)]
    pub color: When,
}

/// What decides the exit code.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// A TOML file of known and accepted failures: they are counted and listed, but do not fail the run
    #[arg(long, value_name = "FILE", effect = Effect::None)]
    pub baseline: Option<PathBuf>,
    /// What makes the exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Error, effect = Effect::None)]
    pub fail_on: FailOn,
    /// Exit with 0 instead of 1
    #[arg(long, effect = Effect::None)]
    pub exit_zero: bool,
}

/// Which files are scanned.
#[derive(Debug, Args)]
pub struct WalkArgs {
    /// Scan only files and archive members that match this glob: a name (`*.log`), or a path below an operand
    /// (`logs/*.gz`). If an archive's name matches, all its members are scanned; archives in a directory that
    /// do not match are not opened (repeatable)
    #[arg(long, value_name = "GLOB", effect = Effect::Findings)]
    pub include: Vec<String>,
    /// Skip files, directories and archive members that match this glob (repeatable)
    #[arg(long, value_name = "GLOB", effect = Effect::Findings)]
    pub exclude: Vec<String>,
    /// Follow symbolic links in directories
    #[arg(long, effect = Effect::None)]
    pub follow_links: bool,
    /// Also scan the paths listed in FILE, one a line; `-` is standard input
    #[arg(long, value_name = "FILE|-", effect = Effect::None)]
    pub files_from: Option<PathBuf>,
    /// Paths of --files-from end with NUL, as `find -print0` prints them
    #[arg(short = '0', long, requires = "files_from", effect = Effect::None)]
    pub null: bool,
}

/// Limits of unpacking; `None` is the default.
#[derive(Debug, Args)]
pub struct LimitArgs {
    /// How deep archives and compressed files may be nested, up to 64 [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=64), effect = Effect::Findings)]
    pub max_nesting: Option<u32>,
    /// Members of the archives in one file [default: 100000]
    #[arg(long, value_name = "N", effect = Effect::Findings)]
    pub max_members: Option<u64>,
    /// Decoded bytes of one member [default: no limit]
    #[arg(long, value_name = "N", value_parser = bytes, effect = Effect::Findings)]
    pub max_member_bytes: Option<u64>,
    /// Decoded bytes of one file [default: 4G, or 200 times the size of the file if that is more]
    #[arg(long, value_name = "N", value_parser = bytes, effect = Effect::Findings)]
    pub max_output_bytes: Option<u64>,
    /// Bytes of one name or extended header in a tar archive [default: 1M]
    #[arg(long, value_name = "N", value_parser = bytes, effect = Effect::Findings)]
    pub max_metadata_bytes: Option<u64>,
    /// Bytes that the decoders of one file may allocate, up to half of it for one window or dictionary, or
    /// for a zip archive in a stream; numbers of bytes may end with K, M, G or T [default: 256M]
    #[arg(long, value_name = "N", value_parser = bytes, effect = Effect::Findings)]
    pub max_decoder_memory: Option<u64>,
}

impl From<&LimitArgs> for Limits {
    fn from(args: &LimitArgs) -> Limits {
        let mut limits = Limits::default();
        limits.nesting = args.max_nesting.unwrap_or(limits.nesting);
        limits.members = args.max_members.unwrap_or(limits.members);
        limits.member_bytes = args.max_member_bytes.or(limits.member_bytes);
        limits.output_bytes = args.max_output_bytes.or(limits.output_bytes);
        limits.metadata_bytes = args.max_metadata_bytes.unwrap_or(limits.metadata_bytes);
        limits.decoder_memory = args.max_decoder_memory.unwrap_or(limits.decoder_memory);
        limits
    }
}

/// The values of `--threads`.
fn threads() -> impl TypedValueParser<Value = usize> {
    clap::value_parser!(u64).range(0..=MAX_THREADS as u64).map(|threads| threads as usize)
}

/// Parses a number of bytes: `1048576`, `1024K`, `1M`.
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
pub enum RunSelector {
    /// The last one that ended.
    Last,
    /// The run with this number.
    Number(i64),
}

fn run(text: &str) -> Result<RunSelector, String> {
    match text {
        "last" => Ok(RunSelector::Last),
        _ => {
            text.parse().map(RunSelector::Number).map_err(|_| "neither the number of a run nor `last`".into())
        }
    }
}

impl OutputArgs {
    /// Returns the format of the main output.
    pub fn format(&self) -> Format {
        self.format.unwrap_or(Format::Human)
    }
}

/// The values of `--format`: the table of formats with its help and aliases.
fn format_values() -> impl TypedValueParser<Value = Format> {
    let value =
        |format: &Format| PossibleValue::new(format.name()).aliases(format.aliases()).help(format.about());
    PossibleValuesParser::new(Format::ALL.iter().map(value))
        .try_map(|name| Format::named(&name).ok_or("no such format"))
}

/// Parses `FORMAT=FILE`.
fn report(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("not FORMAT=FILE")?;
    let format = Format::named(format).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        format!("the format is none of {}", names.join(", "))
    })?;
    match path {
        "" => Err("the file has no name".into()),
        "-" => Err("--report writes files; use --format for standard output".into()),
        path => Ok((format, path.into())),
    }
}

#[derive(Debug, Args)]
pub struct CatalogArgs {
    /// Add a pattern file, or all pattern files of a directory, to the catalogue (repeatable)
    #[arg(long = "catalog", value_name = "FILE|DIR", effect = Effect::Findings)]
    pub files: Vec<PathBuf>,
    /// Do not use the built-in catalogue
    #[arg(long, requires = "files", effect = Effect::Findings)]
    pub no_builtin: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// An error code, or the id of an entry without a code
    pub code: String,
    /// Format of the output
    #[arg(short, long, value_enum, default_value_t = TextFormat::Human)]
    pub format: TextFormat,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub color: When,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing found at or above --fail-on, 1 something found, 2 usage error or an unusable \
                  report, 3 a report is of a partial scan, 4 the output could not be written"
)]
pub struct MergeArgs {
    /// Reports of `migsift scan --format json`; `-` is standard input
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
    after_help = "Exit codes: 0 nothing found at or above --fail-on, 1 something found, 2 usage error or an unusable \
                  store, 3 the run was partial, 4 the output could not be written, 5 the store is in use by a run"
)]
pub struct ReportArgs {
    /// The history of `scan --store`
    #[arg(long, value_name = "FILE")]
    pub store: PathBuf,
    /// Only findings that this run was the first to find: its number, or `last`
    #[arg(long, value_name = "RUN", value_parser = run)]
    pub run: Option<RunSelector>,
    /// Only findings at this time or later, and those without a time; formats as for `scan`, in UTC
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
pub struct DiffArgs {
    /// Compare two runs of this history by the findings that each was the first to find. OLD and NEW are
    /// their numbers
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
    #[command(flatten)]
    pub catalog: CatalogArgs,
    /// The older report of `migsift scan --format json`; `-` is standard input
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The newer report
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Format of the output
    #[arg(short, long, value_enum, default_value_t = TextFormat::Human)]
    pub format: TextFormat,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub color: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// A line of NDJSON: a finding, or one of the lines before and after findings
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
        /// When to use colours
        #[arg(long, value_enum, default_value_t = When::Auto)]
        color: When,
    },
    /// Check pattern files: each example is found with exactly its arguments, and no negative is found
    Check(CheckArgs),
    /// Make a pattern file from Microsoft's Markdown tables of error codes
    Import(ImportArgs),
    /// Compare two catalogues. Exits with 1 if they differ
    Diff(CatalogDiffArgs),
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Pattern files, or directories of them
    #[arg(value_name = "FILE|DIR", required = true)]
    pub files: Vec<PathBuf>,
    /// Check them without the built-in catalogue
    #[arg(long)]
    pub no_builtin: bool,
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The Markdown document; tables without a column of codes and one of messages are skipped
    #[arg(value_name = "TABLE.md")]
    pub table: PathBuf,
    /// Names for the placeholders of a code, or of the id of an entry without a code, in the order in which
    /// its texts first use them (repeatable)
    #[arg(long, value_name = "CODE=NAME,NAME", value_parser = names)]
    pub names: Vec<(String, Vec<String>)>,
    /// Write the output to FILE, whole or not at all, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Parses `CODE=name,name`.
fn names(text: &str) -> Result<(String, Vec<String>), String> {
    let (id, list) = text.split_once('=').ok_or("not CODE=NAME,NAME")?;
    let names: Vec<String> = list.split(',').map(|name| name.trim().to_string()).collect();
    match names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
        Some((_, twice)) => Err(format!("the name `{twice}` is used twice")),
        None => Ok((id.trim().to_string(), names)),
    }
}

#[derive(Debug, Args)]
pub struct CatalogDiffArgs {
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
pub enum TextFormat {
    /// For people
    #[value(alias = "text")]
    Human,
    /// One JSON document
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MinSeverity {
    Warning,
    Error,
}

impl From<MinSeverity> for Severity {
    fn from(least: MinSeverity) -> Severity {
        match least {
            MinSeverity::Warning => Severity::Warning,
            MinSeverity::Error => Severity::Error,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Undated {
    /// They count
    Keep,
    /// They do not count
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Findings that are errors
    Error,
    /// Any finding
    Warning,
    /// Findings with codes that no catalogue lists
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
