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
-h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
*) echo "try.sh: $1: no such option" >&2; sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
build=${WEIR_BUILD:-$top/build}
export NO_COLOR=${NO_COLOR-1}
if [ -t 1 ]; then unset NO_COLOR; fi

bold=
plain=
if [ -z "${NO_COLOR+x}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
show() { # a command, as one would type it
  local word line='$'
  for word in "$@"; do
    case $word in
    *[!A-Za-z0-9_./:=-]*) word="'$word'" ;;
    esac
    line="$line $word"
  done
  printf '\n%s\n' "$line"
  # What matters is what it prints; a query without rows exits 1.
  "$@" --no-pager || [ $? -eq 1 ]
}
count() { weir query --output json "$1 | stats count() n" | tr -dc 0-9; }
must() { # what was promised, then a test of it
  local what=$1
  shift
  if ! "$@"; then
    echo "try.sh: $what" >&2
    exit 1
  fi
}

if [ -z "${WEIR_TRY_INNER:-}" ]; then
  say "1. What building and the shop need (Debian packages)"
  ./tests/install.sh --build
  ./samples/shop/install.sh
  say "2. Building"
  log=$(mktemp)
  if [ ! -f "$build/build.ninja" ]; then meson setup "$build" >"$log" || { cat "$log"; exit 1; }; fi
  ninja -C "$build" weir weird src/cli/weir-journal src/cli/weir-rules >"$log" || { tail -n 40 "$log"; exit 1; }
  rm -f "$log"
  echo "$build/weir, $build/weird"
  # Where no journal runs, a private one may: in a mount namespace, so that this machine's /run stays as it is.
  export WEIR_TRY_INNER=journal
  if [ ! -S /run/systemd/journal/socket ] && [ "$(id -u)" -eq 0 ] && unshare --mount true 2>/dev/null; then
    export WEIR_TRY_INNER=private
    exec unshare --mount --propagation private "$top/samples/try.sh" "$@"
  fi
fi

try=$(mktemp -d /tmp/weir-try.XXXXXX)
chmod 755 "$try"
export SHOP_RUN=$try/shop WEIR_STORE=$try/store PATH=$build:$PATH
journald=
daemon=
mailbox=

# shellcheck disable=SC2329
finish() {
  trap '' INT TERM
  if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; fi
  if [ -n "$mailbox" ]; then kill "$mailbox" 2>/dev/null && wait "$mailbox" 2>/dev/null || true; fi
  "$top/samples/shop/stop.sh" || true
  if [ -n "$journald" ]; then kill "$journald" 2>/dev/null && wait "$journald" 2>/dev/null; fi
  rm -rf "$try"
}
trap finish EXIT
trap 'exit 130' INT TERM

say "3. A journal, the shop, and weird following both"
if [ "$WEIR_TRY_INNER" = private ]; then
  echo "no journal runs here: starting a private systemd-journald"
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/systemd/journal /run/systemd/journald.conf.d
  printf '[Journal]\nStorage=volatile\nAudit=\nForwardToWall=no\n' >/run/systemd/journald.conf.d/weir-try.conf
  env -u NOTIFY_SOCKET -u WATCHDOG_USEC /lib/systemd/systemd-journald 2>"$try/journald.log" &
  journald=$!
  for _ in $(seq 50); do
    if [ -S /run/systemd/journal/stdout ]; then break; fi
    sleep 0.1
  done
fi
echo "samples/try.sh says hello" | systemd-cat -t weir-try -p notice || true
./samples/shop/start.sh
# Its owner's mailbox, on this machine: what weird mails lands there.
/usr/bin/python3 samples/shop/mailbox.py "$try/mail" 2>"$try/mailbox.log" &
mailbox=$!
for _ in $(seq 100); do
  if [ -s "$try/mail/port" ]; then break; fi
  kill -0 "$mailbox" 2>/dev/null || { cat "$try/mailbox.log"; exit 1; }
  sleep 0.1
done
sed -e "s#@PORT@#$(cat "$try/mail/port")#g" samples/shop/alertmanager.yml.in >"$SHOP_RUN/alertmanager.yml"
sed -e "s#@RUN@#$SHOP_RUN#g; s#@STORE@#$WEIR_STORE#g; s#@SHOP@#$top/samples/shop#g" samples/shop/weir.yaml.in >"$try/weir.yaml"
weird --config "$try/weir.yaml" 2>"$try/weird.log" &
daemon=$!
id=$(./samples/shop/traffic.sh 240)
for _ in $(seq 100); do
  if weir query --output json 'request_id:="'"$id"'" service:="shop-worker"' 2>/dev/null | grep -q written; then break; fi
  kill -0 "$daemon" 2>/dev/null || { cat "$try/weird.log"; exit 1; }
  sleep 0.2
done

say "4. What the journal said last"
show weir query --limit 5 '{unit!=""}'
must "no row came from the journal" [ "$(count '{unit!=""}')" -gt 0 ]

say "5. How much of which level, and how quick the answers were"
show weir query --output table 'service:* | stats by (service, level) count() as lines | sort by (service, level)'
must "the counts by level came out empty" [ "$(count 'service:* level:*')" -gt 0 ]
show weir query --output table \
  'service:="shop-api" duration_ms:* | stats by (status) count() as requests, quantile(0.95, duration_ms) as p95_ms | sort by (status)'
must "no request was counted by status" [ "$(count 'status:*')" -gt 0 ]

say "6. What went wrong"
show weir query --limit 3 'service:="shop-api" level:error | fields _time, level, service, _msg, request_id'
must "no error was found" [ "$(count 'service:="shop-api" level:error')" -gt 0 ]

say "7. One request, from nginx to the database and the worker"
show weir trace "$id"
services=$(weir query --output json 'request_id:="'"$id"'" or application_name:="'"$id"'" | uniq by (service) | filter service:*' | wc -l)
must "the trace shows $services services, expected at least 3" [ "$services" -ge 3 ]

say "8. Its errors, mailed to its owner"
for _ in $(seq 200); do
  if ls "$try"/mail/*.eml >/dev/null 2>&1; then break; fi
  sleep 0.1
done
if [ ! -e "$try/mail/1.eml" ]; then
  tail -n 20 "$try/weird.log" >&2
  weir why-not --no-pager ShopErrors >&2 || true
  weir alerts --no-pager outbox --all >&2 || true
fi
must "no mail came" [ -e "$try/mail/1.eml" ]
/usr/bin/python3 - "$try/mail/1.eml" <<'MAIL'
import email, email.policy, sys
mail = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
for name in ("From", "To", "Subject", "Message-ID"):
    print(f"{name}: {mail[name]}")
print()
print("\n".join(mail.get_body(("plain",)).get_content().splitlines()[:40]))
MAIL
show weir alerts
must "the mail's alert is not among the events" [ "$(count '{weir="alerts"} alert:="ShopErrors" change:firing')" -gt 0 ]

say "9. What weird says of itself"
show weir status

say "What to type next"
if [ -n "$once" ]; then
  echo "without --once all of this goes on running; then, in another terminal:"
fi
cat <<NEXT
  export WEIR_STORE=$WEIR_STORE PATH=$build:\$PATH
  weir tail                                            follow everything
  weir query 'payment | limit 5'                       a word in the message
  weir query 'status:>=500 | stats by (path) count()'  what fails, and where
  weir trace $id
  weir fields; weir values service                     what there is
  weir alerts; weir why ShopErrors                     what fires, and why
  weir help query; less docs/LOGSQL.md                 and how to ask
NEXT
if [ -n "$once" ]; then exit 0; fi
echo
echo "weird goes on following, and customers come; Ctrl-C ends everything and removes $try"
while kill -0 "$daemon" 2>/dev/null; do
  sleep 5 &
  wait $! || true
  ./samples/shop/traffic.sh 20 >/dev/null 2>&1 || true
done
echo "try.sh: weird has ended:" >&2
tail -n 5 "$try/weird.log" >&2
exit 1
