#!/usr/bin/python3
"""reliable.py both|called|caller TRANSPORT - reliable provisional responses (RFC 3262) of SIPp on both sides or on one."""
import here
from liaison import OUTSIDE, Liaison, run
from messages import requests
from sipp import UAC, UAS, Sipp

CALLS = 20
PLAIN = ("Supported: timer, 100rel, replaces", "Supported: replaces")
EARLY = ('<recv response="180" optional="true" rtd="1"></recv>',
         '<recv response="183" optional="true"></recv>\n  <recv response="180" optional="true" rtd="1"></recv>')


def talk(called, calling, transport, edits=()):
    """Calls between two scenarios, through Liaison."""
    both = {"transport": transport, "calls": CALLS, "rate": 10}
    with Sipp(called, UAS, **both) as far, Sipp(calling, UAC, OUTSIDE, edits=edits, **both) as near:
        near.wait(60)
        far.wait(60)
    return far, near


def responses(side, status, method="INVITE"):
    return [m for m in side.messages() if not m.sent and m.status == status and m.one("cseq").endswith(method)]


def reliable(message):
    return message.all("require") == ["100rel"] and message.all("rseq") != []


def acknowledged(far):
    """That the called side had its two responses acknowledged in each call, and nothing was said in the PRACKs."""
    pracks = requests(far.messages(), "PRACK", sent=False)
    assert sorted(m.one("rack") for m in pracks) == ["4711 1 INVITE"] * CALLS + ["4712 1 INVITE"] * CALLS, pracks
    assert not any(m.body for m in pracks + requests(far.messages(), "ACK", sent=False))
    offers = requests(far.messages(), "INVITE", sent=False)
    assert all("100rel" in m.one("supported") and "PRACK" in m.one("allow") for m in offers), offers


def both(transport):
    with Liaison(transport=transport) as sbc:
        far, near = talk("uas_reliable", "uac_reliable", transport)
        acknowledged(far)
        early, ringing, final = (responses(near, status) for status in (183, 180, 200))
        assert all(reliable(m) and b"m=audio" in m.body for m in early) and len(early) >= CALLS
        assert all(reliable(m) and not m.body for m in ringing) and len(ringing) >= CALLS
        assert not any(m.body for m in final) and len(final) >= CALLS, "the answer was given in the 183"
        assert len(responses(near, 200, "PRACK")) == 2 * CALLS
        sbc.idle()


def called(transport):
    """A caller without it hears the same once, and has the answer in the 200."""
    with Liaison(transport=transport) as sbc:
        far, near = talk("uas_reliable", "uac", transport, [PLAIN, EARLY])
        acknowledged(far)
        early, final = responses(near, 183), responses(near, 200)
        assert early and not any(m.all("require") or m.all("rseq") for m in early)
        answers = {m.one("call-id"): m.body for m in early}
        assert len(final) >= CALLS and all(m.body == answers[m.one("call-id")] for m in final), "the answer of before"
        sbc.idle()


def caller(transport):
    """A caller that requires it gets each response so, although the called side has none of it."""
    with Liaison(transport=transport) as sbc:
        far, near = talk("uas", "uac_rings_reliably", transport)
        assert not requests(far.messages(), "PRACK", sent=False)
        ringing = responses(near, 180)
        assert len(ringing) >= CALLS and all(reliable(m) and not m.body for m in ringing)
        assert all(b"m=audio" in m.body for m in responses(near, 200))
        sbc.idle()


run(both, called, caller)
