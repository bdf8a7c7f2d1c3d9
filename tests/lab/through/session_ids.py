#!/usr/bin/python3
"""session_ids.py cross TRANSPORT - the identifiers of two SIPp (RFC 7989) in every message between them, and in what finds their call."""
import here
from liaison import OUTSIDE, Liaison, run
from sipp import UAC, UAS, Sipp

ALICE, BOB, NIL = "ab30317f1a784dc48ff824d0d3715d86", "47755a9de7794ba387653f2099600ef2", "0" * 32
PAUSE = 3000


def says(local, remote):
    return f"Session-ID: {local};remote={remote}\n"


def heard(side, local, remote):
    """That whatever Liaison sent after the answer says so, once; what came before does not know the other end yet."""
    got = [m for m in side.messages() if not m.sent and m.status != 100]
    assert got and all(len(m.all("session-id")) == 1 for m in got), got
    said = {m.one("session-id").replace(" ", "") for m in got}
    assert f"{local};remote={remote}" in said, said
    assert said <= {f"{local};remote={remote}", f"{local};remote={NIL}", f"{NIL};remote={remote}"}, said


def cross(transport):
    calling = [("User-Agent: perf-uac/1.0\n", "User-Agent: perf-uac/1.0\n" + says(ALICE, NIL))]
    called = [("SIP/2.0 200 OK\n", "SIP/2.0 200 OK\n" + says(BOB, ALICE))]
    both = {"transport": transport, "pause": PAUSE}
    with Liaison(transport=transport) as sbc:
        with Sipp("uas", UAS, transport=transport, edits=called) as far, Sipp("uac", UAC, OUTSIDE, edits=calling, **both) as near:
            call, = sbc.established(1)
            for known in (ALICE, BOB):
                found = sbc.get(f"/v1/calls?session_id={known}")["calls"]
                assert [one["id"] for one in found] == [call["id"]], found
            assert not sbc.get(f"/v1/calls?session_id={NIL}")["calls"]
            near.wait(30)
            far.wait(30)
        heard(near, BOB, ALICE)
        heard(far, ALICE, BOB)
        record, = sbc.records(1)
        assert [leg["session_id"] for leg in record["legs"]] == [ALICE, BOB], record
        sbc.idle()


run(cross)
