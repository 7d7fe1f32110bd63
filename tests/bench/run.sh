#!/bin/sh
# tests/bench/run.sh - build for release and measure; arguments go to bench.py.
cd "$(dirname "$0")/../.." || exit 2
build=${WEIR_BENCH_BUILD:-build-bench}
if [ ! -f "$build/build.ninja" ]; then meson setup "$build" --buildtype=release >/dev/null || exit 1; fi
ninja -C "$build" weir weird src/cli/weir-rules tests/bench/commit_bench tests/bench/rules_bench >/dev/null || exit 1
exec python3 tests/bench/bench.py "$@"
