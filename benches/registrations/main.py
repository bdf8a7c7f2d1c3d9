"""Registrations: Liaison beside Kamailio's registrar, in memory and kept. Started by `run`.

Each line of standard output is a result as JSON; the Markdown tables come last. Progress goes to standard error."""
import argparse
import measure, report, servers
from rounds import emit, rounds, say

MODES = {"memory": (False, [servers.MEMORY]), "kept": (True, [servers.BACK])}


def options():
    parser = argparse.ArgumentParser(prog="benches/registrations/run", description=__doc__)
    parser.add_argument("--only", action="append", choices=["cpu", "highest", "memory", "survival"],
                        help="a part; may be given several times (default: all)")
    parser.add_argument("--mode", action="append", choices=list(MODES), help="in memory, or kept (default: both)")
    parser.add_argument("--kind", action="append", choices=["first", "again"],
                        help="registrations with a challenge, or with the one of before (default: both)")
    parser.add_argument("--rate", action="append", type=int, help="registrations/s, several times (default 500 and 1000)")
    parser.add_argument("--users", type=int, default=5000, help="users of a run (default 5000)")
    parser.add_argument("--bindings", type=int, default=50000, help="bindings for memory (default 50000)")
    parser.add_argument("--runs", type=int, default=7, help="rounds that have to count (default 7)")
    parser.add_argument("--most", type=int, help="rounds to try (default: twice --runs)")
    parser.add_argument("--children", type=int, default=1, help="children of Kamailio (default 1)")
    parser.add_argument("--interval", type=int, default=servers.INTERVAL,
                        help="seconds between two write-backs of Kamailio (default 60)")
    parser.add_argument("--tail", type=int, help="seconds after a run that count where bindings are kept (default --interval)")
    parser.add_argument("--highest-of", type=int, default=40, help="rates tried for the highest, 500/s apart (default 40)")
    parser.add_argument("--through", action="store_true", help="beside write-back also write-through, which loses nothing either")
    parser.add_argument("--patience", type=int, default=20, help="seconds to wait for a quiet machine (default 20)")
    return parser.parse_args()


def pair(mode, users, args):
    """Ours and the peers."""
    keep, modes = MODES[mode]
    modes = [*modes, servers.THROUGH] if keep and args.through else modes
    return [servers.liaison(users, keep), *(servers.kamailio(users, mode, args.children, args.interval) for mode in modes)]


def series(mode, kind, rate, tail, args):
    """The rounds of one kind of registration at one rate."""
    def run(server):
        return measure.cpu(server, rate, args.users, kind == "again", args.patience, tail if mode == "kept" else 0)

    return rounds(pair(mode, args.users + measure.WARM, args), args.runs, args.most or 2 * args.runs, run)


def main():
    args = options()
    parts, modes = args.only or ["cpu", "highest", "memory", "survival"], args.mode or list(MODES)
    tail, tables = args.interval if args.tail is None else args.tail, []
    if "cpu" in parts:
        done = {}
        for mode in modes:
            for kind in args.kind or ["first", "again"]:
                for rate in args.rate or [500, 1000]:
                    say(f"{mode}, {kind} at {rate}/s")
                    done[kind, rate, mode] = series(mode, kind, rate, tail, args)
        tables.append(report.cpu(done))
    if "highest" in parts:
        rates = [500 * n for n in range(1, args.highest_of + 1)]
        tables.append(report.highest([emit(measure.highest(server, args.users, rates))
                                      for mode in modes for server in pair(mode, args.users, args)]))
    if "memory" in parts:
        tables.append(report.memory([emit(measure.memory(server, args.bindings * 2 // 5, args.bindings))
                                     for mode in modes for server in pair(mode, args.bindings, args)]))
    if "survival" in parts:
        tables.append(report.survival([emit(measure.survival(server, args.users, 500, wait))
                                       for server in pair("kept", args.users, args) for wait in (0, args.interval + 5)]))
    print("\n" + "\n\n".join(tables))


main()
