//! Inputs that fuzzers found, or started with, checked against the properties that they were made for
//! (`tests/oracle`), and random ones. An input that broke a property is kept in `tests/data/found` for good,
//! named after what it broke.

use crate::oracle::{PROPERTIES, Property};
use crate::top;
use proptest::prelude::*;

fn property(name: &str) -> Property {
    *PROPERTIES.iter().find(|(known, _)| *known == name).expect("a property")
}

/// Checks every file below `tests/data/found`, each in the folder of its property.
#[test]
fn what_was_found_holds() {
    let mut checked = 0;
    for folder in std::fs::read_dir(top().join("tests/data/found")).expect("a folder") {
        let folder = folder.expect("an item");
        let (name, check) = property(&folder.file_name().to_string_lossy());
        for file in std::fs::read_dir(folder.path()).expect("a folder") {
            let path = file.expect("an item").path();
            let bytes = std::fs::read(&path).expect("reads");
            let broken = std::panic::catch_unwind(|| check(&bytes)).is_err();
            assert!(!broken, "{name} is broken by {}", path.display());
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    #[test]
    fn random_bytes_hold(data in prop::collection::vec(any::<u8>(), 0..600)) {
        for (_, check) in PROPERTIES {
            check(&data);
        }
    }

    /// Text gets further than bytes do.
    #[test]
    fn random_text_holds(data in "[ -~\\n]{0,300}|[a-z0-9 :=\"'/.+-]{0,80}|\\PC{0,80}") {
        for (_, check) in PROPERTIES {
            check(data.as_bytes());
        }
    }
}
