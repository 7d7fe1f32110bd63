#!/usr/bin/env bash
# deploy/setup.sh - build and install weir on this machine, start it, and see that it works.
# As root, on Debian 12.  Run it again after a pull: it changes only what is not so yet.
#
#   ./deploy/setup.sh [--prefix /usr/local] [--no-start]
set -eu
cd "$(dirname "$0")/.."
prefix=/usr/local
start=1
while [ $# -gt 0 ]; do
  case $1 in
  --prefix)
    if [ $# -lt 2 ]; then echo "setup.sh: --prefix: a folder is missing" >&2; exit 2; fi
    prefix=$2
    shift
    ;;
  --no-start) start= ;;
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "setup.sh: $1: no such option" >&2; sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done
if [ "$(id -u)" -ne 0 ]; then echo "setup.sh: needs root" >&2; exit 2; fi
step() { printf '== %s\n' "$*"; }

step "packages that building needs"
./tests/install.sh --build
step "building"
if [ -f build-install/build.ninja ]; then
  meson configure build-install -Dprefix="$prefix"
else
  meson setup build-install --buildtype=release --prefix "$prefix" --sysconfdir /etc >/dev/null
fi
ninja -C build-install >/dev/null
step "installing under $prefix"
meson install -C build-install --no-rebuild --quiet
ldconfig
mkdir -p /etc/weir/rules
if [ ! -e /etc/weir/weir.yaml ]; then install -m 0644 deploy/weir.yaml /etc/weir/weir.yaml; fi
if [ ! -e /etc/weir/alertmanager.yml ]; then install -m 0644 deploy/alertmanager.yml /etc/weir/alertmanager.yml; fi
# What was changed by hand stays.
for rules in deploy/rules/*.yaml; do
  if [ ! -e "/etc/weir/rules/${rules##*/}" ]; then install -m 0644 "$rules" "/etc/weir/rules/${rules##*/}"; fi
done
"$prefix/bin/weir" check /etc/weir/weir.yaml
step "user, group and folders"
systemd-sysusers "$prefix/lib/sysusers.d/weir.conf"
systemd-tmpfiles --create "$prefix/lib/tmpfiles.d/weir.conf"
if [ -z "$start" ] || [ ! -d /run/systemd/system ]; then
  echo "installed; systemd does not run here or --no-start was given: nothing was started.  By hand:"
  echo "  $prefix/sbin/weird --config /etc/weir/weir.yaml"
  exit 0
fi
step "the service"
systemctl daemon-reload
systemctl enable --quiet weir-send.socket weird.service
systemctl restart weir-send.socket
systemctl restart weird.service
step "smoke test: a line in the journal is found in the store"
mark=weir-setup-$(date +%s)-$$
echo "$mark" | systemd-cat -t weir-setup
for _ in $(seq 100); do
  if "$prefix/bin/weir" query --store /var/lib/weir --output raw "\"$mark\"" 2>/dev/null | grep -q "$mark"; then
    echo "found; \`weir query\`, \`weir tail\` and \`weir trace ID\` work for root and members of group weir"
    exit 0
  fi
  sleep 0.2
done
systemctl status --no-pager weird.service || true
echo "setup.sh: the line did not arrive in 20 s; see journalctl -u weird" >&2
exit 1
