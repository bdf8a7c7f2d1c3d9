#!/usr/bin/python3
"""load.py calls udp|tcp - 2,500 calls with media at 100 a second; then everything is given back."""
import here, re, time
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


def calls(transport):
    with Liaison(transport=transport) as sbc:
        # One call first: what a call leaves behind for good (buffers, spare ports) is no leak.
        pair("uas", "uac", through=OUTSIDE, transport=transport)
        baseline = {name: 0.0 for name in sbc.gauges()}
        baseline["liaison_media_pairs"] = sbc.gauges()["liaison_media_pairs"]
        begun = time.monotonic()
        called, calling = pair("uas", "uac", through=OUTSIDE, transport=transport, calls=CALLS, rate=RATE, timeout=90)
        took = time.monotonic() - begun
        counters = calling.counters()
        assert int(counters["SuccessfulCall(C)"]) == CALLS and int(called.counters()["SuccessfulCall(C)"]) == CALLS, counters
        assert CALLS / took >= 50, f"{CALLS} calls took {took:.1f} s"
        ended = time.monotonic()
        peak = sbc.gauges()
        within = 64 * T1 + 5
        sip = lambda: {n: v for n, v in sbc.gauges().items() if v > baseline[n] and n != "liaison_media_pairs"}
        until(lambda: f"the baseline, but {sip()}", lambda: not sip(), within, every=0.5)
        back = time.monotonic() - ended
        resting = lambda: {n: v for n, v in sbc.metrics().items() if n.startswith("liaison_media_pairs")}
        until(lambda: f"all pairs back at {baseline['liaison_media_pairs']:.0f}, but {resting()}",
              lambda: resting()["liaison_media_pairs_resting"] == 0 and resting()["liaison_media_pairs"] <= baseline["liaison_media_pairs"],
              max(within + QUARANTINE - back, 1), every=0.5)
        assert len(sbc.records(CALLS + 1)) == CALLS + 1
        described(called, "10.0.0.3", "on the called side")
        described(calling, "10.0.0.2", "on the calling side")
        there = {m.one("call-id") for m in called.messages()}
        here_ = {m.one("call-id") for m in calling.messages()}
        assert len(there) == len(here_) == CALLS and not there & here_, "each leg has its own Call-ID"
        print(f"{CALLS} calls over {transport} at {CALLS / took:.0f}/s, {counters['Retransmissions(C)']} retransmissions; "
              f"at the end {peak}; back at the baseline after {back:.1f} s, media after {time.monotonic() - ended:.1f} s")


run(calls)
