"""What is measured. Each takes calls at 127.0.0.1:5060 and sends them to 127.0.0.1:15080."""
import contextlib, os, pathlib, signal, sys
import machine

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE.parent / "peers"
sys.path.insert(0, str(HERE.parent.parent / "tests" / "lab"))
from processes import Daemon  # noqa: E402

SIP = ("udp", "127.0.0.1", 5060)

# Two networks and their trunks; everything but addresses has its default. The range of ports is the default, too:
# each network has an address of its own.
LIAISON = """
[node]
state_directory = "{state}"

[networks.calling]
listeners = [{{ transport = "udp", address = "127.0.0.1:5060" }}]
media = {{ address = "127.0.0.1" }}

[networks.called]
listeners = [{{ transport = "udp", address = "127.0.0.1:5070" }}]
media = {{ address = "127.0.0.2" }}

[trunks.caller]
network = "calling"
targets = ["sip:127.0.0.1:15060"]
from = ["127.0.0.1"]

[trunks.callee]
network = "called"
targets = ["sip:127.0.0.1:15080"]
from = ["127.0.0.1"]

[[routes]]
name = "all"
networks = ["calling"]
to = ["callee"]
"""
BYPASS = """
[profiles.default]
media = "bypass"
"""


class Server:
    """Processes that together are one server. `commands` gives (label, command, sockets to wait for) in a directory."""

    def __init__(self, name, commands):
        self.name, self.commands = name, commands

    def start(self, directory):
        return Running(self.commands(directory), directory)


class Running:
    """A server that runs."""

    def __init__(self, commands, directory):
        self.daemons = []
        try:
            for label, command, listens in commands:
                self.daemons.append(Daemon(command, listens, log=os.path.join(directory, f"{label}.log")))
        except BaseException:
            self.close()
            raise

    @property
    def pids(self):
        return [daemon.process.pid for daemon in self.daemons]

    def close(self):
        """Ends all of it at once: nothing is left that a drain would wait for."""
        for daemon in reversed(self.daemons):
            for pid in machine.family(daemon.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            daemon.process.wait()
            daemon.output.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def liaison(bypass, shards=None):
    def commands(directory):
        path = pathlib.Path(directory, "liaison.toml")
        signalling = f"\n[signalling]\nshards = {shards}\n" if shards else ""
        path.write_text(LIAISON.format(state=directory) + signalling + (BYPASS if bypass else ""))
        return [("liaison", [os.environ["LIAISON_BIN"], "run", "--config", str(path)], [SIP])]

    name = "liaison, bypass" if bypass else "liaison, anchored"
    return Server(f"{name}, {shards} shards" if shards else name, commands)


def kamailio(children, config, directory):
    # Not Debian's default allocators: those are for debugging, and slow.
    command = ["kamailio", "-DD", "-E", "-m", "1024", "-M", "16", "-x", "tlsf", "-X", "tlsf", "-n", str(children),
               "-P", f"{directory}/kamailio.pid", "-Y", directory, "-f", str(PEERS / config)]
    return "kamailio", command, [SIP]


def relay(children):
    return Server(f"kamailio, {children} children", lambda directory: [kamailio(children, "kamailio-relay.cfg", directory)])


def rtpengine(children):
    media = ["rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--interface=127.0.0.1",
             "--listen-ng=127.0.0.1:2223", "--port-min=20000", "--port-max=60000", "--delete-delay=0", "--num-threads=2",
             "--timeout=600", "--silent-timeout=3600"]
    return Server(f"kamailio, {children} children, + rtpengine", lambda directory: [
        ("rtpengine", media, [("udp", "127.0.0.1", 2223)]),
        kamailio(children, "kamailio-rtpengine.cfg", directory)])
