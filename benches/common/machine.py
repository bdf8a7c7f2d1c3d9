"""What processes and the machine have used, from /proc. Times in seconds, memory in KiB."""
import glob, os, time

TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            text = file.read()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2:].split()
    return {"parent": int(fields[1]), "user": int(fields[11]) / TICK, "system": int(fields[12]) / TICK}


def family(root):
    """A process and its descendants."""
    children = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if found := _stat(pid):
            children.setdefault(found["parent"], []).append(int(pid))
    members, todo = [], [root]
    while todo:
        members.append(todo.pop())
        todo += children.get(members[-1], [])
    return members


def cpu(roots):
    """CPU time of families: `all` from the scheduler, to the nanosecond; `user` and `system` to the tick, of which only
    the proportion is used."""
    used = {"all": 0.0, "user": 0.0, "system": 0.0}
    for pid in (member for root in roots for member in family(root)):
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            try:
                with open(path) as file:
                    used["all"] += int(file.read().split()[0]) / 1e9
            except (OSError, IndexError):
                pass
        if found := _stat(pid):
            used["user"] += found["user"]
            used["system"] += found["system"]
    return used


def switches(roots):
    """Context switches of families: (voluntary, involuntary)."""
    counts = {"voluntary_ctxt_switches": 0, "nonvoluntary_ctxt_switches": 0}
    for pid in (member for root in roots for member in family(root)):
        for path in glob.glob(f"/proc/{pid}/task/*/status"):
            try:
                with open(path) as file:
                    for line in file:
                        name, _, value = line.partition(":")
                        if name in counts:
                            counts[name] += int(value)
            except OSError:
                pass
    return tuple(counts.values())


def pss(roots):
    """Proportional set size of families."""
    total = 0
    for pid in (member for root in roots for member in family(root)):
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            pass
    return total


def whole():
    """CPU time of the machine: (busy, all); stolen time counts as busy. Busy is what is not idle: the kernel measures
    idle time, but only samples the rest, and misses work that begins after each tick."""
    with open("/proc/stat") as file:
        ticks = list(map(int, file.readline().split()[1:9]))
    total = time.monotonic() * os.cpu_count()
    return total - (ticks[3] + ticks[4]) / TICK, total


def wait_quiet(patience, share=0.05, span=1.5):
    """Waits, at most `patience` seconds, for a moment when the machine is less busy than `share`."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        busy, total = whole()
        time.sleep(span)
        later_busy, later_total = whole()
        if later_busy - busy < share * (later_total - total):
            return
