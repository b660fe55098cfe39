#!/usr/bin/env python3
"""Makes tests/golden/armt.json.

Re-make (Python and packages as for gpt_neox_golden.py; seconds on one core, the same bytes each time on one machine):

    ~/.cache/lookahead/python/bin/python tests/reference/armt_golden.py

The numbers are those of armt.py beside this file, in float64, whose own test holds it to what the architecture promises. What is
stored, the formula of the weights, tokens, loss and curves: golden.py, with this table of scale and offset (parameters are numbered
in the order of armt.parameters):
    layernorm.weight, layer_norm.weight   1 + 0.1 cos(0.37 j + i)
    layernorm.bias, layer_norm.bias       0.1 cos(0.37 j + i)
    W_mq, W_mk, W_mv.weight               0.4 cos(0.37 j + i)
    W_mb.bias                             0.5 cos(0.37 j + i)
    memory                                0.8 cos(0.37 j + i)
    all else                              0.3 cos(0.37 j + i)
The smallest divisors are printed. A query that all but misses every stored key is divided by little more than the 1e-5 that is added,
and float32 is then no judge of what comes out: the sizes of the cases are some at which it stays one, over ten steps too. (A query
that misses them altogether, divisor 0, reads exactly nothing.)
"""

import sys

import armt
import golden
import torch

FORMULA = [
    golden.entry("norm.weight", 0.1, 1.0),
    golden.entry("norm.bias", 0.1),
    golden.entry("W_mq.weight", 0.4),
    golden.entry("W_mk.weight", 0.4),
    golden.entry("W_mv.weight", 0.4),
    golden.entry("W_mb.bias", 0.5),
    golden.entry("memory", 0.8),
    golden.entry("", 0.3),
]


def config(**changes):
    rope = dict(rope_type="default", rope_theta=100, partial_rotary_factor=1.0)
    return dict(
        vocab_size=12,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=20,
        hidden_act="gelu",
        rotary_pct=1.0,
        rotary_emb_base=100,
        rope_parameters=rope,
        use_parallel_residual=True,
        attention_bias=True,
        tie_word_embeddings=False,
        **changes,
    )


CASES = {
    # Four segments, the last of two tokens.
    "short": dict(batch=3, length=14, config=config(num_mem_tokens=6, d_mem=10, segment_length=4)),
    # Three, the last whole.
    "even": dict(batch=2, length=18, config=config(num_mem_tokens=4, d_mem=9, segment_length=6)),
    # The paper's sixteen memory tokens, one segment more than layers.
    "many": dict(batch=1, length=15, config=config(num_mem_tokens=16, d_mem=9, segment_length=6)),
}


def build(config, double):
    model = armt.ARMT(config)
    golden.fill(armt.parameters(model), FORMULA)
    return model.double() if double else model


def forward(model, tokens):
    return model(tokens)


def divisors(case):
    """The smallest q·z and k·z of a case."""
    model, seen = build(case["config"], True), []
    for layer in model.gpt_neox.layers:
        read, write = layer.read, layer.write

        def noted(map, rows, memory):
            if memory is not None:
                seen.append((armt.dpfp(map(rows)) * memory[1][:, None]).sum(-1).min().item())

        layer.read = lambda h, memory, layer=layer, read=read: noted(layer.W_mq, h, memory) or read(h, memory)
        layer.write = lambda m, memory, layer=layer, write=write: noted(layer.W_mk, m, memory) or write(m, memory)
    with torch.no_grad():
        model(torch.tensor(golden.batch_of(case)[0])[:, :-1])
    return min(seen)


def main():
    golden.set_up()
    if sys.argv[1:]:
        sys.exit("usage: armt_golden.py")
    cases = {name: golden.case_golden(name, case, build, forward, armt.parameters) for name, case in CASES.items()}
    for name, case in CASES.items():
        print(f"{name}: smallest divisor {divisors(case):.2g}")
    golden.write("armt.json", dict(about=golden.ABOUT, formula=FORMULA, cases=cases))


if __name__ == "__main__":
    main()
