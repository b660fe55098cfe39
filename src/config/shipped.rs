//! Checkpoints that the site carries, so that fine-tuning and GRPO can begin at once. Each was made by the command line from its link:
//! `lookahead train LINK --save DIR`; `docs/checkpoints.md` has the commands and what each scores.

use super::{RunConfig, link};

/// A checkpoint of the site: `checkpoints/NAME.safetensors`.
pub struct Shipped {
    /// Its name in links, and its file's.
    pub name: &'static str,
    /// Its name in the form.
    pub label: &'static str,
    /// The run that made it.
    pub link: &'static str,
    /// The file; in browsers it is fetched from the site.
    #[cfg(feature = "cli")]
    pub bytes: &'static [u8],
}

/// All of them.
pub static SHIPPED: &[Shipped] = &[Shipped {
    name: "k1",
    label: "k = 1, small GPT-NeoX",
    link: "v=1&r=1&W=8&T=6&horizon=one&k=1&loss=all&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=adamw&lr=0.001&wd=0&warmup=5&decay=0&clipv=0&clipn=1&batch=32&examples=0&steps=40&every=40&evaln=128&stop=0&seed=1&engine=auto&from=(v=1&r=1&W=8&T=6&horizon=one&k=1&loss=rows&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=muon&lr=0.02&wd=0.01&warmup=10&decay=700&clipv=0&clipn=1&batch=32&examples=0&steps=700&every=25&evaln=128&stop=0&seed=1)",
    #[cfg(feature = "cli")]
    bytes: include_bytes!("../../static/checkpoints/k1.safetensors"),
}];

impl Shipped {
    /// The run that made it.
    ///
    /// # Errors
    /// When its link cannot be read: a fault of the table, which a test would find.
    pub fn config(&self) -> Result<RunConfig, String> {
        link::read(self.link).map(|link| link.config).map_err(|faults| faults.join(" "))
    }
}

/// The checkpoint of this name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.name == name)
}

/// FNV-1a of 64 bits over a file of weights.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
