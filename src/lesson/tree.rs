//! A lesson that was read.

use super::block::{Block, Live};
use crate::config::RunConfig;

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
