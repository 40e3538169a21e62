//! Limits and bombs: a small input never becomes endless work, and the limit that was exceeded is named by
//! its flag.

use crate::bundles::zip::{DEFLATE, METHODS, Member, STORED, Zip, member, zip};
use crate::bundles::{
    Codec, Folder, Run, line, log, nested, noise, pack, pax, run_bytes, run_path, run_stdin, scan_path, tar,
    tar_record,
};
use migsift::input::Limits;
use migsift::scan::Options;
use proptest::prelude::*;
use std::path::Path;

/// Asserts that the run is partial because of the limit of `flag`, with `findings` findings.
fn assert_exceeded(run: &Run, flag: &str, findings: u64) {
    assert_eq!((run.code, run.findings()), (Some(3), findings), "{flag} {:?}", run.problems());
    assert!(run.problems().iter().any(|problem| problem.contains(flag)), "{flag} {:?}", run.problems());
}

/// Scans with several numbers of threads, asserts that the reports are the same, and returns it.
fn alike(path: &Path, args: &[&str]) -> Run {
    let want = run_path(path, &[args, &["-j", "1"]].concat());
    for threads in ["2", "4"] {
        for _ in 0..2 {
            let got = run_path(path, &[args, &["-j", threads]].concat());
            assert!(got.bytes == want.bytes, "-j {threads} {args:?}\n{:#}\n{:#}", got.report, want.report);
            assert_eq!(got.code, want.code);
        }
    }
    want
}

#[test]
fn members_are_limited() {
    let names: Vec<String> = (0..20).map(|i| format!("{i:02}")).collect();
    let text = line("a");
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, text.as_bytes())).collect();
    let (tar, zip) = (tar(&members), zip(&members));
    for bytes in [&tar, &zip] {
        for run in [run_bytes(bytes, &["--max-members", "7"]), run_stdin(bytes, &["--max-members", "7"])] {
            assert_exceeded(&run, "--max-members", 7);
        }
        assert_eq!(run_bytes(bytes, &["--max-members", "20"]).code, Some(1));
    }
    // Members of inner archives count, too.
    let outer = crate::bundles::tar(&[("a.tar", &tar), ("b.tar", &tar)]);
    assert_exceeded(&run_bytes(&outer, &["--max-members", "30"]), "--max-members", 28);
}

#[test]
fn bytes_of_a_member_are_limited() {
    let large = [log(3, 1_000), noise(20_000, 2), log(3, 1_000)].concat();
    let members =
        [("a.log", &large[..]), ("b.log", line("b").as_bytes())].map(|(name, bytes)| (name, bytes.to_vec()));
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (*name, &**bytes)).collect();
    for bytes in [tar(&members), zip(&members)] {
        for run in [
            run_bytes(&bytes, &["--max-member-bytes", "10K"]),
            run_stdin(&bytes, &["--max-member-bytes", "10K"]),
        ] {
            assert_exceeded(&run, "--max-member-bytes", 4);
            assert_eq!((run.count("partial"), run.count("scanned")), (1, 1));
        }
    }
    assert_exceeded(
        &run_bytes(&pack(Codec::Zstd, &large), &["--max-member-bytes", "10K"]),
        "--max-member-bytes",
        3,
    );
    // A log that is not packed is no member.
    assert_eq!(run_bytes(&large, &["--max-member-bytes", "10K"]).code, Some(1));
    let exact = (large.len() as u64).to_string();
    assert_eq!(run_bytes(&pack(Codec::Zstd, &large), &["--max-member-bytes", &exact]).code, Some(1));
}

#[test]
fn decoded_bytes_are_limited() {
    let log = log(10, 20_000);
    for codec in Codec::all() {
        let bytes = pack(codec, &log);
        for run in [
            run_bytes(&bytes, &["--max-output-bytes", "100K"]),
            run_stdin(&bytes, &["--max-output-bytes", "100K"]),
        ] {
            assert_exceeded(&run, "--max-output-bytes", 5);
            assert_eq!(run.count("bytes"), 100 << 10);
        }
        let exact = (log.len() as u64).to_string();
        assert_eq!(run_bytes(&bytes, &["--max-output-bytes", &exact]).code, Some(1), "{codec:?}");
    }
}

#[test]
fn nesting_is_limited() {
    let bytes = zip(&[("a.gz", &nested(line("a").as_bytes(), 3)), ("b.log", line("b").as_bytes())]);
    for run in [run_bytes(&bytes, &["--max-nesting", "3"]), run_stdin(&bytes, &["--max-nesting", "3"])] {
        assert_exceeded(&run, "--max-nesting", 1);
    }
    assert_eq!(run_bytes(&bytes, &["--max-nesting", "4"]).code, Some(1));
    assert_eq!(run_bytes(line("a").as_bytes(), &["--max-nesting", "0"]).code, Some(1));
}

/// An archive is one level, whether it is a file that can be sought in or a stream.
#[test]
fn without_nesting_no_archive_is_read() {
    let text = line("a");
    for bytes in
        [zip(&[("a", text.as_bytes())]), tar(&[("a", text.as_bytes())]), pack(Codec::Gzip, text.as_bytes())]
    {
        for run in [run_stdin(&bytes, &["--max-nesting", "0"]), run_bytes(&bytes, &["--max-nesting", "0"])] {
            assert_exceeded(&run, "--max-nesting", 0);
        }
    }
}

#[test]
fn names_and_extended_headers_are_limited() {
    let text = line("a");
    let file = |name: &[u8]| tar_record(b'0', name, text.len() as u64, text.as_bytes());
    let long = "n".repeat(3_000);
    let fields = pax("path", &long);
    for head in [
        tar_record(b'L', b"././@LongLink", 3_001, format!("{long}\0").as_bytes()),
        tar_record(b'x', b"PaxHeader", fields.len() as u64, &fields),
    ] {
        let bytes = [&file(b"first")[..], &head, &file(b"second"), &file(b"third"), &[0; 1024]].concat();
        assert_exceeded(&run_bytes(&bytes, &["--max-metadata-bytes", "2K"]), "--max-metadata-bytes", 3);
        assert_eq!(run_bytes(&bytes, &["--max-metadata-bytes", "4K"]).code, Some(1));
    }
}

#[test]
fn memory_of_decoders_is_limited() {
    let text = log(2, 1_000);
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("an encoder");
    encoder.window_log(22).expect("a window");
    std::io::Write::write_all(&mut encoder, &text).expect("writes");
    let window = encoder.finish().expect("ends");
    for bytes in [window, pack(Codec::Xz, &text)] {
        for run in [
            run_bytes(&bytes, &["--max-decoder-memory", "64K"]),
            run_stdin(&bytes, &["--max-decoder-memory", "64K"]),
        ] {
            assert_exceeded(&run, "--max-decoder-memory", 0);
        }
        assert_eq!(run_bytes(&bytes, &["--max-decoder-memory", "32M"]).code, Some(1));
        let beside = tar(&[("a", &bytes), ("b", line("b").as_bytes())]);
        assert_exceeded(&run_bytes(&beside, &["--max-decoder-memory", "64K"]), "--max-decoder-memory", 1);
    }
}

/// Several workers that share an archive read exactly what one would read within a limit: with sizes that the
/// directory does not know, and with limits in the middle of a part, of a member, and of what is nested in
/// one.
#[test]
fn limits_cut_at_the_same_byte_for_any_threads() {
    let inner = pack(Codec::Gzip, &log(4, 30_000));
    let mut members: Vec<Member> = Vec::new();
    for i in 0..30 {
        members.push(member(format!("{i:02}/a.gz"), STORED, &inner));
        members.push(member(
            format!("{i:02}/b.log"),
            if i % 2 == 0 { STORED } else { DEFLATE },
            log(3, 25_000),
        ));
    }
    members[7].listed = false;
    let folder = Folder::new();
    let path = folder.write("a.zip", Zip::new(members.clone()).bytes());
    assert!(std::fs::metadata(&path).expect("a file").len() > 2 << 20);
    let mut last = 0;
    for most in ["0", "50K", "1234567", "3M", "4M", "7000001"] {
        let run = alike(&path, &["--max-output-bytes", most]);
        assert_exceeded(&run, "--max-output-bytes", run.findings());
        assert!(run.findings() >= last, "{most}");
        last = run.findings();
    }
    assert!(last > 50, "{last}");
    for (flag, most) in [("--max-members", "0"), ("--max-members", "33"), ("--max-member-bytes", "70000")] {
        let run = alike(&path, &[flag, most]);
        assert_exceeded(&run, flag, run.findings());
    }
    alike(&path, &["--max-output-bytes", "3M", "--max-members", "20"]);
    let whole = alike(&path, &[]);
    assert_eq!((whole.code, whole.findings()), (Some(3), 30 * 7), "{:?}", whole.problems());
}

/// Members of archives inside a shared archive count against the same allowance.
#[test]
fn members_of_inner_archives_are_limited_alike_for_any_threads() {
    let text = log(1, 20_000);
    let inner = tar(&[("x", &text), ("y", &text), ("z", &text)]);
    let members = (0..60).map(|i| member(format!("{i:02}.tgz"), STORED, pack(Codec::Gzip, &inner)));
    let folder = Folder::new();
    let path = folder.write("a.zip", Zip::new(members).bytes());
    for most in ["61", "100", "150", "239"] {
        let run = alike(&path, &["--max-members", most]);
        assert_exceeded(&run, "--max-members", run.findings());
    }
    assert_eq!(alike(&path, &["--max-members", "240"]).findings(), 180);
}

#[test]
fn bombs_end_at_the_limit() {
    let zeros = vec![b'\n'; 64 << 20];
    let most = ["--max-output-bytes", "8M"];
    for codec in [Codec::Gzip, Codec::Zstd, Codec::Xz] {
        let bytes = pack(codec, &[line("a").as_bytes(), &zeros].concat());
        assert!(bytes.len() < 200_000);
        let run = run_bytes(&bytes, &most);
        assert_exceeded(&run, "--max-output-bytes", 1);
        assert_eq!(run.count("bytes"), 8 << 20);
        if codec == Codec::Gzip {
            assert_exceeded(
                &run_bytes(&zip(&[("a", &bytes), ("b", line("b").as_bytes())]), &most),
                "--max-output-bytes",
                1,
            );
            assert_exceeded(&run_bytes(&pack(Codec::Gzip, &bytes), &most), "--max-output-bytes", 1);
        }
    }
    // By default, a log that compresses well needs no flag.
    let sparse = pack(Codec::Zstd, &[&zeros[..8 << 20], line("a").as_bytes()].concat());
    assert_eq!(run_bytes(&sparse, &[]).code, Some(1));
}

#[test]
fn names_that_are_bombs_need_no_memory() {
    let zeros = vec![b'a'; 64 << 20];
    let text = line("a");
    let file = tar_record(b'0', b"a.log", text.len() as u64, text.as_bytes());
    for kind in [b'L', b'x'] {
        let bytes = [&tar_record(kind, b"bomb", zeros.len() as u64, &zeros)[..], &file, &[0; 1024]].concat();
        let packed = pack(Codec::Zstd, &bytes);
        assert!(packed.len() < 100_000);
        assert_exceeded(&run_bytes(&packed, &[]), "--max-metadata-bytes", 1);
    }
}

/// A dictionary of 4 GiB, which the header of an otherwise sound stream asks for.
#[test]
fn windows_and_dictionaries_that_are_too_large_are_refused() {
    let mut xz = pack(Codec::Xz, line("a").as_bytes());
    // After the header of the stream: size, flags, filter, size of its properties, dictionary size; then the
    // checksum.
    assert_eq!(xz[14..16], [0x21, 1]);
    xz[16] = 40;
    let end = 12 + (usize::from(xz[12]) + 1) * 4 - 4;
    let mut crc = flate2::Crc::new();
    crc.update(&xz[12..end]);
    xz[end..end + 4].copy_from_slice(&crc.sum().to_le_bytes());
    // No single segment, no content size, a window of 2^31 bytes; one raw block, the last.
    let text = line("a");
    let block = ((text.len() as u32) << 3 | 1).to_le_bytes();
    let zstd = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3], &block[..3], text.as_bytes()].concat();
    for bytes in [xz, zstd] {
        for run in [run_bytes(&bytes, &[]), run_stdin(&bytes, &[])] {
            assert_exceeded(&run, "--max-decoder-memory", 0);
        }
        let beside = zip(&[("a", &bytes), ("b", line("b").as_bytes())]);
        assert_exceeded(&run_bytes(&beside, &[]), "--max-decoder-memory", 1);
    }
}

/// Members that share their bytes decode to more than the archive could hold.
#[test]
fn overlapping_members_end_at_the_limit() {
    let big = member("0", DEFLATE, vec![b'\n'; 1 << 20]);
    let mut members = vec![big.clone()];
    members.extend((1..200).map(|i| {
        let mut copy = big.clone().with(|member| member.present = false);
        copy.name = i.to_string().into_bytes();
        copy
    }));
    let bytes = Zip::new(members).with(|zip| zip.overlapping = true).bytes();
    let run = run_bytes(&bytes, &["--max-output-bytes", "4M"]);
    assert_exceeded(&run, "--max-output-bytes", 0);
    assert!(run.count("bytes") <= 4 << 20, "{}", run.count("bytes"));
}

/// A member of a shared archive, of one of several kinds and with one of three logs.
fn some_member(index: usize, kind: usize, which: usize) -> Member {
    let logs = [log(1, 4_000), log(2, 9_000), log(5, 6_000)];
    let (name, text) = (format!("{index:03}"), &logs[which]);
    match kind {
        0 => member(name, STORED, pack(Codec::Gzip, text)),
        1 => member(name, STORED, pack(Codec::Zstd, &tar(&[("x", text), ("y", &logs[0]), ("z", &logs[2])]))),
        2 => member(name, STORED, zip(&[("x", text), ("y", &logs[1])])),
        3 => member(name, DEFLATE, text).streamed(),
        4 => member(name, DEFLATE, text).with(|member| member.listed = false),
        5 => member(name, STORED, text).with(|member| member.crc ^= 1),
        _ => member(name, METHODS[index % 5], text),
    }
}

proptest! {
    // Each case scans a few megabytes three times over.
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// For any limits: threads and windows change nothing.
    #[test]
    fn limits_cut_alike(
        members in prop::collection::vec((0usize..12, 0usize..3), 5..50),
        output in prop::option::weighted(0.7, 0u64..2_000_000),
        count in prop::option::weighted(0.3, 0u64..80),
        each in prop::option::weighted(0.2, 0u64..40_000),
        (threads, core) in (2usize..6, prop::option::of(500usize..40_000)),
    ) {
        let members = members.iter().enumerate().map(|(i, (kind, log))| some_member(i, *kind, *log));
        // Only an archive of more than a megabyte is shared.
        let large = member("noise", STORED, noise(1_100_000, 5));
        let folder = Folder::new();
        let path = folder.write("a.zip", Zip::new(members.chain([large])).bytes());
        let mut limits = Limits::default();
        (limits.output_bytes, limits.member_bytes) = (output, each);
        limits.members = count.unwrap_or(limits.members);
        let alone = Options::default().with(|options| (options.threads, options.limits) = (1, limits));
        let want = scan_path(&path, &alone);
        let got = scan_path(&path, &alone.with(|options| (options.threads, options.window_bytes) = (threads, core)));
        prop_assert_eq!(&got.inputs, &want.inputs);
        prop_assert!(got.findings == want.findings);
    }
}
