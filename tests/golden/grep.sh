#!/usr/bin/env bash
# tests/golden/grep.sh - weir grep beside GNU grep.
#
# Each line of options is given to both, with the same two small files: what they print and their exit codes must be
# the same.  GNU's is grep -h -E (-F where -F is given): weir names no files and has one kind of pattern.
set -u
cd "$(dirname "$0")" || exit 2
weir=$(realpath "${WEIR:-../../build/weir}")
export LC_ALL=C.UTF-8 NO_COLOR=1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2
printf '%s\n' 'alpha one' 'Beta two two' 'gamma (three) a+b' 'delta foobar' 'epsilon foo-bar foo_bar' \
  $'\ttab line' 'beta TWO' 'last a|b' '@home and at@home' 'Grün und grün' >words
printf 'x1\nhit\nx2\nx3\nhit\nhit\nx4\nx5\nx6\nx7\nhit\nx8' >hits
bad=0

same() {
  local kind=-E arg
  for arg in "$@"; do [[ $arg == -*F* ]] && kind=-F; done
  local want got
  want=$(grep -h $kind "$@" 2>/dev/null </dev/null; echo "exit $?")
  got=$("$weir" grep "$@" 2>/dev/null </dev/null; echo "exit $?")
  if [ "$got" = "$want" ]; then
    echo "ok grep ${*@Q}"
  else
    echo "not ok grep ${*@Q}"
    diff <(printf '%s\n' "$got") <(printf '%s\n' "$want") | sed 's/^/  /'
    bad=1
  fi
}

while read -r -a words; do
  [ ${#words[@]} -gt 0 ] && same "${words[@]}"
done <<'END'
beta words
-i beta words
-v beta words
-E t(wo|hree) words
-o o+ words
-io two words
-i GRÜN words
-w foo words
-w two words
-iw two words
-w @home words
-w home words
-w \(three\) words
-wo [a-z]+ words
-x hit hits
-wx hit hits
-c o words
-vc o words
-c nothing words
-F a+b words
-F a|b words
-Fw foo words
-Fx hit hits
-iF BETA words
-A 1 hit hits
-A1 hit hits
-B1 hit hits
-C1 hit hits
-C 2 hit hits
-C0 hit hits
-A1 -C3 x4 hits
-A9 x8 hits hits
-C1 x hits words
-v -A1 x hits
-m 1 hit hits
-m1 -A3 hit hits
-m2 -A1 hit hits
-m1 -A9 -v x hits
-m 2 -c hit hits
-m 2 -o hit hits
-m 0 hit hits
-m 0 -c hit hits
-m1 hit hits hits
-o -A1 hit hits
-oB1 x5 hits
-ov hit hits
-l hit hits
-l hit words hits
-lv hit hits
-lc hit hits
-ql hit hits
-q hit hits
-q nothing hits
-q hit nofile hits
-c hit hits words
-e hit -e x4 hits
hit hits nofile
hit nofile
( words
END
same '' hits
same -c '' words
same -v '' words
same -w '' words
same -o '' words
same -F '' words
same $'x4\nx5' hits
same $'\nfoo' words
same -F $'a+b\na|b' words
printf 'one\ntwo\n' >input
want=$(grep -l two - <input)
got=$("$weir" grep -l two - <input)
if [ "$got" = "$want" ]; then echo "ok grep -l -"; else echo "not ok grep -l -: $got"; bad=1; fi
exit $bad
