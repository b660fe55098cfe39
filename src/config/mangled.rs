//! What happens to a link on its way through messengers, mail and web pages, and how it is undone before it is read.
//!
//! A link has only the letters `A–Z a–z 0–9 = & . - ( )`, so everything undone here cannot be meant.

use std::fmt;

/// A change that was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mangling {
    /// `%3D` for `=`.
    Percent,
    /// `&amp;` for `&`.
    Entity,
    /// Spaces, line breaks or invisible characters within the link.
    Blank,
}

impl fmt::Display for Mangling {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Mangling::Percent => "its signs were written as %3D and the like",
            Mangling::Entity => "it had &amp; for &",
            Mangling::Blank => "it had blank or invisible characters",
        })
    }
}

/// The text as it was before, and what was undone.
pub fn undo(text: &str) -> (String, Vec<Mangling>) {
    let mut found = Vec::new();
    let mut text = text.to_string();
    // Encoded several times by as many programs.
    for _ in 0..3 {
        let decoded = decode(&text);
        if decoded.matches('=').count() > text.matches('=').count() && !found.contains(&Mangling::Percent) {
            found.push(Mangling::Percent);
        }
        text = decoded;
    }
    while text.contains("&amp;") {
        text = text.replace("&amp;", "&");
        if !found.contains(&Mangling::Entity) {
            found.push(Mangling::Entity);
        }
    }
    let around = |letter: char| blank(letter) || QUOTES.contains(letter);
    let trimmed = text.trim_matches(around);
    // The end of a sentence; more than one dot means that the link was shortened.
    let trimmed = if trimmed.ends_with("..") { trimmed } else { trimmed.trim_end_matches('.').trim_matches(around) };
    let trimmed = address(trimmed).unwrap_or(trimmed).trim_matches(around);
    if trimmed.contains(blank) {
        found.push(Mangling::Blank);
    }
    (trimmed.chars().filter(|&letter| !blank(letter)).collect(), found)
}

/// A whole address in parentheses. A run in parentheses is what is left of a link that was cut off.
fn address(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    inner.contains('#').then_some(inner)
}

/// What people and programs put around a link.
const QUOTES: &str = "<>\"'“”„‘’«»`,;";

/// Whether a character is blank or invisible: white space, controls, zero-width characters, marks of direction, a soft hyphen, a byte-order mark.
fn blank(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Decodes every `%` with two hexadecimal digits, if the result is text. Any other `%` stays, and the part that has it is refused.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = if first == b'%' { tail.get(..2) } else { None };
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.into())
}
