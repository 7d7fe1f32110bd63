#!/usr/bin/env bash
# tests/run.sh - the one test command: installs what it needs, builds, runs everything.
#
#   ./tests/run.sh [--long] [--build DIR] [--only SUITE] [MESON OPTION…]
#
# --long adds the long forms (hundreds of kills, minutes of fuzzing).  SUITE is one of: unit lint golden query
# conformance e2e fault fuzz (only with --long).  Ends with the line "N passed, N failed"; exit 0 when none failed.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$PWD
build=$top/build
only=
export WEIR_LONG=
options=()
while [ $# -gt 0 ]; do
  case $1 in
  --long) WEIR_LONG=1 ;;
  --build) build=$(realpath -m "$2"); shift ;;
  --only) only=$2; shift ;;
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) options+=("$1") ;;
  esac
  shift
done

passed=0
failed=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# A suite's program prints "ok NAME" and "not ok NAME" lines; one that ends badly without a "not ok" failed itself.
suite() {
  local name=$1 log rc p f
  shift
  if [ -n "$only" ] && [ "$only" != "$name" ]; then return; fi
  log=$logs/$name-$RANDOM
  echo "== $name: $*"
  "$@" >"$log" 2>&1
  rc=$?
  p=$(grep -c '^ok ' "$log")
  f=$(grep -c '^not ok ' "$log")
  if [ $rc -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
  if [ $((p + f)) -eq 0 ]; then f=1; echo "   $name ran no test"; fi
  if [ "$f" -ne 0 ]; then tail -n 80 "$log"; fi
  echo "   $p passed, $f failed, exit $rc"
  passed=$((passed + p))
  failed=$((failed + f))
}

# meson's tests, one line each.
unit() {
  meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier "${WEIR_TIMEOUT_X:-2}" 2>&1 |
    sed -E '/^Summary of Failures/,$!{ s/^ *[0-9]+\/[0-9]+ +(.*[^ ]) +(OK|SKIP) +.*$/ok \1/; s/^ *[0-9]+\/[0-9]+ +(.*[^ ]) +(FAIL|ERROR|TIMEOUT) +.*$/not ok \1/; }'
  return "${PIPESTATUS[0]}"
}

./tests/install.sh || { echo "the packages could not be installed"; echo "0 passed, 1 failed"; exit 1; }
if [ ! -f "$build/build.ninja" ]; then
  meson setup "$build" "${options[@]}" || { echo "0 passed, 1 failed"; exit 1; }
elif [ ${#options[@]} -gt 0 ]; then
  meson configure "$build" "${options[@]}" || { echo "0 passed, 1 failed"; exit 1; }
fi
ninja -C "$build" || { echo "the build failed"; echo "0 passed, 1 failed"; exit 1; }
export WEIR=$build/weir WEIRD=$build/weird WEIR_BUILD=$build
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}

suite unit unit
suite lint ./tests/lint/floors.sh
suite lint ./tests/lint/style.sh
suite lint ./tests/lint/baddays.sh
suite lint ./tests/lint/options.sh
for script in tests/golden/*.sh tests/query/*.sh tests/conformance/*.sh tests/e2e/*.sh tests/fault/*.sh; do
  [ -x "$script" ] || continue
  kind=${script#tests/}
  suite "${kind%%/*}" "./$script"
done
if [ -n "$WEIR_LONG" ]; then suite fuzz ./tests/fuzz/long.sh; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
