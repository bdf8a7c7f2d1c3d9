"""One measurement of one relay."""
import contextlib, json, os, subprocess, time
import machine
from rounds import place
from servers import A, B

SLOTS = 20  # of the 20 ms between two packets of a stream
WARM = 2  # s


def blast(server, path, seconds, core):
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    command = [*pinned, os.environ["BLAST"], path, str(seconds), str(SLOTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"RELAY_B": server.b})
    return json.loads(done.stdout)


def packets(server, mode, calls, seconds, patience):
    """CPU of a relayed packet with so many calls, both ways, the relay on the first core and the load on the second where there are two."""
    directory = place()
    cores = sorted(os.sched_getaffinity(0))[:2]
    relay_core, load_core = cores if len(cores) == 2 else (None, None)
    with server.start(directory) as running:
        for pid in (pid for main in running.pids for pid in machine.family(main)):
            for task in os.listdir(f"/proc/{pid}/task"):
                # A thread may have ended meanwhile.
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(task), {relay_core} if relay_core is not None else os.sched_getaffinity(0))
        time.sleep(0.5)
        fresh = machine.pss(running.pids)
        path = os.path.join(directory, "calls")
        with open(path, "w") as file:
            file.writelines(line + "\n" for line in server.calls(calls, mode, (A, B)))
        blast(server, path, WARM, load_core)
        held = machine.pss(running.pids)
        machine.wait_quiet(patience)
        before, whole, begun = machine.cpu(running.pids), machine.whole(), time.process_time() + _children()
        got = blast(server, path, seconds, load_core)
        after, whole_after, ended = machine.cpu(running.pids), machine.whole(), time.process_time() + _children()
    used = {kind: after[kind] - before[kind] for kind in after}
    foreign = (whole_after[0] - whole[0] - used["all"] - (ended - begun)) / (whole_after[1] - whole[1])
    relayed = max(1, got["got"])
    result = {"kind": "packets", "server": server.name, "mode": mode, "calls": calls, "us_packet": round(1e6 * used["all"] / relayed, 3),
              "user_share": round(used["user"] / max(1e-9, used["user"] + used["system"]), 2), "loss": round(1 - got["got"] / max(1, got["sent"]), 6),
              "silent": got["silent"], "opened": got["opened"], "unopened": got["unopened"], "delay_p50": got["delay_p50"],
              "delay_p99": got["delay_p99"], "delay_p999": got["delay_p999"], "kib_call": round((held - fresh) / calls, 2),
              "foreign": round(foreign, 4)}
    return result | {"counts": result["loss"] < 0.001 and not result["silent"] and not result["unopened"] and foreign < 0.03}


def _children():
    used = os.times()
    return used.children_user + used.children_system
