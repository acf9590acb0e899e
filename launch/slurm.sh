#!/usr/bin/env bash
# A sweep under Slurm: sbatch --nodes=4 launch/slurm.sh SPEC RESULTS
#
# RESULTS is a folder that all nodes share. Before the time limit every trial saves where it stands and the job puts
# itself back into the queue; the same command run by hand goes on where the record ends as well.
#SBATCH --job-name=interplay
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --gpus-per-node=8
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@180
#SBATCH --requeue

set -euo pipefail

spec=${1:?usage: sbatch launch/slurm.sh SPEC RESULTS}
results=${2:?usage: sbatch launch/slurm.sh SPEC RESULTS}

# One token for this job, readable by its owner alone; every node reads it from the shared home.
token_file="$HOME/.ray/interplay-$SLURM_JOB_ID.token"
pid_file=$(mktemp)
mkdir -p "$HOME/.ray"
(umask 077 && python -c 'import secrets; print(secrets.token_hex(32), end="")' >"$token_file")
trap 'rm -f "$token_file" "$pid_file"' EXIT
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$token_file"

head_host=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)
port=$((20000 + SLURM_JOB_ID % 20000))
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=180 # nodes of a busy cluster take longer than the default 30 s

# symmetric-run would die of a signal and take Ray with it; so the signal goes to the sweep alone, which runs on this
# node, the first of the job.
trap 'kill -TERM "$(cat "$pid_file")" || kill -TERM "$running"' TERM

# shellcheck disable=SC2016 # the inner shell expands these
srun --kill-on-bad-exit=1 \
  ray symmetric-run --address "$head_host:$port" --min-nodes "$SLURM_JOB_NUM_NODES" -- \
  bash -c 'echo $$ >"$0"; exec sweep run "$@"' "$pid_file" "$spec" --results "$results" --address "$head_host:$port" &
running=$!

code=0
wait "$running" || code=$?
while kill -0 "$running" 2>/dev/null; do # a signal ends `wait` before the sweep has ended
  code=0
  wait "$running" || code=$?
done
case $code in
75 | 143) scontrol requeue "$SLURM_JOB_ID" ;; # stopped, and resumable
esac
exit "$code"
