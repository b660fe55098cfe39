//! Asks the worker for the attribution of the displayed question: once for every measurement and question, one query at a time. The answer is of
//! weights one or two steps after the measurement. It stays displayed until the next answer.

use super::worker;
use crate::page::state::attribution::Query;
use crate::page::state::{Page, Phase};
use crate::protocol::Command;
use leptos::prelude::*;

/// Sends a query if the worker holds the run and no query about it is pending. A caller that tracks [`Page::attributions`] asks again later.
pub fn ask(page: Page, query: Query) {
    let may_ask = page.attributions.with(|attributions| attributions.may_ask(&query));
    let holds = match page.phase.get() {
        Phase::Running | Phase::Paused | Phase::Finished => page.worker.is_ready(),
        Phase::Idle | Phase::Preparing | Phase::Failed => false,
    };
    if may_ask && holds {
        page.attributions.update(|attributions| attributions.ask(query));
        worker::send(page, Command::Attribute { split: query.split, index: query.index, depth: query.depth }, None);
    }
}
