"""SIPp as a building block: SIPp 3.6.1 (Debian: sip-tester), run in the foreground with its messages traced.

    uas, uac = pair("uas_challenges_bye_401", "uac", through="10.0.0.2:5060", keys={"challenge": "..."})
    assert messages.challenge_fault(uas.messages(), "BYE", "lab", "secret") is None

Addresses are those of lo-run. Standard library only.
"""
import csv, os, signal, subprocess, tempfile, time
import messages
from processes import bound

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sipp")
UAC, UAS = ("10.0.0.1", 5060), ("10.0.0.4", 5060)


def adapted(scenario, changes):
    """One of the lab's scenarios with other texts instead of some: the name of the new one."""
    with open(os.path.join(SCENARIOS, scenario + ".xml")) as file:
        text = file.read()
    for old, new in changes.items():
        assert old in text, f"{scenario} has no {old}"
        text = text.replace(old, new)
    path = os.path.join(tempfile.mkdtemp(prefix="scenario."), scenario)
    with open(path + ".xml", "w") as file:
        file.write(text)
    return path


class Sipp:
    """One SIPp. scenario: one of the lab's, or the path of another without its `.xml`; remote: "IP:PORT" makes it a client; keys: values of the scenario's [keywords]; pause: milliseconds of
    each <pause/> without a length; calls are started `rate` a second; each: every call has a socket of its own."""
    def __init__(self, scenario, at, remote=None, *, calls=1, rate=10, transport="udp", keys=None, pause=0, each=False, extra=()):
        self.name, self.at = scenario, at
        self.dir = tempfile.mkdtemp(prefix="sipp.")
        command = ["sipp", "-sf", os.path.join(SCENARIOS, scenario + ".xml"), "-i", at[0], "-p", str(at[1]), "-mi", at[0],
                   "-m", str(calls), "-d", str(pause), "-t", {"udp": "u", "tcp": "t"}[transport] + ("n" if each and remote else "1"), "-nostdin",
                   # A late message of a finished call is not a failure: servers with several workers reorder.
                   "-default_behaviors", "all,-abortunexp",
                   "-trace_msg", "-message_file", self.dir + "/messages", "-trace_err", "-error_file", self.dir + "/errors",
                   "-trace_stat", "-stf", self.dir + "/statistics", "-fd", "1"]
        if each:
            # More than the files that may be open is refused.
            command += ["-max_socket", "4000"]
        for key, value in (keys or {}).items():
            command += ["-key", key, value]
        if remote:
            command += ["-r", str(rate), "-l", str(calls), remote]
        self.screen = open(self.dir + "/screen", "w+")
        # Its screen needs a terminal type, or ncurses ends it.
        self.process = subprocess.Popen([*command, *extra], stdin=subprocess.DEVNULL, stdout=self.screen,
                                        stderr=subprocess.STDOUT, env={**os.environ, "TERM": "xterm"})
        deadline = time.monotonic() + 10
        while not remote and not bound(transport, *at):
            try:
                self.process.wait(0.01)
            except subprocess.TimeoutExpired:
                if time.monotonic() < deadline:
                    continue
            self.close()
            raise AssertionError(f"SIPp did not start with {scenario}:\n{self.errors()}")

    def wait(self, timeout=60):
        """Waits for its end and returns the counters of its last statistics row; fails when a call failed."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.close()
            raise AssertionError(f"{self.name} did not end in {timeout} s:\n{self.report()}") from None
        counters = self.counters()
        if status != 0 or counters["FailedCall(C)"] != "0":
            raise AssertionError(f"{self.name} failed, exit status {status}:\n{self.report()}")
        return counters

    def counters(self):
        with open(self.dir + "/statistics", newline="") as file:
            return list(csv.DictReader(file, delimiter=";"))[-1]

    def messages(self):
        """What it sent and received, byte for byte."""
        path = self.dir + "/messages"
        return messages.read(path) if os.path.exists(path) else []

    def errors(self):
        parts = []
        for name in ("errors", "screen"):
            if os.path.exists(f"{self.dir}/{name}"):
                with open(f"{self.dir}/{name}", errors="replace") as file:
                    parts.append(file.read()[-4000:])
        return "\n".join(parts)

    def report(self):
        return self.errors() + "\n" + "\n".join(("sent:\n" if m.sent else "received:\n") + str(m) for m in self.messages()[-20:])

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.screen.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def pair(uas, uac, through=None, *, uas_keys=None, uac_keys=None, uac_extra=(), timeout=60, **both):
    """Runs the called side, then the calling side, waits for both and returns them. through: "IP:PORT" of what stands
    between them; None: nothing, they talk to each other."""
    with Sipp(uas, UAS, keys=uas_keys, **both) as called, \
         Sipp(uac, UAC, through or "%s:%d" % UAS, keys=uac_keys, extra=uac_extra, **both) as calling:
        calling.wait(timeout)
        called.wait(timeout)
    return called, calling
