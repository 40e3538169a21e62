//! The same input has the same outputs, byte for byte: with any number of threads, mapped or read, however
//! often.

use crate::bundles::zip::{DEFLATE, STORED, Zip, member};
use crate::bundles::{Codec, Folder, line, log, noise, pack, tar};
use crate::{program, top};
use std::path::Path;

/// The formats that one run writes to files, besides JSON on standard output.
const REPORTS: [&str; 5] = ["ndjson", "csv", "markdown", "junit", "prometheus"];

/// Writes inputs whose work is divided among threads in all ways: files of several windows, streams of
/// several windows, parts of an archive, one document, many small files.
fn inputs(folder: &Folder) {
    let large = [log(30, 170_000), line("a").repeat(500).into_bytes()].concat();
    let dense: String = (0..3_000).map(|i| line(&format!("db{}", i % 700))).collect();
    folder.write("in/large.log", &large);
    folder.write("in/dense.log", &dense);
    folder.write("in/large.gz", pack(Codec::Gzip, &large[..2 << 20]));
    let members = (0..12).map(|i| {
        let text = log(4, 30_000 + i * 1_000);
        if i % 2 == 0 {
            member(format!("{i}.log"), DEFLATE, text)
        } else {
            member(format!("{i}.gz"), STORED, pack(Codec::Gzip, &text))
        }
    });
    folder.write(
        "in/shared.zip",
        Zip::new(members.chain([member("noise", STORED, noise(1_200_000, 7))])).bytes(),
    );
    folder.write(
        "in/b.tar.zst",
        pack(Codec::Zstd, &tar(&[("a.log", dense.as_bytes()), ("b.log", &large[..300_000])])),
    );
    let records: Vec<_> = (0..2_000)
        .map(|i| serde_json::json!({"databaseName": format!("db{}", i % 50), "state": "Failed", "message": line(&format!("x{}", i % 90)).trim_end()}))
        .collect();
    folder.write(
        "in/one.json",
        serde_json::to_string_pretty(&serde_json::json!({ "records": records })).expect("JSON"),
    );
    folder.write("in/cut.gz", &pack(Codec::Gzip, &large)[..200_000]);
    for i in 0..40 {
        folder.write(&format!("in/small/{i}.log"), line(&format!("s{i}")));
    }
}

/// Returns all outputs of one run.
fn written(folder: &Path, args: &[&str]) -> Vec<Vec<u8>> {
    let mut command = program();
    command.arg("scan").arg(top().join("samples")).arg(folder.join("in"));
    command.args(["-q", "-f", "json", "-C", "1"]).args(args);
    for format in REPORTS {
        command.args(["--report", &format!("{format}={}", folder.join(format).display())]);
    }
    let output = command.output().expect("runs");
    assert_eq!(output.status.code(), Some(3), "{}", crate::stderr(&output));
    let reports = REPORTS.iter().map(|format| std::fs::read(folder.join(format)).expect("reads"));
    std::iter::once(output.stdout).chain(reports).collect()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = Folder::new();
    inputs(&folder);
    let want = written(folder.path(), &["-j", "1"]);
    for threads in ["1", "2", "3", "8"] {
        for more in [&[][..], &["--no-mmap"]] {
            for round in 0..10 {
                let got = written(folder.path(), &[&["-j", threads], more].concat());
                for (i, format) in ["json"].iter().chain(&REPORTS).enumerate() {
                    assert!(got[i] == want[i], "{format} differs with -j {threads} {more:?}, run {round}");
                }
            }
        }
    }
}
