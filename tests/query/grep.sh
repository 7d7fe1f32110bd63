#!/bin/sh
# tests/query/grep.sh - weir grep finds what grep finds (tests/query/grep.py).
exec python3 "$(dirname "$0")/grep.py" "$@"
