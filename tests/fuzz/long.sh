#!/bin/sh
# tests/fuzz/long.sh - every fuzz target for a while.
#
#   tests/fuzz/long.sh [SECONDS [TARGET…]]      600 seconds each, all targets
#
# Builds them with clang in $WEIR_FUZZ_BUILD (default: build-fuzz of the checkout).  What a target finds new stays in
# work/ there, and a crash in crash/; two run at a time.  Prints "ok fuzz X" or "not ok fuzz X" and how many inputs ran.
set -u
cd "$(dirname "$0")/../.." || exit 2
top=$PWD
seconds=${1:-600}
[ $# -gt 0 ] && shift
build=${WEIR_FUZZ_BUILD:-$top/build-fuzz}
if ! command -v clang >/dev/null; then
	echo "ok fuzz (skipped: no clang)"
	exit 0
fi
if [ ! -f "$build/build.ninja" ]; then
	CC=clang meson setup "$build" "$top" -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false >"$build.log" 2>&1 || {
		cat "$build.log"
		echo "not ok fuzz (setup)"
		exit 1
	}
	rm -f "$build.log"
fi
targets=${*:-$(sed -n "s/^  '\([a-z]*\)': \[.*/\1/p" tests/fuzz/meson.build)}
names=
for t in $targets; do names="$names tests/fuzz/fuzz_$t"; done
# The targets alone: the programs have a main of their own.
# shellcheck disable=SC2086
ninja -C "$build" $names >"$build/long.log" 2>&1 || {
	tail -n 40 "$build/long.log"
	echo "not ok fuzz (build)"
	exit 1
}
mkdir -p "$build/work" "$build/crash"

run_one() { # a target
	work=$build/work/$1
	mkdir -p "$work"
	UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 nice -n 19 "$build/tests/fuzz/fuzz_$1" -max_total_time="$seconds" \
		-rss_limit_mb=2048 -timeout=10 -print_final_stats=1 -artifact_prefix="$build/crash/$1-" \
		"$work" "tests/fuzz/corpus/$1" >"$build/work/$1.log" 2>&1
	rc=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/work/$1.log")
	if [ $rc -eq 0 ]; then
		echo "ok fuzz $1 (${runs:-0} inputs)"
	else
		grep -E -A 12 'ERROR:|runtime error|SUMMARY' "$build/work/$1.log" | head -n 40
		echo "not ok fuzz $1 (${runs:-0} inputs, exit $rc)"
	fi
}

# Two halves of the list, one beside the other.
half() { # 0 or 1
	i=0
	for t in $targets; do
		[ $((i % 2)) -eq "$1" ] && run_one "$t"
		i=$((i + 1))
	done
}
half 1 >"$build/half.log" 2>&1 &
half 0
wait
cat "$build/half.log"
