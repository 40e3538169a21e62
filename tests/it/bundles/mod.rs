//! Bundles: logs, compressed files and archives that are made in memory, sound and hostile, and scans of
//! them.

pub mod lzw;
pub mod zip;

use crate::{oracle, program, stdout};
use migsift::catalog::ArgValue;
use migsift::error::Error;
use migsift::finding::Finding;
pub use migsift::input::Codec;
use migsift::input::{WalkOptions, walk};
use migsift::print::own_outputs;
use migsift::scan::{Inputs, Options, Progress, Sink, scan};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// A message with its code; the database distinguishes it from others.
pub fn line(database: &str) -> String {
    format!(
        "2024-06-06T21:42:53.039Z ERROR 603101: Database exists in target. Database `{database}` exists on the \
         target server.\n"
    )
}

/// Lines of letters that compress badly and contain no finding.
pub fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut next = |i: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if i % 97 == 96 { b'\n' } else { b'a' + (state >> 32) as u8 % 16 }
    };
    let mut noise: Vec<u8> = (1..bytes).map(&mut next).collect();
    noise.push(b'\n');
    noise
}

/// A log with `findings` findings, each after `noisy` bytes of noise.
pub fn log(findings: usize, noisy: usize) -> Vec<u8> {
    let part = |i: usize| [noise(noisy, i as u64), line(&format!("db{i}")).into_bytes()].concat();
    (0..findings).flat_map(part).collect()
}

/// Whether a changed byte of the format is noticed: it has a checksum.
pub fn has_checksum(codec: Codec) -> bool {
    !matches!(codec, Codec::Lz4Legacy | Codec::Lzma | Codec::Compress)
}

/// Whether a cut is noticed wherever it is: the format has an end mark, or a size.
pub fn has_end(codec: Codec) -> bool {
    codec != Codec::Compress
}

/// Whether frames of the format may follow each other.
pub fn has_frames(codec: Codec) -> bool {
    !matches!(codec, Codec::Lzma | Codec::Compress)
}

/// Compresses `bytes` as one frame, with a checksum if the format has one.
pub fn pack(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).expect("writes");
            encoder.finish().expect("ends")
        }
        Codec::Zstd => {
            let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("an encoder");
            encoder.include_checksum(true).expect("a setting");
            encoder.write_all(bytes).expect("writes");
            encoder.finish().expect("ends")
        }
        Codec::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(bytes).expect("writes");
            encoder.finish().expect("ends")
        }
        Codec::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(bytes).expect("writes");
            encoder.finish().expect("ends")
        }
        Codec::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new()
                .content_checksum(true)
                .block_size(lz4_flex::frame::BlockSize::Max64KB);
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            encoder.write_all(bytes).expect("writes");
            encoder.finish().expect("ends")
        }
        Codec::Lz4Legacy => {
            let mut packed = vec![0x02, 0x21, 0x4c, 0x18];
            for block in bytes.chunks(8 << 20) {
                let block = lz4_flex::block::compress(block);
                packed.extend((block.len() as u32).to_le_bytes());
                packed.extend(block);
            }
            packed
        }
        Codec::Lzma => {
            let options = liblzma::stream::LzmaOptions::new_preset(0).expect("a preset");
            let stream = liblzma::stream::Stream::new_lzma_encoder(&options).expect("an encoder");
            let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
            encoder.write_all(bytes).expect("writes");
            encoder.finish().expect("ends")
        }
        Codec::Compress => lzw::compress(bytes, 16),
    }
}

/// A frame that zstd and lz4 readers pass over.
pub fn skippable(bytes: &[u8]) -> Vec<u8> {
    [&[0x53, 0x2a, 0x4d, 0x18], &(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
}

/// `bytes` in `depth` gzip streams, one around the other.
pub fn nested(bytes: &[u8], depth: usize) -> Vec<u8> {
    (0..depth).fold(bytes.to_vec(), |inner, _| pack(Codec::Gzip, &inner))
}

/// A tar archive of files.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).expect("a member");
    }
    builder.into_inner().expect("an archive")
}

/// One tar record of any kind. Its data may be longer or shorter than `size`, which the header states.
pub fn tar_record(kind: u8, name: &[u8], size: u64, data: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    let mut record = [header.as_bytes().as_slice(), data].concat();
    record.resize(record.len().next_multiple_of(512), 0);
    record
}

/// A PAX record that states its length correctly.
pub fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let len = (1..).find(|len: &usize| len.to_string().len() + rest.len() == *len).expect("a length");
    format!("{len}{rest}").into_bytes()
}

/// The result of a scan in this process.
pub struct ScanResult {
    pub findings: Vec<Finding>,
    pub inputs: Inputs,
}

impl ScanResult {
    /// The databases of the findings, which distinguish them. A message that is cut may have lost its own.
    pub fn names(&self) -> Vec<String> {
        let name = |finding: &Finding| match finding.args.first() {
            Some((_, ArgValue::One(name))) => Some(name.clone()),
            _ => None,
        };
        self.findings.iter().filter_map(name).collect()
    }

    pub fn reasons(&self) -> Vec<&str> {
        self.inputs.problems.iter().map(|problem| &*problem.reason).collect()
    }

    /// Panics if the program had an internal error.
    pub fn checked(self) -> ScanResult {
        assert!(!self.reasons().iter().any(|reason| reason.contains("internal error")), "{:?}", self.inputs);
        self
    }
}

#[derive(Default)]
struct CollectingSink(Vec<Finding>);

impl Sink for CollectingSink {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        self.0.push(finding.clone());
        Ok(())
    }
}

/// Scans a path in this process.
pub fn scan_path(path: &Path, options: &Options) -> ScanResult {
    let mut sink = CollectingSink::default();
    let inputs = walk(&[path.to_path_buf()], &WalkOptions::default());
    let outcome = scan(oracle::matcher(), &inputs, options, Some(&mut sink), &Progress::default());
    ScanResult { findings: sink.0, inputs: outcome.expect("scans").inputs }.checked()
}

/// Scans bytes as a file in this process.
pub fn scan_bytes(bytes: &[u8], options: &Options) -> ScanResult {
    let folder = Folder::new();
    scan_path(&folder.write("a", bytes), options)
}

/// One thread, and the defaults for the rest.
pub fn one_thread() -> Options {
    Options::default().with(|options| (options.threads, options.own_outputs) = (1, own_outputs()))
}

/// A folder that is removed at the end.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and creates the folders around it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(&path, bytes).expect("writes");
        path
    }
}

/// A run of the program that printed a report in JSON.
pub struct Run {
    pub code: Option<i32>,
    pub report: Value,
    pub bytes: Vec<u8>,
}

impl Run {
    pub fn of(output: Output) -> Run {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{:?} {said}", output.status);
        let text = stdout(&output);
        assert!(!text.contains("internal error"), "{text}");
        let report = serde_json::from_str(&text).expect("JSON");
        Run { code: output.status.code(), report, bytes: output.stdout }
    }

    pub fn findings(&self) -> u64 {
        self.report["totals"]["findings"].as_u64().expect("a number")
    }

    /// Each problem as `member: status: reason`, or without the member.
    pub fn problems(&self) -> Vec<String> {
        let show = |problem: &Value| {
            let text = |field: &str| problem[field].as_str().unwrap_or_default();
            let member = problem["member"].as_str().map_or_else(String::new, |member| format!("{member}: "));
            format!("{member}{}: {}", text("status"), text("reason"))
        };
        self.report["inputs"]["problems"].as_array().expect("problems").iter().map(show).collect()
    }

    pub fn count(&self, of: &str) -> u64 {
        self.report["inputs"][of].as_u64().expect("a number")
    }
}

/// Scans a path with the program.
pub fn run_path(path: &Path, args: &[&str]) -> Run {
    let mut command = program();
    command.args(["scan", "-f", "json"]).args(args).arg(path).stdin(Stdio::null());
    Run::of(command.output().expect("runs"))
}

/// Scans bytes as a file with the program.
pub fn run_bytes(bytes: &[u8], args: &[&str]) -> Run {
    let folder = Folder::new();
    run_path(&folder.write("a", bytes), args)
}

/// Runs the program with `bytes` piped into it.
pub fn pipe(bytes: &[u8], args: &[&str]) -> Output {
    pipe_pieces(&[bytes], args)
}

fn pipe_pieces(pieces: &[&[u8]], args: &[&str]) -> Output {
    let mut child = program()
        .args(["scan"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut input = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        // The program may end before it has read everything.
        scope.spawn(move || pieces.iter().all(|piece| input.write_all(piece).is_ok()));
        child.wait_with_output().expect("ends")
    })
}

/// Scans bytes from standard input with the program, written in pieces of `piece` bytes.
pub fn run_pieces(bytes: &[u8], piece: usize) -> Run {
    let pieces: Vec<&[u8]> = bytes.chunks(piece).collect();
    Run::of(pipe_pieces(&pieces, &["-", "-f", "json"]))
}

/// Scans bytes from standard input with the program.
pub fn run_stdin(bytes: &[u8], args: &[&str]) -> Run {
    Run::of(pipe(bytes, &[&["-", "-f", "json"], args].concat()))
}
