#!/usr/bin/env bash
# samples/shop/install.sh - the Debian packages of the shop.  As root or with sudo; their services are not started.
set -u
want=(nginx-light gunicorn python3-flask python3-redis python3-psycopg2 redis-server postgresql curl procps systemd
  python3-aiosmtpd)
missing=()
for p in "${want[@]}"; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
echo "installing: ${missing[*]}" | fold -s -w 80
run=()
if [ "$(id -u)" -ne 0 ]; then run=(sudo); fi
policy=/usr/sbin/policy-rc.d
mine=
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' | "${run[@]}" tee $policy >/dev/null
  "${run[@]}" chmod 755 $policy
  mine=1
fi
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -q >/dev/null || true
"${run[@]}" apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends "${missing[@]}" >/tmp/weir-shop-install.$$ 2>&1
rc=$?
if [ -n "$mine" ]; then "${run[@]}" rm -f $policy; fi
if [ $rc -ne 0 ]; then tail -n 20 /tmp/weir-shop-install.$$; fi
rm -f /tmp/weir-shop-install.$$
exit $rc
