#!/bin/sh
# tests/query/run.sh - queries over small logs, each over --input, a store that is open and one that is sealed.
exec python3 "$(dirname "$0")/run.py" "$@"
