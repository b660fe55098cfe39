#!/usr/bin/env python3
"""Makes tests/golden/mamba.json.

Re-make (Python and packages as for gpt_neox_golden.py; seconds on one core, the same bytes each time on one machine):

    ~/.cache/lookahead/python/bin/python tests/reference/mamba_golden.py

The numbers are those of transformers' MambaForCausalLM, tied embeddings, plain PyTorch path, in float64. Transformers
computes the norm, the residual stream, exp(A_log), D and the scan in float32 whatever the model's type, so the float64
model has its norms and mixers replaced by the same formulas in float64 (`exact`). The unmodified float32 model is run
beside it. What is stored, the formula of the weights, tokens, loss and curves: golden.py, with this table of scale and
offset (parameters are numbered in state_dict order, lm_head.weight left out: it is backbone.embeddings.weight):
    embeddings.weight                 1.0 cos(0.37 j + i)
    norm.weight, norm_f.weight        1 + 0.1 cos(0.37 j + i)
    A_log                             0.5 + 0.9 cos(0.37 j + i)
    D                                 1 + 0.3 cos(0.37 j + i)
    conv1d.weight, x_proj.weight      0.4 cos(0.37 j + i)
    conv1d.bias                       0.1 cos(0.37 j + i)
    dt_proj.weight                    0.5 cos(0.37 j + i)
    dt_proj.bias                      -1.5 + 0.7 cos(0.37 j + i)
    in_proj.weight, out_proj.weight   0.3 cos(0.37 j + i)
The range of Δ and of the decay exp(Δ A) is printed: neither must sit at an end.
"""

import json
import sys
import tempfile
from pathlib import Path

import golden
import torch
import transformers
from safetensors.torch import load_file
from torch.nn.functional import conv1d, silu, softplus
from transformers import MambaConfig, MambaForCausalLM

FORMULA = [
    golden.entry("embeddings.weight", 1.0),
    golden.entry("norm.weight", 0.1, 1.0),
    golden.entry("norm_f.weight", 0.1, 1.0),
    golden.entry(".A_log", 0.9, 0.5),
    golden.entry(".D", 0.3, 1.0),
    golden.entry("conv1d.weight", 0.4),
    golden.entry("conv1d.bias", 0.1),
    golden.entry("x_proj.weight", 0.4),
    golden.entry("dt_proj.weight", 0.5),
    golden.entry("dt_proj.bias", 0.7, -1.5),
    golden.entry("", 0.3),
]


def config(hidden_size, num_hidden_layers):
    return dict(
        vocab_size=12,
        hidden_size=hidden_size,
        num_hidden_layers=num_hidden_layers,
        state_size=16,
        expand=2,
        conv_kernel=4,
        use_conv_bias=True,
        use_bias=False,
        time_step_rank=-(-hidden_size // 16),
        layer_norm_epsilon=1e-5,
        hidden_act="silu",
        residual_in_fp32=True,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )


CASES = {
    "narrow": dict(batch=2, length=13, config=config(12, 3)),
    "wide": dict(batch=3, length=11, config=config(24, 2)),
}


def exact_norm(module, h):
    """MambaRMSNorm.forward without its cast to float32."""
    return module.weight * h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + module.variance_epsilon)


def exact_mixer(module, h, seen=None):
    """MambaMixer.forward without its casts to float32, one position after the other; Δ and exp(Δ A) go into `seen`."""
    length, rank, states = h.shape[1], module.time_step_rank, module.ssm_state_size
    x, gate = module.in_proj(h).chunk(2, dim=-1)
    convolution, kernel = module.conv1d, module.conv_kernel_size
    x = conv1d(x.mT, convolution.weight, convolution.bias, padding=kernel - 1, groups=x.shape[-1])[..., :length].mT
    x = silu(x)
    time_step, b, c = module.x_proj(x).split([rank, states, states], dim=-1)
    delta = softplus(module.dt_proj(time_step))[..., None]
    decay = (delta * -module.A_log.exp()).exp()
    state, after = torch.zeros_like(decay[:, 0]), []
    for t in range(length):
        state = decay[:, t] * state + delta[:, t] * x[:, t, :, None] * b[:, t, None, :]
        after.append((state * c[:, t, None, :]).sum(-1))
    if seen is not None:
        seen.append((delta.detach(), decay.detach(), state.detach()))
    return module.out_proj((torch.stack(after, 1) + module.D * x) * silu(gate))


class Exact(torch.nn.Module):
    """The model in float64 throughout: its own modules, put together as MambaForCausalLM does."""

    def __init__(self, model):
        super().__init__()
        self.model = model.double()

    def forward(self, tokens, seen=None):
        h = self.embed(tokens)
        for layer in self.model.backbone.layers:
            h = self.block(layer, h, seen)
        return self.head(h)

    def embed(self, tokens):
        return self.model.backbone.embeddings(tokens)

    def block(self, layer, h, seen=None):
        return h + exact_mixer(layer.mixer, exact_norm(layer.norm, h), seen)

    def head(self, h):
        return self.model.lm_head(exact_norm(self.model.backbone.norm_f, h))


def build(config, double):
    model = MambaForCausalLM(MambaConfig(**config))
    assert model.lm_head.weight is model.backbone.embeddings.weight
    names = [name for name in model.state_dict() if name != "lm_head.weight"]
    assert names == [name for name, _ in model.named_parameters()]
    golden.fill(model.named_parameters(), FORMULA)
    return Exact(model) if double else model


def forward(model, tokens):
    return model(tokens) if isinstance(model, Exact) else model(tokens, use_cache=False).logits


def parameters(model):
    return list((model.model if isinstance(model, Exact) else model).named_parameters())


def saved(config):
    """What save_pretrained writes: config.json; its tensors are checked to have the names and shapes stored."""
    model = build(config, False)
    with tempfile.TemporaryDirectory() as directory:
        model.save_pretrained(directory)
        tensors = load_file(Path(directory) / "model.safetensors")
        assert {name: p.shape for name, p in parameters(model)} == {name: t.shape for name, t in tensors.items()}
        return json.loads((Path(directory) / "config.json").read_text())


def ranges(case):
    seen, model = [], build(case["config"], True)
    model(torch.tensor(golden.batch_of(case)[0])[:, :-1], seen)
    delta, decay, state = (torch.cat([layer[k].flatten() for layer in seen]) for k in range(3))
    parts = {"Δ": delta, "exp(Δ A)": decay, "|last state|": state.abs()}
    spread = lambda values: " ".join(f"{q:.2g}" for q in values.quantile(torch.tensor([0, 0.1, 0.5, 0.9, 1]).double()))
    return "; ".join(f"{name} {spread(values)}" for name, values in parts.items())


def main():
    golden.set_up()
    if sys.argv[1:]:
        sys.exit("usage: mamba_golden.py")
    cases = {name: golden.case_golden(name, case, build, forward, parameters) for name, case in CASES.items()}
    for name, case in CASES.items():
        print(f"{name}: smallest, tenth, median, nine tenths, largest: {ranges(case)}")
    about = dict(about=golden.ABOUT, config_json=saved(CASES["wide"]["config"]), formula=FORMULA)
    golden.write("mamba.json", dict(**about, cases=cases))


if __name__ == "__main__":
    main()
