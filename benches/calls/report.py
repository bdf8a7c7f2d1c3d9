"""The results as Markdown."""
from rounds import spread


def cpu_table(rounds, tails):
    """`rounds`: {(mode, rate): [(ours, peer)]}; `tails`: µs by (server, rate). Where not every round counts there is a line of
    those that do and one of all."""
    lines = ["| calls/s | ours | peer | rounds | ours, µs/call | peer, µs/call | ours / peer | with the 40 s after |",
             "|--:|---|---|---|--:|--:|--:|--:|"]
    for (_, rate), tried in rounds.items():
        counting = [pair for pair in tried if all(result["counts"] for result in pair)]
        if counting:
            lines.append(_cpu_line(rate, counting, f"{len(counting)} that count", tails))
        if len(counting) < len(tried):
            lines.append(_cpu_line(rate, tried, f"all {len(tried)}", tails))
    return "\n".join(lines)


def _cpu_line(rate, pairs, which, tails):
    ours, peers = [[pair[side]["us_call"] for pair in pairs] for side in (0, 1)]
    servers = [pairs[0][side]["server"] for side in (0, 1)]
    late = [tails.get((server, rate)) for server in servers]
    cells = [rate, *servers, which, spread(ours, 0), spread(peers, 0), f"**{spread([a / b for a, b in zip(ours, peers)], 2)}**",
             "" if None in late else spread([(a + late[0]) / (b + late[1]) for a, b in zip(ours, peers)], 2)]
    return "| " + " | ".join(map(str, cells)) + " |"


def memory_table(results):
    lines = ["| server | calls held | PSS after one call, KiB | PSS, KiB | KiB per call |", "|---|--:|--:|--:|--:|"]
    for r in results:
        lines.append(f"| {r['server']} | {r['held']} | {r['fresh_kib']} | {r['held_kib']} | **{r['kib_call']}** |")
    return "\n".join(lines)


def flat_table(results):
    """CPU and memory of a call beside the number of calls that stand, each as a ratio to the least number."""
    lines = ["| calls that stand | µs per call more | of the first | idle, % of a core | KiB per call that stands | counts |",
             "|--:|--:|--:|--:|--:|---|"]
    for r in results:
        ratio = r["us_call"] / results[0]["us_call"]
        lines.append(f"| {r['standing']} | {r['us_call']} | **{ratio:.2f}** | {r['idle_percent']} | {r['kib_call']} | {r['counts']} |")
    return "\n".join(lines)
