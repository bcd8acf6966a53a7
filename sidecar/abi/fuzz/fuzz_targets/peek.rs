#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gear_abi_fuzz::peek(bytes));
