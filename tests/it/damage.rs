//! Damage: whatever is cut off or changed, nothing crashes, and nothing is missing without a report of it.

use crate::bundles::zip::{METHODS, Zip, member};
use crate::bundles::{
    Codec, Folder, Run, ScanResult, has_checksum, has_end, line, log, noise, one_thread, pack, run_bytes,
    run_pieces, scan_bytes, scan_path, tar,
};

/// A sound file, to be damaged.
struct Case {
    name: String,
    bytes: Vec<u8>,
    /// How many first bytes identify the format: if one of them is changed, the file is not damaged but
    /// something else.
    head_bytes: usize,
    /// Whether a cut file has the first findings of the whole one.
    single: bool,
    /// Whether a cut, and a changed byte, is noticed at any place.
    has_end: bool,
    has_checksum: bool,
}

/// The same findings in all formats.
fn cases(findings: usize, noise: usize) -> Vec<Case> {
    let all = log(findings, noise);
    let part = |i: usize| &all[all.len() * i / 3..all.len() * (i + 1) / 3];
    let parts = [("a.log", part(0)), ("b.log", part(1)), ("c.log", part(2))];
    let mut cases = Vec::new();
    for codec in Codec::all() {
        let head_bytes = codec.head_bytes();
        let packed = [("", pack(codec, &all)), ("tar in ", pack(codec, &tar(&parts)))];
        for (around, bytes) in packed {
            let (has_end, has_checksum) = (has_end(codec), has_checksum(codec));
            let name = format!("{around}{codec:?}");
            cases.push(Case { name, bytes, head_bytes, single: true, has_end, has_checksum });
        }
    }
    let (has_end, has_checksum) = (true, true);
    let (name, bytes) = ("tar".to_string(), tar(&parts));
    cases.push(Case { name, bytes, head_bytes: 0, single: true, has_end, has_checksum });
    for method in METHODS {
        let members = parts.map(|(name, bytes)| member(name, method, bytes));
        let streamed = members.clone().map(|member| member.streamed());
        for (name, members) in [("zip", members), ("streamed zip", streamed)] {
            let name = format!("{name}, method {method}");
            let bytes = Zip::new(members).bytes();
            cases.push(Case { name, bytes, head_bytes: 4, single: false, has_end, has_checksum });
        }
    }
    cases
}

fn sound(case: &Case) -> ScanResult {
    let got = scan_bytes(&case.bytes, &one_thread());
    assert!(got.inputs.complete(), "{}: {:?}", case.name, got.inputs);
    got
}

#[test]
fn a_cut_loses_only_what_follows_it_and_is_reported() {
    for case in cases(18, 9_000) {
        let want = sound(&case).names();
        let mut last = 0;
        // A shorter file is text: the bytes that identify the format have to be there.
        let first = 520.min(case.bytes.len() / 8);
        for i in 0..=40 {
            let end = first + (case.bytes.len() - first) * i / 40;
            let got = scan_bytes(&case.bytes[..end], &one_thread());
            let names = got.names();
            let place = format!("{} cut to {end} of {}: {:?}", case.name, case.bytes.len(), got.inputs);
            assert!(got.inputs.complete() == (end == case.bytes.len()) || !case.has_end, "{place}");
            assert!(names.len() <= want.len() && names.iter().all(|name| want.contains(name)), "{place}");
            if case.single {
                assert_eq!(names, want[..names.len()], "{place}");
            }
            assert!(names.len() >= last, "{place}");
            last = names.len();
        }
        assert_eq!(last, want.len(), "{}", case.name);
    }
}

/// Cuts in the last bytes: checksums, end marks, directories.
#[test]
fn a_cut_in_the_last_bytes_is_reported() {
    for case in cases(3, 60).into_iter().filter(|case| case.has_end) {
        let want = sound(&case).names().len();
        let tail = if case.name == "tar" { 1024 } else { 40 };
        for lost in 1..=tail {
            let got = scan_bytes(&case.bytes[..case.bytes.len() - lost], &one_thread());
            // Of a tar archive, the second block of the end mark can be missing: it counts as whole.
            let whole = case.name == "tar" && lost <= 512;
            assert!(!got.inputs.complete() || whole, "{}: {lost} bytes less", case.name);
            assert!(got.names().len() <= want);
        }
    }
}

fn flip(folder: &Folder, case: &Case, at: usize, mask: u8, want: usize) -> Option<String> {
    let mut bytes = case.bytes.clone();
    bytes[at] ^= mask;
    let got = scan_path(&folder.write("a", &bytes), &one_thread());
    // A changed mode can turn a file into a link, which is listed as skipped.
    let listed = got.inputs.skipped > 0;
    (got.inputs.complete() && got.findings.len() < want && !listed)
        .then(|| format!("{}: byte {at} of {} ^ {mask:#04x}: {:?}", case.name, bytes.len(), got.inputs))
}

/// Whether the byte may change unnoticed: text of a tar member has no checksum, and any name is good.
fn is_text(case: &Case, at: usize) -> bool {
    case.name == "tar"
        || case.bytes[at.saturating_sub(4)..case.bytes.len().min(at + 5)]
            .windows(5)
            .any(|name| name == b"a.log" || name == b"b.log" || name == b"c.log")
}

/// Every third byte of small files; files of one layout start with different ones.
#[test]
fn a_changed_byte_never_loses_a_finding_in_silence() {
    let (folder, mut silent) = (Folder::new(), Vec::new());
    for (i, case) in cases(3, 20).into_iter().filter(|case| case.has_checksum).enumerate() {
        let want = sound(&case).findings.len();
        for at in (case.head_bytes + i % 3..case.bytes.len()).step_by(3).filter(|at| !is_text(&case, *at)) {
            let mask = [0x01, 0x80, 0x08, 0xff, 0x20][at % 5];
            silent.extend(flip(&folder, &case, at, mask, want));
        }
    }
    assert!(silent.is_empty(), "{} silent:\n{}", silent.len(), silent.join("\n"));
}

/// Some bytes of files of several blocks.
#[test]
fn a_changed_byte_in_a_large_file_is_reported() {
    let (folder, mut silent) = (Folder::new(), Vec::new());
    for case in cases(12, 12_000).iter().filter(|case| case.name != "tar" && case.has_checksum) {
        let want = sound(case).findings.len();
        let step = case.bytes.len() / 20;
        for at in (0..20).map(|i| 600 + (i * step + i * i * 7) % (case.bytes.len() - 600)) {
            silent.extend(flip(&folder, case, at, 1 << (at % 8), want));
        }
    }
    assert!(silent.is_empty(), "{} silent:\n{}", silent.len(), silent.join("\n"));
}

/// Headers that promise more than there is.
#[test]
fn tar_headers_that_lie_are_reported() {
    let text = line("a");
    let record = |size: u64| crate::bundles::tar_record(b'0', b"a.log", size, text.as_bytes());
    for size in [100_000, u64::MAX >> 1, 8_589_934_591] {
        let got = scan_bytes(&record(size), &one_thread());
        assert!(!got.inputs.complete(), "{size}: {:?}", got.inputs);
    }
    let mut bytes = [record(text.len() as u64), record(text.len() as u64), vec![0; 1024]].concat();
    bytes[1024 + 150] ^= 1;
    let got = scan_bytes(&bytes, &one_thread());
    assert_eq!((got.findings.len(), got.inputs.complete()), (1, false), "{:?}", got.inputs);
}

/// Damage in the middle: how much of the log precedes it does not depend on how it is read.
#[test]
fn what_precedes_damage_is_the_same_for_any_windows() {
    let mut differ = Vec::new();
    for case in cases(12, 12_000).iter().filter(|case| case.name != "tar") {
        let mut bytes = case.bytes.clone();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].iter_mut().for_each(|byte| *byte ^= 0x55);
        let want = scan_bytes(&bytes, &one_thread());
        for core in [700, 5_000, 60_000] {
            let options = one_thread().with(|options| options.window_bytes = Some(core));
            let got = scan_bytes(&bytes, &options);
            if (got.names(), got.inputs.bytes) != (want.names(), want.inputs.bytes) {
                differ.push(format!(
                    "{}, windows of {core}: {} findings in {} bytes instead of {} in {}",
                    case.name,
                    got.findings.len(),
                    got.inputs.bytes,
                    want.findings.len(),
                    want.inputs.bytes
                ));
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// A member that is longer than the directory says is read up to that size.
#[test]
fn a_member_that_is_too_long_is_read_up_to_its_size() {
    let text = [log(4, 5_000), noise(20_000, 3)].concat();
    for method in METHODS {
        let long = member("a.log", method, &text).with(|member| member.size -= 20_000);
        let bytes = Zip::new([long, member("b.log", method, line("b"))]).bytes();
        for core in [None, Some(700), Some(5_000)] {
            let got = scan_bytes(&bytes, &one_thread().with(|options| options.window_bytes = core));
            assert!(!got.inputs.complete());
            assert_eq!(
                got.names(),
                ["db0", "db1", "db2", "db3", "b"],
                "method {method} {core:?} {:?}",
                got.inputs
            );
        }
    }
}

/// The pieces in which a stream arrives change nothing.
#[test]
fn what_precedes_damage_is_the_same_for_any_pieces_of_a_stream() {
    for case in cases(6, 9_000).iter().filter(|case| case.single && case.name != "tar") {
        let mut bytes = case.bytes.clone();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 64].iter_mut().for_each(|byte| *byte ^= 0x55);
        let want = run_bytes(&bytes, &[]);
        for piece in [997, 20_000] {
            let got = run_pieces(&bytes, piece);
            let result = |run: &Run| (run.findings(), run.count("bytes"), run.problems());
            assert_eq!(result(&got), result(&want), "{} in pieces of {piece}", case.name);
        }
    }
}

/// Found by a fuzzer: a decoder that ended in an error lost what the same call had decoded, up to a buffer of
/// good text. Everything in the blocks that precede the damage is found.
#[test]
fn what_was_decoded_before_damage_counts() {
    let mut state = 1u32;
    let mut names = String::new();
    // It compresses badly, so it takes several blocks.
    for i in 0..6_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        names += &line(&format!("db{i}_{state:08x}"));
    }
    for codec in Codec::all() {
        let sound = pack(codec, names.as_bytes());
        let mut bytes = sound.clone();
        let at = bytes.len() * 9 / 10;
        bytes[at..at + 40].iter_mut().for_each(|byte| *byte = 0xff);
        let got = scan_bytes(&bytes, &one_thread());
        assert!(!got.inputs.complete() || !has_checksum(codec), "{codec:?}");
        let least = if codec == Codec::Bzip2 { 0 } else { 6_000 * 6 / 10 };
        assert!(got.findings.len() >= least, "{codec:?}: {} {:?}", got.findings.len(), got.inputs);
        for piece in [1_000, 50_000] {
            let run = run_pieces(&bytes, piece);
            assert_eq!(run.findings(), got.findings.len() as u64, "{codec:?} in pieces of {piece}");
            assert_eq!(run.count("bytes"), got.inputs.bytes, "{codec:?} in pieces of {piece}");
        }
    }
}
