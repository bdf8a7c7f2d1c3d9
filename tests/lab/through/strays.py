#!/usr/bin/python3
"""strays.py forged|moved - a BYE with the right Call-ID and tags of a call between two SIPp, from elsewhere than its parties."""
import socket
import here
import liaison
from liaison import INSIDE, OUTSIDE, Liaison, run
from messages import requests
from sipp import UAC, UAS, Sipp

PAUSE = 6000


def bye(leg, source, to):
    """What a BYE with what a leg says of its dialog gets, sent from that address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((source, 0))
        udp.settimeout(3)
        own = "%s:%d" % udp.getsockname()
        host, port = to.split(":")
        lines = [f"BYE sip:{to} SIP/2.0", f"Via: SIP/2.0/UDP {own};branch=z9hG4bKstray{udp.getsockname()[1]};rport",
                 "Max-Forwards: 70", f"From: <{leg['remote_uri']}>;tag={leg['remote_tag']}",
                 f"To: <{leg['local_uri']}>;tag={leg['local_tag']}", f"Call-ID: {leg['sip_call_id']}", "CSeq: 4711 BYE",
                 "Content-Length: 0", "", ""]
        udp.sendto("\r\n".join(lines).encode(), (host, int(port)))
        return udp.recv(65535).decode().splitlines()[0]


def legs(sbc):
    call, = sbc.established(1)
    caller, called = sbc.get(f"/v1/calls/{call['id']}")["legs"]
    return caller, called


def talking():
    return Sipp("uas", UAS), Sipp("uac", UAC, OUTSIDE, pause=PAUSE)


def forged():
    """Others in the two networks hang nothing up; both parties see one BYE, at the end, with the next number."""
    with Liaison() as sbc:
        far, near = talking()
        with far, near:
            caller, called = legs(sbc)
            for leg, source, to in ((caller, "10.0.0.9", OUTSIDE), (called, "10.0.0.9", INSIDE)):
                assert bye(leg, source, to) == "SIP/2.0 403 Forbidden"
            # At the other network's door there is no such dialog.
            assert bye(caller, "10.0.0.1", INSIDE).startswith("SIP/2.0 481 ")
            assert len(sbc.calls()) == 1
            near.wait(30)
            far.wait(30)
        for side, sent in ((near, True), (far, False)):
            all_byes = {m.one("cseq") for m in requests(side.messages(), "BYE", sent=sent)}
            assert all_byes == {"2 BYE"}, all_byes
        assert not requests(near.messages(), "BYE", sent=False)
        counted = {name: value for name, value in sbc.metrics().items() if name.startswith("liaison_strays_total")}
        assert sorted(counted.values()) == [0, 0, 1, 2], counted
        sbc.idle()


def moved():
    """From another address that the trunk is known by, the same BYE is the peer's."""
    liaison.DOCUMENT = liaison.DOCUMENT.replace('from = ["10.0.0.1"]', 'from = ["10.0.0.1", "10.0.0.9"]')
    with Liaison() as sbc:
        far, near = Sipp("uas", UAS), Sipp("uac", UAC, OUTSIDE, pause=60000)
        with far, near:
            caller, _ = legs(sbc)
            assert bye(caller, "10.0.0.9", OUTSIDE) == "SIP/2.0 200 OK"
            far.wait(10)
        sbc.idle()


run(forged, moved)
