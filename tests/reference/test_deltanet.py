#!/usr/bin/env python3
"""Identities of deltanet.py that hold for any weights. Each is seen to fail when the code is broken on purpose.

    ~/.cache/lookahead/python/bin/python tests/reference/test_deltanet.py      seconds; exit 0: all hold and every break was noticed; 77: no torch

A break replaces one function of deltanet.py (`BREAKS`) while the test runs once more.
"""

import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

try:
    import deltanet
    import torch
    import transformers
    from torch.nn.functional import silu
    from transformers import OlmoHybridConfig
    from transformers.models.olmo_hybrid.modeling_olmo_hybrid import OlmoHybridGatedDeltaNet
except ImportError as error:
    print(f"skipped: torch and transformers cannot be imported ({error}); pip install -r tests/reference/requirements.txt")
    sys.exit(77)

CONFIG = dict(vocab_size=9, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=10, conv_kernel=4)
LENGTH = 9
VARIANTS = [dict(use_decay=gated, allow_neg_eigval=negative) for gated in (False, True) for negative in (False, True)]


def models_and_tokens():
    """Each variant in float64, with random parameters, biases and norms too; and tokens."""
    torch.manual_seed(0)
    for variant in VARIANTS:
        model = deltanet.DeltaNet(CONFIG | variant).double()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.normal_(1.0 if name.endswith("norm.weight") else -1.0 if name.endswith("dt_bias") else 0.0, 0.4)
        yield model, torch.randint(0, CONFIG["vocab_size"], (3, LENGTH))


def same(a, b, tolerance=1e-12):
    return bool((a - b).abs().max() <= tolerance)


def the_recurrence_is_the_product_of_its_matrices():
    """o_t = Σ_s β_s v_s k_sᵀ · Π_{r = s + 1 … t} α_r (I − β_r k_r k_rᵀ) · q_t / √n, each matrix written out."""
    torch.manual_seed(1)
    n = 5
    q, k, v = torch.randn(3, 1, LENGTH, 1, n).double()
    k, beta, alpha = deltanet.unit(k), 2 * torch.rand(1, LENGTH, 1).double(), torch.rand(1, LENGTH, 1).double()
    found = deltanet.delta_rule(q, k, v, beta, alpha)[0, :, 0]
    q, k, v, beta, alpha = (array[0, :, 0] for array in (q, k, v, beta, alpha))
    transitions = [alpha[r] * (torch.eye(n) - beta[r] * torch.outer(k[r], k[r])) for r in range(LENGTH)]
    for t in range(LENGTH):
        state = torch.zeros(n, n).double()
        for s in range(t + 1):
            product = torch.eye(n).double()
            for r in range(s + 1, t + 1):
                product = product @ transitions[r]
            state += beta[s] * torch.outer(v[s], k[s]) @ product
        assert same(found[t], state @ q[t] / n**0.5)


def at_strength_two_a_transition_reflects():
    """I − 2 k kᵀ has the eigenvalue −1 once and 1 otherwise.

    Sequence b writes e_0 under the key e_b at strength 1, then 0 under k at strength 2. Head j reads with e_j.
    So number 0 of that output is element [b, j] of the transition, divided by √n.
    """
    torch.manual_seed(2)
    n = 4
    basis, key = torch.eye(n).double(), torch.randn(n).double()
    k = torch.stack([basis, (key / key.norm()).expand(n, n)], dim=1)[:, :, None].expand(n, 2, n, n)
    q = basis.expand(n, 2, n, n)
    v = torch.zeros(n, 2, n, n).double()
    v[:, 0, :, 0] = 1
    beta = torch.tensor([1.0, 2.0]).double()[None, :, None].expand(n, 2, n)
    transition = n**0.5 * deltanet.delta_rule(q, k, v, beta, torch.ones_like(beta))[:, 1, :, 0]
    assert same(torch.linalg.eigvalsh(transition), torch.tensor([-1.0, 1, 1, 1]))
    assert same(transition, transition.mT)


def a_layer_mixes_as_transformers_does():
    """Without its output gate, OLMo Hybrid's layer computes the same, in float32 and in chunks. A_log = −∞ means no decay."""
    for model, _ in models_and_tokens():
        ours, x = model.layers[0], torch.randn(2, 70, CONFIG["hidden_size"]).double()
        heads = CONFIG["num_attention_heads"]
        sizes = dict(linear_num_key_heads=heads, linear_num_value_heads=heads, linear_conv_kernel_dim=4, hidden_act="silu")
        sizes |= dict.fromkeys(["linear_key_head_dim", "linear_value_head_dim"], CONFIG["hidden_size"] // heads)
        sizes |= dict(hidden_size=CONFIG["hidden_size"], num_hidden_layers=2, layer_types=["linear_attention", "full_attention"])
        config = OlmoHybridConfig(**sizes, linear_allow_neg_eigval=ours.range == 2)
        theirs = OlmoHybridGatedDeltaNet(config, 0)
        weights = {name: value for name, value in ours.state_dict().items() if name in theirs.state_dict()}
        for part in ("weight", "bias"):
            weights[f"conv1d.{part}"] = torch.cat([getattr(getattr(ours, f"{which}_conv1d"), part) for which in "qkv"])
        if not ours.gated:
            weights |= {"A_log": torch.full((heads,), -torch.inf), "dt_bias": torch.zeros(heads), "a_proj.weight": theirs.a_proj.weight}
        theirs.conv1d.bias = torch.nn.Parameter(torch.zeros(len(weights["conv1d.bias"])))
        missing, unexpected = theirs.load_state_dict(weights, strict=False)
        assert (missing, unexpected) == (["g_proj.weight"], [])
        del theirs.o_norm
        theirs.o_norm = lambda o, gate: ours.float().o_norm(o)
        with torch.no_grad():
            expected, found = theirs(x.float()), ours.double().mix(x)
        assert same(found, expected, 1e-5 * expected.abs().max())


def an_output_depends_on_every_earlier_token_and_on_no_later_one():
    """Another token at position p leaves the logits before it as they were, and changes those from it on, in its own sequence only."""
    for model, tokens in models_and_tokens():
        before = model(tokens)
        for position in range(LENGTH):
            other = tokens.clone()
            other[1, position] = (other[1, position] + 1) % CONFIG["vocab_size"]
            change = (model(other) - before).abs().amax(2)
            assert bool((change[[0, 2]] == 0).all() and (change[1, :position] == 0).all() and (change[1, position:] > 1e-9).all())


def erase_before_decay(q, k, v, beta, alpha):
    """What is erased is read from the state before its decay."""
    state, outputs = 0 * q[:, 0, :, :, None] @ k[:, 0, :, None, :], []
    for t in range(q.shape[1]):
        change = beta[:, t, :, None] * (v[:, t] - (state @ k[:, t, ..., None]).squeeze(-1))
        state = alpha[:, t, :, None, None] * state + change[..., None] @ k[:, t, :, None]
        outputs.append((state @ q[:, t, ..., None]).squeeze(-1))
    return torch.stack(outputs, dim=1) / q.shape[-1] ** 0.5


RULE = deltanet.delta_rule
BREAKS = [
    (the_recurrence_is_the_product_of_its_matrices, "delta_rule", erase_before_decay),
    (the_recurrence_is_the_product_of_its_matrices, "delta_rule", lambda q, k, v, beta, alpha: RULE(q, k, v, beta, alpha.sqrt())),
    (the_recurrence_is_the_product_of_its_matrices, "delta_rule", lambda *arrays: RULE(*arrays).roll(1, 1)),
    (at_strength_two_a_transition_reflects, "delta_rule", lambda q, k, v, beta, alpha: RULE(q, k, v, beta / 2, alpha)),
    (at_strength_two_a_transition_reflects, "delta_rule", lambda q, k, v, beta, alpha: RULE(q, k, v, beta.clamp(max=1), alpha)),
    (a_layer_mixes_as_transformers_does, "delta_rule", erase_before_decay),
    (a_layer_mixes_as_transformers_does, "unit", lambda x: x / x.square().sum(-1, keepdim=True)),
    (a_layer_mixes_as_transformers_does, "convolve", lambda convolution, x: convolution(x.mT)[..., : x.shape[1]].mT),
    (a_layer_mixes_as_transformers_does, "softplus", torch.nn.functional.elu),
    (
        an_output_depends_on_every_earlier_token_and_on_no_later_one,
        "convolve",
        lambda convolution, x: silu(convolution(x.mT)[..., 1 : x.shape[1] + 1].mT),
    ),
    (
        an_output_depends_on_every_earlier_token_and_on_no_later_one,
        "delta_rule",
        lambda q, k, v, beta, alpha: RULE(q, k, v, beta, 0 * alpha),
    ),
]


def holds(test):
    try:
        test()
    except AssertionError:
        return False
    return True


def main():
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    tests = list(dict.fromkeys(test for test, _, _ in BREAKS))
    wrong = [f"{test.__name__} does not hold" for test in tests if not holds(test)]
    for test, name, broken in BREAKS:
        kept = getattr(deltanet, name)
        setattr(deltanet, name, broken)
        if holds(test):
            wrong.append(f"{test.__name__} holds although {name} is broken")
        setattr(deltanet, name, kept)
    for sentence in wrong:
        print(f"failed: {sentence}")
    if wrong:
        sys.exit(1)
    print(f"ok: {len(tests)} identities of deltanet.py hold, {len(BREAKS)} deliberate breaks were noticed")


if __name__ == "__main__":
    main()
