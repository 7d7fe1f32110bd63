#!/usr/bin/env bash
# tests/query/seal_shapes.sh - sealing finds the shapes of lines again, though many of their values are equal: a line that it
# did not find a shape for would be kept whole, and the segment be several times as long.
set -u
cd "$(dirname "$0")/../.." || exit 2
weir=${WEIR:-build/weir}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk 'BEGIN { srand(3); for (i = 0; i < 600; i++) { printf "{\"at\":%d", 1700000000 + i;
  for (k = 0; k < 30; k++) printf ",\"f%d\":{\"count\":%d,\"of\":%d}", k, rand() * 3, rand() * 3; print "}" } }' >"$work/lines"
"$weir" ingest --quiet --store "$work/store" "$work/lines" || exit 2
open=$(cat "$work/store"/*.seg | wc -c)
"$weir" store seal --store "$work/store" >/dev/null || exit 2
sealed=$(cat "$work/store"/*.seg | wc -c)
# The empty stream that follows has a header of 4096 bytes.
if [ "$sealed" -le $((open + open / 4 + 4096)) ]; then
  echo "ok seal_shapes: $open bytes, sealed $sealed"
else
  echo "not ok seal_shapes: $open bytes, sealed $sealed"
  exit 1
fi
if "$weir" query --store "$work/store" --output raw '*' | cmp -s - "$work/lines"; then
  echo "ok seal_shapes lines"
else
  echo "not ok seal_shapes lines"
  exit 1
fi
