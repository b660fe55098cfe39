//! The same goldens on Burn (burn-flex; the module `burn` of this program holds burn-wgpu against it), and those of the network that only Burn computes.

use super::{Case, GOLDENS, Golden, adamw, curve, error, numbers};
use lookahead::engine::burn::Burn;
use lookahead::engine::cpu::Kernel;
use lookahead::train::Direct;
use pollster::block_on;

const DELTANET: Golden =
    Golden { name: "deltanet", text: include_str!("../../golden/deltanet.json"), tolerances: [3e-6, 9e-7, 1e-5, 2e-6] };

/// Burn's sums have another order than ours and PyTorch's: errors were up to 1.6 times what the CPU's tolerances allow.
const LOOSER: f64 = 2.0;

fn cases() -> Vec<Case> {
    let looser = |case: Case| Case { tolerances: case.tolerances.map(|tolerance| LOOSER * tolerance), ..case };
    GOLDENS.iter().chain([&DELTANET]).flat_map(Golden::cases).map(looser).collect()
}

fn burn(case: &Case, weights: &[f32]) -> Direct<Burn> {
    let mut direct = Direct::new(case.plan.clone(), Burn::flex());
    direct.load(weights);
    direct
}

#[test]
fn names_and_shapes_of_deltanet_are_the_references() {
    for case in DELTANET.cases() {
        let found: Vec<_> = case.plan.parameters.iter().map(|parameter| serde_json::json!([parameter.name, parameter.shape])).collect();
        assert_eq!(serde_json::Value::Array(found), case.json["parameters"], "{}", case.at);
    }
}

#[test]
fn logits_loss_and_every_gradient_equal_the_reference_on_burn() {
    for case in cases() {
        let mut direct = burn(&case, &case.weights);
        let logits = block_on(direct.logits(&case.batch, 0)).unwrap();
        let found = block_on(direct.learn(&case.batch, 0, case.of)).unwrap();
        case.compare(&logits, found.loss, &found.gradient, &format!("{} on Burn", case.at));
    }
}

#[test]
fn ten_steps_of_deltanet_equal_torch() {
    for (case, clip) in DELTANET.cases().iter().flat_map(|case| ["value", "norm"].map(|clip| (case, clip))) {
        let losses = numbers(&case.json[format!("adamw_clip_{clip}")]["losses"]);
        let found = curve(case, &adamw(case, clip), Kernel::separate(), |weights| {
            let found = block_on(burn(case, weights).learn(&case.batch, 0, case.of)).unwrap();
            (found.loss, found.gradient)
        });
        let error = error(&found, &losses);
        assert!(error < case.tolerances[3], "{}, clipped by {clip}: the curve is off by {error:e}", case.at);
    }
}
