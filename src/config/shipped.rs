//! Checkpoints of the site, so that fine-tuning and GRPO can begin at once. The command line made each of them from its link with
//! `lookahead train LINK --save DIR`. `docs/checkpoints.md` has the commands and the scores.

use super::error::LinkError;
use super::{RunConfig, link};

/// A checkpoint of the site: `checkpoints/NAME.safetensors`.
pub struct Shipped {
    /// Its name in links, and the name of its file.
    pub name: &'static str,
    /// Its name in the form.
    pub label: &'static str,
    /// The link of the run that trained it.
    pub link: &'static str,
    /// The file. The page fetches it from the site instead.
    #[cfg(feature = "cli")]
    pub bytes: &'static [u8],
}

/// All checkpoints of the site.
pub static SHIPPED: &[Shipped] = &[
    Shipped {
        name: "k1",
        label: "k = 1, rows of 8 cells, small GPT-NeoX",
        link: "v=1&r=1&W=8&T=6&horizon=one&k=1&loss=all&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=adamw&lr=0.001&wd=0&warmup=5&decay=0&clipv=0&clipn=1&batch=32&examples=0&steps=40&every=40&evaln=128&stop=0&seed=1&engine=auto&from=(v=1&r=1&W=8&T=6&horizon=one&k=1&loss=rows&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=muon&lr=0.02&wd=0.01&warmup=10&decay=700&clipv=0&clipn=1&batch=32&examples=0&steps=700&every=25&evaln=128&stop=0&seed=1)",
        #[cfg(feature = "cli")]
        bytes: include_bytes!("../../static/checkpoints/k1.safetensors"),
    },
    Shipped {
        name: "small-k1",
        label: "k = 1, small GPT-NeoX",
        link: "v=1&r=1&W=10&T=4&horizon=one&k=1&loss=all&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=adamw&lr=0.001&wd=0&warmup=5&decay=0&clipv=0&clipn=1&batch=32&examples=0&steps=40&every=40&evaln=256&stop=0&seed=1&engine=auto&from=(v=1&r=1&W=10&T=4&horizon=one&k=1&loss=rows&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=muon&lr=0.02&wd=0.01&warmup=10&decay=1500&clipv=0&clipn=1&batch=32&examples=0&steps=1500&every=100&evaln=256&stop=0&seed=1)",
        #[cfg(feature = "cli")]
        bytes: include_bytes!("../../static/checkpoints/small-k1.safetensors"),
    },
    Shipped {
        name: "small-2",
        label: "k = 2, straight, small GPT-NeoX",
        link: "v=1&r=1&W=10&T=4&horizon=one&k=2&loss=rows&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=muon&lr=0.02&wd=0.01&warmup=10&decay=1500&clipv=0&clipn=1&batch=32&examples=0&steps=1500&every=100&evaln=256&stop=0&seed=1&engine=auto",
        #[cfg(feature = "cli")]
        bytes: include_bytes!("../../static/checkpoints/small-2.safetensors"),
    },
    Shipped {
        name: "small-cot",
        label: "k = 1 … 4, thinking aloud, small GPT-NeoX",
        link: "v=1&r=1&W=10&T=4&layout=cot&horizon=one&k=4&loss=rows&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=muon&lr=0.02&wd=0.01&warmup=10&decay=1500&clipv=0&clipn=1&batch=32&examples=0&steps=1500&every=100&evaln=256&stop=0&seed=1&engine=auto",
        #[cfg(feature = "cli")]
        bytes: include_bytes!("../../static/checkpoints/small-cot.safetensors"),
    },
    Shipped {
        name: "small-act",
        label: "k = 2, thinking longer, small GPT-NeoX",
        link: "v=1&r=1&W=10&T=4&horizon=one&k=2&loss=rows&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&loop=layer&hops=3&opt=muon&lr=0.02&wd=0.01&warmup=10&decay=1500&clipv=0&clipn=1&batch=32&examples=0&steps=1500&every=100&evaln=256&stop=0&seed=1&engine=auto",
        #[cfg(feature = "cli")]
        bytes: include_bytes!("../../static/checkpoints/small-act.safetensors"),
    },
    Shipped {
        name: "small-armt",
        label: "k = 2, small ARMT",
        link: "v=1&r=1&W=10&T=4&horizon=one&k=2&loss=rows&vocab=compact&model=armt&layers=3&d=48&heads=4&ff=96&rope=1&base=100&mem=8&dmem=16&opt=muon&lr=0.02&wd=0.01&warmup=10&decay=1500&clipv=0&clipn=1&batch=32&examples=0&steps=1500&every=100&evaln=256&stop=0&seed=1&engine=auto",
        #[cfg(feature = "cli")]
        bytes: include_bytes!("../../static/checkpoints/small-armt.safetensors"),
    },
    Shipped {
        name: "small-grpo",
        label: "k = 2, for a reward, small GPT-NeoX",
        link: "v=1&r=1&W=10&T=4&horizon=one&k=2&loss=rows&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&learn=grpo&group=16&new=21&topk=0&opt=adamw&lr=0.0005&wd=0&warmup=5&decay=0&clipv=0&clipn=1&batch=16&examples=0&steps=100&every=20&evaln=256&stop=0&seed=1&engine=auto&from=(v=1&r=1&W=10&T=4&horizon=one&k=1&loss=all&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=adamw&lr=0.001&wd=0&warmup=5&decay=0&clipv=0&clipn=1&batch=32&examples=0&steps=40&every=40&evaln=256&stop=0&seed=1&from=(v=1&r=1&W=10&T=4&horizon=one&k=1&loss=rows&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=muon&lr=0.02&wd=0.01&warmup=10&decay=1500&clipv=0&clipn=1&batch=32&examples=0&steps=1500&every=100&evaln=256&stop=0&seed=1))",
        #[cfg(feature = "cli")]
        bytes: include_bytes!("../../static/checkpoints/small-grpo.safetensors"),
    },
];

/// The address of a checkpoint's weights, from the page.
pub fn address(name: &str) -> String {
    format!("checkpoints/{name}.safetensors")
}

/// The checkpoint that this run trained, on whichever engine.
pub fn trained_by(config: &RunConfig) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.config().is_ok_and(|made| RunConfig { engine: config.engine, ..made } == *config))
}

impl Shipped {
    /// The run that trained it.
    ///
    /// # Errors
    /// If its link cannot be read. That is an error in the table, and a test checks it.
    pub fn config(&self) -> Result<RunConfig, Vec<LinkError>> {
        link::read(self.link).map(|link| link.config)
    }
}

/// The checkpoint with this name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.name == name)
}

/// The 64-bit FNV-1a hash of a file of weights.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
