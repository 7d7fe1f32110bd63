#!/usr/bin/env bash
# tests/install.sh - the Debian packages that building and testing need.  As root or with sudo; quick when all are there.
#   --build   only what building needs
set -u
build=(gcc meson ninja-build pkg-config libsystemd-dev libpcre2-dev libzstd-dev libxxhash-dev libyaml-dev libmicrohttpd-dev
  libjansson-dev zlib1g-dev liblzma-dev libsqlite3-dev libcurl4-openssl-dev libesmtp-dev libssl-dev git)
test=(clang clang-format clang-tools shellcheck python3 jq ripgrep strace faketime logrotate systemd systemd-journal-remote zstd xz-utils gzip curl
  libsimde-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
  e2fsprogs util-linux procps bsdextrautils mandoc less openssl
  python3-aiosmtpd opensmtpd prometheus-alertmanager prometheus nginx)
want=("${build[@]}")
if [ "${1:-}" != --build ]; then want+=("${test[@]}"); fi
missing=()
for p in "${want[@]}"; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
echo "installing: ${missing[*]}" | fold -s -w 80
run=()
if [ "$(id -u)" -ne 0 ]; then run=(sudo); fi
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -q >/dev/null || true
"${run[@]}" apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends "${missing[@]}" >/tmp/weir-install.$$ 2>&1
rc=$?
if [ $rc -ne 0 ]; then tail -n 20 /tmp/weir-install.$$; fi
rm -f /tmp/weir-install.$$
exit $rc
