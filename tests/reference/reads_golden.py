#!/usr/bin/env python3
"""Makes tests/golden/reads.json: the attention weights of transformers' GPTNeoXForCausalLM on the cases of gpt_neox.json.

    ~/.cache/lookahead/python/bin/python tests/reference/reads_golden.py

Seconds on one core, the same bytes each time on one machine. Weights, configurations and tokens are those of gpt_neox_golden.py, which this
script imports. Stored for each case is the first sequence's `attentions`, [layers][heads][T][T], float64 with nine significant digits; the
zeros above the diagonal are part of it. `float32_error` is the largest difference of float32 with eager attention, absolute: weights are
shares of 1.
"""

import sys

import numpy
import torch
import transformers
from gpt_neox_golden import CASES, batch_of, build, digits, flat, write


def attentions(case, double):
    """[layers, heads, T, T] of the first sequence."""
    tokens, _ = batch_of(case)
    model = build(case["config"], double)
    with torch.no_grad():
        found = model(torch.tensor(tokens[:1])[:, :-1], use_cache=False, output_attentions=True).attentions
    assert len(found) == case["config"]["num_hidden_layers"]
    return torch.cat(found).double().numpy()


def golden(name, case):
    truth, single = attentions(case, True), attentions(case, False)
    assert abs(truth.sum(-1) - 1).max() < 1e-12 and abs(numpy.triu(truth, 1)).max() == 0
    error = float(abs(single - truth).max())
    print(f"{name}: {truth.shape}, largest weight off the diagonal's row 0 {truth[:, :, 1:].max():.2f}, float32 differs by {error:.1e} at most")
    return dict(shape=truth.shape, attentions=flat(truth), float32_error=digits(error, 2))


def main():
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    if sys.argv[1:]:
        sys.exit("usage: reads_golden.py")
    about = (
        "Made by tests/reference/reads_golden.py, whose first lines say how to re-make it and what each number is; "
        f"python {sys.version.split()[0]}, torch {torch.__version__}, transformers {transformers.__version__}. Do not edit by hand."
    )
    cases = {name: golden(name, case) for name, case in CASES.items() if case["config"]["use_parallel_residual"]}
    write("reads.json", dict(about=about, cases=cases))


if __name__ == "__main__":
    main()
