#!/usr/bin/env python3
"""What must be true of act.py whatever its weights, each seen to fail when the code is broken on purpose.

    ~/.cache/lookahead/python/bin/python tests/reference/test_act.py      seconds; exit 0: all hold and every break was noticed; 77: no torch

A break replaces one function of act.py or armt.py (`BREAKS`) while the test runs once more. Where not said otherwise a test is of all
four networks, looped by layer and as a stack.
"""

import itertools
import math
import sys

try:
    import act
    import act_golden
    import armt
    import torch
    import transformers
except ImportError as error:
    print(f"skipped: torch and transformers cannot be imported ({error}); pip install -r tests/reference/requirements.txt")
    sys.exit(77)

KINDS = tuple(act_golden.SIZES)
LOOPED = tuple(itertools.product(KINDS, ("layer", "stack")))
LENGTH = 17
"""Three segments of ARMT, of 6, 6 and 5 tokens."""


def draw(kind, mode, hops, bias=None):
    """A float64 model of act_golden.py's sizes with every parameter random, or its halting units constant; and tokens."""
    model = act_golden.build(dict(act_golden.CASES[f"{kind} {mode}"], hops=hops), True)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.ordered_parameters():
            parameter.normal_(1.0 if name.endswith(("norm.weight", "norm_f.weight")) else 0.0, 0.3)
        for unit in model.halting if bias is not None else []:
            unit.weight.zero_()
            unit.bias.fill_(bias)
    return model, torch.randint(0, 12, (2, LENGTH))


def same(a, b, tolerance=1e-12):
    return bool((a - b).abs().max() <= tolerance)


def plain_logits(kind, network, tokens):
    """Of the network by its own forward, without act.py."""
    return getattr(act_golden, f"{kind}_golden").forward(network, tokens) if kind != "gpt_neox" else network(tokens, use_cache=False).logits


def hops_and_remainders(found):
    loops = [loop for loops in found.loops for loop in loops]
    return torch.cat([loop.hops.flatten() for loop in loops]), torch.cat([loop.remainder.flatten() for loop in loops])


def loss_of(model, tokens, tau):
    found = model(tokens[:, :-1])
    return torch.nn.functional.cross_entropy(found.logits.flatten(0, 1), tokens[:, 1:].flatten()) + tau * found.remainder()


def halting_is_its_definition():
    """Of random probabilities, row by row in plain Python; and some rows halt at each hop."""
    torch.manual_seed(1)
    p = torch.rand(6, 30, 4).double() ** 2
    weights, told = act.halt(p)
    assert same(weights.sum(-1), 1) and sorted(told.hops.unique().tolist()) == [1, 2, 3, 4]
    for row, found, hops, remainder in zip(p.view(-1, 4), weights.view(-1, 4), told.hops.flatten(), told.remainder.flatten(), strict=True):
        last = next((t for t in range(4) if sum(row[: t + 1]) >= 0.9), 3)
        left = 1 - row[:last].sum()
        expected = torch.cat([row[:last], left[None], torch.zeros(3 - last)])
        assert same(found, expected) and hops == last + 1 and same(remainder, left)


def a_halted_rows_state_goes_on():
    """The loop's output is the weighted sum of f's unhalted iterates, for an f that mixes rows, and each p is of the state before."""
    torch.manual_seed(2)
    rows, columns, unit = torch.randn(7, 7).double(), torch.randn(5, 5).double(), torch.nn.Linear(5, 1).double()
    f = lambda h: (rows @ h @ columns).tanh()
    states = [torch.randn(2, 7, 5).double()]
    for _ in range(4):
        states.append(f(states[-1]))
    weights, told = act.halt(torch.cat([unit(h).sigmoid() for h in states[:-1]], dim=-1))
    [found], did = act.ponder([f], states[0], unit, 4)
    assert bool((told.hops < 4).any()) and bool((told.hops == 4).any())
    assert same(found, sum(w[..., None] * h for w, h in zip(weights.unbind(-1), states[1:], strict=True))) and same(did.hops, told.hops)


def with_one_hop_it_is_the_plain_network():
    for kind, mode in LOOPED:
        model, tokens = draw(kind, mode, hops=1)
        found, plain = model(tokens), plain_logits(kind, model.network, tokens)
        hops, remainders = hops_and_remainders(found)
        assert same(found.logits, plain) and bool((hops == 1).all()) and bool((remainders == 1).all())


def rows_that_want_to_halt_take_one_hop():
    """With a bias of 30 the network is the plain one."""
    for kind, mode in LOOPED:
        model, tokens = draw(kind, mode, hops=4, bias=30.0)
        found, plain = model(tokens), plain_logits(kind, model.network, tokens)
        hops, remainders = hops_and_remainders(found)
        assert same(found.logits, plain) and bool((hops == 1).all()) and bool((remainders == 1).all())


def rows_that_never_want_to_halt_take_every_hop():
    """With a bias of −40 the last state is the output, as in mode "fixed", memory and all, and the remainder is next to everything."""
    for kind in KINDS:
        for hops in (3, 4):
            model, tokens = draw(kind, "layer", hops, bias=-40.0)
            found, (fixed, _) = model(tokens), draw(kind, "fixed", hops)
            taken, remainders = hops_and_remainders(found)
            assert bool((taken == hops).all()) and same(remainders, 1)
            assert same(found.logits, fixed(tokens).logits)
        stack, tokens = draw(kind, "stack", 4, bias=-40.0)
        taken, remainders = hops_and_remainders(stack(tokens))
        assert bool((taken == 4).all()) and same(remainders, 1)


def memory_is_written_once_of_the_combined_rows():
    """Of ARMT. With p = .4 always the hops' weights are .4, .4, .2: the loops written out, old memory in every hop, one write after them."""
    weights, bias = (0.4, 0.4, 0.2), math.log(0.4 / 0.6)
    for mode in ("layer", "stack"):
        model, tokens = draw("armt", mode, hops=4, bias=bias)
        network, layers = model.network, model.network.gpt_neox.layers
        memories, parts = [None] * len(layers), []
        for piece in tokens.split(network.segment, dim=1):
            x, n = network.gpt_neox.embed_in(piece), piece.shape[1]
            if n == network.segment:
                x = torch.cat([x, network.memory.expand(len(x), -1, -1)], dim=1)
            combined = [0] * len(layers)
            if mode == "layer":
                for i, layer in enumerate(layers):
                    for weight in weights:
                        x = layer(x, memories[i])
                        combined[i] = combined[i] + weight * x
                    x = combined[i]
            else:
                for weight in weights:
                    for i, layer in enumerate(layers):
                        x = layer(x, memories[i])
                        combined[i] = combined[i] + weight * x
            memories = [layer.written(rows[:, n:], memory) for layer, rows, memory in zip(layers, combined, memories, strict=True)]
            parts.append(combined[-1][:, :n])
        expected = network.embed_out(network.gpt_neox.final_layer_norm(torch.cat(parts, dim=1)))
        found = model(tokens)
        hops, remainders = hops_and_remainders(found)
        assert same(found.logits, expected) and bool((hops == 3).all()) and same(remainders, 0.2)


def gradients_are_those_of_differences():
    """Of the loss with its penalty, by every halting bias and some weights of each unit; T stays where it was.

    Of two segments: what a third reads depends on γ, which has a slope but no gradient.
    """
    for kind, mode in LOOPED:
        model, tokens = draw(kind, mode, hops=4)
        tokens = tokens[:, :12]
        loss_of(model, tokens, 0.3).backward()
        for unit in model.halting:
            for parameter, at in ((unit.bias, 0), (unit.weight, (0, 0)), (unit.weight, (0, 5))):
                assert abs(parameter.grad[at]) > 1e-5 and abs(slope(model, tokens, parameter, at) - parameter.grad[at]) < 1e-7


def slope(model, tokens, parameter, at, step=1e-5):
    """Of the loss, by central difference."""
    kept, losses = parameter[at].item(), []
    with torch.no_grad():
        for sign in (1, -1):
            parameter[at] = kept + sign * step
            losses.append(loss_of(model, tokens, 0.3))
        parameter[at] = kept
    return (losses[0] - losses[1]) / (2 * step)


def nothing_comes_from_later_tokens_and_something_from_earlier_ones():
    """Another token at position p changes no logits before it, nor when those rows halt, and changes all from there on."""
    for kind, mode in LOOPED:
        model, tokens = draw(kind, mode, hops=4)
        before = model(tokens)
        for position in (1, 4, 9, LENGTH - 2):
            other = tokens.clone()
            other[:, position] = (other[:, position] + 1) % 12
            after = model(other)
            change = (after.logits - before.logits).abs().amax((0, 2))
            assert bool((change[:position] <= 1e-13).all()) and change[position:].min() > 1e-9
            earlier = min(position, 6) if kind == "armt" else position
            for a, b in ((a[0], b[0]) for a, b in zip(after.loops, before.loops, strict=True)):
                assert same(a.remainder[:, :earlier], b.remainder[:, :earlier]) and same(a.hops[:, :earlier], b.hops[:, :earlier])


# ---- breaks


def with_weights(change):
    """act.halt with its weights changed."""

    def halt(p):
        weights, told = HALT(p)
        return change(weights, p, told), told

    return halt


def weight_of_the_last_is_p(weights, p, told):
    return torch.where(weights > 0, p, 0)


def told_otherwise(**changes):
    def halt(p):
        weights, told = HALT(p)
        return weights, told._replace(**{key: change(told) for key, change in changes.items()})

    return halt


def at_one(p):
    """ε forgotten."""
    act.EPSILON, kept = 0.0, act.EPSILON
    found = HALT(p)
    act.EPSILON = kept
    return found


def of_the_state_after(layers, h, unit, hops):
    p, states = [], []
    for _ in range(hops):
        states.append(armt.in_turn(layers, h))
        h = states[-1][-1]
        p.append(unit(h).sigmoid())
    weights, halting = act.halt(torch.cat(p, dim=-1))
    return [torch.einsum("bnt,tbnd->bnd", weights, torch.stack(outputs)) for outputs in zip(*states, strict=True)], halting


def of_frozen_states(layers, h, unit, hops):
    """A halted row stays as it was when it halted."""
    p, states, spent = [], [], 0
    for _ in range(hops):
        p.append(unit(h).sigmoid())
        spent = spent + p[-1]
        states.append(armt.in_turn(layers, h))
        h = torch.where(spent >= 0.9, h, states[-1][-1])
    weights, halting = act.halt(torch.cat(p, dim=-1))
    return [torch.einsum("bnt,tbnd->bnd", weights, torch.stack(outputs)) for outputs in zip(*states, strict=True)], halting


def last_states_of_inner_layers(layers, h, unit, hops):
    """Only the loop's own output is combined; what is written is the last hop's."""
    states = h
    for _ in range(hops):
        inner = armt.in_turn(layers, states)
        states = inner[-1]
    outputs, halting = PONDER(layers, h, unit, hops)
    return [*inner[:-1], outputs[-1]], halting


def reading_twice(layer, memory):
    """Each hop's read sees what the hop before has written."""
    kept = [memory]

    def run(x):
        y = layer(x, kept[0])
        if y.shape[1] > 6:
            kept[0] = layer.written(y[:, 6:], kept[0])
        return y

    return run


def one_hop_more(layer, times, h):
    return REPEAT(layer, times + 1, h)


HALT, PONDER, REPEAT = act.halt, act.ponder, act.repeat
BREAKS = [
    (halting_is_its_definition, act, "halt", at_one),
    (halting_is_its_definition, act, "halt", with_weights(weight_of_the_last_is_p)),
    (halting_is_its_definition, act, "halt", told_otherwise(remainder=lambda told: 1 - told.sums[..., -1])),
    (a_halted_rows_state_goes_on, act, "ponder", of_frozen_states),
    (a_halted_rows_state_goes_on, act, "ponder", of_the_state_after),
    (with_one_hop_it_is_the_plain_network, act, "halt", with_weights(weight_of_the_last_is_p)),
    (with_one_hop_it_is_the_plain_network, act, "lstm_layer", lambda lstm, layer, rows: rows),
    (rows_that_want_to_halt_take_one_hop, act, "halt", with_weights(lambda weights, p, told: p / p.sum(-1, keepdim=True))),
    (rows_that_never_want_to_halt_take_every_hop, act, "halt", with_weights(weight_of_the_last_is_p)),
    (rows_that_never_want_to_halt_take_every_hop, act, "repeat", one_hop_more),
    (memory_is_written_once_of_the_combined_rows, act, "ponder", last_states_of_inner_layers),
    (memory_is_written_once_of_the_combined_rows, armt, "reader", reading_twice),
    (gradients_are_those_of_differences, act, "halt", told_otherwise(remainder=lambda told: told.remainder.detach())),
    (gradients_are_those_of_differences, act, "halt", with_weights(lambda weights, p, told: weights.detach())),
    (nothing_comes_from_later_tokens_and_something_from_earlier_ones, armt, "causal", lambda n: torch.ones(n, n, dtype=torch.bool)),
    (nothing_comes_from_later_tokens_and_something_from_earlier_ones, act, "lstm_layer", lambda lstm, layer, rows: rows),
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
    tests = list(dict.fromkeys(test for test, *_ in BREAKS))
    wrong = [f"{test.__name__} does not hold" for test in tests if not holds(test)]
    for test, module, name, broken in BREAKS:
        kept = getattr(module, name)
        setattr(module, name, broken)
        if holds(test):
            wrong.append(f"{test.__name__} holds although {module.__name__}.{name} is broken by {broken.__name__}")
        setattr(module, name, kept)
    for sentence in wrong:
        print(f"failed: {sentence}")
    if wrong:
        sys.exit(1)
    print(f"ok: {len(tests)} identities of act.py hold, {len(BREAKS)} deliberate breaks were noticed")


if __name__ == "__main__":
    main()
