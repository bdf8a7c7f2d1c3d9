"""CPU of a relayed packet: Liaison beside rtpengine in user space and beside a bare loop. Started by `run`.

Each line of standard output is a result as JSON; the Markdown table comes last. Progress goes to standard error."""
import argparse, functools
import measure, report, servers
from rounds import rounds, say


def options():
    parser = argparse.ArgumentParser(prog="benches/media/run", description=__doc__)
    parser.add_argument("--mode", action="append", choices=list(servers.SIDES), help="what the two parties speak; several times (default: all)")
    parser.add_argument("--calls", type=int, default=300, help="calls, each with a packet every 20 ms both ways (default 300)")
    parser.add_argument("--seconds", type=int, default=10, help="seconds of a run (default 10)")
    parser.add_argument("--runs", type=int, default=5, help="rounds that have to count (default 5)")
    parser.add_argument("--most", type=int, help="rounds to try (default: twice --runs)")
    parser.add_argument("--patience", type=int, default=20, help="seconds to wait for a quiet machine (default 20)")
    return parser.parse_args()


def main():
    args = options()
    done = {}
    for mode in args.mode or servers.SIDES:
        say(mode)
        run = functools.partial(measure.packets, mode=mode, calls=args.calls, seconds=args.seconds, patience=args.patience)
        # The floor knows no SRTP: it is beside plain RTP only.
        relays = [servers.liaison(mode), servers.rtpengine(), *([servers.floor(args.calls)] if mode == "plain" else [])]
        done[mode] = rounds(relays, args.runs, args.most or 2 * args.runs, run)
    print("\n" + report.packets(done))


main()
