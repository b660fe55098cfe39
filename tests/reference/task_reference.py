#!/usr/bin/env python3
"""Independent check of the task: verifies lines made by `lookahead sample LINK --count N`.

Usage: task_reference.py SAMPLES.jsonl [OTHER_SPLIT.jsonl ...]

Each line holds rule, states, depth, tokens, loss_mask, target. Checked on every line of every file:
the states follow the rule; the tokens are the orbit-to-state layout (or the multi-horizon one, with its shift token)
in the compact or the authors' vocabulary; the mask marks the target's bits, or those and the bits of s1 ... s(T-1);
the target is s(T-1+k). Between files that are of different splits: no rule is in both.
Exit status 1, with a sentence, on the first failure. Written from the specification, not from the Rust code.
"""

import json
import sys

# 2^(2r+1) entries -> cells left and right of the centre.
NEIGHBOURHOOD = {8: (1, 1), 16: (1, 2), 32: (2, 2)}
VOCABULARIES = {
    "compact": {"sep": 2, "gen": 3, "shift": [7, 8, 9, 10]},
    "paper": {"sep": 100, "gen": 101, "shift": [106, 107, 108, 109]},
}


class Wrong(Exception):
    """A line that contradicts the specification."""


def require(condition, sentence):
    if not condition:
        raise Wrong(sentence)


def step(rule, state):
    """next[i] = rule[code], code = cells i-left .. i+right as a binary number, leftmost first."""
    left, right = NEIGHBOURHOOD[len(rule)]
    width = len(state)
    after = []
    for i in range(width):
        window = "".join(str(state[j % width]) for j in range(i - left, i + right + 1))
        after.append(rule[int(window, 2)])
    return after


def is_bits(values):
    # `True` would equal 1: JSON booleans are not what the format promises.
    return isinstance(values, list) and all(type(value) is int and value in (0, 1) for value in values)


def self_test():
    """The test vector of the specification."""
    rule = [int(c) for c in "01011111100100000101111011111100"]
    orbit = (
        "10110111001000110100",
        "11101001101111101100",
        "10111011010000111011",
        "11001110111011101100",
        "10111011001100111011",
    )
    for before, after in zip(orbit, orbit[1:]):
        got = "".join(map(str, step(rule, [int(c) for c in before])))
        require(got == after, f"this checker itself is wrong: {before} steps to {got}, not {after}")


def check_orbit(rule, states):
    require(is_bits(rule) and len(rule) in NEIGHBOURHOOD, "the rule is not a list of 8, 16 or 32 bits")
    require(len(states) > 0 and all(is_bits(state) for state in states), "a state is not a list of bits")
    for t, (before, after) in enumerate(zip(states, states[1:])):
        require(len(after) == len(before), f"s{t + 1} has another width than s{t}")
        require(step(rule, before) == after, f"s{t + 1} does not follow from s{t} by the rule")


def shown_states(length, width):
    """(T, whether there is a shift token): T(W+1) + 1 + W tokens, or one more."""
    for shift in (0, 1):
        shown, rest = divmod(length - 1 - width - shift, width + 1)
        if rest == 0:
            return shown, shift == 1
    raise Wrong(f"{length} tokens fit no layout of width {width}")


def expected_tokens(ids, states, shown, depth, has_shift):
    tokens = []
    for state in states[:shown]:
        tokens += [ids["sep"], *state]
    if has_shift:
        require(1 <= depth <= 4, f"there is no shift token for depth {depth}")
        tokens.append(ids["shift"][depth - 1])
    tokens.append(ids["gen"])
    return tokens + states[shown - 1 + depth]


def expected_masks(length, width, shown):
    target = [int(p >= length - width) for p in range(length)]
    rows = target[:]
    for t in range(1, shown):
        for i in range(width):
            rows[t * (width + 1) + 1 + i] = 1
    return target, rows


def check_line(record):
    rule, states, depth = record["rule"], record["states"], record["depth"]
    tokens, mask, target = record["tokens"], record["loss_mask"], record["target"]
    check_orbit(rule, states)
    width = len(states[0])
    shown, has_shift = shown_states(len(tokens), width)
    require(shown >= 1 and shown - 1 + depth < len(states), f"no state is given for depth {depth} after {shown} shown")
    require(depth >= 1 and target == states[shown - 1 + depth], f"the target is not s{shown - 1 + depth}")
    candidates = [expected_tokens(ids, states, shown, depth, has_shift) for ids in VOCABULARIES.values()]
    require(tokens in candidates, "the tokens are not the layout, in either vocabulary")
    require(
        is_bits(mask) and mask in expected_masks(len(tokens), width, shown),
        "the loss mask marks neither the target's bits alone nor those and the bits of s1 to the last shown state",
    )
    return (len(rule), tuple(rule))


def check_file(path):
    """The split and the rules of a file, and how many lines it has."""
    splits, rules, count = set(), set(), 0
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                rules.add(check_line(record))
                splits.add(record["split"])
            except (KeyError, TypeError, ValueError) as error:
                raise Wrong(f"{path}, line {number}: not a sample record ({type(error).__name__}: {error})") from error
            except Wrong as wrong:
                raise Wrong(f"{path}, line {number}: {wrong}") from None
            count += 1
    require(count > 0, f"{path} has no lines")
    require(len(splits) == 1, f"{path} mixes the splits {sorted(splits)}")
    return splits.pop(), rules, count


def main(paths):
    if not paths:
        print("Give one or more files made by `lookahead sample`; files of different splits are compared.")
        return 2
    try:
        self_test()
        files = [(path, *check_file(path)) for path in paths]
        for i, (path, split, rules, _) in enumerate(files):
            for other, other_split, other_rules, _ in files[:i]:
                if split != other_split:
                    shared = rules & other_rules
                    require(not shared, f"{len(shared)} rules are in both {other} ({other_split}) and {path} ({split})")
    except (Wrong, OSError) as error:
        print(error)
        return 1
    for path, split, rules, count in files:
        print(f"{path}: {count} samples of {split}, {len(rules)} rules, all as specified")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
