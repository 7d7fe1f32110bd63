#!/bin/sh
# tests/query/segments.sh - what a query says of itself (tests/query/segments.py).
exec python3 "$(dirname "$0")/segments.py" "$@"
