#!/usr/bin/env bash
# tests/lint/baddays.sh - each test that the table of bad days in docs/ARCHITECTURE.md names is in the tree.
cd "$(dirname "$0")/../.." || exit 2
bad=0
n=0
while read -r name; do
  file=${name%%.*}
  fn=${name#*.}
  n=$((n + 1))
  if [ -e "tests/unit/$file.c" ]; then
    grep -qE "^$fn\(" "tests/unit/$file.c" && continue
  else
    grep -qsE "^def test_$fn\(" "tests/e2e/$file.py" "tests/fault/$file.py" && continue
  fi
  echo "not ok baddays $name is no test"
  bad=1
done < <(grep -E '^\| [0-9]+ \|' docs/ARCHITECTURE.md | awk -F'|' '$5 !~ /^ reason:/ { sub(/; reason:.*/, "", $5); print $5 }' |
  grep -oE '[a-z_0-9]+\.[a-z_0-9]+' | sort -u)
rows=$(grep -cE '^\| [0-9]+ \|' docs/ARCHITECTURE.md)
if [ "$rows" -lt 85 ]; then echo "not ok baddays $rows rows of 85"; bad=1; fi
if [ "$n" -lt 50 ]; then echo "not ok baddays only $n tests are named"; bad=1; fi
if [ $bad -eq 0 ]; then echo "ok baddays names $n tests that are there"; fi
exit $bad
