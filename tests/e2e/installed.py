#!/usr/bin/env python3
"""tests/e2e/installed.py - what meson installs is whole: it runs from another folder than the one it was built in."""
import json
import os
import shutil
import subprocess
import tempfile

from harness import BUILD, Journald, check, main, wait_until

FILES = ["bin/weir", "sbin/weird", "libexec/weir/weir-journal", "libexec/weir/weir-rules", "share/weir/rules/services.yaml",
         "share/weir/alertmanager.yml", "include/weir/weir.h", "share/man/man1/weir.1", "share/man/man8/weird.8",
         "share/man/man5/weir.yaml.5", "share/bash-completion/completions/weir", "share/zsh/site-functions/_weir",
         "lib/systemd/system/weird.service", "lib/sysusers.d/weir.conf", "lib/tmpfiles.d/weir.conf", "share/weir/weir.yaml"]


class Installed:
    """A DESTDIR with all of it, and nothing of the folder where it was built in the way."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="weir-e2e-installed-")
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", self.dir], check=True,
                       stdout=subprocess.DEVNULL)
        options = subprocess.run(["meson", "introspect", BUILD, "--buildoptions"], check=True, capture_output=True, text=True).stdout
        self.prefix = self.dir + {o["name"]: o["value"] for o in json.loads(options)}["prefix"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def weir(self, *args, **kw):
        return subprocess.run([f"{self.prefix}/bin/weir", *args], cwd="/", capture_output=True, timeout=60, **kw)


def test_files():
    with Installed() as at:
        missing = [f for f in FILES if not os.path.exists(f"{at.prefix}/{f}")]
        check(not missing, f"not installed: {missing}")
        check(at.weir("help").returncode == 0, "weir help")
        weird = subprocess.run([f"{at.prefix}/sbin/weird", "--help"], capture_output=True, timeout=60)
        check(weird.returncode == 0, "weird --help")
        p = at.weir("query", "--input", "-", "--output", "json", "a:1", input=b'{"a":1}\n{"a":2}\n')
        check(p.returncode == 0 and p.stdout.count(b"\n") == 1, f"query: {p}")


def test_unit():
    """What the unit must say for the daemon to be what its page promises."""
    with Installed() as at:
        unit = open(f"{at.prefix}/lib/systemd/system/weird.service").read().splitlines()
        for line in ("LimitCORE=0", "Type=notify", "NoNewPrivileges=yes", "ProtectSystem=strict", "Restart=on-failure"):
            check(line in unit, f"weird.service: no {line}")
        check(any(u.startswith("WatchdogSec=") for u in unit), "weird.service: no WatchdogSec")


def test_journal_helper():
    """weir query --input journal: goes on in a helper, which is found from where weir lies."""
    journal = Journald.need()
    with Installed() as at:
        for i in range(10):
            journal.send(f"from the journal {i}")
        journal.sync()

        def rows():
            p = at.weir("query", "--input", "journal:", '"from the journal" | stats count() n', "--output", "json")
            check(p.returncode in (0, 1), p.stderr.decode())
            return b'"10"' in p.stdout

        wait_until(rows, what="ten entries")
        os.rename(f"{at.prefix}/libexec/weir", f"{at.prefix}/libexec/elsewhere")
        if os.path.exists("/usr/local/libexec/weir"):
            return  # it is found there
        p = at.weir("query", "--input", "journal:", "*")
        check(p.returncode == 3 and b"not installed" in p.stderr, f"without the helper: {p}")


def test_rules_helper():
    """weir rules and weir check go on in a helper; the shipped rules pass their cases from where they lie."""
    with Installed() as at:
        rules = f"{at.prefix}/share/weir/rules"
        for name in ("services", "system", "web"):
            p = at.weir("rules", "test", f"{rules}/tests/{name}.yaml")
            check(p.returncode == 0 and b" 0 failed" in p.stdout, f"{name}: {p}")
        p = at.weir("check", f"{at.prefix}/share/weir/alertmanager.yml")
        check(p.returncode == 0, f"alertmanager.yml: {p}")


if __name__ == "__main__":
    main([test_files, test_unit, test_journal_helper, test_rules_helper])
