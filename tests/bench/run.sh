#!/bin/sh
# tests/bench/run.sh - build for release and measure; arguments go to bench.py.
cd "$(dirname "$0")/../.." || exit 2
if [ ! -f build-bench/build.ninja ]; then meson setup build-bench --buildtype=release >/dev/null || exit 1; fi
ninja -C build-bench weir weird >/dev/null || exit 1
exec python3 tests/bench/bench.py "$@"
