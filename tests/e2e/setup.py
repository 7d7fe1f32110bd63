#!/usr/bin/env python3
"""tests/e2e/setup.py - deploy/setup.sh inside a booted systemd, twice, and the service's own life.

A throw-away copy of this root: an overlay over / on a tmpfs, booted by systemd-nspawn.  Needs root; with --long only,
as it takes a minute or two.
"""
import os
import shutil
import subprocess
import tempfile
import time

from harness import LONG, TOP, Skip, check, main, wait_until


class Machine:
    def __init__(self):
        if os.geteuid() != 0 or not shutil.which("systemd-nspawn"):
            raise Skip("needs root and systemd-nspawn")
        self.base = tempfile.mkdtemp(prefix="weir-nspawn-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3g", "tmpfs", self.base], check=True)
        for d in ("upper", "work", "root"):
            os.mkdir(os.path.join(self.base, d))
        self.root = os.path.join(self.base, "root")
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir=/,upperdir={self.base}/upper,workdir={self.base}/work", self.root], check=True)
        subprocess.run(["cp", "-a", TOP, f"{self.root}/weir-checkout"], check=True)
        for b in os.listdir(f"{self.root}/weir-checkout"):
            if b.startswith("build"):
                shutil.rmtree(f"{self.root}/weir-checkout/{b}", ignore_errors=True)
        for name in ("apt-daily.timer", "apt-daily-upgrade.timer", "nginx.service", "redis-server.service", "postgresql.service"):
            os.makedirs(f"{self.root}/etc/systemd/system", exist_ok=True)
            try:
                os.symlink("/dev/null", f"{self.root}/etc/systemd/system/{name}")
            except FileExistsError:
                pass
        self.proc = subprocess.Popen(
            ["systemd-nspawn", "-b", "--register=no", "--keep-unit", "--private-network", "-q", "-D", self.root],
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}, stdin=subprocess.DEVNULL,
            stdout=open(os.path.join(self.base, "console"), "wb"), stderr=subprocess.STDOUT, start_new_session=True)
        self.pid = None

    def __enter__(self):
        def leader():
            out = subprocess.run(["pgrep", "-P", str(self.proc.pid)], capture_output=True, text=True).stdout.split()
            return out[0] if out else None
        self.pid = wait_until(leader, what="the container's first process")
        wait_until(lambda: self.run("systemctl is-system-running", ok=None).stdout.strip() in ("running", "degraded"),
                   seconds=90, every=1, what="systemd in the container")
        return self

    def run(self, command, ok=0, timeout=600):
        p = subprocess.run(["nsenter", "-t", self.pid, "-a", "/bin/bash", "-c", command], capture_output=True, text=True,
                           timeout=timeout)
        if ok is not None:
            check(p.returncode == ok, f"{command} ended with {p.returncode}: {p.stdout[-1500:]}{p.stderr[-1500:]}")
        return p

    def __exit__(self, *_):
        if self.pid:
            subprocess.run(["kill", "-KILL", self.pid], stderr=subprocess.DEVNULL)
        self.proc.kill()
        self.proc.wait()
        time.sleep(0.5)
        for d in (self.root, self.base):
            subprocess.run(["umount", "-l", d], check=False)
        shutil.rmtree(self.base, ignore_errors=True)


def test_setup():
    if not LONG:
        raise Skip("only with --long")
    with Machine() as m:
        out = m.run("cd /weir-checkout && ./deploy/setup.sh").stdout
        check("found" in out, out)
        check("found" in m.run("cd /weir-checkout && ./deploy/setup.sh").stdout, "a second run")
        check(m.run("systemctl show -p User,Type,ActiveState weird").stdout.count("active") == 1, "the service")
        check("weir" in m.run("stat -c '%U %a' /var/lib/weir").stdout, "the owner of the store")
        m.run("echo '{\"level\":\"error\",\"request_id\":\"req_nspawn\",\"message\":\"from a unit\"}' | systemd-run -q --wait --pipe cat; "
              "systemd-run -q --wait --unit=shopper echo '{\"request_id\":\"req_unit\",\"message\":\"from a unit\"}'")
        wait_until(lambda: "shopper.service" in m.run("/usr/local/bin/weir trace --output json req_unit", ok=None).stdout,
                   what="the unit's line")
        m.run("systemctl reload weird && sleep 1 && systemctl is-active weird")
        check("1" in m.run("/usr/local/bin/weir query --output json '* | stats count() n'").stdout, "root may ask")
        for command in ("query '*'", "status"):
            check("group weir" in m.run(f"runuser -u nobody -- /usr/local/bin/weir {command}", ok=3).stderr, "who may ask")
            m.run(f"runuser -u nobody -g weir -- /usr/local/bin/weir {command}")
        m.run("/usr/local/bin/weir query --output json '{unit=\"shopper.service\",host!=\"\"} unit:=\"shopper.service\"'")
        m.run("/usr/local/bin/weir query '_SYSTEMD_UNIT:=weird.service'", ok=1)
        m.run("kill -9 $(systemctl show -p MainPID --value weird); sleep 3; systemctl is-active weird")
        # the unit has no network; systemd listens for it
        m.run("ip link set lo up; sed -i '/^http:/d' /etc/weir/weir.yaml; echo 'http: {listen: 127.0.0.1:9428}' >>/etc/weir/weir.yaml; "
              "systemctl enable --now weir-http.socket; systemctl restart weird")
        status = "curl -s -m 20 -o /dev/null -w '%{http_code}' http://127.0.0.1:9428/status"
        check(m.run(status).stdout == "401", "over TCP a token is wanted")
        check(m.run(status + ' -H "Authorization: Bearer $(cat /var/lib/weir/http.token)"').stdout == "200", "and taken")
        m.run("runuser -u nobody -- cat /var/lib/weir/http.token", ok=1)
        m.run("systemctl stop weird; test \"$(systemctl show -p Result --value weird)\" = success")
        ask = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/weir-send.sock'); s.send(b'x' * 100); print(len(s.recv(9)))"
        check(m.run(f'runuser -u weir -- python3 -c "{ask}"').stdout == "0\n", "the send process takes nonsense for the end")
        check("denied" in m.run(f'runuser -u nobody -- python3 -c "{ask}"', ok=1).stderr, "who may send")
        check("denied" in m.run("runuser -u weir -- ls /etc/weir/secrets", ok=2).stderr, "weird sees no secrets")
        m.run("cd /weir-checkout && SEND_SOCKET=/run/weir-send.sock SEND_SECRETS=/etc/weir/secrets WEIR_BUILD=build-install "
              "python3 tests/e2e/send.py test_mail_in_the_clear test_mail_starttls_auth test_tls_is_never_given_up test_webhook "
              "test_server_down_then_one_joined_message test_stuck_servers_hold_up_nobody")
        for unit in ("weird.service", "weir-send@1.service"):
            score = m.run(f"systemd-analyze security --threshold=15 {unit}", ok=None)
            check(score.returncode == 0, score.stdout[-400:])


main([test_setup])
