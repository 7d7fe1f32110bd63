#!/bin/sh
# tests/e2e/run.sh - the end-to-end tests, one program each, with the built weir and weird.
cd "$(dirname "$0")" || exit 2
bad=0
for t in *.py; do
  if [ "$t" = harness.py ]; then continue; fi
  timeout "${WEIR_E2E_TIMEOUT:-1500}" python3 "$t" || bad=1
done
exit $bad
