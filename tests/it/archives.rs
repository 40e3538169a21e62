//! Packed logs have the same findings as plain ones, however they are packed.

use crate::bundles::zip::{DEFLATE, METHODS, Member, Zip, member, zip};
use crate::bundles::{
    Codec, Folder, Run, ScanResult, has_end, has_frames, line, log, nested, noise, one_thread, pack, pax,
    pipe, run_bytes, run_path, run_stdin, scan_bytes, scan_path, skippable, tar, tar_record,
};
use crate::{invariants, stdout};
use migsift::finding::Finding;
use migsift::scan::Options;
use migsift::source::Origin;
use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// The findings of a report, without place and envelope.
fn findings(ndjson: &str) -> Vec<Value> {
    let records = ndjson.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let bare = |mut record: Value| {
        let fields = record.as_object_mut().expect("an object");
        fields.remove("path");
        fields.remove("member");
        record
    };
    records.filter(|record| record["type"] == "finding").map(bare).collect()
}

/// The findings of a scan, as if all were in one file.
fn without_place(result: ScanResult) -> Vec<Finding> {
    let one_file = Arc::new(Origin::path(Path::new("a")));
    let mut findings = result.findings;
    findings.iter_mut().for_each(|finding| finding.origin = one_file.clone());
    findings
}

/// All ways to pack one log, by name.
fn packed(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![("tar".to_string(), tar(&[("a.log", bytes)]))];
    for codec in Codec::all() {
        let inner = pack(codec, bytes);
        all.push((format!("{codec:?} in tar"), tar(&[("a.log.x", &inner)])));
        all.push((format!("tar in {codec:?}"), pack(codec, &tar(&[("a.log", bytes)]))));
        all.push((format!("{codec:?} in zip"), Zip::new([member("a.x", DEFLATE, &inner)]).bytes()));
        all.push((format!("{codec:?}"), inner));
    }
    for method in METHODS {
        all.push((format!("zip, method {method}"), Zip::new([member("a.log", method, bytes)]).bytes()));
    }
    all
}

#[test]
fn packed_logs_have_the_findings_of_plain_ones() {
    let log = log(6, 50_000);
    let folder = Folder::new();
    let plain = without_place(scan_bytes(&log, &one_thread()));
    let printed = findings(&stdout(&pipe(&log, &["-", "-f", "ndjson"])));
    assert_eq!((plain.len(), printed.len()), (6, 6));
    for (name, bytes) in packed(&log) {
        let path = folder.write("a", &bytes);
        for threads in [1, 3] {
            let piped = pipe(&bytes, &["-", "-f", "ndjson", "-j", &threads.to_string()]);
            assert_eq!(piped.status.code(), Some(1), "{name}");
            assert!(findings(&stdout(&piped)) == printed, "{name}, piped, {threads} threads");
            let read = scan_path(&path, &Options::default().with(|options| options.threads = threads));
            assert!(read.inputs.complete(), "{name}: {:?}", read.inputs);
            assert!(without_place(read) == plain, "{name}, {threads} threads");
        }
    }
}

#[test]
fn a_tree_of_archives_has_the_same_report_for_any_threads_mapped_or_read() {
    let folder = Folder::new();
    let large = log(40, 40_000);
    let mut members = vec![];
    for (i, (name, bytes)) in packed(&log(3, 9_000)).into_iter().enumerate() {
        folder.write(&format!("{i:02}"), &bytes);
        members.push((name, bytes));
    }
    members.push(("large.gz".into(), pack(Codec::Gzip, &large)));
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
    folder.write("all.zip", zip(&members));
    folder.write("all.tar", tar(&members));
    folder.write("cut.zip", &zip(&members)[..60_000]);
    let path = folder.path().to_string_lossy().into_owned();
    for format in ["human", "json", "ndjson", "csv"] {
        let want = pipe(b"", &[&path, "-f", format, "-j", "1"]);
        assert_eq!(want.status.code(), Some(3));
        for more in [&["-j", "2"][..], &["-j", "3", "--no-mmap"]] {
            let got = pipe(b"", &[&[&path, "-f", format][..], more].concat());
            assert!(got.stdout == want.stdout, "{format} {more:?}");
        }
    }
}

#[test]
fn frames_that_follow_each_other_are_one_log() {
    // A message is on both sides of the cut.
    let log = log(4, 3_000);
    let (a, rest) = log.split_at(2_000);
    let (b, c) = rest.split_at(1_100);
    for codec in Codec::all().filter(|codec| has_frames(*codec)) {
        let frames = [pack(codec, a), pack(codec, b), pack(codec, b""), pack(codec, c)];
        let run = run_bytes(&frames.concat(), &[]);
        assert_eq!((run.code, run.findings()), (Some(1), 4), "{codec:?} {:?}", run.problems());
        assert_eq!(run.count("bytes"), log.len() as u64);
    }
    for codec in [Codec::Zstd, Codec::Lz4] {
        let skip = [skippable(b""), skippable(b"a dictionary, an index")].concat();
        let [a, b, c] = [a, b, c].map(|part| pack(codec, part));
        let run = run_bytes(&[&skip, &a, &skip, &b, &c, &skip].map(Vec::as_slice).concat(), &[]);
        assert_eq!((run.code, run.findings()), (Some(1), 4), "{codec:?} {:?}", run.problems());
    }
    let padding = [0; 8];
    let streams =
        [&pack(Codec::Xz, a)[..], &padding, &pack(Codec::Xz, b), &pack(Codec::Xz, c), &padding[4..]];
    let run = run_bytes(&streams.concat(), &[]);
    assert_eq!((run.code, run.findings()), (Some(1), 4), "{:?}", run.problems());
    let tape = [&pack(Codec::Gzip, &log)[..], &[0; 10_240]].concat();
    assert_eq!(run_bytes(&tape, &[]).code, Some(1));
}

#[test]
fn a_long_skippable_frame_before_an_lz4_one_is_skipped() {
    let frames = [skippable(&noise(2_000, 1)), pack(Codec::Lz4, &log(2, 10))].concat();
    let run = run_bytes(&frames, &[]);
    assert_eq!((run.code, run.findings()), (Some(1), 2), "{:?}", run.problems());
}

#[test]
fn a_gzip_header_may_have_all_its_fields() {
    let log = log(3, 500);
    let mut encoder = flate2::GzBuilder::new()
        .filename("a.log")
        .comment("a comment")
        .extra(noise(5_000, 3))
        .mtime(1)
        .write(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &log).expect("writes");
    let run = run_bytes(&encoder.finish().expect("ends"), &[]);
    assert_eq!((run.code, run.findings()), (Some(1), 3));
}

#[test]
fn garbage_after_a_frame_makes_the_log_partial() {
    for codec in Codec::all().filter(|codec| has_end(*codec)) {
        for garbage in [&b"some text"[..], b"\x01", b"PK\x03\x04"] {
            let bytes = [&pack(codec, &log(3, 500))[..], garbage].concat();
            let run = run_bytes(&bytes, &[]);
            assert_eq!((run.code, run.findings(), run.count("partial")), (Some(3), 3, 1), "{codec:?}");
        }
    }
    let run = run_bytes(&[&tar(&[("a", &log(3, 500))])[..], &noise(700, 9)].concat(), &[]);
    assert_eq!((run.code, run.findings()), (Some(3), 3), "{:?}", run.problems());
}

#[test]
fn bundles_in_bundles_are_read_whole() {
    let text = line("deep");
    let inner = zip(&[("deep/a.log", text.as_bytes()), ("b.log", b"nothing\n")]);
    let middle = pack(Codec::Gzip, &tar(&[("inner.zip", &inner), ("c.log", line("mid").as_bytes())]));
    let outer = zip(&[("middle.tgz", &middle), ("d.log", line("top").as_bytes())]);
    for run in [run_bytes(&outer, &[]), run_stdin(&outer, &[])] {
        assert_eq!((run.code, run.findings(), run.count("scanned")), (Some(1), 3, 4), "{:?}", run.problems());
    }
    let output = pipe(&outer, &["-", "-f", "ndjson"]);
    let first = stdout(&output).lines().nth(1).map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    assert_eq!(first.expect("a finding")["member"], "middle.tgz!inner.zip!deep/a.log");
}

#[test]
fn deep_nesting_ends_at_its_limit_and_can_be_allowed() {
    let bytes = nested(line("deep").as_bytes(), 30);
    let run = run_bytes(&bytes, &[]);
    assert_eq!((run.code, run.findings(), run.count("failed")), (Some(3), 0, 1));
    assert!(run.problems()[0].contains("--max-nesting"), "{:?}", run.problems());
    let run = run_bytes(&bytes, &["--max-nesting", "40"]);
    assert_eq!((run.code, run.findings()), (Some(1), 1));
    let run = run_bytes(&nested(line("deep").as_bytes(), 8), &[]);
    assert_eq!((run.code, run.findings()), (Some(1), 1));
    let run = run_bytes(&nested(line("deep").as_bytes(), 9), &[]);
    assert_eq!((run.code, run.findings()), (Some(3), 0));
}

#[test]
fn utf_16_is_read_inside_of_anything() {
    let utf16 = |mark: &str, big: bool| -> Vec<u8> {
        let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        format!("{mark}{}", line("a").repeat(3).replace('\n', "\r\n")).encode_utf16().flat_map(unit).collect()
    };
    for mark in ["", "\u{feff}"] {
        for big in [false, true] {
            let log = utf16(mark, big);
            for (name, bytes) in packed(&log) {
                let got = scan_bytes(&bytes, &one_thread());
                assert_eq!(
                    (got.names(), got.inputs.complete()),
                    (vec!["a".to_string(); 3], true),
                    "{name} {big}"
                );
            }
        }
    }
}

#[test]
fn long_and_strange_names_of_tar_members_are_kept() {
    let text = line("a");
    let long = "deep/".repeat(60) + "a.log";
    let record = |name: &[u8]| tar_record(b'0', name, text.len() as u64, text.as_bytes());
    let end = [0; 1024];
    let gnu = [tar_record(b'L', b"././@LongLink", long.len() as u64 + 1, format!("{long}\0").as_bytes())];
    let fields = pax("path", &long);
    let ustar = [tar_record(b'x', b"PaxHeader", fields.len() as u64, &fields)];
    for head in [gnu, ustar] {
        let run = run_bytes(&[&head.concat()[..], &record(b"short"), &end].concat(), &["--fail-on", "never"]);
        assert_eq!((run.code, run.findings()), (Some(0), 1), "{:?}", run.problems());
        assert!(String::from_utf8_lossy(&run.bytes).contains(&long));
    }
    for name in [&b"../../etc/passwd"[..], b"/etc/passwd", b"a\nb\x1b[31m", b"\xff\xfe", b"", b" ", b"C:\\a"]
    {
        let run = run_bytes(&[&record(name)[..], &end].concat(), &[]);
        assert_eq!((run.code, run.findings()), (Some(1), 1), "{:?}", name.escape_ascii().to_string());
        assert!(!run.bytes.contains(&0x1b));
    }
}

/// The size in a PAX record counts, and what is no file has no bytes to be read.
#[test]
fn tar_records_of_all_kinds_are_read_or_skipped() {
    let text = line("a");
    let size = pax("size", &text.len().to_string());
    let bytes = [
        tar_record(b'g', b"global", 13, &pax("comment", "x")),
        tar_record(b'5', b"folder/", 0, b""),
        tar_record(b'2', b"link", 0, b""),
        tar_record(b'1', b"hard", 0, b""),
        tar_record(b'6', b"pipe", 0, b""),
        tar_record(b'3', b"device", 0, b""),
        tar_record(b'V', b"label", 0, b""),
        tar_record(b'x', b"pax", size.len() as u64, &size),
        tar_record(b'0', b"sized", 0, text.as_bytes()),
        tar_record(b'7', b"contiguous", text.len() as u64, text.as_bytes()),
        tar_record(b'\0', b"old", text.len() as u64, text.as_bytes()),
        vec![0; 1024],
    ];
    let run = run_bytes(&bytes.concat(), &[]);
    assert_eq!((run.code, run.findings(), run.count("scanned")), (Some(1), 3, 3), "{:?}", run.problems());
    assert_eq!(run.count("skipped"), 4, "{:?}", run.problems());
}

/// A map in the data of a sparse member is no part of the log.
#[test]
fn the_map_of_a_sparse_member_is_skipped() {
    let text = line("a");
    let fields = [pax("GNU.sparse.major", "1"), pax("GNU.sparse.name", "a.log")].concat();
    let map = [b"1\n0\n10\n".as_slice(), &[0; 505]].concat();
    let data = [&map, text.as_bytes()].concat();
    let bytes = [
        tar_record(b'x', b"pax", fields.len() as u64, &fields),
        tar_record(b'0', b"GNUSparseFile.0/a.log", data.len() as u64, &data),
        vec![0; 1024],
    ];
    let run = run_bytes(&bytes.concat(), &[]);
    assert_eq!((run.code, run.findings(), run.count("bytes")), (Some(1), 1, text.len() as u64));
    assert!(!String::from_utf8_lossy(&run.bytes).contains("GNUSparseFile"));
}

/// The size of a link or directory may be that of its target: the next member must not be taken for its data.
#[test]
fn nothing_hides_after_a_link_or_directory_with_a_size() {
    let text = line("hidden");
    let hidden = tar_record(b'0', b"hidden.log", text.len() as u64, text.as_bytes());
    for kind in [b'1', b'2', b'5', b'6'] {
        let first = tar_record(kind, b"first", 1024, b"");
        let bytes = [first, hidden.clone(), vec![0; 1024]].concat();
        let run = run_bytes(&bytes, &[]);
        assert_eq!((run.code, run.findings()), (Some(1), 1), "{} {:?}", kind as char, run.problems());
        // Data that is no member is reported.
        let first = tar_record(kind, b"first", 600, &[b'x'; 600]);
        let bytes = [first, hidden.clone(), vec![0; 1024]].concat();
        let run = run_bytes(&bytes, &[]);
        assert_eq!((run.code, run.findings()), (Some(3), 1), "{} {:?}", kind as char, run.problems());
    }
}

/// Millions of empty frames fit into a few kilobytes, and each needs a decoder.
#[test]
fn empty_frames_count_against_the_limit_of_decoded_bytes() {
    for codec in [Codec::Gzip, Codec::Bzip2, Codec::Xz, Codec::Zstd, Codec::Lz4Legacy] {
        let frames = pack(Codec::Gzip, &pack(codec, b"").repeat(3_000));
        let run = run_bytes(&frames, &["--max-output-bytes", "1M"]);
        assert_eq!(run.code, Some(3), "{codec:?}");
        assert!(run.problems()[0].contains("--max-output-bytes"), "{:?}", run.problems());
    }
}

#[test]
fn formats_that_are_recognized_but_not_read_are_reported() {
    for head in [
        b"7z\xbc\xaf\x27\x1c\0\x04".as_slice(),
        b"Rar!\x1a\x07\x01\0",
        b"\x1f\x9d\xf0",
        b"\x1f\xa0\0",
        b"\x27\xb5\x2f\xfd",
        b"\x89LZO\0\r\n\x1a\n\x10",
    ] {
        let run = run_bytes(head, &[]);
        assert_eq!(run.code, Some(3), "{}", head.escape_ascii());
        assert!(run.problems()[0].contains("unpack it first"), "{:?}", run.problems());
    }
}

#[test]
fn archives_that_follow_each_other_are_all_read() {
    let (a, b) = (tar(&[("a", &log(2, 600))]), tar(&[("b", &log(3, 600))]));
    let run = run_bytes(&[a, b].concat(), &[]);
    assert_eq!((run.code, run.findings()), (Some(1), 5), "{:?}", run.problems());
}

#[test]
fn empty_archives_and_streams_are_complete() {
    for bytes in [Zip::default().bytes(), tar(&[("a", b"")]), pack(Codec::Gzip, b""), pack(Codec::Lz4, b"")] {
        for run in [run_bytes(&bytes, &[]), run_stdin(&bytes, &[])] {
            assert_eq!((run.code, run.findings()), (Some(0), 0), "{:?}", run.problems());
        }
    }
}

fn same(got: &Run, want: &Run) -> bool {
    got.bytes == want.bytes && got.code == want.code
}

/// Many members in one archive, in parts for several workers; some are larger than a part.
#[test]
fn a_large_zip_has_the_same_report_for_any_threads() {
    let small = pack(Codec::Gzip, &log(2, 900));
    let logs: Vec<Vec<u8>> = (0..12).map(|i| log(5, 10_000 + 9_000 * i)).collect();
    let mut members: Vec<Member> = Vec::new();
    for (i, log) in logs.iter().enumerate() {
        members.push(member(format!("{i:03}.log"), METHODS[i % 5], log));
        members.extend((0..30).map(|j| member(format!("{i:03}/{j}.gz"), 0, &small)));
    }
    let folder = Folder::new();
    let path = folder.write("a.zip", Zip::new(members).bytes());
    let want = run_path(&path, &["-j", "1"]);
    assert_eq!((want.code, want.findings(), want.count("scanned")), (Some(1), 12 * 65, 12 * 31));
    for more in [&["-j", "2"][..], &["-j", "4"], &["-j", "3", "--no-mmap"]] {
        assert!(same(&run_path(&path, more), &want), "{more:?}");
    }
}

proptest! {
    // Each case packs a log in twenty ways.
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Cut invariance: how a log is packed, and where frames are cut, changes nothing.
    #[test]
    fn packing_changes_nothing(
        bytes in invariants::log(25),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        core in 1_000usize..50_000,
        threads in 1usize..5,
    ) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        ends.extend([0, bytes.len()]);
        ends.sort_unstable();
        let folder = Folder::new();
        let want = scan_path(&folder.write("plain", &bytes), &one_thread());
        let want = without_place(want);
        let options = Options::default().with(|options| {
            (options.threads, options.window_bytes) = (threads, Some(core));
        });
        let mut ways = packed(&bytes);
        for codec in Codec::all().filter(|codec| has_frames(*codec)) {
            let frames: Vec<u8> =
                ends.windows(2).flat_map(|cut| pack(codec, &bytes[cut[0]..cut[1]])).collect();
            ways.push((format!("cut {codec:?}"), frames));
        }
        for (name, packed) in ways {
            let got = scan_path(&folder.write("packed", &packed), &options);
            prop_assert!(got.inputs.complete(), "{} {:?}", name, got.inputs);
            prop_assert_eq!(got.inputs.bytes, bytes.len() as u64);
            prop_assert!(without_place(got) == want, "{}", name);
        }
    }
}
