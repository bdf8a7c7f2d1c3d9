"""The results as Markdown."""
from rounds import spread, table, those_that_count


def cpu(done):
    """`done`: {(kind, rate, mode): [[ours, peer, ...]]}."""
    rows = []
    for (kind, rate, _), tried in done.items():
        counting, which = those_that_count(tried)
        for at in range(1, len(counting[0])):
            ours, peers = ([one[side]["us"] for one in counting] for side in (0, at))
            rows.append([kind, rate, counting[0][0]["server"], counting[0][at]["server"], which, spread(ours, 0), spread(peers, 0),
                         f"**{spread([a / b for a, b in zip(ours, peers)], 2)}**"])
    return table(["registrations", ">/s", "ours", "peer", "rounds", ">ours, µs", ">peer, µs", ">ours / peer"], rows)


def highest(results):
    return table(["server", ">registrations/s, nothing sent again"], [[r["server"], r["rate"]] for r in results])


def memory(results):
    rows = [[r["server"], r["few_kib"], r["many_kib"], f"**{r['kib_binding']}**"] for r in results]
    return table(["server", ">PSS with two fifths of the bindings, KiB", ">with all, KiB", ">KiB per binding"], rows)


def survival(results):
    rows = [[r["server"], r["acknowledged"], r["wait"], f"**{r['there']}**"] for r in results]
    return table(["server", ">acknowledged", ">killed after, s", ">there after the restart"], rows)
