"""The results as Markdown."""
import statistics


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def cpu_table(rounds, tails):
    """`rounds`: {(mode, rate): [(ours, peer)]} of the rounds that count; `tails`: µs by (server, rate)."""
    lines = ["| calls/s | pair | rounds | ours, µs/call | peer, µs/call | ours / peer | with what follows in 40 s |",
             "|--:|---|--:|--:|--:|--:|--:|"]
    for (_, rate), pairs in rounds.items():
        if not pairs:
            continue
        ours, peers = [[pair[side]["us_call"] for pair in pairs] for side in (0, 1)]
        late = [tails.get((pairs[0][side]["server"], rate), 0.0) for side in (0, 1)]
        ratios = [a / b for a, b in zip(ours, peers)]
        full = [(a + late[0]) / (b + late[1]) for a, b in zip(ours, peers)]
        lines.append(f"| {rate} | {pairs[0][0]['server']} beside {pairs[0][1]['server']} | {len(pairs)} | {spread(ours, 0)} | "
                     f"{spread(peers, 0)} | **{spread(ratios, 2)}** | {spread(full, 2)} |")
    return "\n".join(lines)


def memory_table(results):
    lines = ["| server | calls held | PSS after one call, KiB | PSS, KiB | KiB per call |", "|---|--:|--:|--:|--:|"]
    for r in results:
        lines.append(f"| {r['server']} | {r['held']} | {r['fresh_kib']} | {r['held_kib']} | **{r['kib_call']}** |")
    return "\n".join(lines)
