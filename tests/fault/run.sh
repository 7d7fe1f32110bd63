#!/bin/sh
# tests/fault/run.sh - the fault tests, with the built weir and weird.
cd "$(dirname "$0")" || exit 2
timeout "${WEIR_E2E_TIMEOUT:-3000}" python3 sweep.py
