#!/usr/bin/env bash
# tests/conformance/run.sh - LogsQL cases from the language's own authors, where ../shared/conformance stands beside the checkout.
# A case may fail only when its ID stands in open.txt, and one that stands there must fail: the list shrinks and never lies.
cd "$(dirname "$0")/../.." || exit 2
cases=$PWD/../shared/conformance
if [ ! -e "$cases/run.py" ]; then
  echo "ok conformance # SKIP no ../shared/conformance"
  exit 0
fi
weir=${WEIR:-build/weir}
out=$(python3 "$cases/run.py" --max 5000 "$weir")
printf '%s\n' "$out" | tail -n 60 | grep -v '^FAIL' | grep -v '^     '
failed=$(printf '%s\n' "$out" | sed -n 's/^FAIL \([0-9a-f]*\) .*/\1/p' | sort)
open=$(grep -o '^[0-9a-f]\{12\}' tests/conformance/open.txt 2>/dev/null | sort)
if ! printf '%s\n' "$out" | grep -q 'passed, [0-9]* failed$'; then
  echo "not ok conformance: the runner did not end"
  exit 1
fi
new=$(comm -23 <(printf '%s\n' "$failed") <(printf '%s\n' "$open") | grep .)
stale=$(comm -13 <(printf '%s\n' "$failed") <(printf '%s\n' "$open") | grep .)
if [ -n "$new" ]; then
  for id in $new; do printf '%s\n' "$out" | grep -A1 "^FAIL $id "; done | head -40
  echo "not ok conformance: $(printf '%s\n' "$new" | wc -l) cases fail that passed before"
else
  echo "ok conformance: every case passes but the $(printf '%s\n' "$open" | grep -c .) listed in open.txt"
fi
if [ -n "$stale" ]; then echo "not ok conformance: these pass and still stand in open.txt: $(echo "$stale" | tr '\n' ' ')"; fi
[ -z "$new$stale" ]
