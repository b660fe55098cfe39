//! Attribution: which positions each layer reads when the network predicts a cell. The queries sent to the worker, and its answers.

use crate::results::LayerAttribution;
use crate::task::Split;

/// A query: for which run, which measurement and which answered row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    pub run: usize,
    /// The step of the measurement.
    pub step: u64,
    pub split: Split,
    pub index: u64,
    pub depth: usize,
}

impl Query {
    fn same_question(&self, other: &Query) -> bool {
        (self.run, self.split, self.index) == (other.run, other.split, other.index)
    }
}

/// The pending query, and the answers for the displayed question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributions {
    pending: Option<Query>,
    known: Vec<(Query, Vec<LayerAttribution>)>,
}

impl Attributions {
    /// The newest answer for a row, also from an earlier measurement; `None` if there is none.
    pub fn of(&self, query: &Query) -> Option<&[LayerAttribution]> {
        let known = self.known.iter().find(|(other, _)| other.same_question(query) && other.depth == query.depth);
        known.map(|(_, layers)| &layers[..]).filter(|layers| !layers.is_empty())
    }

    /// Whether the page may send this query now: it is not answered yet, and no query for the same run is pending.
    pub fn may_ask(&self, query: &Query) -> bool {
        let known = self.known.iter().any(|(other, _)| other == query);
        !known && self.pending.is_none_or(|pending| pending.run != query.run)
    }

    /// Whether a query is pending.
    pub fn waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Notes that this query is pending.
    pub fn ask(&mut self, query: Query) {
        self.pending = Some(query);
    }

    /// Stores an answer if it belongs to the pending query.
    pub fn answer(&mut self, split: Split, index: u64, depth: usize, layers: Vec<LayerAttribution>) {
        let named = |pending: &Query| (pending.split, pending.index, pending.depth) == (split, index, depth);
        if let Some(query) = self.pending.take_if(|pending| named(pending)) {
            self.known.retain(|(other, _)| other.same_question(&query) && other.depth != depth);
            self.known.push((query, layers));
        }
    }

    /// Drops the pending query, because its worker has ended.
    pub fn give_up(&mut self) {
        self.pending = None;
    }
}
