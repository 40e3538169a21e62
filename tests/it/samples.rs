//! Each sample has the report that is stored beside it, and the report of the whole bundle is the sum of them.

use crate::{compare, files, run, stdout, top};
use serde_json::Value;

#[test]
fn each_sample_has_its_expected_report() {
    let bundle = top().join("samples/contoso-orders");
    let logs: Vec<_> = files(&bundle, "log")
        .into_iter()
        .chain(files(&bundle, "json"))
        .filter(|p| !p.to_string_lossy().contains(".expected."))
        .collect();
    assert_eq!(logs.len(), 5);
    for log in logs {
        let name = log.file_name().expect("a name").to_string_lossy().into_owned();
        let output = run(&["scan", &format!("samples/contoso-orders/{name}"), "--format", "json"]);
        compare(&bundle.join(format!("{name}.expected.json")), &stdout(&output));
    }
}

#[test]
fn the_bundle_is_the_sum_of_its_files() {
    let output = run(&["scan", "samples", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(report["totals"]["findings"], 17);
    assert_eq!(report["complete"], true);
    assert_eq!(
        report["inputs"]["skipped"], 5,
        "the expected reports are recognized as reports of the program"
    );
    let counts: Vec<(String, u64)> = report["codes"]
        .as_array()
        .expect("codes")
        .iter()
        .map(|code| {
            (code["id"].as_str().unwrap_or_default().to_string(), code["count"].as_u64().unwrap_or_default())
        })
        .collect();
    let want = [
        ("603401", 3),
        ("603405", 3),
        ("603105", 2),
        ("603107", 2),
        ("603108", 2),
        ("603409", 2),
        ("603104", 1),
        ("cdc-no-primary-key", 2),
    ];
    assert_eq!(counts, want.map(|(id, count)| (id.to_string(), count)));
}
