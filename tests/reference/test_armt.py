#!/usr/bin/env python3
"""What must be true of armt.py whatever its weights, each seen to fail when the code is broken on purpose.

    ~/.cache/lookahead/python/bin/python tests/reference/test_armt.py      seconds; exit 0: all hold and every break was noticed; 77: no torch

A break replaces one function of armt.py (`BREAKS`) while the test runs once more.
"""

import sys

try:
    import armt
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM
except ImportError as error:
    print(f"skipped: torch and transformers cannot be imported ({error}); pip install -r tests/reference/requirements.txt")
    sys.exit(77)

CONFIG = dict(
    vocab_size=9,
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=20,
    rotary_pct=0.5,
    rotary_emb_base=100,
    num_mem_tokens=3,
    d_mem=5,
    segment_length=6,
)
LENGTH = 16
"""Three segments, the last of four tokens."""


def model_and_tokens():
    """Float64, every parameter random: biases and norms too, and W_mv, so that the memory matters."""
    torch.manual_seed(0)
    model = armt.ARMT(CONFIG).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(1.0 if name.endswith("norm.weight") else 0.0, 0.3)
    return model, torch.randint(0, CONFIG["vocab_size"], (3, LENGTH))


def same(a, b, tolerance=1e-12):
    return bool((a - b).abs().max() <= tolerance)


def the_first_segment_is_gpt_neox():
    """Nothing is read there, so its logits are those of transformers' GPTNeoXForCausalLM (float32 inside) on those tokens."""
    model, tokens = model_and_tokens()
    options = {key: value for key, value in CONFIG.items() if key not in ("num_mem_tokens", "d_mem", "segment_length")}
    plain = GPTNeoXForCausalLM(GPTNeoXConfig(**options, bos_token_id=None, eos_token_id=None, attn_implementation="eager"))
    weights = {name.replace("embed_out", "lm_head"): value for name, value in model.state_dict().items()}
    missing = plain.load_state_dict(weights, strict=False).missing_keys
    first = tokens[:, : CONFIG["segment_length"]]
    with torch.no_grad():
        assert not missing and same(model(tokens)[:, : first.shape[1]], plain(first).logits, 1e-5)


def a_later_write_overwrites():
    """Under one key, at full strength, a second value takes the place of the first, and z stays as it was."""
    torch.manual_seed(1)
    key, one = armt.dpfp(torch.randn(2, 1, 5).double()), torch.ones(2, 1, 1).double()
    first, second = torch.randn(2, 2, 1, 4).double()
    memory = armt.write(None, key, first, one)
    assert same(armt.read(memory, key), first, 1e-4)
    again = armt.write(memory, key, second, one)
    assert same(armt.read(again, key), second, 1e-4) and same(again[1], memory[1], 1e-4)


def rows_write_against_the_old_memory():
    """Not one after the other: their order changes nothing."""
    torch.manual_seed(2)
    draw = lambda rows: (armt.dpfp(torch.randn(2, rows, 5).double()), torch.randn(2, rows, 4).double(), torch.rand(2, rows, 1).double())
    old, new = armt.write(None, *draw(4)), draw(3)
    turned = armt.write(old, *(array.flip(1) for array in new))
    assert all(same(a, b) for a, b in zip(armt.write(old, *new), turned, strict=True))


def no_gradient_through_novelty():
    """Then the new z is the old one and a constant: its derivative is exactly 1. Some γ must lie inside 0 … 1 for this to say something."""
    torch.manual_seed(3)
    keys = armt.dpfp(torch.randn(1, 6, 5).double())
    A, z = torch.randn(1, 30, 4).double(), (0.1 * torch.rand(1, 30)).double().requires_grad_()
    gamma = armt.novelty(keys, z)
    assert ((gamma > 0) & (gamma < 1)).any()
    armt.write((A, z), keys, torch.randn(1, 6, 4).double(), torch.rand(1, 6, 1).double())[1].sum().backward()
    assert bool((z.grad == 1).all())


def sequences_know_nothing_of_each_other():
    """Alone, or after and beside others, a sequence has the same logits: memory is zero at its start."""
    model, tokens = model_and_tokens()
    together = model(tokens)
    assert all(same(model(tokens[row : row + 1])[0], together[row]) for row in range(len(tokens)))


def nothing_comes_from_later_tokens_and_something_from_earlier_ones():
    """Another token at position p changes no logits before it, and changes those of every later segment."""
    model, tokens = model_and_tokens()
    before = model(tokens)
    for position in range(LENGTH):
        other = tokens.clone()
        other[:, position] = (other[:, position] + 1) % CONFIG["vocab_size"]
        change = (model(other) - before).abs().amax((0, 2))
        assert bool((change[:position] == 0).all())
        assert all(part.max() > 1e-6 for part in change[position:].split(CONFIG["segment_length"]))


def without_values_segments_are_read_apart():
    """With W_mv = 0 nothing is ever stored: each segment's logits are those of a sequence of its own."""
    model, tokens = model_and_tokens()
    for layer in model.gpt_neox.layers:
        torch.nn.init.zeros_(layer.W_mv.weight)
    apart = torch.cat([model(piece) for piece in tokens.split(CONFIG["segment_length"], dim=1)], dim=1)
    assert same(model(tokens), apart)


def the_last_segment_needs_no_memory_tokens():
    """Nothing reads what they would write and no token sees them: logits and every gradient are the same without."""
    model, tokens = model_and_tokens()
    found = []
    for bare_end in (False, True):
        model.zero_grad()
        logits = model(tokens, bare_end)
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens.roll(-1, 1).flatten()).backward()
        found.append([logits, *(parameter.grad for parameter in model.parameters())])
    assert all(same(a, b) for a, b in zip(*found, strict=True))


def interleaved(x, dims, base):
    """Pairs of neighbours where halves belong."""
    order = torch.arange(dims).view(-1, 2).T.flatten()
    return torch.cat([ROTATE(x[..., order], dims, base), x[..., dims:]], dim=-1)


def one_after_the_other(memory, *arrays):
    for row in zip(*(array.split(1, dim=1) for array in arrays), strict=True):
        memory = WRITE(memory, *row)
    return memory


def left_over(memory, *arrays):
    """Begins with what the call before has left."""
    KEPT.append(WRITE(memory if memory or not KEPT else [part[:1] for part in KEPT[-1]], *arrays))
    return KEPT[-1]


def added(memory, keys, values, strengths):
    """What stood there stays: v̄ = 0."""
    A, z = memory or (0, torch.zeros_like(keys[:, 0]))
    novel = armt.novelty(keys, z) if memory else 1
    return A + keys.mT @ (strengths * values), z + (novel * keys).sum(1)


ROTATE, READ, WRITE, KEPT = armt.rotate, armt.read, armt.write, []
BREAKS = [
    (the_first_segment_is_gpt_neox, "rotate", interleaved),
    (the_first_segment_is_gpt_neox, "gelu", torch.nn.functional.silu),
    (a_later_write_overwrites, "write", added),
    (a_later_write_overwrites, "novelty", lambda keys, z: torch.ones_like(keys[..., :1])),
    (rows_write_against_the_old_memory, "write", one_after_the_other),
    (no_gradient_through_novelty, "novelty", lambda keys, z: (1 - armt.divisor(keys, z)).clamp(0, 1)),
    (sequences_know_nothing_of_each_other, "write", left_over),
    (sequences_know_nothing_of_each_other, "read", lambda memory, queries: READ([part.mean(0, keepdim=True) for part in memory], queries)),
    (nothing_comes_from_later_tokens_and_something_from_earlier_ones, "causal", lambda n: torch.ones(n, n, dtype=torch.bool)),
    (nothing_comes_from_later_tokens_and_something_from_earlier_ones, "read", lambda memory, queries: 0 * READ(memory, queries)),
    (without_values_segments_are_read_apart, "read", lambda memory, queries: READ(memory, queries) + queries[..., :24]),
    (the_last_segment_needs_no_memory_tokens, "causal", lambda n: torch.ones(n, n, dtype=torch.bool)),
]


def holds(test):
    try:
        test()
    except AssertionError:
        return False
    return True


def main():
    torch.set_num_threads(1)
    tests = list(dict.fromkeys(test for test, _, _ in BREAKS))
    wrong = [f"{test.__name__} does not hold" for test in tests if not holds(test)]
    for test, name, broken in BREAKS:
        kept = getattr(armt, name)
        setattr(armt, name, broken)
        if holds(test):
            wrong.append(f"{test.__name__} holds although {name} is broken")
        setattr(armt, name, kept)
    for sentence in wrong:
        print(f"failed: {sentence}")
    if wrong:
        sys.exit(1)
    print(f"ok: {len(tests)} identities of armt.py hold, {len(BREAKS)} deliberate breaks were noticed")


if __name__ == "__main__":
    main()
