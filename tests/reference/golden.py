"""What the golden scripts beside this file share: formula weights, the batch, ten AdamW steps, rounding and writing.

A script gives each case as {"batch", "length", "config"} and three functions:
    build(config, double)     the model with formula weights, in float64 throughout (the truth) or as it is in float32
    forward(model, tokens)    its logits [batch, length, vocabulary], or these and what is added to the loss
    parameters(model)         [(name in the file, parameter)] in the order that numbers them

Every number stored is float64, nine significant digits (gradients eight, for size). The float32 model is run beside the
truth, and how far it lies from it is printed and stored under "float32_error" (largest difference over largest value of
the array; "gradients" is the worst of them): a test's tolerance is at most ten times that.

Formula weights: parameter i, element j in row-major order, computed in float64, rounded to float32:
    offset + scale cos(0.37 j + i)
with scale and offset from the script's table, where the first entry whose suffix ends the parameter's name wins.
Tokens, T + 1 a row:      token[b][t] = (7 b + 3 t + t² (b + 1)) mod vocab; inputs the first T, labels the last T.
Loss:                     mean cross entropy over the label positions t with (t + b) mod 3 ≠ 0.
Curves:                   the loss before each of ten AdamW steps on this one batch and after the tenth, gradients
                          clipped by value in one, by global norm in the other.
"""

import copy
import json
import math
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

import numpy
import torch
import transformers

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
ABOUT = (
    f"Made by tests/reference/{Path(sys.argv[0]).name}, whose first lines say how to re-make it and what each number is; "
    f"python {sys.version.split()[0]}, torch {torch.__version__}, transformers {transformers.__version__}, "
    f"numpy {numpy.__version__}. Do not edit by hand."
)
ADAMW = dict(lr=3e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
CURVES = {"adamw_clip_value": dict(clip_value=0.05), "adamw_clip_norm": dict(clip_norm=0.5)}
STEPS = 10


# ---- weights and batch


def wave(shape, scale, i, offset=0.0):
    """offset + scale·cos(0.37 j + i), j the row-major index; rounded to float32, held as float64."""
    j = numpy.arange(math.prod(shape), dtype=numpy.float64)
    values = (offset + scale * numpy.cos(0.37 * j + i)).astype(numpy.float32)
    return torch.from_numpy(values.astype(numpy.float64).reshape(shape))


def entry(suffix, scale, offset=0.0):
    return dict(suffix=suffix, scale=scale, offset=offset)


def fill(named, table):
    """Formula weights into [(name, parameter)]."""
    with torch.no_grad():
        for i, (name, parameter) in enumerate(named):
            found = next(e for e in table if name.endswith(e["suffix"]))
            parameter.copy_(wave(parameter.shape, found["scale"], i, found["offset"]))


def batch_of(case):
    vocab = case["config"]["vocab_size"]
    rows, length = range(case["batch"]), case["length"]
    tokens = [[(7 * b + 3 * t + t * t * (b + 1)) % vocab for t in range(length + 1)] for b in rows]
    mask = [[int((t + b) % 3 != 0) for t in range(length)] for b in rows]
    return tokens, mask


# ---- training


def loss_of(model, forward, tokens, mask):
    tokens, mask = torch.tensor(tokens), torch.tensor(mask, dtype=torch.bool)
    found = forward(model, tokens[:, :-1])
    logits, penalty = found if isinstance(found, tuple) else (found, 0)
    return logits, torch.nn.functional.cross_entropy(logits[mask], tokens[:, 1:][mask]) + penalty


def curve(model, forward, tokens, mask, clip_value=None, clip_norm=None, **overrides):
    """The loss before each of ten AdamW steps on the same batch, and after the tenth. `model` itself stays as it is."""
    model = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), foreach=False, **{**ADAMW, **overrides})
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model, forward, tokens, mask)[1]
        losses.append(loss.item())
        loss.backward()
        if clip_value is not None:
            torch.nn.utils.clip_grad_value_(model.parameters(), clip_value)
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
    losses.append(loss_of(model, forward, tokens, mask)[1].item())
    return losses


def named_parameters(model):
    return list(model.named_parameters())


def measure(case, build, forward, double, parameters=named_parameters):
    """Everything a case stores, as float64 numpy arrays by name."""
    model, (tokens, mask) = build(case["config"], double), batch_of(case)
    logits, loss = loss_of(model, forward, tokens, mask)
    loss.backward()
    result = {"logits": logits, "loss": loss}
    for name, parameter in parameters(model):
        assert not double or parameter.grad.dtype == torch.float64, name
        result["gradient " + name] = parameter.grad
    assert not double or (logits.dtype, loss.dtype) == (torch.float64, torch.float64)
    result = {name: value.detach().double().numpy() for name, value in result.items()}
    for name, clip in CURVES.items():
        result[name] = numpy.array(curve(model, forward, tokens, mask, **clip))
    return result


# ---- writing


def digits(value, count=9):
    return float(f"{value:.{count}g}")


def flat(array, count=9):
    return [digits(v, count) for v in numpy.asarray(array).ravel().tolist()]


def nested(array):
    return [nested(row) for row in array] if array.ndim else digits(array.item())


def difference(a, b):
    """Largest |a − b| over the largest |b| of the array."""
    return float(abs(a - b).max() / abs(b).max())


def case_golden(name, case, build, forward, parameters=named_parameters, extra=lambda config: {}):
    """One case as it is stored; `extra` is what else the script stores, after the parameters."""
    truth, single = (measure(case, build, forward, double, parameters) for double in (True, False))
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
        "config": case["config"],
        "tokens": tokens,
        "mask": mask,
        "parameters": [[key, list(truth["gradient " + key].shape)] for key in gradients],
        **extra(case["config"]),
        "loss": digits(truth["loss"].item()),
        "logits": nested(truth["logits"]),
        "gradients": gradients,
        "adamw": ADAMW,
        **{key: {**clip, "losses": flat(truth[key])} for key, clip in CURVES.items()},
        "float32_error": {key: digits(value, 2) for key, value in error.items()},
    }


def write(name, golden):
    GOLDEN.mkdir(exist_ok=True)
    path = GOLDEN / name
    path.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{path.relative_to(GOLDEN.parent.parent)}: {path.stat().st_size} bytes")


def set_up():
    """One thread and deterministic sums, so that the same bytes come each time."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
