#!/usr/bin/python3
"""challenges.py CHECK - the far side of a leg challenges: what gets our credentials, and what gets none."""
import here
import messages
from liaison import OUTSIDE, PASSWORD, REALM, USER, Liaison, run
from sipp import UAC, Sipp, pair

ELSEWHERE = ("10.0.0.5", 5060)
WWW = f'WWW-Authenticate: Digest realm="{REALM}", nonce="6f1c", qop="auth"'
PROXY = f'Proxy-Authenticate: Digest realm="{REALM}", nonce="7a2d", qop="auth", algorithm=SHA-256, opaque="o"'
FOREIGN = 'WWW-Authenticate: Digest realm="foreign", nonce="6f1c", qop="auth"'
# The challenges, the scenario that makes them, and how many BYEs are answered with one.
CHALLENGES = {
    "401": ("bye_401", {"challenge": WWW}, 1),
    "407": ("bye_407", {"challenge": PROXY}, 1),
    "twice": ("bye_twice", {"challenge": WWW, "challenge2": PROXY}, 2),
    "both_at_once": ("bye_401", {"challenge": f"{WWW}\r\n{PROXY}"}, 1),
}


def answered(side, challenged):
    seen = side.messages()
    fault = messages.challenge_fault(seen, "BYE", USER, PASSWORD)
    assert fault is None, f"{fault}\n{side.report()}"
    byes = messages.requests(seen, "BYE", sent=False)
    assert len(byes) == challenged + 1, f"{len(byes)} BYEs"
    first = byes[0]
    assert not first.all("authorization") and not first.all("proxy-authorization"), first


def no_credentials(*sides):
    for side in sides:
        for message in side.messages():
            named = [f for f, _ in message.fields if f in ("authorization", "proxy-authorization")]
            assert not named and PASSWORD.encode() not in message.raw, f"{named} in\n{message}"


def ended(sbc, records=1):
    sbc.idle()
    assert len(sbc.records(records)) == records


def called_side(kind, transport="udp"):
    scenario, keys, count = CHALLENGES[kind]
    with Liaison(transport=transport) as sbc:
        called, _ = pair(f"uas_challenges_{scenario}", "uac", through=OUTSIDE, uas_keys=keys, transport=transport)
        answered(called, count)
        ended(sbc)


def calling_side(kind, transport="udp"):
    scenario, keys, count = CHALLENGES[kind]
    with Liaison(transport=transport, nat="on" if transport == "tcp" else "auto") as sbc:
        _, calling = pair("uas_hangs_up", f"uac_challenges_{scenario}", through=OUTSIDE, uac_keys=keys, transport=transport)
        answered(calling, count)
        ended(sbc)


def foreign_realm():
    with Liaison() as sbc:
        no_credentials(*pair("uas_refuses_bye", "uac", through=OUTSIDE, uas_keys={"challenge": FOREIGN}))
        no_credentials(*pair("uas_hangs_up", "uac_refuses_bye", through=OUTSIDE, uac_keys={"challenge": FOREIGN}))
        ended(sbc, 2)


def redirect_target():
    """The right realm, at the place that the trunk redirects to."""
    with Liaison(profile='redirects = "follow"') as sbc, \
         Sipp("uas_challenges_invite", ELSEWHERE, keys={"challenge": WWW}) as target:
        sides = pair("uas_redirects", "uac_refused", through=OUTSIDE, uas_keys={"target": "sip:10.0.0.5:5060"})
        target.wait()
        assert messages.requests(target.messages(), "INVITE", sent=False), "the redirection was not followed"
        no_credentials(target, *sides)
        ended(sbc)


def remote_target():
    """The right realm, at a remote target that is not the trunk."""
    with Liaison() as sbc, Sipp("elsewhere_refuses_bye", ELSEWHERE, keys={"challenge": WWW}) as target:
        sides = pair("uas_elsewhere", "uac", through=OUTSIDE, uas_keys={"target": "sip:bob@10.0.0.5:5060"})
        target.wait()
        assert messages.requests(target.messages(), "BYE", sent=False), "no BYE at the remote target"
        no_credentials(target, *sides)
        ended(sbc)


def another_trunk():
    """The right realm, from a trunk whose credentials these are not."""
    with Liaison(to="c") as sbc, Sipp("uas_refuses_bye", ELSEWHERE, keys={"challenge": WWW}) as other, \
         Sipp("uac", UAC, OUTSIDE) as calling:
        calling.wait()
        other.wait()
        no_credentials(other, calling)
        ended(sbc)


run(called_side, calling_side, foreign_realm, redirect_target, remote_target, another_trunk)
