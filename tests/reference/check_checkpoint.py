#!/usr/bin/env python3
"""Does transformers open our checkpoint, and compute what we computed?

    check_checkpoint.py DIR LOGITS.json    open DIR by GPTNeoXForCausalLM.from_pretrained, compare on its tokens
    check_checkpoint.py --make DIR         write a tiny random checkpoint with save_pretrained, and DIR/expected.json

LOGITS.json and expected.json are {"tokens": [[int]], "logits": [[[float]]]}: rows, positions, vocabulary.
One line is printed. Exit 0: all logits within 1e-4 (absolute) and no weight missing, unexpected or of another shape;
1: not so; 2: wrong arguments; 77: transformers is not installed. Versions: requirements.txt beside this file.
"""

import json
import os
import sys
from pathlib import Path

TOLERANCE = 1e-4
os.environ["HF_HUB_OFFLINE"] = "1"

try:
    import torch
    import transformers
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM
except ImportError as error:
    print(f"skipped: transformers cannot be imported ({error}); pip install -r tests/reference/requirements.txt")
    sys.exit(77)


def logits_of(model, tokens):
    with torch.no_grad():
        return model.eval()(torch.tensor(tokens), use_cache=False).logits


def check(directory, path):
    """What is wrong with the checkpoint or its logits, or None; and the largest difference."""
    if not (directory / "config.json").is_file():
        return f"{directory} has no config.json", None
    expected = json.loads(path.read_text())
    options = dict(attn_implementation="eager", output_loading_info=True)
    model, loading = GPTNeoXForCausalLM.from_pretrained(directory, **options)
    for what, names in loading.items():
        if names:
            return f"{what}: {names if isinstance(names, str) else sorted(map(str, names))}", None
    got, want = logits_of(model.float(), expected["tokens"]), torch.tensor(expected["logits"])
    if got.shape != want.shape:
        return f"logits have shape {list(want.shape)}, transformers gives {list(got.shape)}", None
    worst = (got - want).abs().max().item()
    if not worst <= TOLERANCE:
        return f"logits differ by {worst:.2e} at most, more than {TOLERANCE:.0e}", worst
    return None, worst


def make(directory):
    """Biases and norms are random too, so that a reader which forgets one of them is found out."""
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=11,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        rotary_pct=0.25,
        rotary_emb_base=10000,
        max_position_embeddings=64,
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation="eager",
    )
    model = GPTNeoXForCausalLM(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(1.0 if name.endswith("norm.weight") else 0.0, 0.2)
    model.save_pretrained(directory)
    tokens = torch.randint(0, config.vocab_size, (2, 17)).tolist()
    expected = dict(tokens=tokens, logits=logits_of(model, tokens).tolist())
    (directory / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


def main():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    match sys.argv[1:]:
        case ["--make", directory]:
            make(Path(directory))
            print(f"ok: {directory} written by transformers {transformers.__version__}")
        case [directory, path] if not directory.startswith("-"):
            try:
                wrong, worst = check(Path(directory), Path(path))
            except Exception as error:  # whatever transformers makes of a checkpoint it cannot open
                wrong, worst = f"{type(error).__name__}: {' '.join(str(error).split())}", None
            if wrong:
                print(f"failed: {wrong}")
                sys.exit(1)
            print(f"ok: transformers {transformers.__version__} opens {directory}, logits within {worst:.1e}")
        case _:
            print("usage: check_checkpoint.py DIR LOGITS.json | check_checkpoint.py --make DIR")
            sys.exit(2)


if __name__ == "__main__":
    main()
