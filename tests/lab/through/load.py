#!/usr/bin/python3
"""load.py calls udp|tcp [SHARDS] - 2,500 calls with media at 100 a second; then everything is given back. With SHARDS every
call has a socket of its own, so that the system spreads them over the shards."""
import here, collections, re, time
from liaison import MEDIA, OUTSIDE, QUARANTINE, T1, Liaison, run, until
from sipp import pair

CALLS, RATE = 2500, 100


def described(side, ip, what):
    """That every description the side got names Liaison's address there, and ports of its range."""
    found = 0
    for message in side.messages():
        if message.sent or b"m=audio" not in message.body:
            continue
        found += 1
        text = message.body.decode()
        assert re.findall(r"IN IP4 (\S+)", text) == [ip, ip], f"{what}:\n{text}"
        assert int(re.search(r"m=audio (\d+)", text)[1]) in MEDIA, f"{what}:\n{text}"
    assert found >= CALLS, f"{found} descriptions {what}"


def calls(transport, shards="1"):
    shards = int(shards)
    with Liaison(transport=transport, shards=shards) as sbc:
        baseline, ahead = sbc.gauges(), sbc.metrics()["liaison_media_pairs_opened_total"]
        assert len(baseline) == 9 and not any(baseline.values()), baseline
        begun = time.monotonic()
        called, calling = pair("uas", "uac", through=OUTSIDE, transport=transport, calls=CALLS, rate=RATE, timeout=90, each=shards > 1)
        took = time.monotonic() - begun
        counters = calling.counters()
        assert int(counters["SuccessfulCall(C)"]) == CALLS and int(called.counters()["SuccessfulCall(C)"]) == CALLS, counters
        assert CALLS / took >= 50, f"{CALLS} calls took {took:.1f} s"
        ended, peak = time.monotonic(), sbc.gauges()
        # Ports rest after the last call; all else has the lifetime of a transaction.
        resting = {"liaison_media_pairs_resting"}
        left = lambda: {name for name, value in sbc.gauges().items() if value != baseline[name]}
        until(lambda: f"the baseline, but {sbc.gauges()}", lambda: left() <= resting, 64 * T1 + 5, every=0.5)
        until(lambda: f"no pair resting, but {sbc.gauges()}", lambda: not left(), ended + 64 * T1 + 5 + QUARANTINE - time.monotonic(), every=0.5)
        back = time.monotonic() - ended
        # Pairs of ports are used again and again, each after its whole quarantine.
        metrics = sbc.metrics()
        assert metrics["liaison_media_pairs_opened_total"] - ahead < 2 * CALLS * 2 / 3, metrics
        assert metrics["liaison_media_quarantines_cut_total"] == 0, metrics
        crossed, dropped = (metrics[f'liaison_shard_crossings_total{{outcome="{o}"}}'] for o in ("given", "dropped"))
        assert dropped == 0 and (crossed > CALLS if shards > 1 else crossed == 0), metrics
        records = sbc.records(CALLS)
        assert len(records) == CALLS
        homes = collections.Counter(record["call"].partition("-")[0] for record in records)
        assert sorted(homes) == [str(n) for n in range(shards)] and min(homes.values()) > CALLS / shards / 2, homes
        described(called, "10.0.0.3", "on the called side")
        described(calling, "10.0.0.2", "on the calling side")
        there = {m.one("call-id") for m in called.messages()}
        here_ = {m.one("call-id") for m in calling.messages()}
        assert len(there) == len(here_) == CALLS and not there & here_, "each leg has its own Call-ID"
        print(f"{CALLS} calls over {transport} at {CALLS / took:.0f}/s, {counters['Retransmissions(C)']} retransmissions; "
              f"after the last one {peak}, at the baseline {back:.1f} s later; "
              f"by shard {dict(homes)}, {crossed:.0f} messages crossed")


run(calls)
