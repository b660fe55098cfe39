#!/usr/bin/env python3
"""Draws exact match against depth from a list's results, and writes its tables into the page that tells of them.

    python3 docs/small-paper.py

Reads small-paper.jsonl (`lookahead train small-paper.links --out small-paper.jsonl --thin`) and small-paper.floors.jsonl
(`lookahead ceiling`), both beside this script; writes small-paper.svg, and in small-paper.md what stands between its two marks.
A label of the list reads "method k=2 seed=1", with "steps=3000" where it belongs beside the longer runs. A new method is a row of METHODS.
Plain Python, nothing to install.
"""

import json
import math
import pathlib
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).parent
DEPTHS = (1, 2, 3, 4)
# Key in the labels: name, colour (Okabe and Ito's and three more). Without runs a method is left out.
METHODS = {
    "direct": ("GPT-NeoX, straight", "#0072b2"),
    "act": ("GPT-NeoX with ACT", "#d55e00"),
    "fct": ("GPT-NeoX, always three hops", "#8c6d1f"),
    "armt": ("ARMT", "#009e73"),
    "oo": ("GPT-NeoX, O-O by curriculum", "#56b4e9"),
    "ooact": ("GPT-NeoX with ACT, O-O", "#e69f00"),
    "grpo": ("GPT-NeoX with GRPO", "#5b4b9a"),
    "stairs": ("GPT-NeoX with GRPO, k = 2 first", "#9d8fd6"),
    "cot": ("GPT-NeoX, chain of thought", "#cc79a7"),
}
# Steps of a run whose label says nothing of them; GRPO stands beside the run that it starts from.
STEPS = 1_500
LEVELS = (("ceiling", "ceiling"), ("cycle", "floor: continue a shifted cycle"), ("copy", "floor: copy the last row"))
# A panel for each number of steps, and at the right the names, of levels and then of methods.
PANEL, NAMES, METHODS_AT, HEIGHT, LEFT, TOP, BOTTOM = 350, 456, 190, 400, 62, 34, 346


def wilson(hits, samples):
    """Wilson's 95 % interval."""
    z = 1.959963984540054
    share, scale = hits / samples, 1 + z * z / samples
    centre = share + z * z / (2 * samples)
    spread = z * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples * samples))
    return (centre - spread) / scale, (centre + spread) / scale


def read():
    """{steps: {method: {depth: {seed: (hits, samples)}}}} of test rules after the last step, and {(steps, method): [run]}."""
    found, made = {}, {}
    # The later line of a run holds; a failed one has no last measurement.
    runs = {run["label"]: run for run in map(json.loads, open(HERE / "small-paper.jsonl", encoding="utf-8")) if not run["failure"]}
    for label, run in runs.items():
        method, *words = label.split()
        settings = dict(word.split("=") for word in words)
        seed, steps = int(settings["seed"]), int(settings.get("steps", STEPS))
        made.setdefault((steps, method), []).append(run)
        for score in run["measured"][-1]["depths"]:
            depths = found.setdefault(steps, {}).setdefault(method, {})
            depths.setdefault(score["depth"], {})[seed] = (score["exact"], score["samples"])
    ordered = lambda methods: {method: methods[method] for method in METHODS if method in methods}
    return {steps: ordered(found[steps]) for steps in sorted(found)}, made


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
    rows = []
    for steps, methods in found.items():
        rows += [f"| {steps:,} steps | " + " | ".join(f"k = {depth}" for depth in DEPTHS) + " |", "|---" * (1 + len(DEPTHS)) + "|"]
        for key, name in LEVELS:
            rows.append(f"| *{name}* | " + " | ".join(f"*{floors[depth][key]:.2f}*" for depth in DEPTHS) + " |")
        for method, depths in methods.items():
            rows.append(f"| {METHODS[method][0]} | " + " | ".join(cell(depths.get(depth)) for depth in DEPTHS) + " |")
        rows.append("")
    rows += ["| | steps | runs | parameters | ms a step: quickest run, median run | minutes in all |", "|---|---|---|---|---|---|"]
    for steps, methods in found.items():
        for method in methods:
            runs = made[steps, method]
            paces = sorted(1000 * run["seconds"] / run["steps"] for run in runs)
            minutes = sum(run["seconds"] for run in runs) / 60
            pace = f"{paces[0]:.0f}, {paces[len(paces) // 2]:.0f}"
            rows.append(f"| {METHODS[method][0]} | {runs[0]['steps']:,} | {len(runs)} | {runs[0]['parameters']:,} | {pace} | {minutes:.0f} |")
    return "\n".join(rows)


def text(x, y, words, anchor="start", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


class Panel:
    """The runs of one number of steps."""

    def __init__(self, place, steps, methods, floors):
        self.left, self.steps, self.methods, self.floors = LEFT + place * PANEL, steps, methods, floors
        self.right = self.left + PANEL - 30

    def across(self, depth):
        return self.left + 38 + (self.right - self.left - 76) * (depth - 1) / (len(DEPTHS) - 1)

    def axes(self):
        parts = [text((self.left + self.right) / 2, TOP - 12, f"{self.steps:,} steps", "middle", ' font-weight="600"')]
        parts += [f'<path d="M{self.left} {up(tenth / 10):.1f}H{self.right}" stroke="#ddd"/>' for tenth in range(0, 11, 2)]
        parts += [text(self.across(depth), BOTTOM + 20, str(depth), "middle") for depth in DEPTHS]
        parts.append(f'<path d="M{self.left} {TOP}V{BOTTOM}H{self.right}" fill="none" stroke="#222"/>')
        parts.append(text((self.left + self.right) / 2, BOTTOM + 42, "k, steps ahead", "middle"))
        for key, _ in LEVELS:
            path = "L".join(f"{self.across(depth):.1f} {up(self.floors[depth][key]):.1f}" for depth in DEPTHS)
            parts.append(f'<path d="M{path}" fill="none" stroke="#777" stroke-dasharray="5 4"/>')
        return parts

    def curves(self):
        parts = []
        for place, (method, depths) in enumerate(self.methods.items()):
            colour = METHODS[method][1]
            aside = 7 * (place - (len(self.methods) - 1) / 2)
            points = []
            for depth in sorted(depths):
                hits, samples = pooled(depths[depth])
                low, high = wilson(hits, samples)
                x = self.across(depth) + aside
                points.append(f"{x:.1f} {up(hits / samples):.1f}")
                parts.append(f'<path d="M{x:.1f} {up(low):.1f}V{up(high):.1f}" stroke="{colour}" stroke-width="5" opacity=".35"/>')
                for hits, samples in depths[depth].values():
                    y = up(hits / samples)
                    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.8" fill="#fff" stroke="{colour}" stroke-width="1.4"/>')
            parts.append(f'<path d="M{"L".join(points)}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>')
        return parts


def up(share):
    return BOTTOM - (BOTTOM - TOP) * share


def names(left, methods, floors):
    """Levels at their height, methods beside them."""
    parts = [text(left, up(floors[DEPTHS[-1]][key]) + 4, name, extra=' fill="#555" font-size="12"') for key, name in LEVELS]
    for place, method in enumerate(methods):
        name, colour = METHODS[method]
        x, y = left + METHODS_AT, TOP + 24 * place
        parts.append(f'<path d="M{x} {y}h28" stroke="{colour}" stroke-width="2"/>')
        parts.append(text(x + 36, y + 4, name))
    parts.append(text(left, BOTTOM - 4, "rings: one seed; bars: 95 % over all", extra=' fill="#555" font-size="12"'))
    return parts


def picture(found, floors):
    width = LEFT + PANEL * len(found) + NAMES - 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#222" role="img" aria-label="Exact match against depth k">',
        f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>',
    ]
    parts += [text(LEFT - 8, up(tenth / 10) + 4, f"{tenth * 10} %", "end") for tenth in range(0, 11, 2)]
    middle = (TOP + BOTTOM) / 2
    parts.append(text(16, middle, "exact match, test rules", "middle", f' transform="rotate(-90 16 {middle:.1f})"'))
    for place, (steps, methods) in enumerate(found.items()):
        panel = Panel(place, steps, methods, floors)
        parts += panel.axes() + panel.curves()
    seen = [method for method in METHODS if any(method in methods for methods in found.values())]
    return "\n".join([*parts, *names(width - NAMES + 12, seen, floors), "</svg>", ""])


def main():
    found, made = read()
    floors = {line["depth"]: line for line in map(json.loads, open(HERE / "small-paper.floors.jsonl", encoding="utf-8"))}
    (HERE / "small-paper.svg").write_text(picture(found, floors), encoding="utf-8")
    page = HERE / "small-paper.md"
    begin, end = "<!-- tables -->\n", "<!-- /tables -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        raise SystemExit(f"{page} lacks the marks {begin.strip()} and {end}, between which the tables go: put them in.")
    page.write_text(f"{before}{begin}\n{tables(found, made, floors)}\n\n{end}{after}", encoding="utf-8")


main()
