"""Liaison between the two sides of the lab, as a user runs it: the program, its configuration, its log, and curl.

    with Liaison() as sbc:
        called, calling = pair("uas", "uac", through=OUTSIDE)
        sbc.idle(timeout=10)

The calling side is the trunk `a` at 10.0.0.1, the called side `b` at 10.0.0.4, a second target `c` at 10.0.0.5; `a` and `b`
have credentials for REALM. Standard library only.
"""
import json, os, re, signal, subprocess, tempfile, time
from processes import Daemon

OUTSIDE, INSIDE = "10.0.0.2:5060", "10.0.0.3:5060"
REALM, USER, PASSWORD = "enterprise", "liaison", "open sesame"
MEDIA = range(30000, 40000)
ADMIN = "http://127.0.0.1:8080"
T1, QUARANTINE = 0.5, 10

DOCUMENT = """
[node]
state_directory = "{state}"
drain = "60s"

[signalling]
shards = {shards}

[networks.outside]
nat = "{nat}"
listeners = [{{ transport = "udp", address = "10.0.0.2:5060" }}, {{ transport = "tcp", address = "10.0.0.2:5060" }}{outer}]
{outside}
media = {{ address = "10.0.0.2", ports = "30000-39999" }}

[networks.inside]
listeners = [{listeners}{{ transport = "udp", address = "10.0.0.3:5060" }}, {{ transport = "tcp", address = "10.0.0.3:5060" }}]
media = {{ address = "10.0.0.3", ports = "30000-39999" }}

[trunks.a]
network = "outside"
targets = ["sip:10.0.0.1:5060;transport={transport}"]
from = ["10.0.0.1"]
credentials = [{{ realm = "enterprise", username = "liaison", password = {{ env = "LAB_PASSWORD" }} }}]

[trunks.b]
network = "inside"
targets = {targets}
from = ["10.0.0.4"]
credentials = [{{ realm = "enterprise", username = "liaison", password = {{ env = "LAB_PASSWORD" }} }}]

[trunks.c]
network = "inside"
targets = ["sip:10.0.0.5:5060;transport={transport}"]
from = ["10.0.0.5"]

[[routes]]
name = "inbound"
networks = ["outside"]
to = ["{to}"]

[[routes]]
name = "outbound"
networks = ["inside"]
to = ["a"]

{tables}

[profiles.default]
{profile}
[admin]
listen = "127.0.0.1:8080"
"""


def until(what, met, timeout, every=0.05):
    """Polls until met() is true, and returns it; fails after the timeout with what was awaited and what it is."""
    deadline = time.monotonic() + timeout
    while not (got := met()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what() if callable(what) else what}"
        time.sleep(every)
    return got


class Liaison:
    """to: the trunk of calls from outside; profile: lines of the default profile; transport: towards the trunks; nat: of the
    outside, where a SIPp that calls over TCP takes no other connection than its own; targets: the URIs of trunk `b`; listeners:
    further ones inside, before the others, with a comma after each; tables: further ones of the document; outer: further
    listeners outside, with a comma before each; outside: further lines of that network; room: the size of a file system of its own for its state, as mount(8)
    has it."""
    admin = ADMIN

    def __init__(self, *, to="b", profile="", transport="udp", nat="auto", shards=1, targets=None, listeners="", tables="",
                 outer="", outside="", room=None):
        targets = json.dumps(targets or [f"sip:10.0.0.4:5060;transport={transport}"])
        sockets = [(transport, ip, 5060) for transport in ("udp", "tcp") for ip in ("10.0.0.2", "10.0.0.3")]
        self.begin(DOCUMENT, sockets, room=room, to=to, profile=profile, transport=transport, nat=nat, shards=shards, targets=targets,
                   listeners=listeners, tables=tables, outer=outer, outside=outside)

    def begin(self, document, sockets, folder=None, room=None, **settings):
        """Starts with a document, in which the settings stand, and {state} for its state directory; waits for those sockets."""
        self.dir = folder or tempfile.mkdtemp(prefix="liaison.")
        self.state, self.path, self.log = self.dir + "/state", self.dir + "/liaison.toml", self.dir + "/log"
        self.document, self.sockets, self.settings = document, sockets, {**settings, "state": self.state}
        self.write()
        if room:
            os.mkdir(self.state)
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", self.state], check=True)
        self.start()

    def write(self, text=None, **settings):
        """Writes its configuration, with other settings or as given."""
        self.settings.update(settings)
        with open(self.path, "w") as file:
            file.write(self.document.format(**self.settings) if text is None else text)

    def start(self):
        os.environ["LAB_PASSWORD"] = PASSWORD
        self.daemon = Daemon([os.environ["LIAISON_BIN"], "run", "--config", self.path],
                             [*self.sockets, ("tcp", "127.0.0.1", 8080)], log=self.log)

    def signal(self, number):
        self.daemon.process.send_signal(number)

    def kill(self):
        """SIGKILL, in the middle of whatever it does."""
        self.signal(signal.SIGKILL)
        self.daemon.process.wait()

    def logged(self):
        with open(self.log, errors="replace") as file:
            return re.sub(r"\x1b\[[0-9;]*m", "", file.read())

    def curl(self, path, *more, token=True):
        """One request to the admin API: its status, its media type and its body."""
        command = ["curl", "-sS", "--max-time", "10", "-w", "\n%{http_code} %{content_type}", *more]
        if token:
            command += ["-H", f"Authorization: Bearer {self.token()}"]
        done = subprocess.run([*command, self.admin + path], capture_output=True, text=True)
        assert done.returncode == 0, f"curl {path}: {done.stderr}\n{self.logged()}"
        body, _, last = done.stdout.rpartition("\n")
        status, _, kind = last.partition(" ")
        return int(status), kind, body

    def get(self, path):
        """A JSON resource that must be there."""
        status, _, body = self.curl(path)
        assert status == 200, f"{path}: {status} {body}"
        return json.loads(body)

    def token_file(self):
        return self.state + "/admin.token"

    def token(self):
        with open(self.token_file()) as file:
            return file.read().strip()

    def metrics(self):
        """All samples of /metrics: name with labels, and value."""
        status, kind, body = self.curl("/metrics")
        assert status == 200 and kind.startswith("text/plain"), f"{status} {kind}"
        samples = (line.rpartition(" ") for line in body.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def gauges(self):
        """What must be back at the baseline, which is 0, after calls."""
        names = re.compile(r"liaison_(calls|call_timers|sip_sessions|sip_dialogs|sip_timers|media_pairs_(lent|resting)|sip_transactions\{.*\})$")
        return {name: value for name, value in self.metrics().items() if names.match(name)}

    def calls(self):
        """All calls, page after page."""
        calls, query = [], "?limit=500"
        while query:
            page = self.get("/v1/calls" + query)
            calls += page["calls"]
            query = (cursor := page.get("next_cursor")) and f"?limit=500&cursor={cursor}"
        return calls

    def established(self, count, timeout=10):
        """Waits until there are that many established calls and no others, and returns them."""
        return until(lambda: f"{count} established calls, but {self.calls()}",
                     lambda: (c := self.calls()) is not None and len(c) == count and all(x["state"] == "established" for x in c) and c, timeout)

    def idle(self, timeout=15):
        """Waits until no call is left."""
        until(lambda: f"no call left, but {self.calls()}", lambda: not self.calls(), timeout)

    def records(self, count, timeout=5):
        """Waits for so many call detail records, and returns them."""
        def read():
            path = self.state + "/cdr.jsonl"
            if not os.path.exists(path):
                return []
            with open(path) as file:
                return [json.loads(line) for line in file if line.endswith("\n")]
        return until(lambda: f"{count} records, but {len(read())}", lambda: len(r := read()) >= count and r, timeout)

    def close(self):
        self.daemon.process.poll() is None and self.daemon.process.kill()
        self.daemon.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print("Liaison's log:\n" + self.logged()[-4000:])
        self.close()


def run(*checks):
    """Runs the check that the command line names."""
    import sys
    known = {check.__name__: check for check in checks}
    assert len(sys.argv) > 1 and sys.argv[1] in known, f"one of {' '.join(known)}"
    begun = time.monotonic()
    known[sys.argv[1]](*sys.argv[2:])
    print(f"ok    {' '.join(sys.argv[1:])} ({time.monotonic() - begun:.1f} s)")
