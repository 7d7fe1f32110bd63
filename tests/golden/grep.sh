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
printf 'first\n\n\nhit a\n\nb\nhit c hit\n\n' >blanks
printf 'hit\nx4\n' >some
printf 'a+b\n\n' >empty-too
: >none
printf 'last without newline\nfoo' >ragged
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
-n hit hits
-n hit blanks
-n hit blanks hits words
-nH hit blanks hits
-Hn -A1 hit blanks
-n -C1 hit hits
-H -B1 x4 hits
-no hit blanks
-noH -A1 hit blanks
-nv -e hit -e first blanks hits
-Hh hit hits
-h hit hits words
-H -c hit hits words
-Hm1 hit hits hits
-nm1 hit hits
-cn hit hits
-ln hit hits words
-qn hit hits
-s hit hits nofile
-sq hit nofile hits
-sc hit nofile
-n foo ragged
-a hit hits
-f some hits
-f some -e alpha words hits
-c -f some -f empty-too words
-F -f empty-too words
-f none hits
-c -f none hits
-v -f none hits
-x -f some hits
-w -f some hits
-f nofile hits
-x -e hit -e x4 hits
-x hi|hit hits
--line-number --with-filename hit hits
--no-messages hit nofile
--no-filename --regexp=hit hits
--file=some hits
END
same '' hits
same -c '' words
same -v '' words
same -w '' words
same -o '' words
same -F '' words
# Plain text that is no UTF-8.
printf '%s\n' $'caf\xe9 one' 'café two' $'x\xe9y' $'\xff\xfe' $'\x80' >latin
for word in $'caf\xe9' $'\xe9' $'\xff' $'\x80' $'\xa9' $'\xff\xfe\n\xe9'; do
  for options in -aF -aFc -aFo -aFv -aFx -aFn; do same $options "$word" latin; done
done
same -aFi $'CAF\xe9' latin
same $'x4\nx5' hits
same $'\nfoo' words
same -F $'a+b\na|b' words
# Compressed files are searched as they are: the same lines, numbers and exit codes.
gzip -k hits blanks words
if command -v xz >/dev/null; then xz -k hits blanks words; fi
if command -v zstd >/dev/null; then zstd -q hits blanks words; fi
for file in *.gz *.xz *.zst; do
  [ -e "$file" ] || continue
  for options in "hit" "-n hit" "-c hit" "-v hit" "-C1 hit" "-no hit" "-x hit" "-q hit" "-m2 hit" "-f some" "nothing"; do
    read -r -a words <<<"$options"
    want=$(grep -h -E "${words[@]}" "${file%.*}"; echo "exit $?")
    got=$("$weir" grep "${words[@]}" "$file"; echo "exit $?")
    if [ "$got" = "$want" ]; then echo "ok grep $options $file"; else echo "not ok grep $options $file: $got"; bad=1; fi
  done
done
want=$(grep -nH hit - <hits)
got=$("$weir" grep -nH hit - <hits)
if [ "$got" = "$want" ]; then echo "ok grep -nH -"; else echo "not ok grep -nH -: $got"; bad=1; fi
want=$(printf 'hit\n' | grep -c -f - hits)
got=$(printf 'hit\n' | "$weir" grep -c -f - hits)
if [ "$got" = "$want" ]; then echo "ok grep -f -"; else echo "not ok grep -f -: $got"; bad=1; fi

# What has no meaning says so, in one line.
"$weir" ingest --quiet --store store --stream app=a words
for options in "-n hit --store store" "-n hit --input journal:" "-r hit ." "-L hit hits" "-z hit hits" "-G hit hits" "-b hit hits"; do
  read -r -a words <<<"$options"
  got=$("$weir" grep "${words[@]}" 2>&1 >/dev/null); code=$?
  if [ $code = 2 ] && [ "$(wc -l <<<"$got")" = 1 ]; then echo "ok grep $options"; else echo "not ok grep $options: $code: $got"; bad=1; fi
done
# Of a store, a line's name is its stream.
want='{app="a"}:Beta two two'
got=$("$weir" grep -H Beta --store store)
if [ "$got" = "$want" ]; then echo "ok grep -H --store"; else echo "not ok grep -H --store: $got"; bad=1; fi
printf 'one\ntwo\n' >input
want=$(grep -l two - <input)
got=$("$weir" grep -l two - <input)
if [ "$got" = "$want" ]; then echo "ok grep -l -"; else echo "not ok grep -l -: $got"; bad=1; fi
exit $bad
