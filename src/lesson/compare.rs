//! Which prediction belongs to which measured curve.

/// The place of the prediction for `measured[index]`: the one whose name ends with the curve's name, else the one at the same place, else the
/// only one. `None` if there is no such prediction.
pub fn partner(predictions: &[&str], measured: &[&str], index: usize) -> Option<usize> {
    let name = *measured.get(index)?;
    let named =
        |name: &str| predictions.iter().position(|id| id.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('-')));
    if predictions.len() == 1 {
        return Some(0);
    }
    named(name).or_else(|| {
        let same = predictions.len() == measured.len();
        // A prediction that names another curve is that curve's.
        Some(index).filter(|place| same && !measured.iter().any(|other| named(other) == Some(*place)))
    })
}
