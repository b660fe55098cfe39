//! Records of a table: one layout for the code that writes a record and for the kernel that reads it.

/// Defines a module with one constant per word of a record, numbered in this order, and their number `WORDS`. With `after`, the words follow
/// those of another layout, which the module has too.
macro_rules! record {
    ($(#[$about:meta])* pub mod $name:ident $(after $before:ident)? { $($(#[$note:meta])* $word:ident,)+ }) => {
        $(#[$about])*
        pub mod $name {
            $(pub use super::$before::*;)?
            record!(@ (0 $(+ super::$before::WORDS)?) $($(#[$note])* $word,)+);
        }
    };
    (@ ($index:expr)) => {
        /// The number of words.
        #[allow(dead_code, reason = "some layouts are always followed by others")]
        pub const WORDS: usize = $index;
    };
    (@ ($index:expr) $(#[$note:meta])* $word:ident, $($rest:tt)*) => {
        $(#[$note])*
        pub const $word: usize = $index;
        record!(@ ($index + 1) $($rest)*);
    };
}

/// Appends a record of `count` words to a table, each word at its index in the record; returns the record's index in the table.
///
/// # Panics
/// If a word is missing or comes twice.
pub fn write(table: &mut Vec<u32>, count: usize, words: impl IntoIterator<Item = (usize, u32)>) -> usize {
    let first = table.len();
    let mut missing = (1u64 << count) - 1;
    table.resize(first + count, 0);
    for (index, word) in words {
        assert!(missing & (1 << index) != 0, "word {index} of a record of {count} words comes twice, or is not of the record");
        missing &= !(1 << index);
        table[first + index] = word;
    }
    assert_eq!(missing, 0, "words of a record are missing");
    first
}
