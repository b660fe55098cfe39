//! Asks the worker what the network reads at the question on show: once for every measurement and question, and never while an answer is under
//! way. The weights have moved on a step or two by then; what was read stays on show until the next is there.

use super::session;
use super::state::{Page, Phase};
use crate::protocol::{Command, LayerReads};
use crate::task::Split;
use leptos::prelude::*;

/// What is asked: of which run, after which measurement, about which answered state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    pub run: usize,
    /// The step of the measurement.
    pub step: u64,
    pub split: Split,
    pub index: u64,
    pub depth: usize,
}

impl Ask {
    fn same_question(&self, other: &Ask) -> bool {
        (self.run, self.split, self.index) == (other.run, other.split, other.index)
    }
}

/// What was asked and not yet answered, and the answers about the question on show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looks {
    asked: Option<Ask>,
    got: Vec<(Ask, Vec<LayerReads>)>,
}

impl Looks {
    /// What is known of a state: the newest, though it may be of an earlier measurement. Nothing where no run could tell.
    pub fn of(&self, ask: &Ask) -> Option<&[LayerReads]> {
        let known = self.got.iter().find(|(other, _)| other.same_question(ask) && other.depth == ask.depth);
        known.map(|(_, layers)| &layers[..]).filter(|layers| !layers.is_empty())
    }
}

/// Asks, if the worker holds the run and nothing is under way; else whoever follows [`Page::looks`] asks again when it is.
pub fn ask(page: Page, ask: Ask) {
    let (known, busy) =
        page.looks.with(|looks| (looks.got.iter().any(|(other, _)| *other == ask), looks.asked.is_some_and(|asked| asked.run == ask.run)));
    let holds = match page.phase.get() {
        Phase::Running | Phase::Paused | Phase::Finished => page.session.with_value(session::Session::is_ready),
        Phase::Idle | Phase::Preparing | Phase::Failed => false,
    };
    if known || busy || !holds {
        return;
    }
    page.looks.update(|looks| looks.asked = Some(ask));
    session::send(page, Command::Look { split: ask.split, index: ask.index, depth: ask.depth }, None);
}

/// Takes an answer over, if it is the one waited for.
pub fn arrived(page: Page, (split, index, depth): (Split, u64, usize), layers: Vec<LayerReads>) {
    page.looks.update(|looks| {
        let named = |asked: &Ask| (asked.split, asked.index, asked.depth) == (split, index, depth);
        if let Some(asked) = looks.asked.take_if(|asked| named(asked)) {
            looks.got.retain(|(other, _)| other.same_question(&asked) && other.depth != depth);
            looks.got.push((asked, layers));
        }
    });
}

/// The worker is gone: nothing more will come.
pub fn give_up(page: Page) {
    if page.looks.with_untracked(|looks| looks.asked.is_some()) {
        page.looks.update(|looks| looks.asked = None);
    }
}
