#!/usr/bin/env python3
"""Makes tests/golden/gpt_neox.json and tests/golden/muon.json.

Re-make (Python 3.11, torch 2.15.0, transformers 5.23.0, numpy 2.4.6, as pinned in tests/reference/requirements.txt;
half a minute on one core, the same bytes each time on one machine):

    python3 -m venv ~/.cache/lookahead/python
    ~/.cache/lookahead/python/bin/pip install -r tests/reference/requirements.txt
    ~/.cache/lookahead/python/bin/python tests/reference/gpt_neox_golden.py
    ~/.cache/lookahead/python/bin/python tests/reference/gpt_neox_golden.py --breaks   # only prints what mistakes cost

Every number stored is float64, nine significant digits (gradients eight, for size), of transformers'
GPTNeoXForCausalLM with eager attention. Transformers computes softmax and rotary angles in float32 whatever the model's
type, so the float64 model has those two replaced by the same formulas in float64 (`exact`). The unmodified float32
model is run beside it, and how far it lies from the truth is printed and stored under "float32_error" (largest
difference over largest value of the array): a test's tolerance is at most ten times that.

No weight file: parameter i in state_dict order, element j in row-major order, computed in float64, rounded to float32:
    matrix, embedding     0.3 cos(0.37 j + i)
    bias                  0.1 cos(0.37 j + i)
    layer-norm weight     1 + 0.1 cos(0.37 j + i)
Tokens, T + 1 a row:      token[b][t] = (7 b + 3 t + t² (b + 1)) mod vocab; inputs the first T, labels the last T.
Loss:                     mean cross entropy over the label positions t with (t + b) mod 3 ≠ 0.

intermediate_size is 40 and 22 for a reason: at others (36, 18) Adam divides gradients near zero by their own rounding
and ten steps lose two digits more.
"""

import copy
import json
import math
import os
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

import numpy
import torch
import transformers
from safetensors.torch import load_file
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM
from transformers.models.gpt_neox import modeling_gpt_neox

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
ABOUT = (
    "Made by tests/reference/gpt_neox_golden.py, whose first lines say how to re-make it and what each number is; "
    f"python {sys.version.split()[0]}, torch {torch.__version__}, transformers {transformers.__version__}, "
    f"numpy {numpy.__version__}. Do not edit by hand."
)
COMMON = dict(
    vocab_size=12,
    hidden_act="gelu",
    layer_norm_eps=1e-5,
    attention_bias=True,
    tie_word_embeddings=False,
    attention_dropout=0.0,
    hidden_dropout=0.0,
    max_position_embeddings=64,
    bos_token_id=None,
    eos_token_id=None,
)
FULL = dict(hidden_size=24, num_attention_heads=3, intermediate_size=22, rotary_pct=1.0, rotary_emb_base=100)
CASES = {
    "quarter": dict(
        batch=3,
        length=13,
        config=dict(
            hidden_size=32,
            num_attention_heads=2,
            num_hidden_layers=2,
            intermediate_size=40,
            rotary_pct=0.25,
            rotary_emb_base=10000,
            use_parallel_residual=True,
        ),
    ),
    "full": dict(batch=2, length=11, config=dict(FULL, num_hidden_layers=2, use_parallel_residual=True)),
    "sequential": dict(batch=2, length=11, config=dict(FULL, num_hidden_layers=1, use_parallel_residual=False)),
}
ADAMW = dict(lr=3e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
CURVES = {"adamw_clip_value": dict(clip_value=0.05), "adamw_clip_norm": dict(clip_norm=0.5)}
STEPS = 10
MUON = dict(lr=0.02, weight_decay=0.01, momentum=0.95, steps=4)


# ---- model


def wave(shape, scale, i, offset=0.0):
    """offset + scale·cos(0.37 j + i), j the row-major index; rounded to float32, held as float64."""
    j = numpy.arange(math.prod(shape), dtype=numpy.float64)
    values = (offset + scale * numpy.cos(0.37 * j + i)).astype(numpy.float32)
    return torch.from_numpy(values.astype(numpy.float64).reshape(shape))


def formula_weight(i, name, shape):
    if name.endswith(".bias"):
        return wave(shape, 0.1, i)
    if name.endswith("norm.weight"):
        return wave(shape, 0.1, i, offset=1.0)
    return wave(shape, 0.3, i)


def inverse_frequencies(config):
    """base^(-{0, 2, …}/d) over the rotated dimensions d, in float64."""
    dims = int(config["hidden_size"] // config["num_attention_heads"] * config["rotary_pct"])
    return torch.tensor([config["rotary_emb_base"] ** (-d / dims) for d in range(0, dims, 2)], dtype=torch.float64)


def exact_softmax_attention(module, query, key, value, attention_mask, scaling, **_):
    """modeling_gpt_neox.eager_attention_forward without its cast to float32."""
    scores = query @ key.transpose(2, 3) * scaling + attention_mask
    weights = scores.softmax(dim=-1)
    return (weights @ value).transpose(1, 2).contiguous(), weights


def exact(model, frequencies):
    """`model` in float64 throughout."""

    def rotary(x, position_ids):
        angles = position_ids[..., None].double() * frequencies
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos(), angles.sin()

    model = model.double()
    model.gpt_neox.rotary_emb.forward = rotary
    model.config._attn_implementation = "exact"
    return model


transformers.AttentionInterface.register("exact", exact_softmax_attention)
transformers.AttentionMaskInterface.register("exact", transformers.masking_utils.eager_mask)


def build(config, double):
    model = GPTNeoXForCausalLM(GPTNeoXConfig(**COMMON, **config, attn_implementation="eager"))
    rope = model.config.rope_parameters
    assert rope["rope_theta"] == config["rotary_emb_base"], rope
    assert rope["partial_rotary_factor"] == config["rotary_pct"], rope
    frequencies = inverse_frequencies(config)
    torch.testing.assert_close(model.gpt_neox.rotary_emb.inv_freq.double(), frequencies, rtol=1e-6, atol=0)
    names = list(model.state_dict())
    assert names == [name for name, _ in model.named_parameters()], "a buffer is saved with the parameters"
    if double:
        model = exact(model, frequencies)
    with torch.no_grad():
        for i, (name, parameter) in enumerate(model.named_parameters()):
            parameter.copy_(formula_weight(i, name, parameter.shape))
    assert model.config._attn_implementation == ("exact" if double else "eager")
    return model


def batch_of(case):
    vocab = COMMON["vocab_size"]
    rows, length = range(case["batch"]), case["length"]
    tokens = [[(7 * b + 3 * t + t * t * (b + 1)) % vocab for t in range(length + 1)] for b in rows]
    mask = [[int((t + b) % 3 != 0) for t in range(length)] for b in rows]
    return tokens, mask


# ---- training


def loss_of(model, tokens, mask):
    tokens, mask = torch.tensor(tokens), torch.tensor(mask, dtype=torch.bool)
    logits = model(tokens[:, :-1], use_cache=False).logits
    return logits, torch.nn.functional.cross_entropy(logits[mask], tokens[:, 1:][mask])


def curve(model, tokens, mask, clip_value=None, clip_norm=None, **overrides):
    """The loss before each of ten AdamW steps on the same batch, and after the tenth. `model` itself stays as it is."""
    model = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), foreach=False, **{**ADAMW, **overrides})
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model, tokens, mask)[1]
        losses.append(loss.item())
        loss.backward()
        if clip_value is not None:
            torch.nn.utils.clip_grad_value_(model.parameters(), clip_value)
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
    losses.append(loss_of(model, tokens, mask)[1].item())
    return losses


def measure(case, double):
    """Everything a case stores, as float64 numpy arrays by name."""
    model, (tokens, mask) = build(case["config"], double), batch_of(case)
    logits, loss = loss_of(model, tokens, mask)
    loss.backward()
    result = {"logits": logits, "loss": loss}
    for name, parameter in model.named_parameters():
        result["gradient " + in_file(name)] = parameter.grad
    result = {name: value.detach().double().numpy() for name, value in result.items()}
    for name, clip in CURVES.items():
        result[name] = numpy.array(curve(model, tokens, mask, **clip))
    return result


# ---- Muon


def newton_schulz(matrix):
    """Five steps of X ← aX + (bXXᵀ + c(XXᵀ)²)X from X = matrix / (‖matrix‖_F + 1e-7), on the wide orientation."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (numpy.linalg.norm(x) + matrix.dtype.type(1e-7))
    a, b, c = (matrix.dtype.type(v) for v in (a, b, c))
    for _ in range(5):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def muon(rows, cols, i, dtype, gradient):
    """Keller Jordan's Muon (github.com/KellerJordan/Muon, `muon_update`): the weights after each step."""
    real = lambda v: numpy.dtype(dtype).type(v)
    lr, decay, beta = (MUON[k] for k in ("lr", "weight_decay", "momentum"))
    j = numpy.arange(rows * cols, dtype=numpy.float64).reshape(rows, cols)
    weight = wave((rows, cols), 0.3, i).numpy().astype(dtype)
    buffer, after = numpy.zeros((rows, cols), dtype), []
    for step in range(MUON["steps"]):
        g = gradient(j, step, i).astype(numpy.float32).astype(dtype)
        buffer = real(beta) * buffer + real(1 - beta) * g
        update = newton_schulz(real(beta) * buffer + real(1 - beta) * g)
        scale = real(math.sqrt(max(1.0, rows / cols)))
        weight = weight * real(1 - lr * decay) - real(lr) * scale * update
        after.append(weight)
    return numpy.stack(after)


GRADIENTS = {
    "cos(0.11 j (step + 1) + i)": lambda j, step, i: numpy.cos(0.11 * j * (step + 1) + i),
    "cos(0.11 j² (step + 1) + i)": lambda j, step, i: numpy.cos(0.11 * j * j * (step + 1) + i),
}


def muon_golden():
    cases = []
    for formula, gradient in GRADIENTS.items():
        for i, (rows, cols) in enumerate([(6, 10), (10, 6)]):
            truth = muon(rows, cols, i, numpy.float64, gradient)
            error = float(abs(muon(rows, cols, i, numpy.float32, gradient) - truth).max())
            print(f"muon {rows}x{cols}, gradient {formula}: float32 differs by {error:.1e} at most (absolute)")
            weights = [flat(step) for step in truth]
            cases.append(
                dict(
                    rows=rows,
                    cols=cols,
                    i=i,
                    gradient=formula,
                    weights_after_step=weights,
                    float32_error=digits(error, 2),
                )
            )
    weight = "0.3 cos(0.37 j + i), rounded to float32, as the gradients are; j row-major"
    return dict(about=ABOUT, settings=MUON, newton_schulz=[3.4445, -4.7750, 2.0315], initial_weight=weight, cases=cases)


# ---- writing


def digits(value, count=9):
    return float(f"{value:.{count}g}")


def flat(array, count=9):
    return [digits(v, count) for v in numpy.asarray(array).ravel().tolist()]


def nested(array):
    return [nested(row) for row in array] if array.ndim else digits(array.item())


def in_file(name):
    return "embed_out.weight" if name == "lm_head.weight" else name


def difference(a, b):
    """Largest |a − b| over the largest |b| of the array."""
    return float(abs(a - b).max() / abs(b).max())


def saved(config):
    """What save_pretrained writes: config.json, and [name, shape] of every tensor in state_dict order.

    In memory transformers 5 calls the head lm_head.weight; in the file it is embed_out.weight, as it was in 4.
    """
    model = build(config, False)
    with tempfile.TemporaryDirectory() as directory:
        model.save_pretrained(directory)
        config_json = json.loads((Path(directory) / "config.json").read_text())
        tensors = load_file(Path(directory) / "model.safetensors")
    parameters = [[in_file(name), list(value.shape)] for name, value in model.state_dict().items()]
    assert {name: shape for name, shape in parameters} == {name: list(value.shape) for name, value in tensors.items()}
    return config_json, parameters


def case_golden(name, case):
    truth, single = measure(case, True), measure(case, False)
    error = {key: difference(single[key], truth[key]) for key in truth}
    gradients = {key.split()[1]: flat(value, 8) for key, value in truth.items() if key.startswith("gradient ")}
    worst = max((key for key in error if key.startswith("gradient ")), key=error.get)
    error = {key: error[key] for key in ("logits", "loss", *CURVES)} | {"gradients": error[worst]}
    everything = numpy.concatenate([truth["gradient " + key].ravel() for key in gradients])
    clipped, norm = (abs(everything) > 0.05).mean(), numpy.linalg.norm(everything)
    print(f"{name}: float32 against float64, largest difference over largest value:")
    print("  " + ", ".join(f"{key} {value:.1e}" for key, value in error.items()), f"(worst {worst.split()[1]})")
    print(f"  loss {truth['loss']:.9g}; {clipped:.1%} of gradients over 0.05; global norm {norm:.3g}")
    tokens, mask = batch_of(case)
    return {
        "config": COMMON | case["config"],
        "tokens": tokens,
        "mask": mask,
        "parameters": saved(case["config"])[1],
        "inverse_frequencies": flat(inverse_frequencies(case["config"])),
        "loss": digits(truth["loss"].item()),
        "logits": nested(truth["logits"]),
        "gradients": gradients,
        "adamw": ADAMW,
        **{key: {**clip, "losses": flat(truth[key])} for key, clip in CURVES.items()},
        "float32_error": {key: digits(value, 2) for key, value in error.items()},
    }


def write(name, golden):
    path = GOLDEN / name
    path.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{path.relative_to(GOLDEN.parent.parent)}: {path.stat().st_size} bytes")


# ---- what a mistake would cost


def breaks():
    """Prints, for each plausible mistake, how far it moves the golden values (the same measure as float32_error)."""

    def interleaved(x):
        return torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).flatten(-2)

    for name, case in CASES.items():
        config, (tokens, mask) = case["config"], batch_of(case)

        def outcome(edit=lambda model: None, config=config, **optimizer):
            model = build(config, True)
            edit(model)
            logits, loss = loss_of(model, tokens, mask)
            loss.backward()
            grads = {key: p.grad.numpy() for key, p in model.named_parameters()}
            clip = {key: numpy.array(curve(model, tokens, mask, **{**c, **optimizer})) for key, c in CURVES.items()}
            return {"logits": logits.detach().numpy()}, grads, clip

        def report(label, *arguments, **keywords):
            pairs = zip(outcome(*arguments, **keywords), right)
            logits, gradients, curves = ([difference(got[key], want[key]) for key in want] for got, want in pairs)
            both = " ".join(f"{value:.0e}" for value in curves)
            print(f"  {label:36}logits {logits[0]:.0e}, gradients {max(gradients):.0e}, curves {both}")

        def each(kind, change):
            return lambda model: [change(module) for module in model.modules() if type(module).__name__ == kind]

        right = outcome()
        print(name)
        report("rotary base × 1.1", config=dict(config, rotary_emb_base=config["rotary_emb_base"] * 1.1))
        report("rotary fraction ½", config=dict(config, rotary_pct=0.5))
        report("GELU by tanh", each("GPTNeoXMLP", lambda m: setattr(m, "act", torch.nn.GELU(approximate="tanh"))))
        report("layer-norm eps 1e-6", each("LayerNorm", lambda m: setattr(m, "eps", 1e-6)))
        report("other residual", config=dict(config, use_parallel_residual=not config["use_parallel_residual"]))
        report("scale 1 % off", each("GPTNeoXAttention", lambda m: setattr(m, "scaling", m.scaling * 1.01)))
        kept, modeling_gpt_neox.rotate_half = modeling_gpt_neox.rotate_half, interleaved
        report("interleaved rotary (not its angles)")
        modeling_gpt_neox.rotate_half = kept
        heads = config["num_attention_heads"]

        def thirds_first(module):
            """What reading the fused linear as [3, heads, head_dim] amounts to."""
            for p in (module.query_key_value.weight, module.query_key_value.bias):
                q = p.data.view(3, heads, -1, *p.shape[1:]).transpose(0, 1)
                p.data = q.reshape(p.shape).contiguous()

        report("qkv read as [3, heads, head_dim]", each("GPTNeoXAttention", thirds_first))
        report("weight decay off", weight_decay=0.0)
        report("eps 1e-7", eps=1e-7)
        report("beta2 .998", betas=(0.9, 0.998))
        report("no clipping", clip_value=None, clip_norm=None)


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.utils.logging.disable_progress_bar()
    if sys.argv[1:] == ["--breaks"]:
        return breaks()
    if sys.argv[1:]:
        sys.exit("usage: gpt_neox_golden.py [--breaks]")
    GOLDEN.mkdir(exist_ok=True)
    cases = {name: case_golden(name, case) for name, case in CASES.items()}
    write("gpt_neox.json", dict(about=ABOUT, config_json=saved(CASES["quarter"]["config"])[0], cases=cases))
    write("muon.json", muon_golden())


if __name__ == "__main__":
    main()
