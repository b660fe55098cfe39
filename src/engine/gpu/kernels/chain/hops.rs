//! Adaptive computation time over the rows of one sequence. Records: those of [`crate::engine::gpu::kernels::halting`], with the rows of one sequence.

use crate::engine::gpu::kernels::halting::{halt_row, halt_row_backward, mix_number, mixture, mixture_backward, unmix_number, word};
use cubecl::prelude::*;

#[cube]
pub fn halt(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    for own in range_stepped(UNIT_POS as usize, rows, threads) {
        halt_row(memory, table, record, sequence * rows + own);
    }
}

#[cube]
pub fn halt_backward(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    for own in range_stepped(UNIT_POS as usize, rows, threads) {
        halt_row_backward(memory, table, record, sequence * rows + own);
    }
}

#[cube]
pub fn mix(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    let width = table[record + mixture::WIDTH] as usize;
    for task in range_stepped(UNIT_POS as usize, rows * width, threads) {
        mix_number(memory, table, record, sequence * rows + task / width, task % width);
    }
}

#[cube]
pub fn mix_backward(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    let tasks = (table[record + mixture_backward::WIDTH] + table[record + word::HOPS]) as usize;
    for task in range_stepped(UNIT_POS as usize, rows * tasks, threads) {
        unmix_number(memory, table, record, sequence * rows + task / tasks, task % tasks);
    }
}
