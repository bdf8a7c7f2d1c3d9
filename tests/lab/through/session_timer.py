#!/usr/bin/python3
"""session_timer.py refresh TRANSPORT - session timers (RFC 4028) of SIPp on both sides: 422 in both directions, a refresh of the caller's that
does not cross, one of ours at half of 90 s. It lasts as long as that."""
import here
from liaison import OUTSIDE, Liaison, run
from messages import requests
from sipp import UAC, UAS, Sipp

CALLS = 5


def calls(messages):
    """The messages of each call."""
    found = {}
    for message in messages:
        found.setdefault(message.one("call-id"), []).append(message)
    assert len(found) == CALLS, found.keys()
    return found.values()


def refresh(transport):
    both = {"transport": transport, "calls": CALLS, "rate": 10}
    with Liaison(transport=transport, profile='session_timer = { refresher = "us" }') as sbc:
        with Sipp("uas_times", UAS, **both) as far, Sipp("uac_times", UAC, OUTSIDE, **both) as near:
            near.wait(80)
            far.wait(80)
        for call in calls(far.messages()):
            first, second, third = requests(call, "INVITE", sent=False)
            assert [m.one("session-expires") for m in (first, second, third)] == \
                ["1800;refresher=uac", "3600;refresher=uac", "90;refresher=uac"]
            assert [m.one("min-se") for m in (first, second, third)] == [None, "3600", None]
            assert first.cseq + 1 == second.cseq and first.one("to") == second.one("to") and first.body == second.body
            assert third.body == second.body and third.tag("to"), "the description that stands, with its version"
            assert all("timer" in m.one("supported") for m in (first, second, third))
            assert all("timer" in m.one("supported") for m in requests(call, "BYE", sent=False))
        for call in calls(near.messages()):
            refused = [m for m in call if m.status == 422]
            assert refused and all(m.one("min-se") == "90" for m in refused)
            answers = {m.cseq: m for m in call if m.status == 200 and m.method == "INVITE"}
            assert sorted(answers) == [2, 3]
            assert all(m.one("session-expires") == "90;refresher=uac" and m.one("require") == "timer" for m in answers.values())
            assert answers[2].body == answers[3].body, "a refresh changes nothing"
            assert not requests(call, "INVITE", sent=False), "whoever refreshes is not refreshed"
        sbc.idle()


run(refresh)
