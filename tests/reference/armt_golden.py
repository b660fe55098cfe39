#!/usr/bin/env python3
"""Makes tests/golden/armt.json.

Re-make (Python and packages as for gpt_neox_golden.py; seconds on one core, the same bytes each time on one machine):

    ~/.cache/lookahead/python/bin/python tests/reference/armt_golden.py

The numbers are those of armt.py in float64; transformers has no ARMT (test_armt.py holds its first segment against
GPTNeoXForCausalLM). What is stored, the formula of the weights, tokens, loss and curves: golden.py, with this table of
scale and offset (parameters are numbered in the checkpoint's order, the memory tokens after the embedding):
    memory                            0.3 cos(0.37 j + i)
    layer norms' weights              1 + 0.1 cos(0.37 j + i)
    attention.dense.weight            0.8 cos(0.37 j + i)     memory rows that hold much of their segment write under other keys
    W_mq.weight, W_mk.weight          0.5 cos(0.37 j + i)
    W_mv.weight, embed_in.weight      0.3 cos(0.37 j + i)
    W_mb.weight                       0.1 cos(0.37 j + i)
    biases                            0.1 cos(0.37 j + i)
    other matrices                    0.2 cos(0.37 j + i)
Printed besides: the range of the divisors k · z + 1e-5 (not near 0), of γ (not all at an end), of b (not saturated),
and how large what is read is beside the rows it is added to.
"""

import sys

import armt
import golden
import torch

FORMULA = [
    golden.entry("norm.weight", 0.1, 1.0),
    golden.entry("attention.dense.weight", 0.8),
    golden.entry("W_mq.weight", 0.5),
    golden.entry("W_mk.weight", 0.5),
    golden.entry("W_mv.weight", 0.3),
    golden.entry("W_mb.weight", 0.1),
    golden.entry("embed_in.weight", 0.3),
    golden.entry(".bias", 0.1),
    golden.entry("memory", 0.3),
    golden.entry("", 0.2),
]


def config(**sizes):
    return dict(model_type="armt", vocab_size=12, hidden_act="gelu", rotary_emb_base=10000, **sizes)


CASES = {
    # Three segments of 6, 6 and 5 tokens.
    "three": dict(
        batch=2,
        length=17,
        config=config(
            hidden_size=14,
            num_hidden_layers=2,
            num_attention_heads=1,
            intermediate_size=19,
            rotary_pct=0.3,
            num_mem_tokens=3,
            d_mem=6,
            segment_length=6,
        ),
    ),
    # Four segments, the last of one token.
    "four": dict(
        batch=2,
        length=16,
        config=config(
            hidden_size=14,
            num_hidden_layers=2,
            num_attention_heads=1,
            intermediate_size=11,
            rotary_pct=0.3,
            num_mem_tokens=3,
            d_mem=6,
            segment_length=5,
        ),
    ),
    # Three whole segments; more memory tokens than tokens.
    "sixteen": dict(
        batch=3,
        length=15,
        config=config(
            hidden_size=10,
            num_hidden_layers=2,
            num_attention_heads=1,
            intermediate_size=13,
            rotary_pct=1.0,
            num_mem_tokens=16,
            d_mem=6,
            segment_length=5,
        ),
    ),
    # Two segments: written once, read once.
    "once": dict(
        batch=2,
        length=8,
        config=config(
            hidden_size=12,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=9,
            rotary_pct=0.34,
            num_mem_tokens=3,
            d_mem=4,
            segment_length=4,
        ),
    ),
}


def build(config, double):
    model = armt.ARMT(config)
    golden.fill(model.ordered_parameters(), FORMULA)
    return model.double() if double else model


def forward(model, tokens):
    return model(tokens)


def parameters(model):
    return model.ordered_parameters()


def ranges(case):
    """Smallest, tenth, median, nine tenths, largest of what must not sit at an end."""
    seen = {"divisor": [], "γ": [], "b": [], "|read| / |row|": []}
    kept = {name: getattr(armt, name) for name in ("divisor", "novelty", "write")}

    def watch(name, key, value):
        def watched(*arrays):
            result = kept[name](*arrays)
            seen[key].append((result if value is None else value(*arrays)).detach().flatten())
            return result

        setattr(armt, name, watched)

    watch("divisor", "divisor", None)
    watch("novelty", "γ", None)
    watch("write", "b", lambda memory, keys, values, strengths: strengths)
    model = build(case["config"], True)
    for layer in model.gpt_neox.layers:
        layer.register_forward_pre_hook(lambda layer, given: given[1] and seen["|read| / |row|"].append(share(layer, *given[:2])))
    model(torch.tensor(golden.batch_of(case)[0])[:, :-1])
    for name, function in kept.items():
        setattr(armt, name, function)
    spread = lambda values: " ".join(f"{q:.2g}" for q in values.quantile(torch.tensor([0, 0.1, 0.5, 0.9, 1]).double()))
    return "; ".join(f"{key} {spread(torch.cat(values))}" for key, values in seen.items() if values)


def share(layer, x, memory):
    return (armt.read(memory, armt.dpfp(layer.W_mq(x))).norm(dim=-1) / x.norm(dim=-1)).detach().flatten()


def main():
    golden.set_up()
    if sys.argv[1:]:
        sys.exit("usage: armt_golden.py")
    for name, case in CASES.items():
        print(f"{name}: {ranges(case)}")
    cases = {name: golden.case_golden(name, case, build, forward, parameters) for name, case in CASES.items()}
    about = dict(about=golden.ABOUT, config_json=CASES["three"]["config"], formula=FORMULA)
    golden.write("armt.json", dict(**about, cases=cases))


if __name__ == "__main__":
    main()
