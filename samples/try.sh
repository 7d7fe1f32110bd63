#!/usr/bin/env bash
# samples/try.sh - build weir and see it work on this machine's journal and a small shop.
#
#   ./samples/try.sh          everything goes on running until you press Ctrl-C
#   ./samples/try.sh --once   ends by itself, with exit 0 when all that it promised was shown
set -eu
cd "$(dirname "$0")/.."
top=$PWD
once=
case ${1:-} in
--once) once=1 ;;
"") ;;
*) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
try=$(mktemp -d /tmp/weir-try.XXXXXX)
chmod 755 "$try"
export SHOP_RUN=$try/shop WEIR_STORE=$try/store NO_COLOR=${NO_COLOR-1}
if [ -t 1 ]; then unset NO_COLOR; fi
journald=
daemon=

# shellcheck disable=SC2329
finish() {
  if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; fi
  "$top/samples/shop/stop.sh" || true
  if [ -n "$journald" ]; then kill "$journald" 2>/dev/null && wait "$journald" 2>/dev/null; fi
  rm -rf "$try"
}
trap finish EXIT
trap 'exit 130' INT TERM

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { # a command, as one would type it
  printf '\n$ %s\n' "$*"
  # What matters is what it prints; a query without rows exits 1.
  "$@" | head -n "${LINES_MAX:-25}" || [ $? -eq 1 ]
}
must() { # what was promised, then a test of it
  local what=$1
  shift
  if ! "$@"; then
    echo "try.sh: $what" >&2
    exit 1
  fi
}

say "1. What building and the shop need (Debian packages)"
./tests/install.sh --build
./samples/shop/install.sh

say "2. Building"
if [ ! -f build/build.ninja ]; then meson setup build >"$try/meson.log" || { cat "$try/meson.log"; exit 1; }; fi
ninja -C build weir weird >"$try/ninja.log" || { tail -n 40 "$try/ninja.log"; exit 1; }
export PATH=$top/build:$PATH

say "3. A journal, the shop, and weird following both"
if ! journalctl -n 1 >/dev/null 2>&1 || [ ! -S /run/systemd/journal/socket ]; then
  if [ "$(id -u)" -eq 0 ] && [ ! -S /run/systemd/journal/socket ]; then
    echo "no journal runs here: starting a private systemd-journald"
    mkdir -p /run/systemd/journal
    /lib/systemd/systemd-journald &
    journald=$!
    for _ in $(seq 50); do
      if [ -S /run/systemd/journal/socket ]; then break; fi
      sleep 0.1
    done
    ln -sf /run/systemd/journal/dev-log /dev/log
  fi
fi
echo "samples/try.sh says hello" | systemd-cat -t weir-try -p notice || true
./samples/shop/start.sh
sed -e "s#@RUN@#$SHOP_RUN#g; s#@STORE@#$WEIR_STORE#g" samples/shop/weir.yaml.in >"$try/weir.yaml"
weird --config "$try/weir.yaml" 2>"$try/weird.log" &
daemon=$!
id=$(./samples/shop/traffic.sh 240)
for _ in $(seq 100); do
  if weir query --output json 'request_id:="'"$id"'" service:="shop-worker"' 2>/dev/null | grep -q written; then break; fi
  kill -0 "$daemon" 2>/dev/null || { cat "$try/weird.log"; exit 1; }
  sleep 0.2
done

say "4. What the journal said last"
show weir query --limit 5 '{unit=*}'
must "no row came from the journal" bash -c 'weir query --output json "{unit=*} | limit 1" | grep -q _stream'

say "5. How much of which level, and the slowest paths"
show weir query --output table 'service:* | stats by (service, level) count() as lines | sort by (service, level)'
show weir query --output table 'service:="shop-api" duration_ms:* | stats by (status) count() as requests, quantile(0.95, duration_ms) as p95_ms | sort by (status)'

say "6. What went wrong"
show weir query --limit 5 'service:="shop-api" level:error'

say "7. One request from nginx to the database and the worker"
LINES_MAX=60 show weir trace "$id"
services=$(weir trace --output json "$id" | grep -o '"service":"[^"]*"' | sort -u | wc -l)
must "the trace shows $services services, expected at least 3" [ "$services" -ge 3 ]
must "a count by level came out empty" bash -c 'weir query --output json "* | stats by (level) count() n" | grep -q "\"n\""'

say "8. What weird says of itself"
show weir status

say "What to type next"
cat <<NEXT
  export WEIR_STORE=$WEIR_STORE PATH=$top/build:\$PATH
  weir tail                                 follow everything
  weir query 'payment | limit 5'            a word in the message
  weir query 'status:>=500 | stats by (path) count()'
  weir trace $id
  weir fields ; weir values service         what there is
  less docs/LOGSQL.md README.md
NEXT
if [ -n "$once" ]; then exit 0; fi
echo
echo "weird goes on following; Ctrl-C ends everything and removes $try"
while kill -0 "$daemon" 2>/dev/null; do
  sleep 5
  ./samples/shop/traffic.sh 20 >/dev/null 2>&1 || true
done
