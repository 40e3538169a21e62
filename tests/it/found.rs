//! Inputs that fuzzers found, or that they began with, held to the laws that they were made for (`tests/oracle`), and
//! random ones. What broke a law stays here for good, under the name of what it broke.

use crate::oracle::{LAWS, Law};
use crate::top;
use proptest::prelude::*;

fn law(name: &str) -> Law {
    *LAWS.iter().find(|(known, _)| *known == name).expect("a law")
}

/// Every file below `tests/data/found`, each in the folder of its law.
#[test]
fn what_was_found_holds() {
    let mut held = 0;
    for folder in std::fs::read_dir(top().join("tests/data/found")).expect("a folder") {
        let folder = folder.expect("an item");
        let (name, law) = law(&folder.file_name().to_string_lossy());
        for file in std::fs::read_dir(folder.path()).expect("a folder") {
            let path = file.expect("an item").path();
            let bytes = std::fs::read(&path).expect("reads");
            let broken = std::panic::catch_unwind(|| law(&bytes)).is_err();
            assert!(!broken, "{name} is broken by {}", path.display());
            held += 1;
        }
    }
    assert!(held > 20, "{held}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    #[test]
    fn random_bytes_hold(data in prop::collection::vec(any::<u8>(), 0..600)) {
        for (_, law) in LAWS {
            law(&data);
        }
    }

    /// Text gets further than bytes do.
    #[test]
    fn random_text_holds(data in "[ -~\\n]{0,300}|[a-z0-9 :=\"'/.+-]{0,80}|\\PC{0,80}") {
        for (_, law) in LAWS {
            law(data.as_bytes());
        }
    }
}
