//! Properties of an adapter that decide which kernels it runs.

/// llvmpipe stops a thread's loops after 65,535 iterations in total. We stay below that.
pub const MAX_ITERATIONS: usize = 60_000;

/// Properties of an adapter that decide which kernels it runs.
#[derive(Clone, Copy, Debug)]
pub struct AdapterTraits {
    /// Whether it is emulated on the CPU. Barriers and many small workgroups then cost more than reading a number again.
    pub software: bool,
    /// The most loop iterations of a thread in one launch, if the adapter limits them.
    pub iterations: Option<usize>,
}
