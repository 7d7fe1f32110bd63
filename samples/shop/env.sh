# shellcheck shell=bash disable=SC2034
# samples/shop/env.sh - where the shop runs: sourced by start.sh, stop.sh and traffic.sh.
shop=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
run=${SHOP_RUN:-/tmp/weir-shop}
port=${SHOP_PORT:-18080}
api_port=${SHOP_API_PORT:-18081}
export SHOP_REDIS_PORT=${SHOP_REDIS_PORT:-16379}
pg_port=${SHOP_PG_PORT:-15432}
export SHOP_DSN="host=$run/pg-socket port=$pg_port user=shop dbname=postgres"
