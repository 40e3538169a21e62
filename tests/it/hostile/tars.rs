//! Tar archives whose headers lie, or that contain something else than files.

use super::{Case, partial, whole};
use crate::bundles::{Codec, line, pack, pax, tar, tar_record};

const END: [u8; 1024] = [0; 1024];

/// A header that was changed, with a correct checksum.
fn record(change: impl FnOnce(&mut [u8]), data: &[u8]) -> Vec<u8> {
    let mut bytes = tar_record(b'0', b"a.log", data.len() as u64, data);
    change(&mut bytes[..512]);
    bytes[148..156].fill(b' ');
    let sum: u32 = bytes[..512].iter().map(|byte| u32::from(*byte)).sum();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    bytes
}

pub fn cases() -> Vec<Case> {
    let (a, b) = (line("a"), line("b"));
    let text = a.as_bytes();
    let file = |name: &[u8]| tar_record(b'0', name, text.len() as u64, text);
    let second = || tar_record(b'0', b"b.log", b.len() as u64, b.as_bytes());
    let special = |kind: u8| tar_record(kind, b"special", 0, b"");
    let with_pax = |fields: Vec<u8>| {
        [tar_record(b'x', b"PaxHeader", fields.len() as u64, &fields), file(b"a.log"), second(), END.to_vec()]
            .concat()
    };
    // The map of a sparse member, in a block before its data.
    let mapped = |map: &str| {
        let fields = [
            pax("GNU.sparse.major", "1"),
            pax("GNU.sparse.minor", "0"),
            pax("GNU.sparse.name", "a.log"),
            pax("GNU.sparse.realsize", "8192"),
        ];
        let fields = fields.concat();
        let mut data = map.as_bytes().to_vec();
        data.resize(512, 0);
        data.extend(text);
        let header = tar_record(b'x', b"PaxHeader", fields.len() as u64, &fields);
        let member = tar_record(b'0', b"GNUSparseFile.0/a.log", data.len() as u64, &data);
        [header, member, second(), END.to_vec()].concat()
    };
    let two = |first: Vec<u8>| [first, second(), END.to_vec()].concat();
    vec![
        whole(
            "tar: paths that lead out",
            3,
            [file(b"../../etc/cron.d/a"), file(b"/etc/passwd"), file(b"C:\\a"), END.to_vec()].concat(),
        ),
        whole("tar: one name three times", 3, [file(b"a"), file(b"a"), file(b"a"), END.to_vec()].concat()),
        whole("tar: no name", 2, two(record(|header| header[..100].fill(0), text))),
        whole("tar: a zero in a path of PAX", 2, with_pax(pax("path", "a\0b.log"))),
        whole("tar: a path of PAX that is no UTF-8", 2, {
            let mut fields = pax("path", "aXXb");
            fields.iter_mut().filter(|byte| **byte == b'X').for_each(|byte| *byte = 0xff);
            with_pax(fields)
        }),
        partial(
            "tar: a field of PAX whose length lies",
            2,
            "malformed",
            with_pax(b"99999 path=x\n".to_vec()),
        ),
        partial(
            "tar: a field of PAX without a length",
            2,
            "a missing length",
            with_pax(b"path=x\n".to_vec()),
        ),
        partial("tar: a field of PAX without a value", 2, "equals sign", with_pax(b"8 pathx\n".to_vec())),
        partial("tar: a field of PAX without its end", 2, "line break", with_pax(b"9 path=xy".to_vec())),
        partial(
            "tar: a field of PAX after a good one",
            2,
            "malformed",
            with_pax([pax("path", "x"), b"junk".to_vec()].concat()),
        ),
        whole("tar: fields of PAX and zeros", 2, with_pax([pax("path", "x"), vec![0; 9]].concat())),
        whole("tar: a line break in a path of PAX", 2, with_pax(pax("path", "a\nb.log"))),
        whole("tar: a time of PAX that is no time", 2, with_pax(pax("mtime", "abc"))),
        whole(
            "tar: a time that is no number",
            2,
            two(record(|header| header[136..147].copy_from_slice(b"zzzzzzzzzzz"), text)),
        ),
        whole("tar: a time before all times", 2, two(record(|header| header[136..148].fill(0xff), text))),
        partial(
            "tar: a header of PAX for all that is malformed",
            2,
            "malformed",
            two([tar_record(b'g', b"g", 4, b"junk"), file(b"a")].concat()),
        ),
        partial("tar: a damaged header of three", 2, "the tar header is damaged", {
            let mut bytes = [file(b"a"), file(b"c"), second(), END.to_vec()].concat();
            bytes[1024 + 20] ^= 1;
            bytes
        }),
        partial("tar: a damaged header of PAX", 3, "the tar header is damaged", {
            let mut bytes = [file(b"c"), with_pax(pax("path", "x"))].concat();
            bytes[1024 + 20] ^= 1;
            bytes
        }),
        partial("tar: a header of PAX with a size below zero", 2, "unreadable", {
            let fields = pax("path", "x");
            let mut bytes = record(
                |header| {
                    header[156] = b'x';
                    header[124..136].fill(0xff);
                },
                &fields,
            );
            bytes.extend(two(file(b"a")));
            bytes
        }),
        partial("tar: all headers damaged", 0, "the tar header is damaged", {
            let mut bytes = [file(b"a"), file(b"b"), END.to_vec()].concat();
            (bytes[20], bytes[1044]) = (1, 1);
            [file(b"c")[..512].to_vec(), bytes].concat()
        }),
        partial("tar: a size of PAX below zero", 2, "malformed", with_pax(pax("size", "-5"))),
        partial("tar: a size of PAX that is too large", 2, "cut short", with_pax(pax("size", "99999999999"))),
        partial("tar: a size of PAX that is no number", 2, "size=abc", with_pax(pax("size", "abc"))),
        whole(
            "tar: a header of PAX for all",
            2,
            two([tar_record(b'g', b"g", 14, &pax("path", "all")), file(b"a")].concat()),
        ),
        partial(
            "tar: a size that is no number",
            1,
            "unreadable",
            two(record(|header| header[124..135].copy_from_slice(b"zzzzzzzzzzz"), text)),
        ),
        partial(
            "tar: a size below zero",
            1,
            "unreadable",
            two(record(|header| header[124..136].fill(0xff), text)),
        ),
        partial(
            "tar: a size larger than any disk",
            2,
            "cut short",
            two(record(
                |header| {
                    header[124..136]
                        .copy_from_slice(&[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
                },
                text,
            )),
        ),
        partial("tar: half a header", 1, "cut short", [file(b"a"), second()[..300].to_vec()].concat()),
        partial("tar: half a member", 1, "cut short", [file(b"a"), second()[..530].to_vec()].concat()),
        partial("tar: no end mark", 2, "end mark", [file(b"a"), second()].concat()),
        partial("tar: a damaged header", 1, "damaged", {
            let mut bytes = two(file(b"a"));
            bytes[1024 + 20] ^= 1;
            bytes
        }),
        partial(
            "tar: something after the end",
            2,
            "something else follows",
            [two(file(b"a")), vec![b'x'; 512]].concat(),
        ),
        whole(
            "tar: a long name and no member",
            1,
            [second(), tar_record(b'L', b"././@LongLink", 300, &[b'n'; 300]), END.to_vec()].concat(),
        ),
        whole("tar: twenty long names for one member", 2, {
            let long = tar_record(b'L', b"././@LongLink", 300, &[b'n'; 300]);
            two([long.repeat(20), file(b"a")].concat())
        }),
        partial(
            "tar: a directory with data",
            1,
            "not read",
            two(tar_record(b'5', b"d/", text.len() as u64, text)),
        ),
        Case {
            problem: "skipped",
            ..whole("tar: devices and pipes", 1, two([special(b'3'), special(b'4'), special(b'6')].concat()))
        },
        Case { problem: "hard link", ..whole("tar: a hard link to itself", 1, two(special(b'1'))) },
        Case { problem: "symbolic link", ..whole("tar: a symbolic link", 1, two(special(b'2'))) },
        whole("tar: an unknown kind", 2, two(tar_record(b'?', b"a", text.len() as u64, text))),
        whole(
            "tar: a member with holes",
            2,
            two(record(
                |header| {
                    header[156] = b'S';
                    header[386..398].copy_from_slice(b"00000000000\0");
                    header[398..410].copy_from_slice(format!("{:011o}\0", text.len()).as_bytes());
                    header[483..495].copy_from_slice(format!("{:011o}\0", 1 << 20).as_bytes());
                },
                text,
            )),
        ),
        partial(
            "tar: a map of holes without an end",
            0,
            "cut short",
            record(
                |header| {
                    header[156] = b'S';
                    header[386..482].copy_from_slice(&b"00000000000\0".repeat(8));
                    header[482] = 1;
                    header[483..495].copy_from_slice(b"00000000000\0");
                },
                b"",
            ),
        ),
        partial(
            "tar: a hole that ends after its file",
            2,
            "map is malformed",
            two(record(
                |header| {
                    header[156] = b'S';
                    header[386..398].copy_from_slice(b"00000001000\0");
                    header[398..410].copy_from_slice(b"00000000001\0");
                    header[483..495].copy_from_slice(b"00000000100\0");
                },
                text,
            )),
        ),
        partial(
            "tar: a map of more data than there is",
            2,
            "map is malformed",
            two(record(
                |header| {
                    header[156] = b'S';
                    header[386..398].copy_from_slice(b"00000000000\0");
                    header[398..410].copy_from_slice(b"00000100000\0");
                    header[483..495].copy_from_slice(b"00000100000\0");
                },
                text,
            )),
        ),
        whole(
            "tar: PAX 0.0, a member with holes",
            2,
            with_pax(
                [
                    pax("GNU.sparse.size", "1048576"),
                    pax("GNU.sparse.numblocks", "1"),
                    pax("GNU.sparse.offset", "0"),
                    pax("GNU.sparse.numbytes", "100"),
                ]
                .concat(),
            ),
        ),
        partial(
            "tar: PAX 0.0, more holes than announced",
            2,
            "GNU.sparse.offset=0",
            with_pax(
                [
                    pax("GNU.sparse.size", "1048576"),
                    pax("GNU.sparse.offset", "0"),
                    pax("GNU.sparse.numbytes", "100"),
                ]
                .concat(),
            ),
        ),
        whole(
            "tar: PAX 0.1, a member with holes",
            2,
            with_pax([pax("GNU.sparse.numblocks", "2"), pax("GNU.sparse.map", "0,100,1048576,0")].concat()),
        ),
        partial(
            "tar: PAX 0.1, half a pair",
            2,
            "GNU.sparse.map=0,100,9",
            with_pax([pax("GNU.sparse.numblocks", "2"), pax("GNU.sparse.map", "0,100,9")].concat()),
        ),
        partial(
            "tar: PAX 0.1, a map of more data than there is",
            2,
            "map is malformed",
            with_pax([pax("GNU.sparse.numblocks", "1"), pax("GNU.sparse.map", "0,100000")].concat()),
        ),
        whole("tar: PAX 1.0, a member with holes", 2, mapped("1\n0\n100\n")),
        partial("tar: PAX 1.0, a map that is no map", 2, "map is malformed", mapped("a map\n")),
        partial("tar: PAX 1.0, a number without an end", 2, "map is malformed", mapped(&"1".repeat(512))),
        partial("tar: PAX 1.0, a piece after the end", 2, "map is malformed", mapped("1\n9000\n100\n")),
        partial("tar: PAX 1.0, fewer pieces than announced", 2, "map is malformed", mapped("3\n0\n100\n")),
        whole("tar: a checksum of signed bytes", 2, {
            let mut bytes = two(record(|header| header[..5].copy_from_slice("äöx".as_bytes()), text));
            let sum: i32 = bytes[..512]
                .iter()
                .enumerate()
                .map(|(i, byte)| i32::from(if (148..156).contains(&i) { b' ' } else { *byte }.cast_signed()))
                .sum();
            bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            bytes
        }),
        whole("tar: the oldest format", 1, {
            // Without magic bytes and the name of the owner.
            let bytes = record(|header| header[257..].fill(0), text);
            [bytes, END.to_vec()].concat()
        }),
        partial("tar: in gzip that is cut", 2, "cut short", {
            let noise = crate::bundles::noise(4_000, 1);
            let noise = tar_record(b'0', b"c.log", 4_000, &noise);
            let bytes = pack(Codec::Gzip, &[file(b"a"), second(), noise].concat());
            bytes[..bytes.len() - 100].to_vec()
        }),
        whole(
            "tar: archives in each other",
            1,
            (0..6).fold(a.clone().into_bytes(), |inner, _| tar(&[("a", &inner)])),
        ),
    ]
}
