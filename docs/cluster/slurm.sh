#!/bin/bash
# One task of a Slurm array: its part of runs.links. Submit it again after a task has failed or the time was over: what is complete is skipped, and
# an interrupted run goes on.
#SBATCH --job-name=lookahead
#SBATCH --array=1-3
#SBATCH --cpus-per-task=1
#SBATCH --time=01:00:00
# A minute before the time is over, so that the run can be kept.
#SBATCH --signal=B:USR1@60
exec lookahead train runs.links --part auto --out "results-$SLURM_ARRAY_TASK_ID.jsonl" --thin --workers "$SLURM_CPUS_PER_TASK" $LOOKAHEAD_OPTIONS
