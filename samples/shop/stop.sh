#!/usr/bin/env bash
# samples/shop/stop.sh - stop what start.sh started, and wait until it has ended.
set -u
# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"
pids=()
for name in nginx api worker redis; do
  if [ -s "$run/$name.pid" ]; then pids+=("$(cat "$run/$name.pid")"); fi
done
if [ ${#pids[@]} -gt 0 ]; then kill "${pids[@]}" 2>/dev/null; fi
if [ -s "$run/pg/postmaster.pid" ]; then
  pids+=("$(head -n 1 "$run/pg/postmaster.pid")")
  kill -INT "${pids[-1]}" 2>/dev/null
fi
for _ in $(seq 100); do
  alive=
  for pid in "${pids[@]}"; do
    if kill -0 "$pid" 2>/dev/null; then alive=1; fi
  done
  if [ -z "$alive" ]; then break; fi
  sleep 0.1
done
exit 0
