"""tests/e2e/harness.py - what the end-to-end tests share: a private journal, a daemon, questions.

Everything is real: a systemd-journald of its own in a mount namespace (needs root), the built weir and weird.
A test is a function named test_*; main() runs those named on the command line, or all, and prints "ok NAME" or
"not ok NAME" for each.
"""
import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("WEIR_BUILD", os.path.join(TOP, "build"))
WEIR = os.environ.get("WEIR", os.path.join(BUILD, "weir"))
WEIRD = os.environ.get("WEIRD", os.path.join(BUILD, "weird"))
LONG = bool(os.environ.get("WEIR_LONG"))


class Skip(Exception):
    pass


def sanitized():
    """Whether the programs carry a sanitizer, whose own memory makes figures of memory meaningless."""
    return b"__asan_init" in open(WEIRD, "rb").read() or b"__tsan_init" in open(WEIRD, "rb").read()


def beside_sanitizers():
    """For a program under LD_PRELOAD or a tracer: what a sanitizer would otherwise refuse to run with."""
    return {"ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}


def check(cond, what):
    if not cond:
        raise AssertionError(what)


def wait_until(cond, seconds=60, what="a condition", every=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = cond()
        if got:
            return got
        time.sleep(every)
    raise AssertionError(f"{what} did not come true within {seconds} s")


class Journald:
    """A systemd-journald that only this process and its children see."""

    started = None

    @classmethod
    def need(cls):
        if cls.started is None:
            cls.started = cls()
        return cls.started

    def __init__(self):
        if os.geteuid() != 0:
            raise Skip("needs root for a private journald")
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x00020000) != 0:  # CLONE_NEWNS
            raise Skip("no mount namespaces here")
        run = lambda *a: subprocess.run(a, check=True)
        run("mount", "--make-rprivate", "/")
        for d in ("/run/systemd/journal", "/run/log", "/run/systemd/journald.conf.d", "/var/log/journal"):
            os.makedirs(d, exist_ok=True)
            run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", d)
        with open("/run/systemd/journald.conf.d/test.conf", "w") as f:
            f.write("[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nRateLimitBurst=0\nRuntimeMaxUse=600M\n"
                    "RuntimeMaxFileSize=32M\nForwardToSyslog=no\nForwardToKMsg=no\nForwardToConsole=no\nForwardToWall=no\n"
                    "ReadKMsg=no\nAudit=no\n")
        self.proc = subprocess.Popen(["/lib/systemd/systemd-journald"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     preexec_fn=lambda: libc.prctl(1, signal.SIGKILL))
        wait_until(lambda: os.path.exists("/run/systemd/journal/socket"), what="journald's socket")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        self.sock.connect("/run/systemd/journal/socket")

    def send(self, message, **fields):
        """One entry by the native protocol; blocks while journald is behind."""
        out = b""
        for k, v in {"MESSAGE": message, "PRIORITY": "6", "SYSLOG_IDENTIFIER": "e2e", **fields}.items():
            v = v if isinstance(v, bytes) else str(v).encode()
            out += k.encode() + b"\n" + struct.pack("<Q", len(v)) + v + b"\n"
        self.sock.send(out)

    def sync(self):
        subprocess.run(["journalctl", "--sync"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Place:
    """A folder for one test: its logs, its store, its configuration."""

    def __init__(self, name):
        self.dir = tempfile.mkdtemp(prefix=f"weir-e2e-{name}-")
        self.store = os.path.join(self.dir, "store")
        self.logs = os.path.join(self.dir, "logs")
        os.mkdir(self.logs)
        self.config_path = os.path.join(self.dir, "weir.yaml")
        self.daemon = None
        self.n_starts = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        if kind is None:
            shutil.rmtree(self.dir, ignore_errors=True)
        else:
            print(f"   kept for a look: {self.dir}")

    def config(self, inputs, store="", more=""):
        with open(self.config_path, "w") as f:
            f.write(f"store: {{path: {self.store}, min_free_percent: 0{', ' + store if store else ''}}}\ninputs:\n{inputs}\n{more}\n")

    def start(self, *args, wait=True, env=None, as_user=None):
        self.log = open(os.path.join(self.dir, "weird.log"), "ab")
        become = ["setpriv", "--reuid", as_user, "--regid", "nogroup", "--clear-groups"] if as_user else []
        self.daemon = subprocess.Popen([*become, WEIRD, "--config", self.config_path, *args], stderr=self.log, stdout=self.log,
                                       env={**os.environ, **(env or {})})
        self.n_starts += 1
        if wait:
            wait_until(lambda: self.answers() or self.daemon.poll() is not None, what="the control socket")
            check(self.daemon.poll() is None, f"weird ended with {self.daemon.poll()}: {self.said()[-2000:]}")
        return self.daemon

    def answers(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(os.path.join(self.store, "weir.sock")) == 0

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def stop(self, seconds=15):
        self.daemon.terminate()
        return self.daemon.wait(timeout=seconds)

    def once(self, *args, timeout=300):
        p = subprocess.run([WEIRD, "--config", self.config_path, "--once", *args], capture_output=True, timeout=timeout)
        check(p.returncode == 0, f"weird --once ended with {p.returncode}: {p.stderr.decode(errors='replace')[-2000:]}")
        return p

    def said(self):
        with open(os.path.join(self.dir, "weird.log"), errors="replace") as f:
            return f.read()

    def weir(self, *args, ok=(0, 1), timeout=120, input=None):
        p = subprocess.run([WEIR, *args], capture_output=True, timeout=timeout, input=input,
                           env={**os.environ, "WEIR_STORE": self.store, "NO_COLOR": "1"})
        check(p.returncode in ok, f"weir {' '.join(args)} ended with {p.returncode}: {p.stderr.decode(errors='replace')[-1000:]}")
        return p

    def query(self, q, *args, ok=(0, 1)):
        out = self.weir("query", "--output", "json", *args, "--", q, ok=ok).stdout
        return [json.loads(line) for line in out.splitlines()]

    def count(self, q):
        rows = self.query(f"{q} | stats count() n")
        return int(rows[0]["n"]) if rows else 0


def main(tests):
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    bad = 0
    for fn in tests:
        if names and fn.__name__ not in names:
            continue
        began = time.monotonic()
        name = os.path.basename(sys.argv[0]).removesuffix(".py") + "." + fn.__name__.removeprefix("test_")
        try:
            fn()
            print(f"ok {name} # {time.monotonic() - began:.1f} s", flush=True)
        except Skip as e:
            print(f"ok {name} # SKIP {e}", flush=True)
        except Exception:  # a test may fail in any way
            traceback.print_exc(file=sys.stdout)
            print(f"not ok {name}", flush=True)
            bad += 1
    sys.exit(1 if bad else 0)
