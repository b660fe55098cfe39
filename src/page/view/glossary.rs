//! Every term that the page uses, in plain words. The page shows them on hover or tap, and lists them at its foot.

/// A term and what it means.
pub struct Term {
    pub key: &'static str,
    pub title: &'static str,
    pub text: &'static str,
}

/// The terms, in the order in which a reader meets them.
pub static TERMS: &[Term] = &[
    Term {
        key: "automaton",
        title: "Cellular automaton",
        text: "A row of cells, each in one of two colours. At every step, each cell takes a new colour by a fixed rule. The rule depends only on the cell's own colour and its neighbours' colours.",
    },
    Term {
        key: "rule",
        title: "Rule",
        text: "A table that gives the next colour for every pattern of neighbours. The model never sees the rule. It must work it out from the rows shown.",
    },
    Term {
        key: "held-out",
        title: "Held-out rules",
        text: "Rules that are set aside before training. The model is measured only on these rules, so it cannot have learnt them by heart.",
    },
    Term {
        key: "depth",
        title: "Depth k",
        text: "How many steps ahead the model must look. At k = 1 it predicts the next row. At k = 3 it must work through two rows that it is not shown.",
    },
    Term {
        key: "em",
        title: "Exact match",
        text: "The share of questions answered right in every cell. An answer with one wrong cell does not count.",
    },
    Term {
        key: "cells",
        title: "Cells right",
        text: "The share of single cells predicted right. Guessing gets about half of them right, so this number is high long before whole rows are right.",
    },
    Term {
        key: "teacher-forced",
        title: "Teacher-forced",
        text: "The model predicts each cell with the true cells to its left given, as in training. A mistake does not affect the cells after it.",
    },
    Term {
        key: "free-running",
        title: "Free-running",
        text: "The model predicts each cell from its own earlier cells, as when it writes an answer by itself.",
    },
    Term {
        key: "ceiling",
        title: "Ceiling",
        text: "The best possible score. The rows shown do not always reveal the whole rule, so even a perfect predictor must sometimes guess.",
    },
    Term {
        key: "copy",
        title: "Copy floor",
        text: "The score of repeating the last row shown. A model with only this score has learnt nothing about the rule.",
    },
    Term {
        key: "cycle",
        title: "Shifted-cycle floor",
        text: "The rows shown often repeat, sometimes shifted sideways. This is the score of continuing that repetition without knowing the rule.",
    },
    Term {
        key: "wilson",
        title: "Wilson interval",
        text: "The range that contains the true score with 95 % confidence, given the number of questions. More questions give a narrower range.",
    },
    Term { key: "n", title: "n", text: "The number of questions that a score is measured on." },
    Term { key: "step", title: "Step", text: "In one step, the model sees one batch of examples and changes its parameters a little." },
    Term {
        key: "loss",
        title: "Loss",
        text: "How surprised the model is by the right answer, in nats per cell. Guessing costs ln 2 ≈ 0.69. Being certain of the right colour costs 0.",
    },
    Term {
        key: "fingerprint",
        title: "Fingerprint",
        text: "A short code computed from a run's losses. A copied link contains it. When you open the link and train, the page says whether you get the same losses.",
    },
    Term {
        key: "engine",
        title: "Engine",
        text: "The program that computes the run. On the processor (CPU) it gives the same bits on every machine. On the graphics card (WebGPU) it is faster, but each card rounds a little differently.",
    },
    Term {
        key: "chain",
        title: "Chain of thought",
        text: "The model thinks aloud: it writes every row up to the one asked, and reads what it has written. Each row is then only one step ahead, but the model goes on reading its mistakes.",
    },
    Term {
        key: "act",
        title: "Adaptive computation time (ACT)",
        text: "The network applies a layer to a token again and again. A small unit, trained with the rest, decides when to stop. So each token gets its own time to think.",
    },
    Term {
        key: "hops",
        title: "Hops",
        text: "How often a layer is applied to a token. The mean over the tokens that predict the answer shows how long the model thinks about it.",
    },
    Term {
        key: "reads",
        title: "What a layer reads",
        text: "To predict a cell, every layer reads from earlier positions. The attribution shows from which ones, in shares that add up to 100 %. A high share shows where a layer looks, but not what it does with it. From the second layer on, a position also holds what lower layers have read into it.",
    },
    Term {
        key: "attention",
        title: "Attention",
        text: "Each head of a layer compares the predicting position with every earlier position. It takes a weighted mean of them: the better the match, the larger the share. Different heads can look at different things.",
    },
    Term {
        key: "state",
        title: "State",
        text: "A fixed number of values that the network carries from token to token. Each token adds something and lets something fade. All that the network still knows of earlier rows is in the state.",
    },
    Term {
        key: "memory",
        title: "Associative memory",
        text: "A table of keys and values. To read it, the network compares a query with all keys and takes the values of the most similar ones. An ARMT carries only this table from one segment (two rows) to the next.",
    },
    Term {
        key: "signs",
        title: "Signs",
        text: "Tokens that are not cells: one before each row, and one that asks for the answer. Networks often look at signs when they need nothing else, or collect there what they have read.",
    },
    Term {
        key: "reward",
        title: "Reward",
        text: "The share of an answer's tokens that are right: the cells of the true row, and the end after them. 1 means that all are right. The way to the answer earns nothing.",
    },
    Term {
        key: "advantage",
        title: "Advantage",
        text: "How far an answer's reward is above (+) or below (−) the mean of its group, in standard deviations of the group. A group is all answers to the same question. If all of them earn the same, there is nothing to learn.",
    },
    Term {
        key: "kl",
        title: "KL divergence",
        text: "How far the network has moved away from the one that the run began with, in nats per token (1 nat = 1,000 millinats). 0 means that it writes as it did then. Moving away has a price, so that the network does not forget what it knew.",
    },
    Term {
        key: "temperature",
        title: "Temperature",
        text: "How random the draw of tokens is. At 1, each token is drawn as often as the network expects it. Near 0, the likeliest token always wins, so all answers are the same.",
    },
    Term { key: "parameters", title: "Parameters", text: "The numbers inside the model that training changes, also called weights." },
];

/// The entry of a key.
pub fn entry(key: &str) -> Option<&'static Term> {
    TERMS.iter().find(|entry| entry.key == key)
}
