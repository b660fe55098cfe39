pub mod kernels;
pub mod resident { pub struct Places; }
