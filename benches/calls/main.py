"""CPU and memory of a call: Liaison beside Kamailio, beside Kamailio + rtpengine, and beside itself with two shards. Started
by `run`.

Each line of standard output is a result as JSON; the Markdown tables come last. Progress goes to standard error."""
import argparse, functools, statistics
import hotspots, instructions, measure, report, servers
from rounds import emit, say

MODES = {"bypass": servers.relay, "anchored": servers.rtpengine}
CHILDREN = (1, 2, 4)


def options():
    parser = argparse.ArgumentParser(prog="benches/calls/run", description=__doc__)
    parser.add_argument("--only", action="append", choices=[*MODES, "shards", "memory", "flat", "profile", "syscalls", "instructions"],
                        help="a part; may be given several times (default: all but shards, flat, profile, syscalls and instructions)")
    parser.add_argument("--rate", action="append", type=int, help="calls/s, several times (default 500 and 1000)")
    parser.add_argument("--runs", type=int, default=7, help="rounds that have to count (default 7)")
    parser.add_argument("--most", type=int, help="rounds to try (default: three times --runs)")
    parser.add_argument("--calls", type=int, default=4000, help="calls of a run (default 4000)")
    parser.add_argument("--held", type=int, default=4000, help="calls held for memory (default 4000)")
    parser.add_argument("--standing", action="append", type=int,
                        help="calls that stand, for flat, several times (default 10, 1000, 5000 and 20000)")
    parser.add_argument("--children", type=int, help="children of Kamailio, instead of the best of 1, 2 and 4")
    parser.add_argument("--trials", type=int, default=3, help="runs with each number of children to choose (default 3)")
    parser.add_argument("--patience", type=int, default=20, help="seconds to wait for a quiet machine (default 20)")
    parser.add_argument("--no-tail", action="store_true", help="leave out what servers do for a call after its end")
    return parser.parse_args()


def choose(make, rate, args):
    """The peer with the best number of children."""
    if args.children:
        return make(args.children)
    medians = {}
    for _ in range(args.trials):
        for children in CHILDREN:
            result = emit(measure.cpu(make(children), rate, args.calls, args.patience) | {"trial": True})
            medians.setdefault(children, []).append(result["us_call"])
    best = min(medians, key=lambda children: statistics.median(medians[children]))
    say(f"best at {rate} calls/s: {best} children")
    return make(best)


def series(mode, rate, args, tails):
    """Alternating runs until enough rounds count: both of a round have to. At most `--most` are tried."""
    ours = servers.liaison(mode != "anchored")
    peer = servers.liaison(True, shards=2) if mode == "shards" else choose(MODES[mode], rate, args)
    rounds = []
    for number in range(args.most or 3 * args.runs):
        pair = []
        for server in (ours, peer) if number % 2 == 0 else (peer, ours):
            tail = not args.no_tail and (server.name, rate) not in tails
            result = emit(measure.cpu(server, rate, args.calls, args.patience, tail))
            if "us_tail" in result:
                tails[server.name, rate] = result["us_tail"]
            pair.append(result)
        rounds.append(sorted(pair, key=lambda result: result["server"] != ours.name))
        counting = sum(all(result["counts"] for result in pair) for pair in rounds)
        say(f"{mode} at {rate} calls/s: {counting} of {number + 1} rounds count")
        if counting >= args.runs:
            break
    return rounds


def main():
    args = options()
    parts, rates = args.only or [*MODES, "memory"], args.rate or [500, 1000]
    tails, tables = {}, []
    rounds = {(mode, rate): series(mode, rate, args, tails) for mode in [*MODES, "shards"] if mode in parts for rate in rates}
    if rounds:
        tables.append(report.cpu_table(rounds, tails))
    if "memory" in parts:
        # The first number of children does for memory.
        held = [servers.liaison(True), servers.liaison(False), servers.rtpengine(args.children or CHILDREN[0])]
        tables.append(report.memory_table([emit(measure.memory(server, args.held)) for server in held]))
    if "flat" in parts:
        standing = args.standing or [10, 1000, 5000, 20000]
        tables.append(report.flat_table([
            emit(measure.flat(servers.liaison(True, many=True), held, rates[0], args.calls, args.patience)) for held in standing]))
    if "profile" in parts:
        for bypass in (True, False):
            for watch in (hotspots.perf, hotspots.strace):
                run = functools.partial(measure.cpu, servers.liaison(bypass), rates[0], args.calls, args.patience)
                emit(run(watch=watch) | {"kind": f"profile, {watch.__name__}"})
    if "syscalls" in parts:
        for rate in rates:
            watch = hotspots.syscalls(rate * hotspots.WINDOW, hotspots.STEADY, hotspots.WINDOW)
            run = measure.cpu(servers.liaison(False), rate, hotspots.lasting(rate), args.patience, watch=watch)
            emit(run | {"kind": "syscalls, steady"})
            emit(measure.wave(servers.liaison(False), rate, hotspots.syscalls(4 * rate, 0, 6)) | {"kind": "syscalls, in waves"})
    if "instructions" in parts:
        for server in (servers.liaison(True), servers.relay(1)):
            emit(instructions.instructions(server))
    print("\n" + "\n\n".join(tables))


main()
