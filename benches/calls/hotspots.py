"""Where the time of a run goes: perf's functions, strace's system calls."""
import contextlib, os, signal, subprocess
import machine


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
