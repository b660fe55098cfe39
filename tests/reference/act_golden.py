#!/usr/bin/env python3
"""Makes tests/golden/act.json.

Re-make (Python and packages as for gpt_neox_golden.py; a minute on one core, the same bytes each time on one machine):

    ~/.cache/lookahead/python/bin/python tests/reference/act_golden.py

The numbers are those of act.py in float64 around each network's own reference. What is stored, the formula of the
weights, tokens, loss and curves: golden.py, with the network's own table of scale and offset (in its golden script),
which here stands in each case, after the halting units' entries (`UNITS`). Parameters are numbered in the checkpoint's order,
the halting units' last. The loss, of the curves too, has the penalty. A case has besides:
    model_type, mode, hops            mode "fixed" has no halting units, and no penalty
    cross_entropy, mean_remainder     loss = cross_entropy + tau · mean_remainder
    row_hops                          T + 1 of [unit][segment][sequence][row], memory rows after the segment's tokens
As in src/model/armt.rs, ARMT's last segment has no memory rows; the penalty is the one thing that can tell.

Printed besides: of each unit, how many rows halt at hop 1, 2, …, and how near a row's sum comes to the threshold, in
this pass and in those of the curves: float32 must not halt a row elsewhere.
"""

import sys

import act
import armt_golden
import golden
import gpt_neox_golden
import lstm_golden
import mamba_golden
import torch

TAU = 0.01
HOPS = {"layer": 4, "stack": 4, "fixed": 3}
SIZES = {
    "gpt_neox": (11, dict(hidden_size=14, num_attention_heads=2, intermediate_size=11, rotary_pct=0.6, rotary_emb_base=100)),
    "lstm": (13, dict(hidden_size=11)),
    "mamba": (11, mamba_golden.config(10, 2)),
    # Three segments of 6, 6 and 5 tokens. At other sizes float32 loses two digits more: queries all but miss what is stored.
    "armt": (
        17,
        dict(
            hidden_size=12,
            num_attention_heads=1,
            intermediate_size=15,
            rotary_pct=0.34,
            num_mem_tokens=3,
            d_mem=5,
            segment_length=6,
        ),
    ),
}
GPT_NEOX_FORMULA = [golden.entry(".bias", 0.1), golden.entry("norm.weight", 0.1, 1.0), golden.entry("", 0.3)]
FORMULAS = {
    "gpt_neox": GPT_NEOX_FORMULA,
    "lstm": lstm_golden.FORMULA,
    "mamba": mamba_golden.FORMULA,
    "armt": armt_golden.FORMULA,
}
UNITS = {
    "gpt_neox layer": [(1.4, -0.75), (2.0, 0.75)],
    "gpt_neox stack": [(0.7, 1.75)],
    "lstm layer": [(1.4, -1.5), (3.0, 1.0)],
    "lstm stack": [(1.0, -0.75)],
    "mamba layer": [(1.0, -2.0), (1.0, 1.25)],
    "mamba stack": [(0.7, 2.0)],
    "armt layer": [(1.4, 0.5), (1.0, 1.5)],
    "armt stack": [(2.0, 1.0)],
}
"""Each unit's scale of the weights, and bias: chosen so that rows of it halt at every hop."""


def config(kind, sizes):
    own = {
        "gpt_neox": lambda: gpt_neox_golden.COMMON | dict(num_hidden_layers=2, use_parallel_residual=True, **sizes),
        "lstm": lambda: lstm_golden.config(num_hidden_layers=2, **sizes),
        "mamba": lambda: sizes,
        "armt": lambda: armt_golden.config(num_hidden_layers=2, **sizes),
    }
    return own[kind]()


def formula(kind, mode):
    table = []
    for unit, (scale, bias) in enumerate(UNITS.get(f"{kind} {mode}", [])):
        table += [golden.entry(f"halting.{unit}.weight", scale), golden.entry(f"halting.{unit}.bias", 0, bias)]
    return table + FORMULAS[kind]


CASES = {
    f"{kind} {mode}": dict(
        kind=kind,
        mode=mode,
        hops=HOPS[mode],
        formula=formula(kind, mode),
        batch=2,
        length=length,
        config=config(kind, sizes),
    )
    for kind, (length, sizes) in SIZES.items()
    for mode in act.MODES
}


def network(kind, config, double):
    if kind == "gpt_neox":
        return gpt_neox_golden.build({key: value for key, value in config.items() if key not in gpt_neox_golden.COMMON}, double)
    return {"lstm": lstm_golden, "mamba": mamba_golden, "armt": armt_golden}[kind].build(config, double)


def build(case, double):
    sizes = case["config"]
    model = act.ACT(network(case["kind"], sizes, double), sizes["hidden_size"], sizes["num_hidden_layers"], case["mode"], case["hops"])
    model = model.double() if double else model
    golden.fill(model.ordered_parameters(), case["formula"])
    return model


def forward(model, tokens):
    found = model(tokens)
    return found.logits, TAU * found.remainder() if found.loops else 0


def parameters(model):
    return model.ordered_parameters()


def halted(case):
    """What the case stores of halting."""
    tokens, mask = golden.batch_of(case)
    model = build(case, True)
    found = model(torch.tensor(tokens)[:, :-1])
    loss = golden.loss_of(model, lambda model, tokens: found.logits, tokens, mask)[1].item()
    stored = dict(model_type=case["kind"], mode=case["mode"], hops=case["hops"], formula=case["formula"], cross_entropy=golden.digits(loss))
    if not found.loops:
        return stored
    for unit, loops in enumerate(found.loops):
        counts = torch.cat([loop.hops.flatten() for loop in loops]).bincount(minlength=case["hops"] + 1)[1:]
        print(f"  unit {unit}: rows by hops {counts.tolist()}")
    near = [nearest(found)]

    def watched(model, tokens):
        found = model(tokens)
        near.append(nearest(found))
        return found.logits, TAU * found.remainder()

    for clip in golden.CURVES.values():
        golden.curve(model, watched, tokens, mask, **clip)
    print(f"  nearest to the threshold {near[0]:.1e}, in the curves {min(near):.1e}; mean remainder {found.remainder():.3g}")
    row_hops = [[loop.hops.tolist() for loop in loops] for loops in found.loops]
    return dict(**stored, mean_remainder=golden.digits(found.remainder().item()), row_hops=row_hops)


def nearest(found):
    """The least |Σ p − (1 − ε)| of what decided whether a row halts: all sums up to where it did, the last hop's apart."""
    distances = []
    for loop in (loop for loops in found.loops for loop in loops):
        sums = loop.sums[..., :-1]
        decided = torch.arange(sums.shape[-1]) < loop.hops[..., None]
        distances.append((sums[decided] - (1 - act.EPSILON)).abs().min().item())
    return min(distances)


def main():
    golden.set_up()
    if sys.argv[1:]:
        sys.exit("usage: act_golden.py")
    cases = {}
    for name, case in CASES.items():
        build_it = lambda config, double, case=case: build(case, double)
        cases[name] = golden.case_golden(name, case, build_it, forward, parameters) | halted(case)
    golden.write("act.json", dict(about=golden.ABOUT, epsilon=act.EPSILON, tau=TAU, cases=cases))


if __name__ == "__main__":
    main()
