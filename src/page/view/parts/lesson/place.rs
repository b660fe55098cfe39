//! Where a block stands, and links to lessons.

use crate::lesson::Lesson;
use crate::page::state::Page;
use leptos::prelude::*;
use std::sync::Arc;

/// The lesson in which a block stands.
#[derive(Clone)]
pub struct Place {
    pub page: Page,
    /// The lesson's name: a page for teachers has that of its lesson.
    pub lesson: &'static str,
    pub read: Arc<Lesson>,
}

/// A link to a lesson's page. An empty name leads to the list.
pub fn to(name: &str, words: String) -> AnyView {
    view! { <a class="lesson-link" href=format!("?lesson={name}") data-lesson=name.to_string()>{words}</a> }.into_any()
}
