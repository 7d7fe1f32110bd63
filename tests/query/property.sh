#!/bin/sh
# tests/query/property.sh - random queries over random rows, the same answer everywhere (tests/property/property.py).
exec python3 "$(dirname "$0")/../property/property.py" "$@"
