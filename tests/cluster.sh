#!/usr/bin/env bash
# A sweep through a real Slurm on this machine and through GNU parallel, with the files of docs/cluster: a task is killed, and in the end all results are
# there, equal to those of one process.
#   tests/cluster.sh PATH-OF-LOOKAHEAD
# Slurm runs as root, in a folder of its own, without authentication and on ports of its own. What is not installed is not run, and said.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
folder=$(mktemp -d)
slurm=$folder/slurm
stop() {
  [ ! -e "$slurm/ctld.pid" ] || scancel --signal=KILL --full --user=root 2>/dev/null || true
  for daemon in d ctld; do [ ! -e "$slurm/$daemon.pid" ] || kill "$(cat "$slurm/$daemon.pid")" 2>/dev/null || true; done
  # They write into the folder until they end.
  sleep 1
  rm -rf "$folder"
}
trap stop EXIT
fail() { echo "tests/cluster.sh: $*" >&2; tail -n 20 "$slurm"/*.log 2>/dev/null >&2 || true; exit 1; }
# until_ SECONDS WORDS…: waits until a command succeeds.
until_() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done
}
# Says which process computes which part, so that the test kills its own.
mkdir "$folder/bin"
printf '#!/bin/sh\ncase "$*" in *"--part 2/3"*) echo $$ >"%s/second.pid" ;; esac\nexec "%s" "$@"\n' "$folder" "$program" >"$folder/bin/lookahead"
chmod +x "$folder/bin/lookahead"
export PATH=$folder/bin:$PATH:/usr/sbin LOOKAHEAD_OPTIONS="--keep-every 0.1"

cd "$folder"
lookahead sweep 'quick&steps=150&every=50&evaln=32&batch=8&engine=cpu&seed=1..3&k=1,2' >runs.links
[ "$(wc -l <runs.links)" = 6 ] || fail "the list has not six runs"
lookahead train runs.links --out whole.jsonl --thin --workers 1
# Without what depends on the time.
plain() { sed -E 's/"seconds":[0-9.e-]+//g' "$@" | sort; }
joined() {
  lookahead merge results-*.jsonl --list runs.links --out all.jsonl || return 1
  [ "$(plain all.jsonl)" = "$(plain whole.jsonl)" ] || fail "$1: the results are not those of one process"
  echo "$1: all results are there, those of one process"
  rm -rf results-* all.jsonl
}
begun() { compgen -G 'results-2.jsonl.unfinished/*.unfinished'; }
# complete: whether all results are there.
complete() { lookahead merge results-*.jsonl --list runs.links >/dev/null; }
# Two clones may be tested at once.
port=$((20000 + $$ % 20000))

if command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v sbatch >/dev/null && [ "$(id -u)" = 0 ]; then
  host=$(hostname -s)
  mkdir -p "$slurm/state" "$slurm/spool"
  export SLURM_CONF=$slurm/slurm.conf
  cat >"$SLURM_CONF" <<CONF
ClusterName=lookahead
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthType=auth/none
CredType=cred/none
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool
SlurmctldPidFile=$slurm/ctld.pid
SlurmdPidFile=$slurm/d.pid
SlurmctldLogFile=$slurm/ctld.log
SlurmdLogFile=$slurm/d.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2
MpiDefault=none
KillWait=2
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES State=UP
CONF
  slurmctld -c && slurmd
  until_ 30 bash -c 'sinfo -h -o %T | grep -q idle' || fail "Slurm does not come up"
  done_() { [ -z "$(squeue -h)" ]; }
  job=$(sbatch --parsable "$root/docs/cluster/slurm.sh")
  until_ 60 begun || fail "the second task does not begin"
  scancel --signal=KILL --full "${job}_2"
  until_ 120 done_ || fail "the tasks do not end"
  ! complete || fail "the task was killed too late"
  sbatch --parsable "$root/docs/cluster/slurm.sh" >/dev/null
  until_ 120 done_ || fail "the tasks do not end"
  joined Slurm
else
  echo "NOT RUN: there is no Slurm here, or this is not root"
fi

if parallel --version 2>/dev/null | grep -q GNU; then
  "$root/docs/cluster/parallel.sh" &
  until_ 60 begun || fail "the second part does not begin"
  kill -KILL "$(cat second.pid)" || fail "the second part ended too early"
  wait $! || true
  "$root/docs/cluster/parallel.sh"
  joined "GNU parallel"
else
  echo "NOT RUN: there is no GNU parallel here"
fi
