#!/bin/sh
# tests/query/bounds.sh - memory and Ctrl-C (tests/query/bounds.py).
exec python3 "$(dirname "$0")/bounds.py" "$@"
