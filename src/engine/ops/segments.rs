//! Cuts sequences into segments that are computed one after another, and joins them again.

use crate::engine::operators::Weight;
use crate::engine::program::{Copy, Factor, Grouped, Instruction, Rows, Summand};
use crate::engine::recorder::{Recorder, Var};
use std::ops::Range;

impl Recorder {
    /// Backward, each segment writes its own positions of x's gradient, so every position must be in exactly one segment. `dtokens` is the sum
    /// over the sequences.
    pub(super) fn segment(&mut self, x: Var, length: usize, segment: Range<usize>, tokens: Option<Weight>) -> Var {
        let (sequences, width) = (x.rows / length, x.width);
        let (numbers, more) = (segment.len() * width, tokens.map_or(0, |tokens| tokens.rows * width));
        let out = self.var(sequences * (segment.len() + tokens.map_or(0, |tokens| tokens.rows)), width);
        let of_x = move |at: crate::engine::program::At| Rows { at: at.plus(segment.start * width), stride: length * width };
        let of_out = move |at| Rows { at, stride: numbers + more };
        let mut copies = vec![Copy { from: vec![of_x(x.at)], to: of_out(out.at), blocks: sequences, numbers }];
        copies.extend(tokens.map(|tokens| Copy {
            from: vec![Rows { at: tokens.at(), stride: 0 }],
            to: of_out(out.at.plus(numbers)),
            blocks: sequences,
            numbers: more,
        }));
        self.push(Instruction::Grouped(Grouped::Copies(copies)));
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let into = recorder.gradient_in_parts(x);
            let mut copies = vec![Copy { from: vec![of_out(gradient)], to: of_x(into), blocks: sequences, numbers }];
            if let Some(tokens) = tokens {
                let rows = recorder.buffer(sequences * more);
                let to = Rows { at: rows, stride: more };
                copies.push(Copy { from: vec![of_out(gradient.plus(numbers))], to, blocks: sequences, numbers: more });
                let summand = Summand { of: rows, factor: Factor::One, rows: sequences };
                recorder.sum_gradient(tokens.gradient(), more, 1, summand);
            }
            recorder.push(Instruction::Grouped(Grouped::Copies(copies)));
        });
        out
    }

    pub(super) fn join(&mut self, parts: &[(Var, usize)], sequences: usize, from: usize) -> Var {
        let length: usize = parts.iter().map(|(_, kept)| kept).sum();
        let width = parts[0].0.width;
        let out = self.var(sequences * (length - from), width);
        let mut pieces = Vec::new();
        let mut start = 0;
        for &(part, kept) in parts {
            let skipped = from.saturating_sub(start).min(kept);
            pieces.push((part, kept, skipped, (start + skipped).saturating_sub(from)));
            start += kept;
        }
        let of_part = move |at: crate::engine::program::At, part: Var, skipped: usize| Rows {
            at: at.plus(skipped * width),
            stride: part.rows / sequences * width,
        };
        let of_out =
            move |at: crate::engine::program::At, first: usize| Rows { at: at.plus(first * width), stride: (length - from) * width };
        let copies = pieces.iter().filter(|(_, kept, skipped, _)| skipped < kept).map(|&(part, kept, skipped, first)| Copy {
            from: vec![of_part(part.at, part, skipped)],
            to: of_out(out.at, first),
            blocks: sequences,
            numbers: (kept - skipped) * width,
        });
        let copies = copies.collect();
        self.at_positions(from..length);
        self.push(Instruction::Grouped(Grouped::Copies(copies)));
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let mut copies = Vec::new();
            for (part, kept, skipped, first) in pieces {
                if skipped == kept {
                    continue;
                }
                let (into, carried) = recorder.add_gradient(part);
                assert!(carried.is_none(), "nothing may read a segment after the join");
                let rows = part.rows / sequences;
                let mut piece = |source: Vec<Rows>, row: usize, count: usize| {
                    let to = of_part(into, part, row);
                    copies.push(Copy { from: source, to, blocks: sequences, numbers: count * width });
                };
                piece(Vec::new(), 0, skipped);
                piece(vec![of_out(gradient, first)], skipped, kept - skipped);
                piece(Vec::new(), kept, rows - kept);
            }
            copies.retain(|copy| copy.numbers > 0);
            recorder.push(Instruction::Grouped(Grouped::Copies(copies)));
        });
        out
    }
}
