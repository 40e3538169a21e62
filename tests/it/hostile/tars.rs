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
        whole("tar: a field of PAX whose length lies", 2, with_pax(b"99999 path=x\n".to_vec())),
        partial("tar: a size of PAX that is too large", 2, "cut short", with_pax(pax("size", "99999999999"))),
        whole("tar: a size of PAX that is no number", 2, with_pax(pax("size", "abc"))),
        whole(
            "tar: a header of PAX for all",
            2,
            two([tar_record(b'g', b"g", 14, &pax("path", "all")), file(b"a")].concat()),
        ),
        partial(
            "tar: a size that is no number",
            0,
            "number",
            two(record(|header| header[124..135].copy_from_slice(b"zzzzzzzzzzz"), text)),
        ),
        partial(
            "tar: a size below zero",
            2,
            "cut short",
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
                    header[482] = 1;
                },
                b"",
            ),
        ),
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
