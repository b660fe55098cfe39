#!/bin/bash
# GNU parallel: three parts of runs.links, two at a time. Start it again after it was interrupted.
exec parallel --jobs 2 lookahead train runs.links --part {}/3 --out results-{}.jsonl --thin --workers 1 $LOOKAHEAD_OPTIONS ::: 1 2 3
