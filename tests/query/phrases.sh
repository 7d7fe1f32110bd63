#!/bin/sh
# tests/query/phrases.sh - phrases of ID fields by the ID index (tests/query/phrases.py).
exec python3 "$(dirname "$0")/phrases.py" "$@"
