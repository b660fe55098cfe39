//! Lessons: files in a small part of Markdown (`lessons/README.md`), read into sections of prose and of live blocks. Knows no browser.

mod block;
mod compare;
mod error;
mod inline;
mod prose;
mod read;

pub use block::{Block, Expected, Live, Source};
pub use compare::partner;
pub use error::{Fault, LessonError};
pub use inline::escape;
pub use read::{head, read};

use crate::config::{LinkError, RunConfig, link, presets};

/// The lessons, in the order in which they are taught: names of files.
pub const NAMES: [&str; 6] = ["guess-the-rule", "one-ahead", "two-ahead", "thinking-longer", "reward", "memories"];

/// What the name of a teacher's page ends with.
pub const TEACHER: &str = ".teacher";

/// The lesson to which a page belongs, a student's or a teacher's; `None` if there is no such lesson.
pub fn base(page: &str) -> Option<&'static str> {
    let name = page.strip_suffix(TEACHER).unwrap_or(page);
    NAMES.into_iter().find(|known| *known == name)
}

/// The first lines of a lesson.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    pub title: String,
    pub minutes: u32,
    pub question: String,
}

/// A lesson.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lesson {
    pub head: Head,
    /// The first one has no title: it is what stands before the first heading.
    pub sections: Vec<Section>,
}

/// A part of a lesson below a heading of the second level.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    pub title: String,
    pub blocks: Vec<Block>,
}

impl Lesson {
    /// All live blocks, in order.
    pub fn live(&self) -> impl Iterator<Item = &Live> {
        self.sections.iter().flat_map(Section::live)
    }

    /// The run of this id.
    pub fn run(&self, id: &str) -> Option<&RunConfig> {
        self.live().find_map(|live| match live {
            Live::Run { id: own, config } if own == id => Some(&**config),
            Live::Run { .. }
            | Live::Expect { .. }
            | Live::Question { .. }
            | Live::Predict { .. }
            | Live::Compare { .. }
            | Live::Explain { .. } => None,
        })
    }

    /// The depths of the prediction of this id.
    pub fn predicted(&self, id: &str) -> &[usize] {
        let found = self.live().find_map(|live| match live {
            Live::Predict { id: own, depths } if own == id => Some(&depths[..]),
            Live::Run { .. }
            | Live::Expect { .. }
            | Live::Question { .. }
            | Live::Predict { .. }
            | Live::Compare { .. }
            | Live::Explain { .. } => None,
        });
        found.unwrap_or_default()
    }
}

impl Section {
    /// Its live blocks, in order.
    pub fn live(&self) -> impl Iterator<Item = &Live> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Live { live, .. } => Some(live),
            Block::Prose(_) => None,
        })
    }
}

/// Reads a short link: a preset's name with settings after it, as in `quick&k=2`, or a whole link.
///
/// # Errors
/// The faults of the link.
fn short_link(text: &str) -> Result<RunConfig, Vec<LinkError>> {
    let (name, settings) = text.split_once('&').unwrap_or((text, ""));
    let read = match presets::all().find(|preset| preset.key == name) {
        Some(preset) => link::change((preset.config)(), settings),
        None => link::read(text),
    };
    read.map(|link| link.config)
}
