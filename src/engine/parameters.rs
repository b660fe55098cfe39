//! The parameters of a network as an engine sees them: names and shapes, in the order of one flat array.

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterShape {
    pub name: String,
    pub shape: Vec<usize>,
    /// Whether it gets no gradient.
    pub frozen: bool,
}

impl ParameterShape {
    /// Number of elements.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}
