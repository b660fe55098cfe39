//! `sample`, `ceiling`, `eval` and `fields`.

use super::print;
use crate::config::RunConfig;
use crate::config::fields::{FIELDS, Kind};
use crate::engine::cpu::{Kernel, Moments};
use crate::stats::wilson;
use crate::task::{Split, estimate, published_record, sample_record};
use crate::train::batch::Batch;
use crate::train::place::State;
use crate::train::pool::ThreadPool;
use crate::train::run::measure;
use crate::train::{Performer, Place, Plan, checkpoint, opening};
use std::path::Path;

/// Questions that `eval` also asks free-running.
const FREE: usize = 256;

/// JSON lines of the task.
pub fn sample(config: &RunConfig, count: u64, split: Split, published: bool) -> Result<(), String> {
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

/// One JSON line a depth.
pub fn ceiling(config: &RunConfig, samples: u64, split: Split) -> Result<(), String> {
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

/// Accuracy of saved weights; the network's shape comes from the folder's config.json.
pub fn eval(folder: &Path, config: &RunConfig, split: Split, logits: u64) -> Result<(), String> {
    let file = |name: &str| folder.join(name);
    let text = std::fs::read_to_string(file(checkpoint::CONFIG_FILE))
        .map_err(|error| format!("{} cannot be read: {error}", file(checkpoint::CONFIG_FILE).display()))?;
    let bytes = std::fs::read(file(checkpoint::WEIGHTS_FILE))
        .map_err(|error| format!("{} cannot be read: {error}", file(checkpoint::WEIGHTS_FILE).display()))?;
    let opening::Opened { config, values } = opening::open(config, &text, &bytes)?;
    let plan = Plan::new(&config);
    let kernel = Kernel::best();
    let place = Place::Pool(Box::new(ThreadPool::new(&plan, kernel, super::threads(0))), kernel);
    let mut state = pollster::block_on(State::new(&plan, place, values.clone(), Moments::zero(values.len())))?;
    let measured = pollster::block_on(measure(&plan, &mut state, split, config.training.eval_samples, FREE))?;
    let depths: Vec<_> = measured
        .depths
        .iter()
        .map(|score| serde_json::json!({ "score": score, "exact_match": score.exact as f64 / score.samples.max(1) as f64, "interval": wilson(score.exact, score.samples) }))
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

/// The table of fields as Markdown.
pub fn fields() -> Result<(), String> {
    print("| key | name | unit | values | meaning |\n|---|---|---|---|---|")?;
    for field in FIELDS {
        let values = match field.kind {
            Kind::Integer { min, max } => format!("{min} … {max}"),
            Kind::Real { min, max } => format!("{min} … {max}"),
            Kind::Choice(choices) => choices.iter().map(|(value, _)| format!("`{value}`")).collect::<Vec<_>>().join(", "),
        };
        print(&format!("| `{}` | {} | {} | {values} | {} |", field.key, field.label, field.unit, field.help))?;
    }
    Ok(())
}
