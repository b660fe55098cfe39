//! Where the visitor is. The address says it in its query, so that a reload, a bookmark and a link lead to the same place.

use crate::lesson::NAMES;

/// A door of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// The story, and everything that trains.
    #[default]
    Explore,
    /// The list of lessons, or one lesson by its name.
    Lessons(Option<String>),
    /// A class: links for it, and what it handed in.
    Class,
}

impl Door {
    /// Reads the values of `lesson` and `class` in the address's query.
    pub fn read(lesson: Option<&str>, class: Option<&str>) -> Self {
        match (lesson, class) {
            (Some(""), _) => Door::Lessons(None),
            (Some(name), _) => Door::Lessons(Some(name.into())),
            (None, Some(_)) => Door::Class,
            (None, None) => Door::Explore,
        }
    }

    /// The part of the query that leads here.
    pub fn query(&self) -> String {
        match self {
            Door::Explore => String::new(),
            Door::Lessons(name) => format!("lesson={}", name.as_deref().unwrap_or_default()),
            Door::Class => "class=".into(),
        }
    }

    /// Whether the views that train stand here: beside the story, and beside a lesson for students.
    pub fn trains(&self) -> bool {
        match self {
            Door::Explore => true,
            Door::Lessons(Some(name)) => NAMES.contains(&name.as_str()),
            Door::Lessons(None) | Door::Class => false,
        }
    }

    /// Its name in the body's `data-door`. Tests and style sheets use it.
    pub fn name(&self) -> &'static str {
        match self {
            Door::Explore => "explore",
            Door::Lessons(None) => "lessons",
            Door::Lessons(Some(_)) => "lesson",
            Door::Class => "class",
        }
    }
}
