"""Servers that are measured, as processes."""
import contextlib, os, pathlib, signal, subprocess, time
import machine
from processes import Daemon, bound

BENCHES = pathlib.Path(__file__).resolve().parent.parent


# Two networks and their trunks; everything but addresses has its default. The range of ports is the default, too: each network has an
# address of its own. Calls come from 127.0.0.1:15060 to 127.0.0.1:5060 and go to 127.0.0.1:15080.
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


class Server:
    """Processes that together are one server. `commands` gives (label, command, sockets to wait for) in a directory."""

    def __init__(self, name, commands):
        self.name, self.commands = name, commands

    def start(self, directory):
        return Running(self.commands(directory), directory)


class Running:
    """A server that runs."""

    def __init__(self, commands, directory):
        self.daemons, self.listens = [], [socket for _, _, listens in commands for socket in listens]
        try:
            for label, command, listens in commands:
                self.daemons.append(Daemon(command, listens, log=os.path.join(directory, f"{label}.log"), timeout=60))
        except BaseException as error:
            self.close()
            error.add_note(pathlib.Path(directory, f"{label}.log").read_text(errors="replace")[-2000:])
            raise

    @property
    def pids(self):
        return [daemon.process.pid for daemon in self.daemons]

    def close(self):
        """Ends all of it at once: nothing is left that a drain would wait for. A program that writes a profile does so at its end."""
        if "LLVM_PROFILE_FILE" in os.environ:
            for daemon in self.daemons:
                daemon.process.terminate()
            for daemon in self.daemons:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    daemon.process.wait(60)
        for daemon in reversed(self.daemons):
            for pid in machine.family(daemon.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            daemon.process.wait()
            daemon.output.close()
        # A child of it may be there for a moment longer, and with it the sockets.
        end = time.monotonic() + 10
        while any(bound(*socket) for socket in self.listens) and time.monotonic() < end:
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def liaison(directory, text, listens):
    """Liaison with that configuration."""
    path = pathlib.Path(directory, "liaison.toml")
    path.write_text(text)
    return "liaison", [os.environ["LIAISON_BIN"], "run", "--config", str(path)], listens


def kamailio(directory, path, children, listens, defines=(), more=()):
    """Kamailio with the configuration in that file and so many children for each socket over UDP; `defines` are for the
    file."""
    # Not Debian's default allocators: those are for debugging, and slow.
    command = ["kamailio", "-DD", "-E", "-m", "1024", "-M", "16", "-x", "tlsf", "-X", "tlsf", "-n", str(children),
               "-P", f"{directory}/kamailio.pid", "-Y", directory, "-f", str(path)]
    return "kamailio", [*command, *more, *(word for define in defines for word in ("-A", define))], listens
