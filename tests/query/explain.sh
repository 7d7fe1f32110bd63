#!/bin/sh
# tests/query/explain.sh - what a query says of itself (tests/query/explain.py).
exec python3 "$(dirname "$0")/explain.py" "$@"
