#!/usr/bin/env python3
"""Makes tests/golden/lstm.json.

Re-make (Python and packages as for gpt_neox_golden.py; seconds on one core, the same bytes each time on one machine):

    ~/.cache/lookahead/python/bin/python tests/reference/lstm_golden.py

The numbers are those of torch's own modules, in float64: nn.Embedding, nn.LSTM (gates i, f, g, o; two bias vectors;
state zero at the start) and nn.Linear. What is stored, the formula of the weights, tokens, loss and curves: golden.py,
with this table of scale and offset (layers count from 0, parameters are numbered in state_dict order):
    embedding.weight                  1.0 cos(0.37 j + i)
    lstm.weight_ih_l*, weight_hh_l*   0.3 cos(0.37 j + i)
    lstm.bias_ih_l*, bias_hh_l*       0.2 cos(0.37 j + i)
    head.weight                       0.5 cos(0.37 j + i)
    head.bias                         0.1 cos(0.37 j + i)
The fraction of gate values outside 0.02 … 0.98 is printed: they must not be saturated.
"""

import sys

import golden
import torch
from lstm import LSTM

LAYERS = 3
FORMULA = [
    golden.entry("embedding.weight", 1.0),
    golden.entry("head.weight", 0.5),
    golden.entry("head.bias", 0.1),
    *(golden.entry(f"bias_{which}_l{layer}", 0.2) for which in ("ih", "hh") for layer in range(LAYERS)),
    golden.entry("", 0.3),
]


def config(**sizes):
    return dict(model_type="lstm", architectures=["LSTM"], vocab_size=12, **sizes)


CASES = {
    "two": dict(batch=3, length=13, config=config(hidden_size=20, num_hidden_layers=2)),
    "three": dict(batch=2, length=11, config=config(hidden_size=15, num_hidden_layers=3)),
}


def build(config, double):
    model = LSTM(config)
    assert list(model.state_dict()) == [name for name, _ in model.named_parameters()]
    if double:
        model = model.double()
    golden.fill(model.named_parameters(), FORMULA)
    return model


def forward(model, tokens):
    return model(tokens)


def saturation(case):
    """The fraction of gate values outside 0.02 … 0.98 (g as (g + 1) / 2), by a plain loop; that loop against torch's."""
    model, tokens = build(case["config"], True), torch.tensor(golden.batch_of(case)[0])[:, :-1]
    outside, total, rows = 0, 0, model.embedding(tokens)
    for layer in range(case["config"]["num_hidden_layers"]):
        w, u, a, b = (getattr(model.lstm, f"{p}_l{layer}") for p in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        h, c, after = torch.zeros_like(rows[:, 0]), torch.zeros_like(rows[:, 0]), []
        for x in rows.unbind(1):
            i, f, g, o = (x @ w.T + a + h @ u.T + b).chunk(4, dim=-1)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            c = f * c + i * g
            h = o * c.tanh()
            after.append(h)
            gates = torch.cat((i, f, (g + 1) / 2, o))
            outside, total = outside + int(((gates < 0.02) | (gates > 0.98)).sum()), total + gates.numel()
        rows = torch.stack(after, 1)
    torch.testing.assert_close(model.head(rows), model(tokens), rtol=0, atol=1e-12)
    return outside / total


def main():
    golden.set_up()
    if sys.argv[1:]:
        sys.exit("usage: lstm_golden.py")
    cases = {name: golden.case_golden(name, case, build, forward) for name, case in CASES.items()}
    for name, case in CASES.items():
        print(f"{name}: {saturation(case):.1%} of gate values outside 0.02 … 0.98")
    about = dict(about=golden.ABOUT, config_json=CASES["two"]["config"], formula=FORMULA)
    golden.write("lstm.json", dict(**about, cases=cases))


if __name__ == "__main__":
    main()
