//! `sample`, `ceiling`, `eval` and `fields`.

use super::error::CommandError;
use super::print;
use crate::config::RunConfig;
use crate::config::fields::{FIELDS, FieldKind};
use crate::engine::cpu::{Kernel, Moments};
use crate::stats::wilson;
use crate::task::{Split, estimate, published_record, sample_record};
use crate::train::backend::Trainer;
use crate::train::batch::Batch;
use crate::train::pool::ThreadPool;
use crate::train::run::measure;
use crate::train::{Backend, Performer, Plan, checkpoint, opening};
use std::path::Path;

/// Number of questions that `eval` also scores free-running.
const FREE: usize = 256;

/// Prints samples of the task as JSON lines.
pub fn sample(config: &RunConfig, count: u64, split: Split, published: bool) -> Result<(), CommandError> {
    for index in 0..count {
        let line = if published {
            published_record(&config.task, config.seed, split, index)
        } else {
            sample_record(&config.task, config.seed, split, index, config.loss_on)
        };
        print(&line.to_string())?;
    }
    Ok(())
}

/// Prints the ceiling and floors, one JSON line per depth.
pub fn ceiling(config: &RunConfig, samples: u64, split: Split) -> Result<(), CommandError> {
    for depth in config.task.depths() {
        let e = estimate(&config.task, config.seed, split, 0..samples, depth);
        let line = serde_json::json!({
            "depth": depth, "split": split, "samples": e.samples, "ceiling": e.ceiling, "bit_ceiling": e.bit_ceiling, "seen": e.seen,
            "copy": e.copy, "copy_bits": e.copy_bits, "cycle": e.cycle, "cycle_bits": e.cycle_bits,
        });
        print(&line.to_string())?;
    }
    Ok(())
}

/// Measures saved weights. The network's shape comes from the folder's config.json, or if there is none, from the weights' file.
pub fn eval(folder: &Path, config: &RunConfig, split: Split, logits: u64) -> Result<(), CommandError> {
    let file = |name: &str| folder.join(name);
    let path = file(checkpoint::CONFIG_FILE);
    let text = match std::fs::read_to_string(&path) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.map_err(|why| CommandError::Unreadable { path, why })?,
    };
    let bytes = super::error::read(&file(checkpoint::WEIGHTS_FILE))?;
    let opening::Opened { config, values, converted } = opening::open(config, &text, &bytes)?;
    if let Some(kind) = converted {
        eprintln!("The weights are {kind}. Each of them is exactly a float32, so nothing is lost.");
    }
    let plan = Plan::new(&config);
    let kernel = Kernel::best();
    let place = Backend::Pool(Box::new(ThreadPool::new(&plan, kernel, super::threads(0))), kernel);
    let mut state = pollster::block_on(Trainer::new(&plan, place, values.clone(), Moments::zero(values.len())))?;
    let measured = pollster::block_on(measure(&plan, &mut state, split, config.training.eval_samples, FREE))?;
    let depths: Vec<_> = measured
        .depths
        .iter()
        .map(|score| serde_json::json!({ "score": score, "exact_match": score.share(), "interval": wilson(score.exact, score.samples) }))
        .collect();
    let mut result = serde_json::json!({ "split": split, "depths": depths });
    if logits > 0 {
        let tokens: Vec<_> = (0..logits)
            .map(|index| config.task.encode(&config.task.sample(config.seed, split, index), config.task.depths()[0], config.loss_on))
            .collect();
        let batch = Batch::new(&tokens);
        let mut performer = Performer::new(plan, kernel);
        performer.load(&values);
        let rows: Vec<&[f32]> = performer.logits(&batch, 0)?.chunks(config.task.vocabulary.size()).collect();
        result["tokens"] = serde_json::json!(batch.inputs.chunks(batch.length).collect::<Vec<_>>());
        result["logits"] = serde_json::json!(rows.chunks(batch.length).collect::<Vec<_>>());
    }
    print(&result.to_string())?;
    Ok(())
}

/// Prints the table of fields as Markdown.
pub fn fields() -> Result<(), CommandError> {
    print("| key | name | unit | values | meaning |\n|---|---|---|---|---|")?;
    for field in FIELDS {
        let values = match field.kind {
            FieldKind::Integer { min, max } => format!("{min} … {max}"),
            FieldKind::Real { min, max } => format!("{min} … {max}"),
            FieldKind::Choice(choices) => choices.iter().map(|(value, _)| format!("`{value}`")).collect::<Vec<_>>().join(", "),
        };
        print(&format!("| `{}` | {} | {} | {values} | {} |", field.key, field.label, field.unit, field.help))?;
    }
    Ok(())
}
