#!/usr/bin/env bash
# tests/query/stores.sh - stores that earlier formats wrote still open, answer, and are upgraded without loss.
#
# tests/stores/N is a store as format N wrote it; tests/stores/N.ok has the questions and their answers then.  With --write N
# the answers of this build are written instead, for a store that is new there.
set -u
cd "$(dirname "$0")/../.." || exit 2
weir=${WEIR:-build/weir}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

questions=(
  '* | stats count() n, count_uniq(trace) ids, min(_time) a, max(_time) b'
  '* | stats by (level) count() n, quantile(0.5, ms) p50'
  '* | top 5 by (n)'
  'ok:true ms:>800 | sort by (_time) limit 5 | fields _time, ms, peer, trace'
  '_msg:"plain words" | stats count() n'
  '_msg:*"job-4"* | stats count() n'
  'peer:10.1.* | stats by (always) count() n'
  'parse_error:* | stats count() n'
  '_msg:*"req-73475cb4" | stats by (level) count() n'
)

answers() {
  local q
  for q in "${questions[@]}"; do
    echo "# $q"
    "$weir" query --store "$1" --output json -- "$q"
  done
  echo "# lines"
  "$weir" query --store "$1" --output raw '*' | sha256sum
}

if [ "${1:-}" = --write ]; then
  cp -r "tests/stores/$2" "$work/store"
  answers "$work/store" >"tests/stores/$2.ok"
  exit
fi

check() {
  answers "$work/store" >"$work/got" 2>"$work/err"
  if cmp -s "$work/got" "$ok" && [ ! -s "$work/err" ]; then
    echo "ok stores/$1"
  else
    diff "$ok" "$work/got" | head -n 20
    head -n 5 "$work/err"
    echo "not ok stores/$1"
    bad=1
  fi
}

for ok in tests/stores/*.ok; do
  n=$(basename "${ok%.ok}")
  rm -rf "$work/store"
  cp -r "tests/stores/$n" "$work/store"
  check "$n-as-it-lies"
  "$weir" store upgrade --store "$work/store" >/dev/null 2>&1 || { echo "not ok stores/$n-upgrade"; bad=1; }
  check "$n-upgraded"
  "$weir" store seal --store "$work/store" >/dev/null 2>&1
  check "$n-sealed"
  if "$weir" store verify --store "$work/store" >/dev/null 2>&1; then
    echo "ok stores/$n-verify"
  else
    echo "not ok stores/$n-verify"
    bad=1
  fi
done
exit $bad
