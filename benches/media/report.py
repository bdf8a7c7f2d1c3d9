"""The results as Markdown."""
from rounds import spread, table, those_that_count


def packets(done):
    """`done`: {mode: [[ours, peer, ...]]}."""
    rows = []
    for mode, tried in done.items():
        counting, which = those_that_count(tried)
        for at, first in enumerate(counting[0]):
            of = [one[at] for one in counting]
            ratio = spread([one[0]["us_packet"] / one[at]["us_packet"] for one in counting], 2) if at else ""
            rows.append([mode, first["server"], which, spread([one["us_packet"] for one in of], 2), f"**{ratio}**" if ratio else "",
                         *(spread([one[name] for one in of], 0) for name in ("delay_p50", "delay_p99", "delay_p999")),
                         max(one["loss"] for one in of), spread([one["kib_call"] for one in of], 1)])
    return table(["mode", "server", "rounds", ">µs a packet", ">Liaison's / its", ">delay p50, µs", ">p99", ">p99.9", ">most loss", ">KiB a call"], rows)
