#![no_main]
use migsift_fuzz::oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| oracle::changing::check(data));
