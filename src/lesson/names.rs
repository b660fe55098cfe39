//! The lessons that there are.

/// The lessons, in the order in which they are taught: names of files.
pub const NAMES: [&str; 6] = ["guess-the-rule", "one-ahead", "two-ahead", "thinking-longer", "reward", "memories"];

/// What the name of a teacher's page ends with.
pub const TEACHER: &str = ".teacher";

/// The lesson to which a page belongs, a student's or a teacher's; `None` if there is no such lesson.
pub fn base(page: &str) -> Option<&'static str> {
    let name = page.strip_suffix(TEACHER).unwrap_or(page);
    NAMES.into_iter().find(|known| *known == name)
}
