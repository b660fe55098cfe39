#!/usr/bin/env python3
"""Makes tests/golden/deltanet.json.

Re-make (Python and packages as for gpt_neox_golden.py; seconds on one core, the same bytes each time on one machine):

    ~/.cache/lookahead/python/bin/python tests/reference/deltanet_golden.py

The numbers are those of deltanet.py in float64 (test_deltanet.py holds its layer against transformers' OLMo Hybrid). What
is stored, the formula of the weights, tokens, loss and curves: golden.py, with this table of scale and offset (parameters
are numbered in the checkpoint's order, A_log and dt_bias before o_norm):
    embed.weight                      1.0 cos(0.37 j + i)
    norms' weights                    1 + 0.1 cos(0.37 j + i)
    v_conv1d.weight, b_proj.weight    0.5 cos(0.37 j + i)
    v_conv1d.bias                     0.1 cos(0.37 j + i)
    q_, k_conv1d.weight               0.1 cos(0.37 j + i)     short queries and keys show the 1e-6 added to their squared length
    q_, k_conv1d.bias                 0.02 cos(0.37 j + i)
    A_log                             0.5 + 0.6 cos(0.37 j + i)
    dt_bias                           -2.5 + 2 cos(0.37 j + i)
    other matrices                    0.3 cos(0.37 j + i)
Printed besides: the ranges of β, of α, of the sum of log α over a sequence, of Σ q² and Σ k², and of |k_s · k_t| for the
keys of one sequence and head. At other sizes the float32 error of the gradients is up to 1.5e-5, that of the curves 1e-5.
"""

import sys

import deltanet
import golden
import torch

FORMULA = [
    golden.entry("embed.weight", 1.0),
    golden.entry("norm.weight", 0.1, 1.0),
    *(golden.entry(f"{which}_conv1d.weight", scale) for which, scale in (("q", 0.1), ("k", 0.1), ("v", 0.5))),
    *(golden.entry(f"{which}_conv1d.bias", scale) for which, scale in (("q", 0.02), ("k", 0.02), ("v", 0.1))),
    golden.entry("b_proj.weight", 0.5),
    golden.entry("A_log", 0.6, 0.5),
    golden.entry("dt_bias", 2.0, -2.5),
    golden.entry("", 0.3),
]


def config(width, layers, heads, ff, gated, negative, vocab=12):
    return dict(
        architectures=["DeltaNet"],
        model_type="deltanet",
        dtype="float32",
        vocab_size=vocab,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=ff,
        conv_kernel=4,
        use_decay=gated,
        allow_neg_eigval=negative,
        norm_eps=deltanet.NORM_EPSILON,
        hidden_act="gelu",
        tie_word_embeddings=False,
    )


CASES = {
    "plain": dict(batch=3, length=13, config=config(14, 2, 2, 11, gated=False, negative=False)),
    # Longer than a chunk of 64.
    "range 2": dict(batch=2, length=75, config=config(10, 2, 2, 12, gated=False, negative=True)),
    "gated": dict(batch=2, length=11, config=config(12, 2, 3, 9, gated=True, negative=False)),
    # Longer than two chunks of 64.
    "gated range 2": dict(batch=2, length=131, config=config(8, 2, 2, 9, gated=True, negative=True, vocab=5)),
    # With three words the third sequence is one word over and over and the others have a period of three: many keys coincide.
    "repeated": dict(batch=3, length=70, config=config(6, 2, 1, 7, gated=False, negative=True, vocab=3)),
}


def build(config, double):
    model = deltanet.DeltaNet(config)
    golden.fill(model.ordered_parameters(), FORMULA)
    return model.double() if double else model


def forward(model, tokens):
    return model(tokens)


def parameters(model):
    return model.ordered_parameters()


def ranges(case):
    """Smallest, tenth, median, nine tenths, largest."""
    seen = {"β": [], "α": [], "Σ log α": [], "Σ q²": [], "Σ k²": [], "|k_s · k_t|": []}

    def watch(layer, given):
        q, k, v, beta, alpha = layer.inputs(layer.norm(given[0]))
        keys = deltanet.unit(k).transpose(1, 2)
        below = torch.ones(k.shape[1], k.shape[1], dtype=torch.bool).tril(-1)
        found = (beta, alpha, alpha.log().sum(1), q.square().sum(-1), k.square().sum(-1), (keys @ keys.mT).abs()[..., below])
        for values, one in zip(seen.values(), found, strict=True):
            values.append(one.detach().flatten())

    model = build(case["config"], True)
    for layer in model.layers:
        layer.register_forward_pre_hook(watch)
    model(torch.tensor(golden.batch_of(case)[0])[:, :-1])
    spread = lambda values: " ".join(f"{q:.2g}" for q in values.quantile(torch.tensor([0, 0.1, 0.5, 0.9, 1]).double()))
    return "; ".join(f"{key} {spread(torch.cat(values))}" for key, values in seen.items())


def main():
    golden.set_up()
    if sys.argv[1:]:
        sys.exit("usage: deltanet_golden.py")
    for name, case in CASES.items():
        print(f"{name}: {ranges(case)}")
    cases = {name: golden.case_golden(name, case, build, forward, parameters) for name, case in CASES.items()}
    about = dict(about=golden.ABOUT, config_json=CASES["gated"]["config"], formula=FORMULA)
    golden.write("deltanet.json", dict(**about, cases=cases))


if __name__ == "__main__":
    main()
