//! Lessons: files in a small part of Markdown (`lessons/README.md`), read into sections of prose and of live blocks. Knows no browser.

mod block;
mod compare;
mod error;
mod inline;
mod names;
mod prose;
mod read;
mod tree;

pub use block::{Block, Expected, Live, Source};
pub use compare::partner;
pub use error::{Fault, LessonError};
pub use names::{NAMES, TEACHER, base};
pub use read::{head, read};
pub use tree::{Head, Lesson, Section};
