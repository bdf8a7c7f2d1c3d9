"""A request and its answer over each transport, and a connection: Liaison beside Kamailio. Started by `run`.

Each line of standard output is a result as JSON; the Markdown tables come last. Progress goes to standard error."""
import argparse, os
import measure, servers
from rounds import rounds, say, spread, table, those_that_count


def options():
    parser = argparse.ArgumentParser(prog="benches/messages/run", description=__doc__)
    parser.add_argument("--only", action="append", choices=["request", "connection"], help="a part (default: both)")
    parser.add_argument("--transport", action="append", choices=list(servers.PORTS), help="several times (default: all)")
    parser.add_argument("--rate", type=int, default=1000, help="requests/s (default 1000)")
    parser.add_argument("--count", type=int, default=5000, help="requests of a run (default 5000)")
    parser.add_argument("--connections", type=int, default=100, help="connections that they come on (default 100)")
    parser.add_argument("--connection-rate", type=int, default=100, help="connections/s (default 100)")
    parser.add_argument("--opened", type=int, default=500, help="connections of a run (default 500)")
    parser.add_argument("--runs", type=int, default=7, help="rounds that have to count (default 7)")
    parser.add_argument("--most", type=int, help="rounds to try (default: twice --runs)")
    parser.add_argument("--children", type=int, default=1, help="children of Kamailio, as many for connections (default 1)")
    parser.add_argument("--patience", type=int, default=20, help="seconds to wait for a quiet machine (default 20)")
    return parser.parse_args()


def report(done):
    rows = []
    for (kind, transport), tried in done.items():
        counting, which = those_that_count(tried)
        ours, peers = ([pair[side]["us"] for pair in counting] for side in (0, 1))
        memory = [spread([pair[side]["kib"] for pair in counting], 0) if "kib" in counting[0][side] and transport != "udp" else ""
                  for side in (0, 1)]
        rows.append([kind, transport, counting[0][0]["rate"], counting[0][1]["server"], which, spread(ours, 0), spread(peers, 0),
                     f"**{spread([a / b for a, b in zip(ours, peers)], 2)}**", *memory])
    return table(["", "over", ">/s", "peer", "rounds", ">ours, µs", ">peer, µs", ">ours / peer", ">ours, KiB a connection",
                  ">peer, KiB a connection"], rows)


def main():
    args = options()
    credentials = servers.Credentials(os.environ["BENCH_DIRECTORY"])
    pair = [servers.liaison(credentials), servers.kamailio(credentials, args.children)]
    most, done = args.most or 2 * args.runs, {}
    for transport in args.transport or servers.PORTS:
        def request(server):
            return measure.requests(server, transport, credentials.root, args.connections, args.rate, args.count, args.patience)

        def connection(server):
            return measure.handshakes(server, transport, credentials.root, args.connection_rate, args.opened, args.patience)

        for kind, run in (("request", request), ("connection", connection)):
            if kind in (args.only or ["request", "connection"]) and (kind, transport) != ("connection", "udp"):
                say(f"a {kind} over {transport}")
                done[kind, transport] = rounds(pair, args.runs, most, run)
    print("\n" + report(done))


main()
