#!/bin/sh
# tests/lint/style.sh - what every file keeps to.
# Prints "ok NAME" or "not ok NAME" a rule, and each place that breaks it.
cd "$(dirname "$0")/../.." || exit 2
sources=$(git ls-files '*.c' '*.h')

rule() { # a name, then the places that break it
	if [ -n "$2" ]; then
		echo "$2"
		echo "not ok style $1"
	else
		echo "ok style $1"
	fi
}

rule "clang-format" "$(for f in $sources; do clang-format --dry-run -Werror "$f" >/dev/null 2>&1 || echo "$f: run clang-format -i"; done)"
rule "files of 800 lines at most" "$(for f in $sources; do awk -v f="$f" 'END { if (NR > 800) print f ": " NR " lines" }' "$f"; done)"
rule "headers begin with pragma once" "$(for f in $(git ls-files '*.h'); do grep -q '^#pragma once' "$f" || echo "$f"; done)"
rule "files say their one job" "$(for f in $(git ls-files 'src/*.[ch]' 'parsers/*.[ch]'); do head -12 "$f" | grep -q 'One job:' || echo "$f"; done)"
rule "no unfinished work" "$(echo "$sources" | xargs grep -nP '\b(TODO|FIXME|XXX)\b(?!\()' | head)"
rule "headers compile alone" "$(for f in $(git ls-files 'src/*.h' 'parsers/*.h' 'include/*.h'); do
	echo "#include \"${f#src/}\"" | cc -std=c17 -D_GNU_SOURCE -Isrc -I. -Iinclude -fsyntax-only -xc - 2>/dev/null || echo "$f"; done)"
if command -v shellcheck >/dev/null; then
	rule "shellcheck" "$(git ls-files "*.sh" .ci/run | xargs -r shellcheck -x -P SCRIPTDIR -S warning -f gcc 2>&1 | head -40)"
fi
