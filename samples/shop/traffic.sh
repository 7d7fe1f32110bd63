#!/usr/bin/env bash
# samples/shop/traffic.sh [N] - send N requests (default 200) through the shop; prints the ID of the last order.
set -eu
# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"
n=${1:-200}
base=http://127.0.0.1:$port
if ! curl -s -o /dev/null "$base/"; then
  echo "traffic.sh: no shop answers at $base/: ./start.sh starts it" >&2
  exit 1
fi
request() { # a path, then curl's options
  printf 'next\nsilent\noutput = /dev/null\nurl = %s%s\n' "$base" "$1"
  shift
  if [ $# -gt 0 ]; then printf '%s\n' "$@"; fi
}
for i in $(seq "$n"); do
  request "/products/$((i * 7919 % 520 + 1))"
  if [ $((i % 4)) -eq 0 ]; then
    fail=
    if [ $((i % 48)) -eq 0 ]; then fail=',\"fail\":true'; fi
    request /orders 'header = "Content-Type: application/json"' \
      "data = \"{\\\"product\\\":$((i % 500 + 1)),\\\"quantity\\\":$((i % 3 + 1))$fail}\""
  fi
done | sed 1d >"$run/tmp/requests"
curl -K "$run/tmp/requests"
id=req_$(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n')
# One customer whom the demonstration follows: looks at a product, then orders it, under one ID.
curl -sS -o /dev/null -H "X-Request-ID: $id" "$base/products/$((RANDOM % 500 + 1))"
curl -sS -o /dev/null -H "X-Request-ID: $id" -H 'Content-Type: application/json' -d '{"product":42,"quantity":2}' "$base/orders"
sleep 0.5
echo "$id"
