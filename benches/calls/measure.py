"""One measurement of one server."""
import time
import machine
from rounds import place
from traffic import Called, Calling, ended_children

HOLD = 500  # ms that a call lasts
WARM = 500  # calls before the first that counts
TAIL = 40  # s: the last timers of a call (64*T1) and the quarantine of its ports are over
PAUSE = 13  # s between two waves of calls: the quarantine of all ports is over
MEMORY_RATE = 200  # calls/s while calls gather
FLAT_RATE = 500  # the same, where twenty thousand do


def warm_up(directory, rate, calls=WARM):
    counters = Calling(directory, "warm", min(rate, 500), calls, 100).wait()
    if counters["succeeded"] < calls * 0.9:
        raise RuntimeError(f"the server does not work: {counters}; see {directory}")


def cpu(server, rate, calls, patience, tail=False, watch=None):
    """CPU per call while `calls` calls cross `server` in a fresh process. With `tail` also what it does for them in the 40 s
    after, less what it does in idle time. `watch(pids)` makes a context that is entered for the run."""
    directory = place()
    with Called(directory) as called, server.start(directory) as running:
        idle = 0.0
        if tail:
            time.sleep(1)
            idle = -machine.cpu(running.pids)["all"]
            time.sleep(5)
            idle = (idle + machine.cpu(running.pids)["all"]) / 5
        warm_up(directory, rate)
        time.sleep(1)
        machine.wait_quiet(patience)
        before, own, whole = machine.cpu(running.pids), _own(called), machine.whole()
        switched = machine.switches(running.pids)
        if watch:
            with watch(running.pids):
                counters = Calling(directory, "run", rate, calls, HOLD).wait()
        else:
            counters = Calling(directory, "run", rate, calls, HOLD).wait()
        time.sleep(0.5)
        after, own_after, whole_after = machine.cpu(running.pids), _own(called), machine.whole()
        switched_after = machine.switches(running.pids)
        used = {kind: after[kind] - before[kind] for kind in after}
        busy, total = whole_after[0] - whole[0], whole_after[1] - whole[1]
        done = max(1, counters["succeeded"])
        result = {
            "kind": "cpu", "server": server.name, "rate": rate, **counters,
            "us_call": round(1e6 * used["all"] / done, 1),
            "user_share": round(used["user"] / max(1e-9, used["user"] + used["system"]), 2),
            "switches_call": round((sum(switched_after) - sum(switched)) / done, 2),
            "foreign": round((busy - used["all"] - (own_after - own)) / total, 4),
        }
        result["counts"] = counts(result, calls)
        if tail:
            time.sleep(TAIL)
            late = machine.cpu(running.pids)["all"] - after["all"] - idle * TAIL
            result["us_tail"] = round(1e6 * max(0.0, late) / done, 1)
        return result


def wave(server, rate, watch):
    """Calls in waves of 4 s, with pauses that are longer than a quarantine; `watch(pids)` is entered for the last of them."""
    directory, wanted = place(), 4 * rate
    with Called(directory), server.start(directory) as running:
        for number in range(2):
            Calling(directory, f"wave{number}", rate, wanted, HOLD).wait()
            time.sleep(PAUSE)
        with watch(running.pids):
            counters = Calling(directory, "last", rate, wanted, HOLD).wait()
        return {"server": server.name, "rate": rate, **counters}


def counts(result, calls):
    """Whether a run counts: failures and retransmissions under 0.1 %, foreign CPU under 3 %."""
    lost = calls - result["succeeded"] + result["retransmissions"]
    return lost < 0.001 * calls and result["foreign"] < 0.03


def flat(server, held, rate, calls, patience):
    """CPU per call while `held` other calls stand, and the memory that one of these takes. What idle calls cost by themselves
    (timers, refreshes) is measured apart and taken off."""
    directory = place()
    with Called(directory) as called, server.start(directory) as running:
        warm_up(directory, rate)
        time.sleep(TAIL)
        before = machine.pss(running.pids)
        standing = Calling(directory, "held", FLAT_RATE, held, 3_600_000, port=15061)
        time.sleep(held / FLAT_RATE + TAIL)
        memory, counters = machine.pss(running.pids), standing.counters()
        idle = -machine.cpu(running.pids)["all"]
        time.sleep(5)
        idle = (idle + machine.cpu(running.pids)["all"]) / 5
        machine.wait_quiet(patience)
        used, own, whole, begun = machine.cpu(running.pids), _own(called), machine.whole(), time.monotonic()
        run = Calling(directory, "run", rate, calls, HOLD).wait()
        time.sleep(0.5)
        late, own_late, whole_late = machine.cpu(running.pids), _own(called), machine.whole()
        lasted, spent = time.monotonic() - begun, late["all"] - used["all"]
        busy, total = whole_late[0] - whole[0], whole_late[1] - whole[1]
        standing.kill()
        result = {"kind": "flat", "server": server.name, "standing": counters["now"], "rate": rate, **run,
                  "us_call": round(1e6 * (spent - idle * lasted) / max(1, run["succeeded"]), 1),
                  "idle_percent": round(100 * idle, 2),
                  "kib_call": round((memory - before) / max(1, counters["now"]), 2),
                  "foreign": round((busy - spent - (own_late - own)) / total, 4)}
        return result | {"counts": counts(result, calls) and counters["failed"] == 0}


def _own(called):
    return machine.cpu([called.process.pid])["all"] + ended_children() + time.process_time()


def memory(server, calls):
    """Memory per established call: PSS with `calls` calls, less that of the fresh process after one call, 40 s after the last
    was set up."""
    directory = place()
    with Called(directory), server.start(directory) as running:
        warm_up(directory, 1, calls=1)
        time.sleep(3)
        fresh = machine.pss(running.pids)
        calling = Calling(directory, "held", MEMORY_RATE, calls, 600_000)
        time.sleep(calls / MEMORY_RATE + TAIL)
        held, counters = machine.pss(running.pids), calling.counters()
        calling.kill()
        return {"kind": "memory", "server": server.name, "held": counters["now"], "failed": counters["failed"],
                "retransmissions": counters["retransmissions"], "fresh_kib": fresh, "held_kib": held,
                "kib_call": round((held - fresh) / max(1, counters["now"]), 2)}
