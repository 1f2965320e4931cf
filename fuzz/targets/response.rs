//! Any bytes in any pieces cause no panic and no hang, and give the same response however they are split.
#![no_main]

#[path = "../pieces.rs"]
mod pieces;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, Vec<u16>, &[u8])| {
    let (to_head, lengths, bytes) = input;
    let lengths: Vec<usize> = lengths.into_iter().map(usize::from).collect();
    let whole = pieces::read(bytes, &[usize::MAX], to_head);
    let cut = pieces::read(bytes, &lengths, to_head);
    assert_eq!(whole, cut, "{}", bytes.escape_ascii());
});
