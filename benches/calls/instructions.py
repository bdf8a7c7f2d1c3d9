"""Instructions of a call in user space and misses of simulated caches, by callgrind, which nothing else on the machine disturbs."""
import os, pathlib, re, signal, time
import machine
from process import Server
from rounds import place
from traffic import Called, Calling

RATE = 25  # calls/s: a program under callgrind is some fifty times slower
FEW, MANY = 200, 1200
HOLD = 500  # ms
# The caches of a core: 32 KiB for instructions, 48 for data, and 1 MiB for both.
CACHES = ["--cache-sim=yes", "--I1=32768,8,64", "--D1=49152,12,64", "--LL=1048576,16,64"]


def under(server):
    """That server with each of its processes under callgrind, which writes what each child did to a file of its own."""
    def commands(directory):
        grind = ["valgrind", "--tool=callgrind", "--trace-children=yes", *CACHES, f"--callgrind-out-file={directory}/callgrind.%p"]
        return [(label, [*grind, *command], listens) for label, command, listens in server.commands(directory)]
    return Server(server.name, commands)


def counted(server, calls):
    """What callgrind counts of a process that serves so many calls, by its names of events."""
    directory = place()
    with Called(directory), under(server).start(directory) as running:
        pids = [pid for main in running.pids for pid in machine.family(main)]
        done = Calling(directory, "run", RATE, calls, HOLD).wait()
        time.sleep(1)
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 60
        while any(_runs(pid) for pid in pids) and time.monotonic() < end:
            time.sleep(0.1)
    if done["succeeded"] < calls:
        raise RuntimeError(f"{server.name}: {done}; see {directory}")
    totals = {}
    for path in pathlib.Path(directory).glob("callgrind.*"):
        text = path.read_text(errors="replace")
        names, counts = (re.search(rf"^(?:{line}): (.*)", text, re.MULTILINE) for line in ("events", "totals"))
        for name, count in zip(names[1].split(), counts[1].split()):
            totals[name] = totals.get(name, 0) + int(count)
    return totals


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def instructions(server):
    """What each call more makes a process do: that of many calls less that of few."""
    few, many = counted(server, FEW), counted(server, MANY)
    each = {name: round((many[name] - few[name]) / (MANY - FEW)) for name in many}
    return {"kind": "instructions", "server": server.name, "instructions_call": each["Ir"], "l1_instruction_misses": each["I1mr"],
            "l1_data_misses": each["D1mr"] + each["D1mw"], "l2_misses": each["ILmr"] + each["DLmr"] + each["DLmw"]}
