#!/usr/bin/env python3
"""Draws exact match (smallest depth, validation split) against steps from files that `lookahead train LINK --out run.json` wrote.

    python3 docs/quick-preset.py OUT.svg 'label=run.json' ... [--until STEPS] [--line 'label=0.88']

Plain Python, nothing to install. An existing OUT.svg is overwritten.
"""

import argparse
import json
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 400
LEFT, RIGHT, TOP, BOTTOM = 62, 570, 22, 346
# Okabe and Ito's colours, told apart without red or green too; markers tell them apart without any colour.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#5b4b9a", "#8a6d00", "#000000"]


def marker(kind, x, y, colour):
    """One of seven small shapes."""
    if kind == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{colour}"/>'
    if kind == 1:
        return f'<rect x="{x - 3.3:.1f}" y="{y - 3.3:.1f}" width="6.6" height="6.6" fill="{colour}"/>'
    if kind == 6:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="#fff" stroke="{colour}" stroke-width="1.6"/>'
    corners, turn = {2: (3, -90), 3: (3, 90), 4: (4, 0), 5: (5, -90)}[kind]
    angles = [math.radians(turn + 360 * corner / corners) for corner in range(corners)]
    points = " ".join(f"{x + 4.6 * math.cos(angle):.1f},{y + 4.6 * math.sin(angle):.1f}" for angle in angles)
    return f'<polygon points="{points}" fill="{colour}"/>'


def text(x, y, words, anchor="start", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def curve(path, until):
    """[(step, exact match)] of the smallest depth on the validation split."""
    with open(path, encoding="utf-8") as file:
        run = json.load(file)
    found = []
    for measurement in run["measured"]:
        if measurement["split"].lower() == "validation" and measurement["step"] <= until:
            score = min(measurement["depths"], key=lambda score: score["depth"])
            found.append((measurement["step"], score["exact"] / score["samples"]))
    if not found:
        raise SystemExit(f"{path} holds no measurement on the validation split: give the output of lookahead train.")
    return found


def draw(runs, lines):
    end = max(step for _, points in runs for step, _ in points)
    across = lambda step: LEFT + (RIGHT - LEFT) * step / end
    up = lambda share: BOTTOM - (BOTTOM - TOP) * share
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#222" role="img" aria-label="Exact match against training steps">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for tenth in range(0, 11, 2):
        y = up(tenth / 10)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="#ddd"/>')
        parts.append(text(LEFT - 8, y + 4, f"{tenth * 10} %", "end"))
    gap = next(gap for gap in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10**9) if end / gap <= 8)
    for step in range(0, end + 1, gap):
        parts.append(f'<path d="M{across(step):.1f} {BOTTOM}v5" stroke="#222"/>')
        parts.append(text(across(step), BOTTOM + 20, str(step), "middle"))
    parts.append(f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="#222"/>')
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 42, "training steps", "middle"))
    middle = (TOP + BOTTOM) / 2
    parts.append(text(16, middle, "exact match, held-out rules, k = 1", "middle", f' transform="rotate(-90 16 {middle:.1f})"'))
    for label, value in lines:
        parts.append(f'<path d="M{LEFT} {up(value):.1f}H{RIGHT}" stroke="#666" stroke-dasharray="5 4"/>')
        parts.append(text(RIGHT - 6, up(value) - 5, label, "end", ' fill="#555" font-size="12"'))
    for index, (_, points) in enumerate(runs):
        colour, kind = COLOURS[index % len(COLOURS)], index % len(COLOURS)
        path = "L".join(f"{across(step):.1f} {up(share):.1f}" for step, share in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-linejoin="round"/>')
        parts += [marker(kind, across(step), up(share), colour) for step, share in points]
    # The legend in the order in which the curves end, highest first.
    order = sorted(range(len(runs)), key=lambda index: -runs[index][1][-1][1])
    for place, index in enumerate(order):
        label, points = runs[index]
        colour, y = COLOURS[index % len(COLOURS)], TOP + 14 + 44 * place
        parts.append(f'<path d="M{RIGHT + 18} {y}h28" stroke="{colour}" stroke-width="1.8"/>')
        parts.append(marker(index % len(COLOURS), RIGHT + 32, y, colour))
        parts.append(text(RIGHT + 54, y + 4, label))
        step, share = points[-1]
        parts.append(text(RIGHT + 54, y + 20, f"{100 * share:.0f} % at step {step}", extra=' fill="#555" font-size="12"'))
    return "\n".join([*parts, "</svg>", ""])


def pair(words):
    label, sign, value = words.rpartition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"“{words}” should read label=value")
    return label, value


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("out", metavar="OUT.svg")
parser.add_argument("runs", nargs="+", type=pair, metavar="label=run.json")
parser.add_argument("--until", type=int, default=10**9, help="leave out later steps")
parser.add_argument("--line", type=pair, action="append", default=[], metavar="label=share", help="a dashed level, such as a floor")
asked = parser.parse_args()
picture = draw([(label, curve(path, asked.until)) for label, path in asked.runs], [(label, float(value)) for label, value in asked.line])
with open(asked.out, "w", encoding="utf-8") as file:
    file.write(picture)
