#!/usr/bin/env bash
# tests/e2e/rules.sh - weir rules, and the rules that are shipped.
# Prints "ok NAME" or "not ok NAME".  $WEIR is the program (build/weir).
set -u
cd "$(dirname "$0")/../.." || exit 2
weir=${WEIR:-$PWD/build/weir}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

is() { # a name, the exit code that is expected, what the output must have, the command
  local name=$1 code=$2 want=$3 out rc
  shift 3
  out=$("$@" 2>&1)
  rc=$?
  if [ $rc -eq "$code" ] && grep -qF -- "$want" <<<"$out"; then
    echo "ok rules $name"
  else
    echo "exit $rc, expected $code and '$want' in:"
    echo "$out" | head -40
    echo "not ok rules $name"
    failed=1
  fi
}

# The shipped rules: every case, and nothing doubtful in them.
for file in deploy/rules/tests/*.yaml; do
  while read -r result name; do
    if [ "$result" = ok ]; then echo "ok rules $(basename "$file"): $name"; fi
    if [ "$result" = FAILED ]; then echo "not ok rules $(basename "$file"): $name"; failed=1; fi
  done < <("$weir" rules test "$file" 2>&1 | tee "$tmp/out" | grep -E '^  (ok|FAILED) ')
  if grep -q FAILED "$tmp/out" || ! grep -q passed "$tmp/out"; then cat "$tmp/out"; failed=1; fi
  is "$(basename "$file") alone" 0 " 0 failed" "$weir" rules test "$file"
done
for file in deploy/rules/*.yaml; do is "check $(basename "$file")" 0 "" "$weir" check "$file"; done
is "shipped rules have nothing doubtful" 0 "" "$weir" rules lint deploy/rules/*.yaml
is "shipped alertmanager.yml" 0 "" "$weir" check deploy/alertmanager.yml

# A case that fails says what was expected and what came.
cat >"$tmp/r.yaml" <<'END'
groups:
- name: g
  interval: 1m
  rules:
  - alert: Errors
    expr: 'level:error | stats by (unit, request_id) count() hits | filter hits:>2'
    window: 5m
  - alert: Slow
    expr: 'level:error | sort by (_time) | stats count() hits | filter hits:>2'
END
cat >"$tmp/t.yaml" <<'END'
rule_files: [r.yaml]
tests:
- name: three
  input: [{at: 1s, lines: ['{"level":"error","msg":"no","unit":"a"}'], repeat: 3, every: 1s}]
  alerts:
  - {at: 1m, alertname: Errors, exp_alerts: []}
END
is "a case that fails" 1 'got:[firing {alertgroup="g", alertname="Errors", unit="a"}' "$weir" rules test "$tmp/t.yaml"
is "a rule that asks the store" 1 'r.yaml:8: Slow: asks the store at each evaluation, as it is no stream: sort:' "$weir" rules lint "$tmp/r.yaml"
is "a label that would explode" 1 'label request_id holds IDs' "$weir" rules lint "$tmp/r.yaml"
printf 'groups:\n- name: g\n  rules:\n  - alert: A\n    expr: "* | stats count() n"\n    fro: 5m\n' >"$tmp/bad.yaml"
is "a mistake in a rule" 2 "bad.yaml:6:5: unknown key 'fro', did you mean 'for'?" "$weir" check "$tmp/bad.yaml"

# History: ten minutes of errors in an hour, as raw lines into a store.
cat >"$tmp/h.yaml" <<'END'
groups:
- name: g
  interval: 15s
  rules:
  - alert: Errors
    expr: 'level:error | stats by (service) count() hits | filter hits:>10'
    window: 1m
    for: 1m
    annotations: {summary: '{{ $labels.service }}: {{ $value }} errors'}
  - alert: Never
    expr: 'levle:error | stats count() hits | filter hits:>10'
    for: 1m
    annotations: {summary: never}
END
cat >"$tmp/am.yml" <<'END'
global: {smtp_smarthost: 'localhost:25', smtp_from: a@example.com, smtp_require_tls: false}
route: {receiver: ops, group_wait: 10s}
receivers: [{name: ops, email_configs: [{to: ops@example.com, send_resolved: true}]}]
END
for s in $(seq 0 3599); do
  level=info
  if [ "$s" -ge 1200 ] && [ "$s" -lt 1800 ]; then level=error; fi
  printf '{"time":"2026-01-31T10:%02d:%02dZ","level":"%s","service":"shop","message":"request %d"}\n' $((s / 60)) $((s % 60)) $level "$s"
done >"$tmp/lines"
"$weir" ingest --quiet --store "$tmp/store" "$tmp/lines" >/dev/null 2>&1 || "$weir" ingest --store "$tmp/store" "$tmp/lines" >/dev/null
back=("$weir" rules backtest --store "$tmp/store" --since 2026-01-31T10:00:00Z --until 2026-01-31T11:00:00Z --utc)
is "backtest says when it fired" 0 '2026-01-31 10:21:15  {alertgroup="g", alertname="Errors", service="shop"}' "${back[@]}" "$tmp/h.yaml"
is "backtest says for how long" 0 'fired for 9m45s' "${back[@]}" "$tmp/h.yaml"
is "backtest says what would have been mailed" 0 '2026-01-31 10:21:25  ops (ops@example.com): [FIRING:1] Errors' "${back[@]}" --alerting "$tmp/am.yml" "$tmp/h.yaml"
# Silences: those of a file, by their times; those of the daemon, when one answers on the control socket.
silence() { # matcher's value, from and to, minutes after ten
  printf '[{"id":"a","startsAt":"2026-01-31T10:%s:00Z","endsAt":"2026-01-31T10:%s:00.000Z","comment":"","createdBy":"x","matchers":[%s]}]' "$2" "$3" \
    "{\"name\":\"alertname\",\"value\":\"$1\",\"isRegex\":false,\"isEqual\":true}"
}
silence Errors 20 25 >"$tmp/part.json"
silence Errors 20 50 >"$tmp/whole.json"
silence Other 20 50 >"$tmp/other.json"
mails=("${back[@]}" --alerting "$tmp/am.yml" "$tmp/h.yaml")
is "backtest tells when a silence is over" 0 '2026-01-31 10:26:25  ops (ops@example.com): [FIRING:1] Errors' "${mails[@]}" --silences "$tmp/part.json"
is "backtest counts what a silence held" 0 '1 silence held 1 more notifications, and some alerts of 0 others' "${mails[@]}" --silences "$tmp/part.json"
is "backtest under a silence tells nothing" 0 '0 notifications' "${mails[@]}" --silences "$tmp/whole.json"
is "backtest under another's silence tells all" 0 '2026-01-31 10:21:25  ops (ops@example.com): [FIRING:1] Errors' "${mails[@]}" --silences "$tmp/other.json"
is "backtest's silences as JSON" 0 '{"kind":"silences","silences":1,"held":2,"cut":0}' "${mails[@]}" --output json --silences "$tmp/whole.json"
echo '[{"id":"a","startsAt":"2026-01-31T10:00:00Z","endsAt":"2026-01-31T11:00:00Z","matchers":[]}]' >"$tmp/all.json"
is "a silence of everything is refused" 2 'all.json: silence 1: silence invalid: at least one matcher' "${mails[@]}" --silences "$tmp/all.json"
is "silences that are none" 2 'am.yml: no JSON: line 1' "${mails[@]}" --silences "$tmp/am.yml"
is "silences want routing" 2 '--silences goes with --alerting' "${back[@]}" "$tmp/h.yaml" --silences "$tmp/whole.json"
python3 - "$tmp/store/weir.sock" "$tmp/whole.json" <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
c, _ = s.accept()
assert c.recv(4096).startswith(b"GET /api/v2/silences HTTP/1.1")
body = open(sys.argv[2], "rb").read()
c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
END
for _ in $(seq 50); do if [ -S "$tmp/store/weir.sock" ]; then break; else sleep 0.1; fi; done
is "backtest takes the daemon's silences" 0 '1 silence held 2 more notifications' "${mails[@]}"
wait
is "backtest without a daemon" 0 '2 notifications' "${mails[@]}"
is "backtest sweeps thresholds" 0 'by threshold hits:>:  2.5: 24  5: 24  7.5: 24  10: 24  15: 24  20: 24  40: 24' "${back[@]}" --sweep "$tmp/h.yaml"
is "backtest as JSON" 0 '"fired_at":"2026-01-31T10:21:15Z"' "${back[@]}" --output json "$tmp/h.yaml"
is "lint with a store" 1 "Never: field 'levle' was never there; did you mean 'level'?" "$weir" rules lint --store "$tmp/store" --since 2026-01-31T10:00:00Z --until 2026-01-31T11:00:00Z "$tmp/h.yaml"
is "what never matched" 1 "Never: matched no row in 1h" "$weir" rules lint --store "$tmp/store" --since 2026-01-31T10:00:00Z --until 2026-01-31T11:00:00Z "$tmp/h.yaml"
is "no store" 3 "" "$weir" rules backtest --store "$tmp/none" "$tmp/h.yaml"
is "no file" 2 "" "$weir" rules test "$tmp/none.yaml"
is "no part" 2 "expected test, backtest or lint" "$weir" rules
exit $failed
