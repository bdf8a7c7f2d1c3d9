"""SIPp on both sides of a server."""
import csv, os, resource, subprocess, time
from servers import PEERS
from processes import bound

# A late message of a finished call is no failure: servers with several workers reorder.
COMMON = ["-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-buff_size", "4000000", "-skip_rlimit",
          "-default_behaviors", "all,-abortunexp"]


def _spawn(arguments, directory, log):
    with open(os.path.join(directory, log), "w") as output:
        return subprocess.Popen(["sipp", *arguments, *COMMON], cwd=directory, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=output)


class Called:
    """The called side: it answers all that comes, until it is closed."""

    def __init__(self, directory):
        self.process = _spawn(["-sf", str(PEERS / "uas.xml"), "-p", "15080"], directory, "uas.log")
        while not bound("udp", "127.0.0.1", 15080):
            if self.process.poll() is not None:
                raise RuntimeError(f"the called side ended, exit status {self.process.returncode}")
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Calling:
    """The calling side: `calls` calls, `rate` a second, each held for `hold` milliseconds."""

    def __init__(self, directory, name, rate, calls, hold, port=15060):
        self.table = os.path.join(directory, f"{name}.csv")
        most = int(calls / rate + hold / 1000 + 40)
        self.process = _spawn(
            ["127.0.0.1:5060", "-sf", str(PEERS / "uac.xml"), "-p", str(port), "-r", str(rate), "-m", str(calls), "-l", "200000",
             "-d", str(hold), "-trace_stat", "-fd", "1", "-stf", self.table, "-timeout", str(most), "-timeout_error"],
            directory, f"{name}.log")

    def wait(self):
        self.process.wait()
        return self.counters()

    def counters(self):
        with open(self.table, newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        last = rows[-1]
        created = [int(row["TotalCallCreated"]) for row in rows]
        steps = [later - earlier for earlier, later in zip(created[1:], created[2:])] or [0]
        return {"succeeded": int(last["SuccessfulCall(C)"]), "failed": int(last["FailedCall(C)"]),
                "retransmissions": int(last["Retransmissions(C)"]), "now": int(last["CurrentCall"]), "peak_rate": max(steps)}

    def kill(self):
        self.process.kill()
        self.process.wait()


def ended_children():
    """CPU time of the processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
