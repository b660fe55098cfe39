//! The same goldens on the graphics engine: with the kernels that the adapter gets, and with those of a graphics card.

use super::{Case, GOLDENS, adamw, error, numbers};
use crate::common::{ADAPTER, adapters};
use lookahead::config::RunConfig;
use lookahead::engine::gpu::{Gpu, Resident};
use lookahead::engine::{Program, Purpose, Target};
use lookahead::train::{loss, optimizer};
use pollster::block_on;

/// An adapter's `exp` and division may be off by more than half a unit in the last place (llvmpipe's are): errors were up to 2.6 times
/// what the CPU's tolerances allow.
const LOOSER: f64 = 3.0;

/// A case with tolerances for this engine.
fn looser(case: Case) -> Case {
    Case { tolerances: case.tolerances.map(|tolerance| LOOSER * tolerance), ..case }
}

fn cases() -> Vec<Case> {
    super::cases().into_iter().map(looser).collect()
}

/// A case on a device: its weights, and the programs of its logits and of its gradient.
struct OnCard<'a> {
    case: &'a Case,
    resident: Resident,
    programs: [Program; 2],
    ids: [usize; 2],
}

impl<'a> OnCard<'a> {
    fn new(case: &'a Case, gpu: &Gpu, run: &RunConfig) -> Self {
        let plan = &case.plan;
        let mut resident = Resident::new(gpu, optimizer::update(&run.training, &plan.parameters), &case.weights).unwrap();
        let programs = [Purpose::Answer, Purpose::Gradient]
            .map(|purpose| loss::program(&plan.model, &plan.shapes, case.batch.shape(0), case.of, purpose, Target::Gpu).unwrap());
        let ids = [0, 1].map(|index| resident.add(programs[index].clone()));
        Self { case, resident, programs, ids }
    }

    fn run(&mut self, program: usize) {
        self.resident.run(self.ids[program], &self.case.batch.words(0));
    }

    fn read(&self, address: usize, count: usize) -> Vec<f32> {
        block_on(self.resident.read(address, count)).unwrap()
    }
}

#[test]
fn logits_loss_and_every_gradient_equal_the_reference_on_the_graphics_engine() {
    for (name, gpu) in adapters() {
        for case in cases() {
            let mut card = OnCard::new(&case, &gpu, &adamw(&case, "value"));
            let at = format!("{} on {name}", case.at);
            card.run(0);
            let (place, count) = card.programs[0].logits.unwrap();
            let logits = error(&card.read(card.programs[0].address(place), count), &numbers(&case.json["logits"]));
            assert!(logits < case.tolerances[0], "{at}: logits off by {logits:e}");
            card.run(1);
            let weights = card.programs[1].weights;
            let found = card.read(weights, weights + 1);
            let off = error(&found[weights..], &numbers(&case.json["loss"]));
            assert!(off < case.tolerances[1], "{at}: loss off by {off:e}");
            case.compare_gradients(&found[..weights], &at);
        }
    }
}

#[test]
fn ten_steps_of_adamw_equal_torch_on_the_graphics_engine() {
    for (name, gpu) in adapters() {
        // A software adapter carries a card's kernels out slowly, and all their gradients are compared above.
        let cases = if name == ADAPTER { cases() } else { GOLDENS.iter().map(|golden| looser(golden.cases().swap_remove(0))).collect() };
        // The update, and so what it clips by, is the same program on both.
        let clips: &[&str] = if name == ADAPTER { &["value", "norm"] } else { &["norm"] };
        for (case, clip) in cases.iter().flat_map(|case| clips.iter().map(move |clip| (case, clip))) {
            let run = adamw(case, clip);
            let mut card = OnCard::new(case, &gpu, &run);
            for step in 1..=11 {
                card.run(1);
                card.resident.update(&optimizer::rates(&run, step), step as usize - 1);
            }
            let totals = block_on(card.resident.totals()).unwrap();
            let losses: Vec<f32> = totals[..11].iter().map(|total| total[0]).collect();
            let error = error(&losses, &numbers(&case.json[format!("adamw_clip_{clip}")]["losses"]));
            assert!(error < case.tolerances[3], "{} on {name}, clipped by {clip}: the curve is off by {error:e}", case.at);
        }
    }
}
