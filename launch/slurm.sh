#!/usr/bin/env bash
# A sweep under Slurm: sbatch --nodes=4 launch/slurm.sh SPEC RESULTS
#
# RESULTS is a folder that all nodes share. The same command run again goes on where the record ends.
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
mkdir -p "$HOME/.ray"
(umask 077 && python -c 'import secrets; print(secrets.token_hex(32), end="")' >"$token_file")
trap 'rm -f "$token_file"' EXIT
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$token_file"

head_host=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
port=$((20000 + SLURM_JOB_ID % 20000))
export RAY_raylet_start_wait_time_s=120 # nodes of a busy cluster take longer than the default 30 s

srun --kill-on-bad-exit=1 \
  ray symmetric-run --address "$head_host:$port" --min-nodes "$SLURM_JOB_NUM_NODES" -- \
  sweep run "$spec" --results "$results" --address "$head_host:$port" &
wait $!
