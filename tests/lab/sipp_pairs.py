#!/usr/bin/python3
"""sipp_pairs.py - each SIPp scenario against its partner, with nothing in between: shows that the lab itself works.

Run it as   lo-run ./sipp_pairs.py   ; exit status 1 when a pair fails.
"""
import time
import messages
from sipp import pair

WWW = 'WWW-Authenticate: Digest realm="lab.invalid", nonce="6f1c", qop="auth"'
PROXY = 'Proxy-Authenticate: Digest realm="lab.invalid", nonce="7a2d", qop="auth"'


def answered(side, challenged):
    # SIPp 3.6.1 puts the remote address, not the Request-URI, into uri: all else of its answer is right.
    fault = messages.challenge_fault(side.messages(), "BYE", "lab", "secret")
    assert fault is None or fault.startswith("uri "), fault
    tries = messages.requests(side.messages(), "BYE", sent=False)
    assert len(tries) == challenged + 1, f"{len(tries)} BYEs"


def keeps(uas, uac):
    invite, = messages.requests(uas.messages(), "INVITE", sent=False)
    sent, = messages.requests(uac.messages(), "INVITE", sent=True)
    assert invite.one("X-Keep") == "π" and invite.body == sent.body
    assert b"m=x-lab-kind 16386 UDP/X-LAB blue green\r\na=x-lab-attribute:4711" in invite.body and b"trailing blanks  </lab>\r\n" in invite.body
    assert any(m.one("X-Keep") == "σ" for m in uac.messages() if not m.sent)


def canaries(uas, uac):
    # Nothing stands between them, so every canary is on the other side.
    from_a = {word for word, _ in messages.canaries(uas.messages(), "a", ("10.0.0.1", "14884", "14885"))}
    assert {"10.0.0.1", "14884", "14885", "canaryufraga", "canary-contact-a", "canary-route-a", "canary-rr-a", "canary-via2-a",
            "canary-agent-a", "canary-o-a"} <= from_a, from_a
    from_b = {word for word, _ in messages.canaries(uac.messages(), "b", ("10.0.0.4", "14894", "14895"))}
    assert {"10.0.0.4", "14894", "14895", "canaryufragb", "canary-contact-b", "canary-rr-b", "canary-server-b", "canary-o-b"} <= from_b, from_b



one, two = {"challenge": WWW}, {"challenge": WWW, "challenge2": PROXY}
PAIRS = [
    ("UDP", "uas", "uac", {"calls": 50, "rate": 50}, None),
    ("TCP", "uas", "uac", {"calls": 50, "rate": 50, "transport": "tcp"}, None),
    ("the called side hangs up", "uas_hangs_up", "uac_hears_bye", {"pause": 200}, None),
    ("BYE, 401 by the called side", "uas_challenges_bye_401", "check/uac_answers_401", {"uas_keys": one}, lambda s, c: answered(s, 1)),
    ("BYE, 407 by the called side", "uas_challenges_bye_407", "check/uac_answers_407", {"uas_keys": {"challenge": PROXY}}, lambda s, c: answered(s, 1)),
    ("BYE, 401 and 407 by the called side", "uas_challenges_bye_twice", "check/uac_answers_twice", {"uas_keys": two}, None),
    ("BYE, 401 by the calling side", "check/uas_answers_401", "uac_challenges_bye_401", {"uac_keys": one}, lambda s, c: answered(c, 1)),
    ("BYE, 407 by the calling side", "check/uas_answers_407", "uac_challenges_bye_407", {"uac_keys": {"challenge": PROXY}}, lambda s, c: answered(c, 1)),
    ("BYE, 401 and 407 by the calling side", "check/uas_answers_twice", "uac_challenges_bye_twice", {"uac_keys": two}, None),
    ("challenge without an answer, called side", "uas_refuses_bye", "check/uac_gives_up", {"uas_keys": one}, None),
    ("challenge without an answer, calling side", "check/uas_gives_up", "uac_refuses_bye", {"uac_keys": one}, None),
    ("redirection", "uas_redirects", "uac_refused", {"uas_keys": {"target": "sip:10.0.0.5:5060"}}, None),
    ("INVITE challenged", "uas_challenges_invite", "uac_refused", {"uas_keys": one}, None),
    ("the remote target elsewhere", "elsewhere_refuses_bye", "check/uac_strays", {"uas_keys": one}, None),
    ("what must cross", "uas_keeps", "uac_keeps", {}, keeps),
    ("what must not cross", "uas_canaries", "uac_canaries", {"uac_extra": ("-cid_str", "canary-callid-a-%u-%p@%s")}, canaries),
]


def main():
    failed = 0
    for name, uas, uac, options, judge in PAIRS:
        begun = time.monotonic()
        try:
            sides = pair(uas, uac, timeout=20, **options)
            if judge:
                judge(*sides)
            print(f"ok    {name} ({time.monotonic() - begun:.1f} s)")
        except AssertionError as error:
            failed += 1
            print(f"FAIL  {name}: {error}")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
