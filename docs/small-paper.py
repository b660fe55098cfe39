#!/usr/bin/env python3
"""Draws exact match against depth from a list's results, and writes its tables into the page that tells of them.

    python3 docs/small-paper.py

Reads small-paper.jsonl (`lookahead train small-paper.links --out small-paper.jsonl --thin`) and small-paper.floors.jsonl
(`lookahead ceiling`), both beside this script; writes small-paper.svg, and in small-paper.md what stands between its two marks.
A label of the list reads "method k=2 seed=1". A new method is a row of METHODS. Plain Python, nothing to install.
"""

import json
import math
import pathlib
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).parent
DEPTHS = (1, 2, 3, 4)
# Key in the labels: name, colour (Okabe and Ito's). GRPO has its place; without runs a method is left out.
METHODS = {
    "direct": ("GPT-NeoX, straight", "#0072b2"),
    "act": ("GPT-NeoX with ACT", "#d55e00"),
    "armt": ("ARMT", "#009e73"),
    "grpo": ("GPT-NeoX with GRPO", "#5b4b9a"),
    "cot": ("GPT-NeoX, chain of thought", "#cc79a7"),
}
WIDTH, HEIGHT = 860, 400
LEFT, RIGHT, TOP, BOTTOM = 62, 560, 22, 346


def wilson(hits, samples):
    """Wilson's 95 % interval."""
    z = 1.959963984540054
    share, scale = hits / samples, 1 + z * z / samples
    centre = share + z * z / (2 * samples)
    spread = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples * samples))
    return (centre - spread) / scale, (centre + spread) / scale


def read():
    """{method: {depth: {seed: (hits, samples)}}} of test rules after the last step, and {method: [(steps, seconds, parameters)]}."""
    found, made = {}, {}
    # The later line of a run holds; a failed one has no last measurement.
    runs = {run["label"]: run for run in map(json.loads, open(HERE / "small-paper.jsonl", encoding="utf-8")) if not run["failure"]}
    for label, run in runs.items():
        method, _, seed = label.split()
        seed = int(seed.removeprefix("seed="))
        made.setdefault(method, []).append((run["steps"], run["seconds"], run["parameters"]))
        for score in run["measured"][-1]["depths"]:
            found.setdefault(method, {}).setdefault(score["depth"], {})[seed] = (score["exact"], score["samples"])
    return {method: found[method] for method in METHODS if method in found}, made


def pooled(seeds):
    return sum(hits for hits, _ in seeds.values()), sum(samples for _, samples in seeds.values())


def cell(seeds):
    if not seeds:
        return "not run"
    hits, samples = pooled(seeds)
    low, high = wilson(hits, samples)
    each = " · ".join(f"{seeds[seed][0] / seeds[seed][1]:.2f}" if seed in seeds else "–" for seed in (1, 2, 3))
    return f"**{hits / samples:.2f}** ({low:.2f} … {high:.2f})<br>{each}"


def tables(found, made, floors):
    rows = ["| test rules, exact match | " + " | ".join(f"k = {depth}" for depth in DEPTHS) + " |", "|---" * (1 + len(DEPTHS)) + "|"]
    for key, name in (("ceiling", "*ceiling*"), ("cycle", "*floor: continue a shifted cycle*"), ("copy", "*floor: copy the last row*")):
        rows.append(f"| {name} | " + " | ".join(f"*{floors[depth][key]:.2f}*" for depth in DEPTHS) + " |")
    for method, depths in found.items():
        rows.append(f"| {METHODS[method][0]} | " + " | ".join(cell(depths.get(depth)) for depth in DEPTHS) + " |")
    rows += ["", "| | runs | parameters | steps a run | ms a step, median run | minutes in all |", "|---|---|---|---|---|---|"]
    for method in found:
        runs = made[method]
        pace = sorted(1000 * seconds / steps for steps, seconds, _ in runs)[len(runs) // 2]
        steps, parameters = runs[0][0], runs[0][2]
        total = sum(seconds for _, seconds, _ in runs) / 60
        rows.append(f"| {METHODS[method][0]} | {len(runs)} | {parameters:,} | {steps:,} | {pace:.0f} | {total:.0f} |")
    return "\n".join(rows)


def text(x, y, words, anchor="start", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def across(depth):
    return LEFT + 50 + (RIGHT - LEFT - 100) * (depth - 1) / (len(DEPTHS) - 1)


def up(share):
    return BOTTOM - (BOTTOM - TOP) * share


def axes():
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#222" role="img" aria-label="Exact match against depth k">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for tenth in range(0, 11, 2):
        parts.append(f'<path d="M{LEFT} {up(tenth / 10):.1f}H{RIGHT}" stroke="#ddd"/>')
        parts.append(text(LEFT - 8, up(tenth / 10) + 4, f"{tenth * 10} %", "end"))
    for depth in DEPTHS:
        parts.append(text(across(depth), BOTTOM + 20, str(depth), "middle"))
    parts.append(f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" fill="none" stroke="#222"/>')
    parts.append(text((LEFT + RIGHT) / 2, BOTTOM + 42, "k, steps ahead", "middle"))
    middle = (TOP + BOTTOM) / 2
    parts.append(text(16, middle, "exact match, test rules", "middle", f' transform="rotate(-90 16 {middle:.1f})"'))
    return parts


def levels(floors):
    """Ceiling and floors, dashed, each named at its right end."""
    parts = []
    for key, name in (("ceiling", "ceiling"), ("cycle", "cycle floor"), ("copy", "copy floor")):
        path = "L".join(f"{across(depth):.1f} {up(floors[depth][key]):.1f}" for depth in DEPTHS)
        parts.append(f'<path d="M{path}" fill="none" stroke="#777" stroke-dasharray="5 4"/>')
        parts.append(text(RIGHT + 4, up(floors[DEPTHS[-1]][key]) + 4, name, extra=' fill="#555" font-size="12"'))
    return parts


def curves(found):
    parts = []
    for place, (method, depths) in enumerate(found.items()):
        name, colour = METHODS[method]
        aside = 7 * (place - (len(found) - 1) / 2)
        points = []
        for depth in sorted(depths):
            hits, samples = pooled(depths[depth])
            low, high = wilson(hits, samples)
            x = across(depth) + aside
            points.append(f"{x:.1f} {up(hits / samples):.1f}")
            parts.append(f'<path d="M{x:.1f} {up(low):.1f}V{up(high):.1f}" stroke="{colour}" stroke-width="4" opacity=".35"/>')
            for hits, samples in depths[depth].values():
                parts.append(f'<circle cx="{x:.1f}" cy="{up(hits / samples):.1f}" r="2.8" fill="#fff" stroke="{colour}" stroke-width="1.4"/>')
        parts.append(f'<path d="M{"L".join(points)}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>')
        y = TOP + 60 + 28 * place
        parts.append(f'<path d="M{RIGHT + 90} {y}h28" stroke="{colour}" stroke-width="2"/>')
        parts.append(text(RIGHT + 124, y + 4, name))
    parts.append(text(RIGHT + 90, TOP + 60 + 28 * len(found) + 8, "rings: seeds; bars: 95 % of all", extra=' fill="#555" font-size="12"'))
    return parts


def main():
    found, made = read()
    floors = {line["depth"]: line for line in map(json.loads, open(HERE / "small-paper.floors.jsonl", encoding="utf-8"))}
    (HERE / "small-paper.svg").write_text("\n".join([*axes(), *levels(floors), *curves(found), "</svg>", ""]), encoding="utf-8")
    page = HERE / "small-paper.md"
    if not page.exists():
        print(tables(found, made, floors))
        return
    begin, end = "<!-- tables -->\n", "<!-- /tables -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise SystemExit(f"{page} lacks the marks {begin.strip()} and {end}, between which the tables go: put them in.")
    page.write_text(f"{before}{begin}\n{tables(found, made, floors)}\n\n{end}{after}", encoding="utf-8")


main()
