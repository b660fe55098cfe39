//! Checkpoints that the site carries, so that fine-tuning and GRPO can begin at once. Each was made by the command line from its link:
//! `lookahead train LINK --save DIR`; `docs/checkpoints.md` has the commands and what each scores.

use super::{RunConfig, Start, link};

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
    link: "v=1&r=1&W=8&T=6&horizon=one&k=1&loss=all&vocab=compact&model=neox&layers=3&d=48&heads=4&ff=96&rope=1&base=100&opt=adamw&lr=0.001&wd=0&warmup=5&decay=0&clipv=0&clipn=1&batch=32&examples=0&steps=40&every=40&evaln=128&stop=0&seed=1&engine=auto&from=file-8d393e846d855d63",
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

impl Start {
    /// Its value in links; none where nothing need be said.
    pub fn text(&self) -> Option<String> {
        match self {
            Start::Scratch => None,
            Start::Shipped(name) => Some(name.clone()),
            Start::File(hash) => Some(format!("file-{hash:016x}")),
        }
    }

    /// Reads that value.
    ///
    /// # Errors
    /// A sentence when there is no such checkpoint, or the hash of a file was cut off.
    pub fn read(text: &str) -> Result<Self, String> {
        if let Some(digits) = text.strip_prefix("file-") {
            let hash = (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok()).flatten();
            return hash
                .map(Start::File)
                .ok_or_else(|| format!("“from” names a file by 16 digits, not “{text}”: the link was probably cut off."));
        }
        if find(text).is_some() {
            return Ok(Start::Shipped(text.into()));
        }
        let known: Vec<&str> = SHIPPED.iter().map(|shipped| shipped.name).collect();
        Err(format!("“{text}” (from) is no checkpoint of this site: it has {}.", known.join(", ")))
    }
}

/// Why a run cannot start from the checkpoint that it names: the field's key and a sentence.
pub fn problem(config: &RunConfig) -> Option<(&'static str, String)> {
    let Start::Shipped(name) = &config.start else { return None };
    let made = match find(name).map(Shipped::config) {
        Some(Ok(made)) => made,
        Some(Err(fault)) => return Some(("from", fault)),
        None => return Some(("from", format!("There is no checkpoint called “{name}”."))),
    };
    let (mut ours, theirs) = (config.model.clone(), made.model);
    // A loop adds its own units, which are drawn anew.
    (ours.looped, ours.hops) = (theirs.looped, theirs.hops);
    let same = ours == theirs && config.task.vocabulary == made.task.vocabulary;
    (!same).then(|| {
        let sentence = format!(
            "The checkpoint “{name}” is a {} of {} layers and width {}, with the vocabulary “{}”: set the network to the same sizes, or start from another.",
            theirs.kind.name(),
            theirs.layers,
            theirs.width,
            made.task.vocabulary.name()
        );
        ("from", sentence)
    })
}
