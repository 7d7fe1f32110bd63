#!/usr/bin/env bash
# tests/golden/run.sh - the command line, to the byte.
#
# NAME.cmd is run by bash in an empty folder with NAME.in (if it is there) as standard input; standard output, then
# "exit N", must be NAME.ok.  $weir is the program.  With --accept the output becomes NAME.ok.
cd "$(dirname "$0")" || exit 2
here=$PWD
weir=$(realpath "${WEIR:-../../build/weir}")
export weir TZ=UTC LC_ALL=C.UTF-8 NO_COLOR=1
unset WEIR_STORE WEIR_PAGER PAGER
bad=0
for cmd in *.cmd; do
  name=${cmd%.cmd}
  in=/dev/null
  [ -f "$name.in" ] && in=$here/$name.in
  tmp=$(mktemp -d)
  got=$(cd "$tmp" && bash "$here/$cmd" <"$in" 2>&1; echo "exit $?")
  rm -rf "$tmp"
  if [ "${1:-}" = --accept ]; then printf '%s\n' "$got" >"$name.ok"; fi
  if [ "$got" = "$(cat "$name.ok")" ]; then
    echo "ok golden $name"
  else
    echo "not ok golden $name"
    diff <(printf '%s\n' "$got") "$name.ok" | sed 's/^/  /'
    bad=1
  fi
done
exit $bad
