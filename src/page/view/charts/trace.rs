//! Reduces a trace of thousands of losses to a few hundred points to draw.

/// The largest number of points in a line.
pub const POINTS: usize = 600;

/// The extremes of equal slices of the trace, as (step, loss), steps counted from 1. Every spike stays visible.
pub fn envelope(losses: &[f32]) -> Vec<(f64, f64)> {
    let slice = losses.len().div_ceil(POINTS / 2).max(1);
    if slice == 1 {
        return finite(losses.iter().enumerate().map(|(index, loss)| (index + 1, *loss)));
    }
    let pairs = losses.chunks(slice).enumerate().flat_map(|(index, chunk)| {
        let low = chunk.iter().copied().fold(f32::INFINITY, f32::min);
        let high = chunk.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        [(index * slice + 1, low), (index * slice + chunk.len(), high)]
    });
    finite(pairs)
}

/// The exponentially weighted mean of the trace over about `span` steps, bias corrected, as (step, loss) at evenly spaced steps.
pub fn smooth(losses: &[f32], span: usize) -> Vec<(f64, f64)> {
    let every = losses.len().div_ceil(POINTS).max(1);
    let keep = 1.0 - 2.0 / (span as f64 + 1.0);
    let (mut mean, mut weight) = (0.0, 0.0);
    let mut points = Vec::with_capacity(losses.len() / every + 1);
    for (index, loss) in losses.iter().enumerate().filter(|(_, loss)| loss.is_finite()) {
        mean = keep * mean + (1.0 - keep) * f64::from(*loss);
        weight = keep * weight + (1.0 - keep);
        if index % every == 0 || index + 1 == losses.len() {
            points.push(((index + 1) as f64, mean / weight));
        }
    }
    points
}

/// The smoothing span for a trace of `steps` steps.
pub fn span(steps: usize) -> usize {
    (steps / 40).clamp(5, 400)
}

fn finite(points: impl Iterator<Item = (usize, f32)>) -> Vec<(f64, f64)> {
    points.filter(|(_, loss)| loss.is_finite()).map(|(step, loss)| (step as f64, f64::from(loss))).collect()
}
