//! The numbers that teachers' pages tell: short runs are made again, and every number belongs to a run of its lesson.

use lookahead::config::{RunConfig, Start};
use lookahead::engine::cpu::Kernel;
use lookahead::lesson::{self, Live, NAMES};
use lookahead::task::Split;
use lookahead::train::pool::ThreadPool;
use lookahead::train::{Backend, Plan, Run};
use pollster::block_on;
use std::path::Path;

/// Runs of at most as many steps, without a reward, are made again here. The others were made by `lookahead train LINK`.
const SHORT: u64 = 300;

fn read(name: &str) -> lesson::Lesson {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("lessons/{name}.md"))).unwrap();
    lesson::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn test_scores(config: &RunConfig) -> Vec<(usize, usize, usize)> {
    let (kernel, plan) = (Kernel::separate(), Plan::new(config));
    let place = Backend::Pool(Box::new(ThreadPool::new(&plan, kernel, 2)), kernel);
    let mut run = block_on(Run::new(config, place, None)).unwrap();
    while run.ended().is_none() {
        block_on(run.step()).unwrap();
        if run.measurement_due() {
            block_on(run.measure(Split::Validation)).unwrap();
        }
    }
    let measured = block_on(run.measure(Split::Test)).unwrap().0;
    measured.depths.iter().map(|score| (score.depth, score.exact, score.samples)).collect()
}

#[test]
fn the_numbers_of_teachers_pages_are_measured_and_the_short_ones_are_made_again() {
    let mut again = 0;
    for name in NAMES {
        let (student, teacher) = (read(name), read(&format!("{name}.teacher")));
        for live in teacher.live() {
            let Live::Expect { id, config, rows } = live else { continue };
            assert_eq!(student.run(id), Some(&**config), "{name}: the run “{id}” is another in the lesson");
            let depths: Vec<usize> = rows.iter().map(|row| row.depth).collect();
            assert_eq!(depths, config.task.depths(), "{name}: the run “{id}” is not measured at each of its depths");
            assert!(rows.iter().all(|row| row.asked == config.training.eval_samples && row.right <= row.asked), "{name}: {id}");
            if config.training.steps <= SHORT && config.start == Start::Scratch {
                let rows: Vec<_> = rows.iter().map(|row| (row.depth, row.right, row.asked)).collect();
                assert_eq!(test_scores(config), rows, "{name}: {id}");
                again += 1;
            }
        }
    }
    assert!(again > 0, "no lesson has a run of at most {SHORT} steps");
}
