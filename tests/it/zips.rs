//! Zip archives whose headers and directory disagree with what is in the archive.

use crate::bundles::zip::{BZIP2, DEFLATE, METHODS, Member, STORED, XZ, ZSTD, Zip, end_record, member, zip};
use crate::bundles::{Codec, Run, line, log, noise, one_thread, pack, run_bytes, run_stdin, scan_bytes, tar};

/// One member for each name; its finding has the same name.
fn named(names: &[&str]) -> Vec<Member> {
    let methods = METHODS.iter().cycle();
    names.iter().zip(methods).map(|(name, method)| member(name, *method, line(name))).collect()
}

/// Scans the archive as a file and from standard input.
fn both(bytes: &[u8]) -> [Run; 2] {
    [run_bytes(bytes, &[]), run_stdin(bytes, &[])]
}

/// The names of the findings, sorted.
fn sorted(bytes: &[u8]) -> Vec<String> {
    let mut names = scan_bytes(bytes, &one_thread()).names();
    names.sort();
    names
}

#[test]
fn sizes_may_follow_the_data() {
    for zip64 in [false, true] {
        let members = named(&["a", "b", "c", "d", "e"])
            .into_iter()
            .map(|member| member.streamed().with(|member| member.zip64 = zip64));
        let bytes = Zip::new(members).bytes();
        for run in both(&bytes) {
            assert_eq!((run.code, run.findings()), (Some(1), 5), "{zip64} {:?}", run.problems());
        }
    }
}

#[test]
fn sizes_may_be_in_the_zip64_field() {
    let members = named(&["a", "b", "c"]).into_iter().map(|member| member.with(|member| member.zip64 = true));
    for bytes in [Zip::new(members.clone()), Zip::new(members).with(|zip| zip.zip64 = true)] {
        for run in both(&bytes.bytes()) {
            assert_eq!((run.code, run.findings()), (Some(1), 3), "{:?}", run.problems());
        }
    }
}

#[test]
fn members_that_cannot_be_read_are_reported_and_the_others_read() {
    let text = line("x");
    let bytes = Zip::new([
        member("a", DEFLATE, line("a")),
        member("secret", DEFLATE, &text).with(|member| member.flags |= 1),
        member("aes", 99, &text).with(|member| member.flags |= 1),
        member("deflate64", 9, &text),
        member("lzma", 14, &text),
        member("odd", 77, &text),
        member("checksum", STORED, &text).with(|member| member.crc ^= 1),
        member("longer", DEFLATE, &text).with(|member| member.size -= 1),
        member("shorter", DEFLATE, &text).with(|member| member.size += 1),
        member("damaged", DEFLATE, noise(3_000, 1)).with(|member| member.data[40] ^= 0xff),
        member("b", XZ, line("b")),
    ])
    .bytes();
    for run in both(&bytes) {
        let problems = run.problems();
        assert_eq!((run.code, run.count("scanned")), (Some(3), 2), "{problems:?}");
        // What precedes a problem counts.
        assert!((2..=5).contains(&run.findings()), "{}", run.findings());
        for (name, status, why) in [
            ("secret", "failed", "encrypted"),
            ("aes", "failed", "encrypted"),
            ("deflate64", "failed", "Deflate64"),
            ("lzma", "failed", "LZMA"),
            ("odd", "failed", "unknown method"),
            ("checksum", "partial", "checksum"),
            ("longer", "", "longer"),
            ("shorter", "partial", "instead of"),
            ("damaged", "", "damaged"),
        ] {
            let reported = problems.iter().find(|problem| problem.starts_with(&format!("{name}: {status}")));
            assert!(reported.is_some_and(|problem| problem.contains(why)), "{name}: {problems:?}");
        }
    }
}

#[test]
fn a_directory_that_claims_no_members_is_not_believed() {
    let bytes = Zip::new(named(&["a", "b", "c"])).with(|zip| zip.claimed = Some(0)).bytes();
    for run in both(&bytes) {
        assert_eq!((run.code, run.findings()), (Some(3), 3), "{:?}", run.problems());
    }
    let end = [&member("a", DEFLATE, line("a")).local()[..], &end_record(0, 0, 0, 0)].concat();
    for run in both(&end) {
        assert_eq!((run.code, run.findings()), (Some(3), 1), "{:?}", run.problems());
    }
}

#[test]
fn a_directory_that_claims_another_number_is_not_believed() {
    for claimed in [1, 2, 4, 60_000] {
        let bytes = Zip::new(named(&["a", "b", "c"])).with(|zip| zip.claimed = Some(claimed)).bytes();
        for run in both(&bytes) {
            assert_eq!(run.code, Some(3), "{claimed} {:?}", run.problems());
        }
        assert_eq!(sorted(&bytes), ["a", "b", "c"], "{claimed}");
    }
}

#[test]
fn members_that_the_directory_leaves_out_are_found_once() {
    let names = ["a", "b", "c", "d", "e"];
    for left_out in [&[0][..], &[2], &[4], &[0, 1], &[1, 3], &[3, 4], &[0, 1, 2, 3, 4]] {
        for streamed in [false, true] {
            let mut members: Vec<Member> =
                names.iter().map(|name| member(name, DEFLATE, line(name))).collect();
            if streamed {
                members = members.into_iter().map(Member::streamed).collect();
            }
            left_out.iter().for_each(|index| members[*index].listed = false);
            let bytes = Zip::new(members).bytes();
            assert_eq!(sorted(&bytes), names, "{left_out:?} {streamed}");
            assert_eq!(run_bytes(&bytes, &[]).code, Some(3));
        }
    }
}

#[test]
fn members_that_are_missing_are_reported() {
    let mut members = named(&["a", "b", "c"]);
    members[1].present = false;
    for run in both(&Zip::new(members).bytes()) {
        assert_eq!(run.code, Some(3), "{:?}", run.problems());
        assert!(run.findings() >= 2);
    }
}

#[test]
fn members_of_one_name_are_all_read() {
    let members = ["a", "b", "c"].map(|text| member("same.log", DEFLATE, line(text)));
    let bytes = Zip::new(members).bytes();
    assert_eq!(sorted(&bytes), ["a", "b", "c"]);
    for run in both(&bytes) {
        assert_eq!((run.findings(), run.count("scanned")), (3, 3), "{:?}", run.problems());
    }
}

#[test]
fn entries_that_point_to_one_header_are_reported() {
    let mut members = vec![member("a", DEFLATE, line("a"))];
    let copy = members[0].clone();
    members.extend((0..50).map(|i| {
        let mut copy = copy.clone().with(|member| member.present = false);
        copy.name = format!("copy {i}").into_bytes();
        copy
    }));
    let bytes = Zip::new(members).with(|zip| zip.overlapping = true).bytes();
    for run in both(&bytes) {
        assert_eq!(run.code, Some(3), "{:?}", run.problems());
        assert!(run.findings() >= 1);
    }
}

#[test]
fn a_comment_that_looks_like_an_end_hides_nothing() {
    for fake in [end_record(0, 0, 0, 0), end_record(0, 0, 0, 3), end_record(1, 46, 0, 0)] {
        let comment = [b"see ".as_slice(), &fake, b"..."].concat();
        let bytes = Zip::new(named(&["a", "b", "c"])).with(|zip| zip.comment = comment).bytes();
        assert_eq!(sorted(&bytes), ["a", "b", "c"]);
        for run in both(&bytes) {
            assert_eq!(run.findings(), 3, "{:?}", run.problems());
        }
    }
}

#[test]
fn a_long_comment_and_what_follows_the_end_hide_nothing() {
    let comment = Zip::new(named(&["a", "b"])).with(|zip| zip.comment = vec![b'x'; 60_000]).bytes();
    let run = run_bytes(&comment, &[]);
    assert_eq!((run.code, run.findings()), (Some(1), 2), "{:?}", run.problems());
    let sound = zip(&[("a", line("a").as_bytes()), ("b", line("b").as_bytes())]);
    for rest in [&b"\n"[..], &[0; 700], &noise(100_000, 4)] {
        let bytes = [&sound[..], rest].concat();
        assert_eq!(sorted(&bytes), ["a", "b"], "{} bytes", rest.len());
    }
    // A second archive after the first has another directory.
    let two = [sound.clone(), zip(&[("c", line("c").as_bytes())])].concat();
    assert_eq!(sorted(&two), ["a", "b", "c"]);
    assert_eq!(run_bytes(&two, &[]).code, Some(3));
}

#[test]
fn hostile_names_are_only_names() {
    let long = "n".repeat(60_000);
    let names: [&[u8]; 9] = [
        b"../../etc/passwd",
        b"/etc/passwd",
        b"a\nb",
        b"a\x1b[2Jb\x07",
        b"\xff\xfe\x80",
        b"C:\\windows\\a.log",
        b"a!b!c",
        "\u{202e}gol".as_bytes(),
        long.as_bytes(),
    ];
    let members = names.iter().map(|name| member(name, DEFLATE, line("a")));
    let bytes = Zip::new(members).bytes();
    for run in both(&bytes) {
        assert_eq!((run.code, run.findings(), run.count("scanned")), (Some(1), 9, 9), "{:?}", run.problems());
    }
}

#[test]
fn a_member_without_a_name_is_read() {
    let bytes = Zip::new([member("", DEFLATE, line("a")), member("b", DEFLATE, line("b"))]).bytes();
    assert_eq!(sorted(&bytes), ["a", "b"]);
}

#[test]
fn links_and_directories_are_no_files() {
    let bytes = Zip::new([
        member("folder/", STORED, b"").with(|member| member.mode = 0o040_755),
        member("folder/a.log", DEFLATE, line("a")),
        member("link", STORED, b"folder/a.log").with(|member| member.mode = 0o120_777),
    ])
    .bytes();
    let run = run_bytes(&bytes, &[]);
    assert_eq!((run.code, run.findings(), run.count("scanned")), (Some(1), 1, 1));
    assert_eq!(run.problems(), ["link: skipped: symbolic link, not followed"]);
}

#[test]
fn an_archive_without_its_end_is_read_by_its_headers() {
    let members = named(&["a", "b", "c", "d"]);
    let bytes = Zip::new(members.clone()).bytes();
    let body: usize = members.iter().map(|member| member.local().len()).sum();
    for end in [body, body + 10, bytes.len() - 22, bytes.len() - 1] {
        let run = run_bytes(&bytes[..end], &[]);
        assert_eq!((run.code, run.findings()), (Some(3), 4), "{end} {:?}", run.problems());
        assert_eq!(sorted(&bytes[..end]), ["a", "b", "c", "d"]);
    }
}

/// Too large to be held, a zip in a stream is read by its members' own headers, and the report says so.
#[test]
fn a_zip_in_a_stream_can_be_read_without_its_directory() {
    let members =
        || (0..6).map(|i| member(format!("{i}"), [STORED, DEFLATE, XZ, ZSTD, BZIP2][i % 5], log(3, 30_000)));
    let small = ["--max-decoder-memory", "200K"];
    let large = ["--max-decoder-memory", "17M"];
    let bytes = Zip::new(members()).bytes();
    assert_eq!(run_stdin(&bytes, &large).code, Some(1));
    let run = run_stdin(&bytes, &small);
    assert_eq!(run.code, Some(3), "{:?}", run.problems());
    assert!(run.problems()[0].contains("--max-decoder-memory"), "{:?}", run.problems());
    // Members that need no more memory than is allowed are read.
    assert!(run.findings() >= 6, "{} {:?}", run.findings(), run.problems());

    let deflated: Vec<Member> = (0..6).map(|i| member(format!("{i}"), DEFLATE, log(3, 30_000))).collect();
    let streamed = Zip::new(deflated.clone().into_iter().map(Member::streamed)).bytes();
    let wide = Zip::new(deflated.into_iter().map(|member| member.with(|member| member.zip64 = true))).bytes();
    for bytes in [streamed, wide] {
        let run = run_stdin(&bytes, &small);
        assert_eq!((run.code, run.findings()), (Some(3), 18), "{:?}", run.problems());
    }
}

/// A stored archive inside an archive has headers, too, which must not be taken for those of the outer one.
#[test]
fn the_headers_of_an_inner_archive_are_counted_once() {
    let inner = zip(&[("x", line("x").as_bytes()), ("y", line("y").as_bytes())]);
    let outer = [
        member("inner.zip", STORED, &inner),
        member("b", DEFLATE, line("b")),
        member("c.tgz", STORED, pack(Codec::Gzip, &tar(&[("c", line("c").as_bytes())]))),
    ];
    let bytes = Zip::new(outer.clone()).bytes();
    assert_eq!(sorted(&bytes), ["b", "c", "x", "y"]);
    assert_eq!(run_bytes(&bytes, &[]).code, Some(1));
    for left_out in 0..3 {
        let mut outer = outer.to_vec();
        outer[left_out].listed = false;
        assert_eq!(sorted(&Zip::new(outer).bytes()), ["b", "c", "x", "y"], "{left_out}");
    }
    let cut = &bytes[..bytes.len() - 30];
    assert_eq!(sorted(cut), ["b", "c", "x", "y"]);
}

/// A member whose method needs a size cannot be read without one; what follows it is found by the directory.
#[test]
fn a_member_of_unknown_size_does_not_hide_the_next() {
    let bytes = Zip::new([
        member("a", ZSTD, line("a")).streamed().with(|member| member.listed = false),
        member("b", DEFLATE, line("b")),
        member("c", STORED, line("c")).streamed().with(|member| member.listed = false),
        member("d", DEFLATE, line("d")).with(|member| member.listed = false),
    ])
    .bytes();
    let run = run_bytes(&bytes, &[]);
    assert_eq!(
        (run.code, sorted(&bytes)),
        (Some(3), vec!["b".to_string(), "d".to_string()]),
        "{:?}",
        run.problems()
    );
}

/// A member whose name ends with a slash is a directory only if it is empty.
#[test]
fn what_looks_like_a_directory_is_read_if_it_holds_something() {
    let bytes = Zip::new([member("a.log/", DEFLATE, line("a")), member("b/", STORED, "")]).bytes();
    for run in both(&bytes) {
        assert_eq!((run.code, run.findings()), (Some(1), 1), "{:?}", run.problems());
    }
}

/// Other programs skip what follows the deflate data inside a member.
#[test]
fn what_is_hidden_after_the_data_of_a_member_is_reported() {
    let hidden = Zip::new([member("hidden", STORED, line("hidden"))]).bytes();
    let bytes =
        Zip::new([member("a", DEFLATE, line("a")).with(|member| member.data.extend(&hidden))]).bytes();
    let run = run_bytes(&bytes, &[]);
    assert_eq!((run.code, run.findings()), (Some(3), 1), "{:?}", run.problems());
}

#[test]
fn the_mark_of_a_split_archive_in_one_piece_is_skipped() {
    let bytes = [b"PK00".as_slice(), &Zip::new(named(&["a", "b"])).bytes()].concat();
    let run = run_bytes(&bytes, &[]);
    assert!(run.findings() == 2, "{:?} {:?}", run.code, run.problems());
}

#[test]
fn globs_match_paths_however_they_are_written() {
    let names = ["./logs/a.log", "/logs/b.log", "logs\\c.log", "logs/d.txt", "logs/old/e.log"];
    let bytes = Zip::new(named(&names)).bytes();
    let run = run_bytes(&bytes, &["--exclude", "logs/old", "--include", "logs/*.log"]);
    assert_eq!((run.code, run.findings()), (Some(1), 3), "{:?}", run.problems());
    let run = run_bytes(&bytes, &["--exclude", "logs"]);
    assert_eq!((run.code, run.findings()), (Some(0), 0), "{:?}", run.problems());
}
