#!/usr/bin/env python3
"""tests/e2e/send.py - delivery: the outbox and the send process against real and misbehaving servers.

send_drive puts notifications into an outbox and delivers them as weird does; aiosmtpd (STARTTLS, AUTH), OpenSMTPD and servers
of raw sockets receive. Each fault must leave the others alone, lose nothing, double nothing, and say what it was.
"""
import atexit
import base64
import email
import email.policy
import hashlib
import hmac
import json
import os
import queue
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import BUILD, LONG, Journald, Place, Skip, check, main, wait_until  # noqa: E402

# of an installed unit, whose user alone may read its secrets
SOCKET, SECRETS = os.environ.get("SEND_SOCKET"), os.environ.get("SEND_SECRETS")
DRIVE = os.environ.get("SEND_DRIVE", os.path.join(BUILD, "tests/e2e/send_drive"))


# ---- certificates ----

class Certs:
    made = None

    @classmethod
    def need(cls):
        cls.made = cls.made or cls()
        return cls.made

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="weir-e2e-certs-")
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                 "-days", "30", "-subj", "/CN=test CA")
        self.make("good", "DNS:localhost,IP:127.0.0.1")
        self.make("other", "DNS:other.example")
        self.make("expired", "DNS:localhost,IP:127.0.0.1", expired=True)
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "self.key", "-out",
                 "self.pem", "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")

    def run(self, *args):
        subprocess.run(["openssl", *args], cwd=self.dir, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def make(self, name, alt, expired=False):
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                 "-subj", f"/CN={name}")
        with open(os.path.join(self.dir, "ext"), "w") as f:
            f.write(f"subjectAltName={alt}\n")
        sign = ["x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem",
                "-extfile", "ext", "-days", "30"]
        if expired:
            subprocess.run(["faketime", "2020-01-01 00:00:00", "openssl", *sign], cwd=self.dir, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        else:
            self.run(*sign)

    def path(self, name):
        return os.path.join(self.dir, name)

    def server(self, name="good"):
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(self.path(f"{name}.pem"), self.path(f"{name}.key"))
        return ctx


# ---- servers of raw sockets ----

class Server:
    """Accepts on 127.0.0.1; each connection in a thread of its own."""

    def __init__(self, port=0):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("127.0.0.1", port))
        self.sock.listen(50)
        self.port = self.sock.getsockname()[1]
        self.n = 0
        self.closed = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.closed:
            try:
                c, _ = self.sock.accept()
            except OSError:
                return
            self.n += 1
            threading.Thread(target=self.safe, args=(c,), daemon=True).start()

    def safe(self, c):
        try:
            self.serve(c)
        except (OSError, ssl.SSLError, ValueError, EOFError, IndexError):
            pass
        finally:
            c.close()

    def close(self):
        self.closed = True
        # a blocked accept would hold the port
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class Smtp(Server):
    """An SMTP server that does what ${does} says, a function of the phase: None goes on, text is the answer, "cut" and "stall"."""

    def __init__(self, does=lambda phase, arg, n: None, tls=None, implicit=False, offer_auth=False, offer=(), port=0):
        self.does, self.tls, self.implicit, self.offer_auth, self.offer = does, tls, implicit, offer_auth, offer
        self.mails = []
        self.commands = []
        self.logins = []
        super().__init__(port)

    def say(self, f, phase, arg, default):
        answer = self.does(phase, arg, self.n)
        if answer == "cut":
            raise EOFError
        if answer == "stall":
            time.sleep(60)
            raise EOFError
        if answer == "drip":
            for b in b"250-" + b"x" * 1000:
                f.write(bytes([b]))
                f.flush()
                time.sleep(0.3)
        if answer == "flood":
            for _ in range(100000):
                f.write(b"250-" + b"y" * 500 + b"\r\n")
                f.flush()
        f.write(((answer or default) + "\r\n").encode())
        f.flush()
        return answer is None or answer[0] in "23"

    def hello(self, secure):
        lines = ["server.example", "SIZE 10000000", "8BITMIME", *self.offer]
        if self.tls and not secure and not self.implicit:
            lines.append("STARTTLS")
        if self.offer_auth and (secure or self.offer_auth == "clear"):
            lines.append("AUTH PLAIN LOGIN")
        return "\r\n".join(f"250{'-' if i + 1 < len(lines) else ' '}{s}" for i, s in enumerate(lines))

    def serve(self, c):
        secure = False
        if self.implicit:
            c = self.tls.wrap_socket(c, server_side=True)
            secure = True
        f = c.makefile("rwb")
        sender, to = None, []
        self.say(f, "banner", "", "220 server.example ESMTP")
        while True:
            line = f.readline().decode("latin-1")
            if not line:
                return
            line = line.rstrip("\r\n")
            self.commands.append((self.n, secure, line))
            word = line[:4].upper()
            if word in ("EHLO", "HELO"):
                self.say(f, "ehlo", line, self.hello(secure))
            elif word == "STAR":
                if self.say(f, "starttls", line, "220 go"):
                    c = self.tls.wrap_socket(c, server_side=True)
                    f = c.makefile("rwb")
                    secure = True
            elif word == "AUTH":
                self.auth(f, line)
            elif word == "MAIL":
                sender, to = line[10:].split(">")[0].lstrip("<"), []
                self.say(f, "mail", sender, "250 ok")
            elif word == "RCPT":
                one = line[8:].split(">")[0].lstrip("<")
                if self.say(f, "rcpt", one, "250 ok"):
                    to.append(one)
            elif word == "DATA":
                if not to:
                    f.write(b"503 no valid recipients\r\n")
                    f.flush()
                elif self.say(f, "data", "", "354 go"):
                    self.message(f, sender, to)
            elif word == "QUIT":
                f.write(b"221 bye\r\n")
                f.flush()
                return
            else:
                f.write(b"250 ok\r\n")
                f.flush()

    def auth(self, f, line):
        parts = line.split(" ")
        if parts[1] == "PLAIN":
            _, user, password = base64.b64decode(parts[2]).decode().split("\0")
        else:
            f.write(b"334 VXNlcm5hbWU6\r\n")
            f.flush()
            user = base64.b64decode(f.readline()).decode()
            f.write(b"334 UGFzc3dvcmQ6\r\n")
            f.flush()
            password = base64.b64decode(f.readline()).decode()
        self.logins.append((user, password))
        self.say(f, "auth", user, "235 ok" if (user, password) == ("weir", "s3cret") else "535 5.7.8 wrong password")

    def message(self, f, sender, to):
        data = b""
        while not data.endswith(b"\r\n.\r\n"):
            line = f.readline()
            if not line:
                return
            data += line
            if self.does("content", "", self.n) == "cut":
                raise EOFError
        body = data[:-3]
        after = self.does("dot", body, self.n)
        if after is None or after == "taken and cut" or after[0] == "2":
            self.mails.append((sender, to, body))
        if after in ("cut", "taken and cut"):
            raise EOFError
        self.say(f, "dot", body, "250 taken")


def plain(mail):
    return email.message_from_bytes(mail[2], policy=email.policy.default)


class Http(Server):
    """An HTTP receiver; ${does}(path, n) gives raw bytes, or a generator of them."""

    def __init__(self, does=lambda path, n: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", tls=None):
        self.does, self.tls = does, tls
        self.posts = []
        super().__init__()

    def serve(self, c):
        if self.tls:
            c = self.tls.wrap_socket(c, server_side=True)
        f = c.makefile("rwb")
        line = f.readline().decode()
        path = line.split(" ")[1]
        head = {}
        while (h := f.readline().decode().rstrip("\r\n")) != "":
            k, v = h.split(":", 1)
            head[k.lower()] = v.strip()
        body = f.read(int(head.get("content-length", 0)))
        self.posts.append((line.split(" ")[0], path, head, body))
        out = self.does(path, self.n)
        for part in [out] if isinstance(out, bytes) else out:
            f.write(part)
            f.flush()


def answer(code, head="", body=b""):
    return f"HTTP/1.1 {code} x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


# ---- the sending side ----

class Drive:
    def __init__(self, config, keep=None, socket_path=None):
        self.dir = keep or tempfile.mkdtemp(prefix="weir-e2e-send-")
        self.secrets = SECRETS or os.path.join(self.dir, "secrets")
        os.makedirs(self.secrets, exist_ok=True)
        self.file("password", "s3cret\n")
        with open(os.path.join(self.dir, "alertmanager.yml"), "w") as f:
            f.write(config)
        self.lines = []
        self.queue = queue.Queue()
        socket_path = socket_path or SOCKET
        args = [DRIVE, f.name, os.path.join(self.dir, "state.db"), self.secrets] + ([socket_path] if socket_path else [])
        self.proc = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def file(self, name, text):
        with open(os.path.join(self.secrets, name), "w") as f:
            f.write(text)
        os.chmod(f.name, 0o600)
        if SECRETS:
            shutil.chown(f.name, "weir-send")

    def read(self):
        for line in self.proc.stdout:
            # the last one may be cut by a kill
            if line.endswith("}\n"):
                self.lines.append({**json.loads(line), "at": time.monotonic()})

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.kill()
        if kind is None:
            shutil.rmtree(self.dir, ignore_errors=True)
        else:
            print(*self.lines[-20:], sep="\n")

    def kill(self, how=signal.SIGKILL):
        if self.proc.poll() is None:
            self.proc.send_signal(how)
        self.proc.wait()
        err = self.proc.stderr.read()
        check(err == "" or how == signal.SIGKILL and "ERROR" not in err, f"standard error: {err}")

    def do(self, text):
        self.proc.stdin.write(text + "\n")
        self.proc.stdin.flush()

    def put(self, name, receiver, reason="first", group="g", text="it is down"):
        self.do(f"put {name} {group} {reason} {receiver} {text}")

    def all(self, key):
        return [x for x in self.lines if key in x]

    def wait(self, key, name, seconds=15):
        """The first line of that kind whose value begins so."""
        def find():
            check(self.proc.poll() is None, f"send_drive ended: {self.proc.poll()}")
            return next((x for x in self.lines if str(x.get(key, "")).startswith(name)), None)
        return wait_until(find, seconds, f'"{key}": "{name}…"', every=0.02)

    def fate(self, name, seconds=15):
        return self.wait("fate", name, seconds)

    def tried(self, name, seconds=15):
        return self.wait("try", name, seconds)

    def list(self):
        n = len(self.all("listed"))
        before = len(self.lines)
        self.do("list")
        wait_until(lambda: len(self.all("listed")) > n, what="the list")
        return [x for x in self.lines[before:] if "item" in x]


def mail_config(port, more="", to="ops@example.org", name="ops"):
    return f"""
  - name: {name}
    email_configs:
      - to: '{to}'
        from: 'Weir <weir@example.org>'
        smarthost: 'localhost:{port}'
        send_resolved: true
{more}"""


def hook_config(url, more="", name="hook"):
    return f"""
  - name: {name}
    webhook_configs:
      - url: '{url}'
        send_resolved: true
{more}"""


def config(*receivers):
    return "route: {receiver: none}\nreceivers:\n  - name: none" + "".join(receivers)


CLEAR = "        require_tls: false\n"


def tls(more=""):
    ca = Certs.need().path("ca.pem")
    if SECRETS:
        ca = shutil.copy(ca, SECRETS)
        shutil.chown(ca, "weir-send")
    return f"        tls_config: {{ca_file: {ca}}}\n{more}"


AUTH = "        auth_username: weir\n        auth_password_file: password\n"


# ---- mail ----

def test_mail_in_the_clear():
    s = Smtp()
    with Drive(config(mail_config(s.port, CLEAR))) as d:
        d.put("a1", "ops", text="disk / is full")
        check(d.fate("a1")["state"] == "delivered", "delivered")
        check(len(s.mails) == 1 and s.mails[0][:2] == ("weir@example.org", ["ops@example.org"]), f"envelope: {s.mails}")
        m = plain(s.mails[0])
        check(m["Message-ID"] == "<a1.m0@host.example>", f"Message-ID: {m['Message-ID']}")
        check(m["Auto-Submitted"] == "auto-generated" and m["Date"] and m["From"] == "Weir <weir@example.org>", f"headers: {m.items()}")
        check(m.get_content_type() == "multipart/alternative", m.get_content_type())
        check("Down" in m["Subject"], f"subject: {m['Subject']}")
        check("disk / is full" in m.get_body(("plain",)).get_content(), "text")
        check("disk / is full" in m.get_body(("html",)).get_content(), "HTML")
        raw = s.mails[0][2]
        check(b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b""), "only CR LF")
        check(max(map(len, raw.split(b"\r\n"))) <= 78, "no line is long")


def test_mail_headers_are_not_injected():
    s = Smtp()
    evil = "x\\r\\nBcc: evil@example.com\\n.\\n \u202e ünï\t<script> =?UTF-8?Q?x?= " + "w" * 1200
    with Drive(config(mail_config(s.port, CLEAR))) as d:
        d.proc.stdin.write("put b1 g\rBcc:evil@example.com first ops " + evil + "\r.\r\n")
        d.proc.stdin.flush()
        d.fate("b1")
        m = plain(s.mails[0])
        check(s.mails[0][1] == ["ops@example.org"], f"recipients: {s.mails[0][1]}")
        check(m["Bcc"] is None and len(m.get_all("Subject")) == 1, f"headers: {m.items()}")
        check(all(len(line) <= 78 for line in s.mails[0][2].split(b"\r\n")), "lines")
        check(all(b < 0x7f for b in s.mails[0][2]), "ASCII only")
        check("ünï" in m.get_body(("plain",)).get_content(), "the text comes through")


class Aiosmtpd:
    """aiosmtpd with STARTTLS by our CA, and AUTH."""

    def __enter__(self):
        # Debian's, whichever python runs this
        sys.path.append("/usr/lib/python3/dist-packages")
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult
        self.got, self.logins = got, logins = [], []

        class Handler:
            async def handle_DATA(self, server, session, envelope):
                got.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
                return "250 ok"

        def login(server, session, envelope, mechanism, data):
            logins.append((mechanism, data.login, data.password))
            return AuthResult(success=data.password == b"s3cret")

        self.controller = Controller(Handler(), hostname="127.0.0.1", port=free_port(), tls_context=Certs.need().server(),
                                     require_starttls=True, authenticator=login, auth_required=True)
        self.controller.start()
        self.port = self.controller.port
        return self

    def __exit__(self, *_):
        self.controller.stop()

    def mails(self):
        return [plain(m) for m in self.got]


def test_mail_starttls_auth():
    """aiosmtpd: STARTTLS with our CA, AUTH by PLAIN or LOGIN from a file."""
    with Aiosmtpd() as server, Drive(config(mail_config(server.port, tls(AUTH)))) as d:
        d.put("a1", "ops")
        check(d.fate("a1")["state"] == "delivered", "delivered")
        check(len(server.got) == 1 and server.logins[-1][1:] == (b"weir", b"s3cret"), f"{server.got} {server.logins}")
        d.put("a2", "ops", reason="resolved")
        d.fate("a2")
        first, second = server.mails()
        check(second["In-Reply-To"] == first["Message-ID"] == second["References"], "resolved threads with firing")
        check(second["Message-ID"] != first["Message-ID"], "and has its own id")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_mail_implicit_tls():
    if os.geteuid() != 0:
        raise Skip("port 465 needs root")
    try:
        s = Smtp(tls=Certs.need().server(), implicit=True, offer_auth=True, port=465)
    except OSError as e:
        raise Skip(f"port 465: {e}")
    with Drive(config(mail_config(465, tls(AUTH)))) as d:
        d.put("a1", "ops")
        check(d.fate("a1")["state"] == "delivered" and s.logins == [("weir", "s3cret")], f"{s.logins}")
    s.close()


class Opensmtpd:
    """A mailbox behind OpenSMTPD, in the clear: the STARTTLS of Debian 12's does not work."""

    def __enter__(self):
        if os.geteuid() != 0 or not shutil.which("smtpd"):
            raise Skip("needs root and OpenSMTPD")
        self.place = tempfile.mkdtemp(prefix="weir-e2e-smtpd-")
        os.chmod(self.place, 0o755)
        self.box = os.path.join(self.place, "box")
        os.mkdir(self.box)
        shutil.chown(self.box, "nobody")
        self.port = free_port()
        with open(os.path.join(self.place, "smtpd.conf"), "w") as f:
            f.write(f'listen on 127.0.0.1 port {self.port}\n'
                    f'action "in" maildir "{self.box}/%{{rcpt}}" virtual {{ "@" = "nobody" }}\n'
                    'match from any for domain "example.org" action "in"\n')
        # its sockets and queue are its own: a mount namespace of this process and its children
        script = ("mount --make-rprivate / && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/spool && mkdir -m 711 /var/spool/smtpd && "
                  f"exec smtpd -d -f {f.name}")
        with open(os.path.join(self.place, "log"), "w") as log:
            self.proc = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script],
                                         stdout=subprocess.DEVNULL, stderr=log)
        wait_until(lambda: can_connect(self.port), what="OpenSMTPD")
        return self

    def __exit__(self, kind, *_):
        self.proc.kill()
        self.proc.wait()
        if kind is None:
            shutil.rmtree(self.place)

    def mails(self):
        found = []
        for at, _, names in os.walk(self.box):
            if at.endswith("/new"):
                for n in sorted(names):
                    with open(os.path.join(at, n), "rb") as f:
                        found.append(email.message_from_bytes(f.read(), policy=email.policy.default))
        return sorted(found, key=lambda m: m["Date"].datetime)


def test_mail_opensmtpd():
    with Opensmtpd() as server, Drive(config(mail_config(server.port, CLEAR))) as d:
        d.put("a1", "ops")
        check(d.fate("a1")["state"] == "delivered", "delivered")
        mail = wait_until(server.mails, what="a mail in the box")[0]
        check(mail["Message-ID"] == "<a1.m0@host.example>", "our Message-ID")


def can_connect(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def test_each_recipient_has_its_own_outcome():
    """One taken, one greylisted, one unknown: nobody waits for another, nobody gets two."""
    tries = {}

    def does(phase, arg, n):
        if phase != "rcpt":
            return None
        tries[arg] = tries.get(arg, 0) + 1
        if arg == "c@example.org":
            return "550 5.1.1 no such user"
        return "450 4.2.0 greylisted" if arg == "b@example.org" and tries[arg] == 1 else None
    s = Smtp(does)
    with Drive(config(mail_config(s.port, CLEAR, to="a@example.org, b@example.org, c@example.org"))) as d:
        d.put("a1", "ops")
        t = d.tried("a1")
        check(t["outcome"] == "later" and t["left"] == "b@example.org" and t["failed"] == "c@example.org", f"{t}")
        check("450 4.2.0 greylisted" in t["why"] and "no such user" in t["why"], f"why: {t['why']}")
        f = d.fate("a1")
        check(f["state"] == "delivered" and f["failed"] == "c@example.org" and f["tries"] == 2, f"{f}")
        check([x[1] for x in s.mails] == [["a@example.org"], ["b@example.org"]], f"{[x[1] for x in s.mails]}")
        check(tries["c@example.org"] == 1 and tries["a@example.org"] == 1, f"{tries}")


def test_all_recipients_greylisted():
    """libesmtp calls this "250 ok"."""
    s = Smtp(lambda phase, arg, n: "450 4.2.0 later" if phase == "rcpt" and n <= 2 else None)
    with Drive(config(mail_config(s.port, CLEAR, to="a@example.org, b@example.org"))) as d:
        d.put("a1", "ops")
        check(d.tried("a1")["outcome"] == "later" and d.tried("a1")["left"] == "a@example.org\nb@example.org", "none has it")
        check(s.mails == [], "none was sent")
        d.do("skip 10")
        check(d.fate("a1", 20)["state"] == "delivered", "delivered")
        check(len(s.mails) == 1 and s.mails[0][1] == ["a@example.org", "b@example.org"], "once")


def one_fault(does, want, more=CLEAR, outcome="later", seconds=15, server=None, taken=0, unsure=False):
    """A fault at the first connection; then the server is well, and the mail comes once."""
    s = server or Smtp(lambda phase, arg, n: does(phase) if n == 1 else None)
    with Drive(config(mail_config(s.port, more))) as d:
        d.put("a1", "ops")
        t = d.tried("a1", seconds)
        check(t["outcome"] == outcome, f"{want}: {t}")
        check(want in t["why"], f"why: {t['why']}, want {want}")
        check(t["unsure"] == unsure, f"unsure: {t}")
        if outcome == "later":
            d.do("skip 5")
            check(d.fate("a1", 30)["state"] == "delivered", "delivered in the end")
        else:
            check(d.fate("a1", 5)["state"] == "failed", "given up")
        check(len(s.mails) == (1 if outcome == "later" else 0) + taken, f"{len(s.mails)} mails")
        if taken:
            ids = {plain(m)["Message-ID"] for m in s.mails}
            check(len(ids) == 1, f"a double has the same Message-ID: {ids}")
    s.close()
    return t


def test_faults_that_are_tried_again():
    """Each phase: refused for now, cut, nonsense."""
    for phase, word in (("banner", "greeting"), ("ehlo", "EHLO"), ("mail", "MAIL FROM"), ("rcpt", "ops@example.org"), ("data", "DATA")):
        one_fault(lambda p: "421 4.3.2 closing" if p == phase else None, "421 4.3.2 closing")
        one_fault(lambda p: "cut" if p == phase else None, "cut")
    one_fault(lambda p: "451 4.3.0 try later" if p == "dot" else None, "the message: 451 4.3.0")
    # cut while it was on its way: the dot was out, and who knows
    one_fault(lambda p: "cut" if p == "content" else None, "it may have arrived", unsure=True)
    one_fault(lambda p: "hello?" if p == "banner" else None, "none of SMTP")
    one_fault(lambda p: "flood" if p == "ehlo" else None, "bytes")
    one_fault(lambda p: "552 5.2.2 too many recipients" if p == "rcpt" else None, "552")
    one_fault(lambda p: "554 5.7.1 not you, not now" if p == "banner" else None, "554")


def test_faults_that_are_final():
    one_fault(lambda p: "550 5.1.1 no such user" if p == "rcpt" else None, "no such user", outcome="never")
    one_fault(lambda p: "554 5.6.0 content is refused" if p == "dot" else None, "554 5.6.0", outcome="never")
    one_fault(lambda p: "552 5.3.4 too big" if p == "mail" else None, "552 5.3.4", outcome="never")


def test_the_answer_after_the_dot_is_lost():
    """The server has it; it cannot be known; so it comes twice with one Message-ID, and is not joined with a later one."""
    one_fault(lambda p: "taken and cut" if p == "dot" else None, "it may have arrived", taken=1, unsure=True)
    s = Smtp(lambda phase, arg, n: "taken and cut" if phase == "dot" and n == 1 else None)
    with Drive(config(mail_config(s.port, CLEAR))) as d:
        d.put("a1", "ops")
        check(d.tried("a1")["unsure"], "unsure")
        d.put("a2", "ops", reason="resolved")
        d.fate("a2")
        ids = [plain(m)["Message-ID"] for m in s.mails]
        check(ids == ["<a1.m0@host.example>"] * 2 + ["<a2.m0@host.example>"], f"{ids}")


def test_tls_is_never_given_up():
    """Stripped, wrong, old: no mail, no password in the clear, and the reason says which."""
    certs = Certs.need()
    cases = [
        (Smtp(), "", "STARTTLS is not offered"),
        (Smtp(offer_auth="clear"), CLEAR + AUTH, "a password is never sent in the clear"),
        (Smtp(tls=certs.server("other")), tls(), "hostname mismatch"),
        (Smtp(tls=certs.server("expired")), tls(), "expired"),
        (Smtp(tls=certs.server("self")), tls(), "self"),
        (Smtp(tls=certs.server("good")), "", "unable to get"),
        (Smtp(lambda p, a, n: "454 4.7.0 TLS not available" if p == "starttls" else None, tls=certs.server()), tls(), "454 4.7.0"),
        (Smtp(lambda p, a, n: "220 go\r\n250 injected" if p == "starttls" else None, tls=certs.server()), tls(), "in the clear"),
        (Smtp(lambda p, a, n: "cut" if p == "starttls" else None, tls=certs.server()), tls(), "cut"),
        (old_tls(certs), tls(), "TLS"),
        (Smtp(tls=certs.server(), offer_auth=True), tls(AUTH.replace(": weir", ": other")), "535"),
        (Smtp(tls=certs.server()), tls(AUTH), "AUTH: the server offers no way"),
    ]
    for s, more, want in cases:
        with Drive(config(mail_config(s.port, more))) as d:
            d.put("a1", "ops")
            t = d.tried("a1")
            check(t["outcome"] == "later" and want in t["why"], f"want {want}: {t}")
        check(s.mails == [], f"{want}: no mail")
        check(not [x for x in s.commands if not x[1] and x[2][:4].upper() in ("AUTH", "MAIL")], f"{want}: in the clear: {s.commands}")
        check(not [x for x in s.commands if x[2].startswith("MAIL")], f"{want}: MAIL without login or TLS")
        s.close()


def old_tls(certs):
    s = Smtp(tls=certs.server())
    s.tls.minimum_version = ssl.TLSVersion.TLSv1
    s.tls.maximum_version = ssl.TLSVersion.TLSv1_1
    s.tls.set_ciphers("ALL:@SECLEVEL=0")
    return s


def test_no_server():
    """Refused, no such name, and a secret that is not there."""
    with Drive(config(mail_config(free_port(), CLEAR), mail_config(25, CLEAR, name="nowhere").replace("localhost:", "no-such-host.invalid:"),
                      mail_config(25, tls(AUTH.replace(": password", ": missing")), name="nosecret"))) as d:
        d.put("a1", "ops")
        d.put("a2", "nowhere")
        d.put("a3", "nosecret")
        check("Connection refused" in d.tried("a1")["why"], "refused")
        check("look up no-such-host.invalid" in d.tried("a2", 40)["why"], "no such name")
        check("secret file" in d.tried("a3")["why"] and "missing" in d.tried("a3")["why"], "no secret")


def black_hole():
    """A listener whose queue is full: connects get no answer."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(0)
    hold = []
    for _ in range(4):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(s.getsockname())
        hold.append(c)
    return s, hold


def test_stuck_servers_hold_up_nobody():
    """Twenty-five receivers that stall at every phase, drip, or never accept, and one of each kind that is well."""
    hole, hold = black_hole()
    stuck = [Smtp(lambda p, a, n, phase=phase: how if p == phase else None)
             for phase in ("banner", "ehlo", "mail", "rcpt", "data", "dot") for how in ("stall", "drip") if (phase, how) != ("dot", "drip")] * 2
    hooks = [Http(lambda path, n: endless()), Http(lambda path, n: stall())]
    well, hook = Smtp(), Http()
    receivers = [mail_config(s.port, CLEAR, name=f"stuck{i}") for i, s in enumerate(stuck)]
    receivers += [mail_config(hole.getsockname()[1], CLEAR, name="hole").replace("localhost", "127.0.0.1")]
    receivers += [hook_config(f"http://127.0.0.1:{h.port}/", name=f"stuckhook{i}") for i, h in enumerate(hooks)]
    receivers += [mail_config(well.port, CLEAR, name="well"), hook_config(f"http://127.0.0.1:{hook.port}/", name="wellhook")]
    with Drive(config(*receivers)) as d:
        for i in range(len(stuck)):
            d.put(f"s{i:02d}", f"stuck{i}")
        d.put("hole", "hole")
        for i in range(len(hooks)):
            d.put(f"h{i}", f"stuckhook{i}")
        time.sleep(1)
        t0 = time.monotonic()
        for i in range(20):
            d.put(f"w{i:02d}", "well", group=f"g{i}")
            d.put(f"x{i:02d}", "wellhook", group=f"g{i}")
        d.fate("w19", 20)
        d.fate("x19", 20)
        took = time.monotonic() - t0
        check(took < 10, f"forty notifications beside stuck servers took {took:.1f} s")
        check(len(well.mails) == 20 and len(hook.posts) == 20, "each once")
        t = d.tried("hole", 20)
        check("timed out" in t["why"], f"black hole: {t}")
        if LONG:
            for i, s in enumerate(stuck):
                t = d.tried(f"s{i:02d}", 130)
                check(t["outcome"] == "later" and "in time" in t["why"], f"{i}: {t}")
        else:
            t = d.tried("s00", 60)
            check("greeting: no answer in time" in t["why"], f"{t}")
        # the process itself, stuck with all of it, is replaced; what was on its way comes again
        pid = d.all("pid")[-1]["pid"]
        os.kill(pid, signal.SIGKILL)
        d.wait("died", "SIGKILL")
        d.put("y1", "well")
        check(d.fate("y1")["state"] == "delivered", "after its death")
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), what="the end of the process")
        check(len(well.mails) == 21, "no double")


def endless():
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"1\r\nx\r\n"
        time.sleep(0.5)


def stall():
    time.sleep(60)
    yield b""


def test_server_down_then_one_joined_message():
    """Firing and resolved while the server is down for an hour: one message, once, in one thread."""
    port = free_port()
    with Drive(config(mail_config(port, CLEAR, to="a@example.org, b@example.org"))) as d:
        d.put("a1", "ops", text="first")
        check("refused" in d.tried("a1")["why"], "down")
        d.do("skip 1200")
        wait_until(lambda: len(d.all("try")) >= 2, what="a second try")
        d.put("a2", "ops", reason="resolved", text="second")
        for _ in range(4):
            n = len(d.all("try"))
            d.do("skip 900")
            wait_until(lambda: len(d.all("try")) > n, what="another try")
        items = d.list()
        check(len(items) == 1 and items[0]["state"] == "waiting", f"one waits: {items}")
        s = Smtp(port=port)
        d.do("skip 900")
        f = d.fate("a2", 20)
        check(f["state"] == "delivered" and f["tries"] >= 6, f"{f}")
        check(len(s.mails) == 1 and s.mails[0][1] == ["a@example.org", "b@example.org"], f"{len(s.mails)} mails")
        check(plain(s.mails[0])["Message-ID"] == "<a1.m0@host.example>", "the first's id: nobody has seen it")
        d.put("a3", "ops", reason="changed")
        d.fate("a3")
        check(plain(s.mails[1])["In-Reply-To"] == "<a1.m0@host.example>", "and the thread goes on")
        check(len(d.list()) == 2, "history")


def test_kill_at_any_moment():
    """Main and its send process die at random moments: each notification comes, and a double has the same Message-ID."""
    import random
    rnd = random.Random(7)
    s, h = Smtp(), Http()
    text = config(mail_config(s.port, CLEAR), hook_config(f"http://127.0.0.1:{h.port}/"))
    rounds = 40 if LONG else 8
    d = Drive(text)
    put, stored = [], set()
    for i in range(rounds):
        for k in range(3):
            name = f"n{i:03d}-{k}"
            d.put(name, "ops" if k < 2 else "hook", group=f"g{i}-{k}")
            put.append(name)
        d.wait("put", put[-3])
        time.sleep(rnd.random() * 0.15)
        os.kill(d.proc.pid, signal.SIGKILL)
        d.proc.wait()
        d.reader.join()
        # what was not read from the pipe was never put
        stored |= {f"{x['put']}.{'w' if x['put'].endswith('-2') else 'm'}0" for x in d.all("put")}
        d = Drive(text, keep=d.dir)
    with d:
        known = {x["item"] for x in d.list()}
        wait_until(lambda: all(x["state"] == "delivered" for x in d.list()), 60, "all delivered", every=0.5)
        ids = [plain(m)["Message-ID"] for m in s.mails] + [p[2]["idempotency-key"] for p in h.posts]
        for name in known:
            check(ids.count(f"<{name}@host.example>") >= 1, f"{name} is missing")
        check(stored <= known and len(stored) >= rounds, f"stored {stored}, known {known}")
        doubles = len(ids) - len(set(ids))
        print(f"  {len(put)} put, {len(known)} taken in, {doubles} doubles with their Message-ID, {rounds} kills")
        check({i.split("@")[0][1:] for i in ids} == known, "nothing that was not put")


def test_rights_of_the_unit():
    """What the unit of the send process may do, by systemd's own measure; and weird's own has no network."""
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../deploy")
    with tempfile.TemporaryDirectory() as d:
        for name in ("weir-send@.service", "weird.service"):
            with open(os.path.join(d, name), "w") as f:
                f.write(open(os.path.join(top, name + ".in")).read().replace("@sbindir@", "/usr/sbin"))
            p = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=15", f.name], capture_output=True, text=True)
            check(p.returncode == 0, p.stdout[-300:])
        check("PrivateNetwork=yes" in open(os.path.join(d, "weird.service")).read(), "weird reaches out to nobody")


# ---- through weird ----

RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: Errors
        expr: 'level:error | stats by (app) count() n | filter n:>0'
        window: 4s
        annotations: {summary: '{{ $labels.app }} has {{ $value }} errors'}
"""


def people(aio, box, hook, key):
    """One receiver with all three."""
    mails = "".join(f"""
      - {{to: ops@example.org, from: weir@example.org, smarthost: 'localhost:{port}', send_resolved: true, {more}}}"""
                    for port, more in ((aio.port, f"auth_username: weir, auth_password_file: password, "
                                                  f"tls_config: {{ca_file: {Certs.need().path('ca.pem')}}}"),
                                       (box.port, "require_tls: false")))
    return f"""
route: {{receiver: all, group_by: [alertname, app], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: all
    email_configs:{mails}
    webhook_configs: [{{url: 'http://127.0.0.1:{hook.port}/', hmac_secret_file: {key}}}]
"""


def test_from_a_journal_line_to_people():
    """journald to weird to aiosmtpd (STARTTLS, AUTH), OpenSMTPD's mailbox and a webhook; then resolved, in the same thread."""
    journald = Journald.need()
    hook = Http()
    with Aiosmtpd() as aio, Opensmtpd() as box, Place("people") as place:
        secrets = os.path.join(place.dir, "secrets")
        os.makedirs(os.path.join(place.dir, "rules"))
        os.mkdir(secrets)
        for name, text in (("secrets/password", "s3cret\n"), ("secrets/key", "topsecret"), ("rules/shop.yaml", RULES),
                           ("alertmanager.yml", people(aio, box, hook, "key"))):
            with open(os.path.join(place.dir, name), "w") as f:
                f.write(text)
        place.config("  - journal: {from: now}", store="commit_interval: 200ms",
                     more=f"rules: [\"{place.dir}/rules/*.yaml\"]\nalerting: {place.dir}/alertmanager.yml\nsecrets: {secrets}\n")
        place.start()
        time.sleep(1)
        began = time.monotonic()
        journald.send(json.dumps({"level": "error", "app": "pay", "msg": "no\r\nBcc: evil@example.com\r\n\r\n.\r\n<script>x</script>"}),
                      SYSLOG_IDENTIFIER="shop")
        wait_until(lambda: hook.posts and aio.got and box.mails(), what="a webhook and two mails")
        print(f"   journald line to a webhook and two mailboxes: {time.monotonic() - began:.2f} s")
        wait_until(lambda: len(hook.posts) > 1 and len(aio.got) > 1 and len(box.mails()) > 1, what="resolved, three times")
        for server in (aio, box):
            firing, resolved = server.mails()
            check("FIRING" in firing["Subject"] and "RESOLVED" in resolved["Subject"], f"{firing['Subject']}, {resolved['Subject']}")
            check(resolved["In-Reply-To"] == firing["Message-ID"], "one thread")
            check(firing["Bcc"] is None and "pay has 1 errors" in firing.get_body(("plain",)).get_content(), "text")
            check("evil@example.com" in firing.get_body(("plain",)).get_content(), "the line itself stands in it")
            check("<script>" not in firing.get_body(("html",)).get_content(), "encoded for HTML")
        check([x[1] for x in aio.got] == [["ops@example.org"]] * 2, f"{aio.got}")
        check(aio.logins[-1][1:] == (b"weir", b"s3cret"), "AUTH")
        for _, _, head, body in hook.posts:
            check(head["weir-signature"] == "sha256=" + hmac.new(b"topsecret", body, hashlib.sha256).hexdigest(), "signature")
        check([json.loads(p[3])["status"] for p in hook.posts] == ["firing", "resolved"], "statuses")
        check(place.stop() == 0, "SIGTERM")
    hook.close()


def test_a_clean_stop_doubles_nothing():
    """SIGTERM while a webhook has not answered yet: its answer is waited for, and the next start sends nothing again."""
    def slow(path, n):
        time.sleep(0.7)
        yield answer(200)
    hook = Http(slow)
    with Place("cleanstop") as place:
        os.makedirs(os.path.join(place.dir, "rules"))
        with open(os.path.join(place.dir, "rules/shop.yaml"), "w") as f:
            f.write(RULES.replace("window: 4s", "window: 1h"))
        with open(os.path.join(place.dir, "alertmanager.yml"), "w") as f:
            f.write("route: {receiver: hook, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\nreceivers:\n  - name: hook\n"
                    f"    webhook_configs: [{{url: 'http://127.0.0.1:{hook.port}/'}}]\n")
        place.config(f"  - files: {{paths: [\"{place.logs}/*.log\"]}}", store="commit_interval: 200ms",
                     more=f"rules: [\"{place.dir}/rules/*.yaml\"]\nalerting: {place.dir}/alertmanager.yml\n")
        place.start()
        with open(f"{place.logs}/a.log", "a") as f:
            f.write(json.dumps({"level": "error", "app": "pay", "msg": "no"}) + "\n")
        wait_until(lambda: hook.posts, what="the webhook")
        check(place.stop() == 0, "SIGTERM")
        place.start()
        rows = wait_until(lambda: place.query('{weir="alerts"} change:delivered'), what="the event of its delivery")
        time.sleep(3)
        check(len(rows) == 1 and len(hook.posts) == 1, f"{len(hook.posts)} posts")
        check(place.stop() == 0, "SIGTERM")
    hook.close()


# ---- webhooks ----

def test_webhook():
    h = Http()
    more = ("        http_config: {basic_auth: {username: weir, password_file: password}}\n        hmac_secret_file: key\n")
    with Drive(config(hook_config(f"http://127.0.0.1:{h.port}/in?x=1", more))) as d:
        d.file("key", "topsecret\n")
        d.put("a1", "hook", text="<b> ünï")
        check(d.fate("a1")["state"] == "delivered", "delivered")
        method, path, head, body = h.posts[0]
        check((method, path) == ("POST", "/in?x=1"), f"{method} {path}")
        doc = json.loads(body)
        check(doc["version"] == "4" and doc["status"] == "firing" and doc["alerts"][0]["annotations"]["summary"] == "<b> ünï", f"{doc}")
        check(head["user-agent"].startswith("weir/") and head["content-type"] == "application/json" and "expect" not in head, f"{head}")
        check(base64.b64decode(head["authorization"].split()[1]) == b"weir:s3cret", "basic auth")
        want = "sha256=" + hmac.new(b"topsecret", body, hashlib.sha256).hexdigest()
        check(head["weir-signature"] == want, f"signature {head['weir-signature']}")


def test_webhook_tls():
    certs = Certs.need()
    good, other = Http(tls=certs.server()), Http(tls=certs.server("other"))
    more = f"        http_config: {{tls_config: {{ca_file: {certs.path('ca.pem')}}}, authorization: {{credentials_file: password}}}}\n"
    with Drive(config(hook_config(f"https://localhost:{good.port}/", more), hook_config(f"https://localhost:{other.port}/", more, "other"),
                      hook_config(f"https://localhost:{good.port}/", "", "noca"))) as d:
        for i, name in enumerate(("hook", "other", "noca")):
            d.put(f"a{i}", name)
        check(d.fate("a0")["state"] == "delivered" and good.posts[0][2]["authorization"] == "Bearer s3cret", "bearer over TLS")
        check("other" not in str(other.posts) and d.tried("a1")["outcome"] == "later" and "subject" in d.tried("a1")["why"], f"{d.tried('a1')}")
        check("certificate" in d.tried("a2")["why"], f"{d.tried('a2')}")
        check(other.posts == [], "no secret to a stranger")


def hook_fault(does, want, outcome, retry=None, follow="true"):
    h = Http(lambda path, n: does(path, n) if n == 1 or path != "/" else answer(200))
    more = f"        http_config: {{follow_redirects: {follow}, authorization: {{credentials_file: password}}}}\n"
    with Drive(config(hook_config(f"http://127.0.0.1:{h.port}/", more))) as d:
        d.put("a1", "hook")
        t = d.tried("a1", 45)
        check(t["outcome"] == outcome and want in t["why"], f"want {outcome} {want}: {t}")
        if retry is not None:
            check(retry - 3 <= t["retry_after"] <= retry, f"retry after {t['retry_after']}, want {retry}")
        if outcome == "later":
            d.do(f"skip {int(t['retry_after']) + 5}")
        state = {"later": "delivered", "done": "delivered", "never": "failed"}[outcome]
        check(d.fate("a1", 20)["state"] == state, state)
    h.close()
    return h


def test_webhook_answers():
    date = lambda s: time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + s))
    hook_fault(lambda p, n: answer(429, "Retry-After: 7\r\n"), "HTTP 429", "later", 7)
    hook_fault(lambda p, n: answer(429, f"Retry-After: {date(30)}\r\n"), "HTTP 429", "later", 30)
    hook_fault(lambda p, n: answer(503, "Retry-After: 99999999999999999999\r\n"), "HTTP 503", "later", 3600)
    hook_fault(lambda p, n: answer(429, "Retry-After: soon\r\n"), "HTTP 429", "later", 0)
    for code in (408, 425, 500, 502, 599):
        hook_fault(lambda p, n: answer(code, body=b"oh\r\nno"), f"HTTP {code}: oh", "later")
    for code in (400, 401, 404, 410, 418):
        hook_fault(lambda p, n: answer(code, body=b"no"), f"HTTP {code}: no", "never")


def test_webhook_faults():
    inner = Http()
    hook_fault(lambda p, n: b"", "Empty reply", "later")
    hook_fault(lambda p, n: b"hello, this is HTTP/0.9\n", "HTTP/0.9", "later")
    # yes was said; how it ended says nothing else
    hook_fault(lambda p, n: b"HTTP/1.1 200 OK\r\nX: y\r\n", "", "done")
    hook_fault(lambda p, n: headers(500), "too many headers", "later")
    hook_fault(lambda p, n: headers(200), "", "done")
    # more than is read, of an answer that says yes: it is delivered
    h = hook_fault(lambda p, n: chunks(), "", "done")
    check(len(h.posts) == 1, "once")
    hook_fault(lambda p, n: answer(302, "Location: file:///etc/passwd\r\n"), "redirects", "never")
    hook_fault(lambda p, n: answer(307, "Location: file:///etc/passwd\r\n"), "redirects", "never")
    hook_fault(lambda p, n: answer(307, f"Location: http://127.0.0.1:{inner.port}/\r\n"), "redirects", "never")
    hook_fault(lambda p, n: answer(307, f"Location: http://localhost:{inner.port}/\r\n"), "redirects", "never")
    hook_fault(lambda p, n: answer(307, "Location: //[::1]/\r\n"), "redirects", "never")
    hook_fault(lambda p, n: answer(301, "Location: /there\r\n"), "redirects", "never")
    hook_fault(lambda p, n: answer(307, "Location: /there\r\n"), "redirects", "never", follow="false")
    hook_fault(lambda p, n: answer(307, "Location: /\r\n"), "redirects", "never", follow="false")
    check(inner.posts == [], "nothing went to another host")
    h = hook_fault(lambda p, n: answer(200) if p == "/there" else answer(307, "Location: /there\r\n"), "", "done")
    check([p[1] for p in h.posts] == ["/", "/there"] and h.posts[1][3] == h.posts[0][3], "the same host, the same body")
    h = hook_fault(lambda p, n: answer(308, "Location: /again\r\n"), "redirects", "never")
    check(len(h.posts) <= 4, f"{len(h.posts)} posts: no endless loop")


def headers(code):
    yield b"HTTP/1.1 %d x\r\n" % code
    for i in range(3000):
        yield b"X-%d: " % i + b"y" * 100 + b"\r\n"


def chunks():
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in range(1000):
        yield b"1000\r\n" + b"z" * 4096 + b"\r\n"


main([fn for name, fn in list(globals().items()) if name.startswith("test_")])
