//! Every term the page uses, in plain words: shown on hover or tap, and listed at the foot of the page.

/// A term and what it means.
pub struct Entry {
    pub key: &'static str,
    pub title: &'static str,
    pub text: &'static str,
}

/// The terms, in the order in which one meets them.
pub static TERMS: &[Entry] = &[
    Entry {
        key: "automaton",
        title: "Cellular automaton",
        text: "A row of cells, each one of two colours. At every step each cell takes a new colour that depends only on its own and its neighbours' colours, by a fixed rule.",
    },
    Entry {
        key: "rule",
        title: "Rule",
        text: "The table that says, for every pattern of neighbours, which colour comes next. The model never sees it: it must find it out from the rows shown.",
    },
    Entry {
        key: "held-out",
        title: "Held-out rules",
        text: "Rules set aside before training. The model is only ever measured on these, so it cannot have learnt them by heart.",
    },
    Entry {
        key: "depth",
        title: "Depth k",
        text: "How many steps ahead the question lies. At k = 1 the next row is asked; at k = 3 the model must think through two rows that nobody shows it.",
    },
    Entry {
        key: "em",
        title: "Exact match",
        text: "Share of questions answered right in every single cell. One wrong cell and the answer does not count.",
    },
    Entry {
        key: "cells",
        title: "Cells right",
        text: "Share of single cells predicted right. Guessing gets about half of them, so this looks high long before whole rows are right.",
    },
    Entry {
        key: "teacher-forced",
        title: "Teacher-forced",
        text: "Each cell is predicted with the true cells to its left given, as in training. One slip does not spoil what follows.",
    },
    Entry {
        key: "free-running",
        title: "Free-running",
        text: "Each cell is predicted after the model's own earlier cells, as when it writes an answer by itself.",
    },
    Entry {
        key: "ceiling",
        title: "Ceiling",
        text: "The best anybody could score. The rows shown do not always reveal the whole rule, so even a perfect reasoner must sometimes guess.",
    },
    Entry {
        key: "copy",
        title: "Copy floor",
        text: "The score of simply repeating the last row shown. A model that is no better has learnt nothing about the rule.",
    },
    Entry {
        key: "cycle",
        title: "Shifted-cycle floor",
        text: "The score of noticing that the rows repeat, perhaps shifted sideways, and going on with the repetition, without knowing the rule.",
    },
    Entry {
        key: "wilson",
        title: "Wilson interval",
        text: "The range in which the true score lies with 95 % confidence, given how many questions were asked. More questions, narrower range.",
    },
    Entry { key: "n", title: "n", text: "The number of questions behind a score." },
    Entry { key: "step", title: "Step", text: "The model sees one batch of fresh examples and changes its numbers a little." },
    Entry {
        key: "loss",
        title: "Loss",
        text: "How surprised the model is by the right answer, per cell, in nats. Guessing costs ln 2 ≈ 0.69; certainty of the right colour costs 0.",
    },
    Entry {
        key: "fingerprint",
        title: "Fingerprint",
        text: "A short proof of a run's losses. A copied link carries it, and whoever opens the link and trains is told whether the same numbers came out.",
    },
    Entry {
        key: "engine",
        title: "Engine",
        text: "What does the computing: the processor (CPU), which gives the same bits on every machine, or the graphics card (WebGPU), which is faster but rounds a little differently on each.",
    },
    Entry {
        key: "chain",
        title: "Chain of thought",
        text: "The model writes every row up to the one asked, and reads what it has written: thinking aloud. Each step is then only one step ahead, but a mistake stays in what it reads.",
    },
    Entry {
        key: "act",
        title: "Adaptive computation time (ACT)",
        text: "A layer is applied to a token again and again until a small unit, trained with the rest, says that it is enough. Each token gets its own time to think.",
    },
    Entry {
        key: "hops",
        title: "Hops",
        text: "How often a layer was applied to a token. A mean over the tokens from which the answer is predicted says how long the model thinks about it.",
    },
    Entry {
        key: "reads",
        title: "What a layer reads",
        text: "To predict a cell, every layer takes something from what stands before. Its reads say from where, in shares that add up to 100 %. A high share shows where it looks, not what it makes of it; and from the second layer on, a place also holds what was read into it below.",
    },
    Entry {
        key: "attention",
        title: "Attention",
        text: "Each head of a layer compares the place from which it predicts with every place before, and takes a mean of what stands there: the better the match, the larger the share. Several heads look at different things.",
    },
    Entry {
        key: "state",
        title: "State",
        text: "A fixed number of numbers that is carried from token to token. Each token adds something and lets something fade; whatever the network still knows of the rows before is in it.",
    },
    Entry {
        key: "memory",
        title: "Associative memory",
        text: "A table that is written and read by resemblance: what is asked for is compared with the keys under which something was written. It is all that an ARMT carries from one segment, two rows, to the next.",
    },
    Entry {
        key: "signs",
        title: "Signs",
        text: "Tokens that are no cells: one before each row, one that asks for the answer. Networks often rest their look on them when they need nothing, or collect there what they have read.",
    },
    Entry {
        key: "reward",
        title: "Reward",
        text: "The share of the true row's cells, and of the end after them, that an answer has in their places: 1 when all is right. How the network came to the answer earns nothing.",
    },
    Entry {
        key: "advantage",
        title: "Advantage",
        text: "How far an answer's reward lies above (+) or below (−) the mean of its group, the answers to the same question, measured in the group's standard deviations. Where all earn the same there is nothing to learn.",
    },
    Entry {
        key: "kl",
        title: "KL divergence",
        text: "How far the network has drifted from the one that the run began with, in nats a token (a millinat is a thousandth of one): 0 means that it writes as it did then. Drifting has a price, so that it does not forget what it knew.",
    },
    Entry {
        key: "temperature",
        title: "Temperature",
        text: "How boldly tokens are drawn. At 1 each comes as often as the network thinks it likely; near 0 the likeliest always wins, and no answer differs from another.",
    },
    Entry { key: "parameters", title: "Parameters", text: "The numbers inside the model that training changes." },
];

/// The entry of a key.
pub fn entry(key: &str) -> Option<&'static Entry> {
    TERMS.iter().find(|entry| entry.key == key)
}
