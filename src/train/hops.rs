//! Hops: how many times adaptive computation time applied each looped part to each token.

use crate::engine::program::HaltingLogPart;

/// The hops of a batch: a count from 1 on for each sequence, looped part and position.
#[derive(Clone, Debug, PartialEq)]
pub struct Hops {
    units: usize,
    /// S.
    length: usize,
    /// `[B, units, S]`.
    counts: Vec<u8>,
}

impl Hops {
    /// The hops of `sequences` sequences of `length` positions. `numbers` holds a count for each row of each part, the parts concatenated.
    /// Rows of memory tokens are left out.
    pub fn read(parts: &[HaltingLogPart], numbers: &[f32], sequences: usize, length: usize) -> Self {
        let units = parts.iter().map(|part| part.unit + 1).max().unwrap_or(0);
        let mut counts = vec![0; sequences * units * length];
        let mut rest = numbers;
        for part in parts {
            let (own, others) = rest.split_at(part.rows);
            rest = others;
            let positions = part.positions.start..part.positions.end.min(length);
            for (sequence, rows) in own.chunks(part.rows / sequences).enumerate() {
                let line = (sequence * units + part.unit) * length;
                for (position, hops) in positions.clone().zip(rows) {
                    counts[line + position] = *hops as u8;
                }
            }
        }
        Self { units, length, counts }
    }

    /// The hops of one sequence, `[units][S]`.
    pub fn of(&self, sequence: usize) -> Vec<Vec<u8>> {
        let start = sequence * self.units * self.length;
        self.counts[start..start + self.units * self.length].chunks(self.length).map(<[u8]>::to_vec).collect()
    }

    /// Mean hops over the looped parts and these positions of one sequence.
    pub fn mean(&self, sequence: usize, positions: std::ops::Range<usize>) -> f64 {
        let rows = self.of(sequence);
        let hops: usize = rows.iter().flat_map(|row| &row[positions.clone()]).map(|&hops| usize::from(hops)).sum();
        hops as f64 / (rows.len() * positions.len()).max(1) as f64
    }
}
