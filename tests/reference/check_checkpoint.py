#!/usr/bin/env python3
"""Do others' tools open our checkpoints, and compute what we computed?

    check_checkpoint.py DIR…        open each by its config.json's model_type, compare with DIR/expected.json
    check_checkpoint.py --make DIR  write a small random checkpoint of each network to DIR/gpt_neox, DIR/mamba, DIR/lstm, DIR/armt,
                                    each with its expected.json

expected.json is {"tokens": [[int]], "logits": [[[float]]]}: rows, positions, vocabulary. Who opens what: gpt_neox and mamba
transformers' GPTNeoXForCausalLM and MambaForCausalLM, lstm torch.nn's modules (lstm.py), armt armt.py, which are no library's.
One line is printed for each. Exit 0: no weight is missing, unexpected or of another shape, and no logit off by more than
TOLERANCE of the largest; 1: not so; 2: wrong arguments; 77: a package is not installed. Versions: requirements.txt beside this file.
"""

import json
import os
import sys
from pathlib import Path

TOLERANCE = 5e-6
"""Up to 6e-7 was seen."""
os.environ["HF_HUB_OFFLINE"] = "1"

try:
    import torch
    import transformers
    from armt import ARMT
    from lstm import LSTM
    from safetensors.torch import load_file, save_file
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, MambaConfig, MambaForCausalLM
except ImportError as error:
    print(f"skipped: {error}; pip install -r tests/reference/requirements.txt")
    sys.exit(77)

OF_TRANSFORMERS = {"gpt_neox": GPTNeoXForCausalLM, "mamba": MambaForCausalLM}
OF_TORCH = {"lstm": LSTM, "armt": ARMT}
NO_TOKENS = dict(bos_token_id=None, eos_token_id=None, pad_token_id=None)


class Wrong(Exception):
    """A sentence."""


def logits_of(model, tokens):
    with torch.no_grad():
        out = model.eval()(torch.tensor(tokens))
    return out if isinstance(out, torch.Tensor) else out.logits


def opened(directory):
    """The model in a folder, every weight of the file in it and every weight of it from the file."""
    config = json.loads((directory / "config.json").read_text())
    kind = config["model_type"]
    if kind in OF_TORCH:
        model = OF_TORCH[kind](config)
        model.load_state_dict(load_file(directory / "model.safetensors"), strict=True)
        return kind, model
    options = dict(attn_implementation="eager", use_cache=False) if kind == "gpt_neox" else dict(use_cache=False)
    model, loading = OF_TRANSFORMERS[kind].from_pretrained(directory, output_loading_info=True, **options)
    for what, names in loading.items():
        if names:
            raise Wrong(f"{what}: {names if isinstance(names, str) else sorted(map(str, names))}")
    return kind, model.float()


def check(directory):
    kind, model = opened(directory)
    expected = json.loads((directory / "expected.json").read_text())
    got, want = logits_of(model, expected["tokens"]), torch.tensor(expected["logits"])
    if got.shape != want.shape:
        raise Wrong(f"logits have shape {list(want.shape)}, {type(model).__name__} gives {list(got.shape)}")
    worst = ((got - want).abs().max() / got.abs().max()).item()
    if not worst <= TOLERANCE:
        raise Wrong(f"logits of {kind} are off by {worst:.1e} of the largest, more than {TOLERANCE:.0e}")
    return f"{type(model).__module__}.{type(model).__name__} opens {directory}, logits within {worst:.1e} of the largest"


def small_models():
    """[(kind, model, what its config.json holds or none where the model writes its own)], a little uneven in every size."""
    neox = GPTNeoXConfig(
        vocab_size=11, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, rotary_pct=0.25,
        rotary_emb_base=10000, max_position_embeddings=64, attn_implementation="eager", use_cache=False, **NO_TOKENS,
    )
    yield "gpt_neox", GPTNeoXForCausalLM(neox), None
    mamba = MambaConfig(vocab_size=11, hidden_size=24, num_hidden_layers=3, use_cache=False, **NO_TOKENS)
    yield "mamba", MambaForCausalLM(mamba), None
    config = dict(model_type="lstm", vocab_size=11, hidden_size=15, num_hidden_layers=3)
    yield "lstm", LSTM(config), config
    config = dict(
        model_type="armt", vocab_size=11, hidden_size=18, num_hidden_layers=2, num_attention_heads=3, intermediate_size=25,
        hidden_act="gelu", rotary_pct=0.67, rotary_emb_base=100, num_mem_tokens=5, d_mem=9, segment_length=6,
    )
    yield "armt", ARMT(config), config


def make(root):
    """Biases, norms and what starts at zero are random too, so that a reader which forgets one of them is found out."""
    torch.manual_seed(0)
    for kind, model, config in small_models():
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.2 * torch.randn_like(parameter)
        directory = root / kind
        directory.mkdir(parents=True, exist_ok=True)
        if config is None:
            model.save_pretrained(directory)
        else:
            save_file(model.state_dict(), directory / "model.safetensors")
            (directory / "config.json").write_text(json.dumps(config))
        tokens = torch.randint(0, 11, (2, 17)).tolist()
        expected = dict(tokens=tokens, logits=logits_of(model, tokens).tolist())
        (directory / "expected.json").write_text(json.dumps(expected))


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    match sys.argv[1:]:
        case ["--make", root]:
            make(Path(root))
            print(f"ok: {root} written by torch {torch.__version__} and transformers {transformers.__version__}")
        case [first, *_] as folders if not first.startswith("-"):
            failed = False
            for folder in folders:
                try:
                    print(f"ok: {check(Path(folder))}")
                except Exception as error:  # whatever a library makes of a checkpoint that it cannot open
                    print(f"failed: {folder}: {type(error).__name__}: {' '.join(str(error).split())}")
                    failed = True
            sys.exit(int(failed))
        case _:
            print("usage: check_checkpoint.py DIR… | check_checkpoint.py --make DIR")
            sys.exit(2)


if __name__ == "__main__":
    main()
