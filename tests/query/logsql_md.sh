#!/bin/sh
# tests/query/logsql_md.sh - the examples of docs/LOGSQL.md, run.
exec python3 "$(dirname "$0")/logsql_md.py" "$@"
