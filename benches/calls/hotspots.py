"""Where the time of a run goes: perf's functions, strace's system calls, perf's count of those once nothing grows any more."""
import contextlib, os, signal, subprocess
import machine

STEADY, WINDOW = 25, 15  # s: ports have come back from their quarantine; how long is counted from then on
COUNTED = ("socket", "bind", "close", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "recvmmsg", "sendmmsg", "sendto",
           "recvfrom", "read", "write", "futex", "fdatasync", "mprotect", "madvise")


def lasting(rate):
    """How many calls a run needs to be counted."""
    return rate * (STEADY + WINDOW + 3)


def syscalls(calls, begin, last):
    """System calls for each of so many calls, counted from `begin` seconds on for `last` seconds."""
    @contextlib.contextmanager
    def watch(pids):
        events = ",".join(f"syscalls:sys_enter_{name}" for name in COUNTED)
        members = ",".join(str(member) for pid in pids for member in machine.family(pid))
        count = f"sleep {begin}; exec perf stat -x ';' -e '{events}' -p {members} sleep {last}"
        process = subprocess.Popen(["sh", "-c", count], stderr=subprocess.PIPE, text=True)
        yield
        rows = [line.split(";") for line in process.communicate()[1].splitlines()]
        counts = {row[2].rpartition("_enter_")[2]: int(row[0]) for row in rows if len(row) > 2 and row[0].isdigit()}
        per_call = {name: round(count / calls, 2) for name, count in counts.items()}
        print("system calls per call: " + ", ".join(f"{name} {count}" for name, count in per_call.items()), flush=True)
    return watch


@contextlib.contextmanager
def perf(pids):
    path = os.path.join(os.environ["BENCH_DIRECTORY"], "perf.data")
    members = ",".join(str(member) for pid in pids for member in machine.family(pid))
    process = subprocess.Popen(["perf", "record", "-q", "-F", "1999", "-g", "-o", path, "-p", members],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield
    process.send_signal(signal.SIGINT)
    process.wait()
    for title, extra in (("without what they call", ["--no-children"]), ("with what they call", ["--children"])):
        report = subprocess.run(["perf", "report", "-i", path, "--stdio", "-g", "none", "--percent-limit", "0.4", *extra],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        print(f"functions, {title}:\n")
        print("\n".join(line.rstrip() for line in report.splitlines() if line and not line.startswith("#")), flush=True)


@contextlib.contextmanager
def strace(pids):
    process = subprocess.Popen(["strace", "-c", "-f", "-q", *(f"-p{pid}" for pid in pids)],
                               stderr=subprocess.PIPE, text=True)
    yield
    process.send_signal(signal.SIGINT)
    print("system calls:\n\n" + process.communicate()[1], flush=True)
