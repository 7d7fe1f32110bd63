#!/usr/bin/env bash
# samples/shop/start.sh - start the shop on loopback: nginx, API, Redis, PostgreSQL, worker.
# Its logs: API and worker to the journal where there is one, else to $SHOP_RUN/log; nginx and PostgreSQL to $SHOP_RUN/log.
# Ports and folder: see env.sh.  Needs the Debian packages that install.sh names.
set -eu
# shellcheck source=env.sh
. "$(dirname "$0")/env.sh"
"$shop/stop.sh" >/dev/null 2>&1 || true
rm -rf "$run"
mkdir -p "$run"/{log,tmp,pg-socket}
chmod 755 "$run" "$run/log"
as_pg=()
nginx_user=
if [ "$(id -u)" -eq 0 ]; then
  as_pg=(runuser -u postgres --)
  nginx_user="user www-data;"
  mkdir "$run/pg"
  chown postgres "$run/pg" "$run/pg-socket" "$run/log"
fi

# The journal takes what API and worker write, under their own names, where somebody listens.
log_as() {
  local name=$1
  shift
  if [ -S /run/systemd/journal/stdout ] && [ -z "${SHOP_NO_JOURNAL:-}" ]; then
    exec systemd-cat -t "$name" "$@"
  fi
  exec "$@" >>"$run/log/$name.log" 2>&1
}
wait_for() { # what, then a command that succeeds when it is up
  local what=$1 _
  shift
  for _ in $(seq 100); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  echo "shop: $what did not start; see $run/log" >&2
  exit 1
}

redis-server --bind 127.0.0.1 --port "$SHOP_REDIS_PORT" --daemonize yes --pidfile "$run/redis.pid" --save "" \
  --dir "$run/tmp" --logfile "$run/log/redis.log" >/dev/null
pg_bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
(cd / && "${as_pg[@]}" "$pg_bin/initdb" -D "$run/pg" -U shop --auth=trust -E UTF8 --no-sync >"$run/tmp/initdb.log")
cat >>"$run/pg/postgresql.conf" <<CONF
listen_addresses = ''
port = $pg_port
unix_socket_directories = '$run/pg-socket'
fsync = off
logging_collector = on
log_directory = '$run/log'
log_filename = 'postgresql.log'
log_destination = 'jsonlog'
log_file_mode = 0644
log_min_duration_statement = 0
log_rotation_age = 0
CONF
(cd / && "${as_pg[@]}" "$pg_bin/pg_ctl" -D "$run/pg" -l "$run/log/postgresql-start.log" -w start >/dev/null)
"$pg_bin/psql" -q "$SHOP_DSN" -f "$shop/schema.sql"
wait_for Redis redis-cli -p "$SHOP_REDIS_PORT" ping

# gunicorn's own lines are plain text on standard error; the API's are JSON on standard output.
(log_as shop-api /usr/bin/python3 -m gunicorn --chdir "$shop" --bind "127.0.0.1:$api_port" --workers 2 \
  --pid "$run/api.pid" --log-level warning api:app) &
(log_as shop-worker /usr/bin/python3 -u "$shop/worker.py") &
echo $! >"$run/worker.pid"
sed -e "s#@RUN@#$run#g; s#@USER@#$nginx_user#; s#@PORT@#$port#; s#@API_PORT@#$api_port#" "$shop/nginx.conf.in" >"$run/nginx.conf"
nginx -p "$run" -c "$run/nginx.conf" -e "$run/log/nginx-error.log"
wait_for "the shop" curl -fsS -o /dev/null "http://127.0.0.1:$port/healthz"
echo "the shop answers at http://127.0.0.1:$port/ ; logs: $run/log"
