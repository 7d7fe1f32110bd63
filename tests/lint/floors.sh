#!/bin/sh
# tests/lint/floors.sh - includes point down or stay in the room.
# Prints "ok NAME" or "not ok NAME" a floor, and each include that goes up.
cd "$(dirname "$0")/../.." || exit 2

check() { # a floor's folder, then the rooms that it may include
	floor=$1
	shift
	[ -d "$floor" ] || return 0
	rooms=$(echo "$*" | tr ' ' '|')
	up=$(grep -rnoE '#include "(weir|base|record|doc|parsers|logsql|store|query|ingest|alerts|ship|lib|config|api|daemon|cli)/' \
		--include='*.[ch]' "$floor" | grep -vE "\"($rooms)/")
	if [ -n "$up" ]; then
		echo "$up"
		echo "not ok floors $floor"
	else
		echo "ok floors $floor"
	fi
}

check src/base base
check src/record record base
check src/doc doc base
check parsers parsers record base
check src/store store record base
check src/logsql logsql record base
check src/ingest ingest parsers logsql record base
check src/query query store parsers logsql record base
check alerts alerts query store logsql parsers doc record base
check src/ship ship query store logsql record base
check src/lib weir lib query store parsers logsql record base
check src/config config ingest logsql parsers doc record base
check src/api api config alerts ship lib query ingest store parsers logsql record base
check src/daemon weir daemon api config alerts ship lib ingest query store parsers logsql record base
check src/cli weir cli alerts config ingest lib query store parsers logsql record base
