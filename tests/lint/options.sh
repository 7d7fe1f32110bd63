#!/usr/bin/env bash
# tests/lint/options.sh - what the programs' help says is what pages and completions say.
# Needs the built programs ($WEIR, $WEIRD).  Prints "ok NAME" or "not ok NAME" a rule, and each difference.
cd "$(dirname "$0")/../.." || exit 2
weir=${WEIR:-build/weir}
weird=${WEIRD:-build/weird}
bad=0

rule() { # a name, then the differences
  if [ -n "$2" ]; then
    echo "$2"
    echo "not ok options $1"
    bad=1
  else
    echo "ok options $1"
  fi
}
# What either side lacks of the other, a line each; nothing from the first side is a difference too.
differ() { # two names, then two lists
  if [ -z "$3" ]; then echo "$1: nothing found"; fi
  comm -3 <(sort -u <<<"$3") <(sort -u <<<"$4") | sed -e "s|^\t\(.*\)|\1: not in $1|; t" -e "s|\$|: not in $2|"
}
# Long options of mdoc's ".It Fl x , Fl \-name" and ".Fl -name"; of help's "  -x, --name ARG".
of_page() { sed 's/\\-/-/g' "$1" | grep '^\.' | grep -oE 'Fl -[a-z][a-z-]*' | sed 's/Fl -/--/'; }
of_help() { grep -oE '^ +(-[A-Za-z], +)?--[a-z][a-z-]*|^ +--help, --version' | grep -oE -- '--[a-z][a-z-]*'; }

commands=$("$weir" help | grep -v 'not in this version' | sed -nE 's/^  ([a-z-]+) +.*/\1/p')
listed=$(for c in $commands; do "$weir" help "$c" | of_help; done)
rule "weir(1) has each option" "$(differ "weir's help" "docs/weir.1" "$listed" "$(of_page docs/weir.1)")"
rule "weird(8) has each option" "$(differ "weird's help" "docs/weird.8" "$("$weird" --help | of_help)" "$(of_page docs/weird.8)")"
rule "weir(1) has each command" "$(for c in $commands; do
  grep -qE "^\.It Cm ([a-z]+ , )*$c( |\$)" docs/weir.1 || echo "$c: not in docs/weir.1"; done)"
rule "bash completes each command" "$(differ "weir's help" "the completion" "$commands" \
  "$(sed -nE 's/.*local commands="(.*)"/\1/p' deploy/completion/weir.bash | tr ' ' '\n')")"
rule "zsh completes each command" "$(differ "weir's help" "the completion" "$commands" \
  "$(sed -nE "s/^\t'([a-z-]+):.*/\1/p" deploy/completion/_weir)")"
for page in docs/weir.1 docs/weird.8 docs/weir.yaml.5; do
  rule "$page formats" "$(mandoc -T lint -W warning "$page" 2>&1 | grep -vE 'STYLE|cannot use|referenced manual' | head)"
done
exit $bad
