"""Measures the peak memory of one step on burn-flex, natively: the values of tests/laws/memory.rs.

    python3 tests/reference/memory.py [PROGRAM]    PROGRAM: the command line, by default the one that ./test builds
"""
import os
import sys

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else os.path.expanduser("~/.cache/lookahead/native/release/lookahead")
SHAPES = ["W=16&T=12&d=64&layers=2&heads=4&ff=256&batch=32", "W=16&T=24&d=128&layers=4&heads=4&ff=512&batch=16"]


def megabytes(link):
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        os.execv(PROGRAM, [PROGRAM, "train", link])
    _, status, usage = os.wait4(child, 0)
    assert status == 0, link
    return usage.ru_maxrss / 1024


for model in ("neox", "lstm", "mamba", "armt", "deltanet"):
    links = [f"quick&model={model}&{shape}&mem=8&dmem=32&steps=1&every=2&evaln=8&engine=burn-flex" for shape in SHAPES]
    print(model, *(f"{megabytes(link):.0f} MB" for link in links))
