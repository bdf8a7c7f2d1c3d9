#!/usr/bin/python3
"""offers.py reinvite|make|ask TRANSPORT - offers of SIPp on both sides in other places: the answer to a re-INVITE in a reliable
provisional response; an offer of ours where the caller makes none; none where it makes one."""
import here
from liaison import run
from messages import requests
from talks import UAC_PARTIES, asked, description, final, hears, request, says, talk, versions

HELD, HOLDS = "a=sendonly", "a=recvonly"
TRYING = '<recv response="100" optional="true"></recv>\n'
OFFER = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=alice 2890844526 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
"""


def reinvite(transport):
    """Each side acknowledges on its own leg, and the answer is given once."""
    reliably = "Require: 100rel\nRSeq: 4711\n"
    called = (asked("INVITE") + says("183", description(2, HOLDS), repeats=True, more=reliably) + asked("PRACK", "pracked")
              + says(200, kept="pracked") + says(200, repeats=True) + '<recv request="ACK"></recv>\n')
    number = '<action><ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" check_it="true" assign_to="rseq"/></action>'
    calling = (request("INVITE", 2, UAC_PARTIES, description(2, HELD), more="Supported: 100rel\n") + TRYING
               + f'<recv response="183">{number}</recv>\n'
               + request("PRACK", 3, UAC_PARTIES, more="RAck: [$rseq] 2 INVITE\n", once=True)
               + hears(200) + hears(200) + request("ACK", 2, UAC_PARTIES))
    far, near = talk(transport, called, calling)
    pracked, = requests(far.messages(), "PRACK", sent=False)
    again = requests(far.messages(), "INVITE", sent=False)[-1]
    assert pracked.one("rack") == f"4711 {again.cseq} INVITE" and not pracked.body, pracked
    assert "100rel" in again.one("supported") and HELD.encode() in again.body, again
    early = [m for m in near.messages() if m.status == 183 and m.cseq == 2]
    assert early and all(HOLDS.encode() in m.body and m.one("require") == "100rel" for m in early), early
    last = final(near, "INVITE")[-1]
    assert last.status == 200 and last.cseq == 2 and not last.body, "the answer was given before"
    for side in (far, near):
        numbers, texts = versions(side)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), texts


def make(transport):
    """The called side has an offer of ours, the caller one with what that has answered; nobody is asked again."""
    edits = [(OFFER, "Content-Length: 0\n"), ("CSeq: 1 ACK\nContent-Length: 0\n", "CSeq: 1 ACK\n" + description(1))]
    far, near = talk(transport, "", '<pause milliseconds="500"/>', edits=edits,
                     profile='offers = "make"\noffered_codecs = ["PCMU", "PCMA", "telephone-event"]')
    invited, = {m.body: m for m in requests(far.messages(), "INVITE", sent=False)}.values()
    assert b" RTP/AVP 0 8 101" in invited.body and b"a=rtpmap:0 PCMU/8000" in invited.body, invited
    acked, = {m.body: m for m in requests(far.messages(), "ACK", sent=False)}.values()
    assert not acked.body, acked
    offered = final(near, "INVITE")[-1]
    assert b" RTP/AVP 8 101" in offered.body, offered
    assert not requests(near.messages(), "INVITE", sent=False)


def ask(transport):
    """The called side has no offer, makes one, and is answered in the ACK."""
    far, near = talk(transport, "", "", profile='offers = "ask"')
    invited = requests(far.messages(), "INVITE", sent=False)
    assert invited and not any(m.body for m in invited), invited
    acked = requests(far.messages(), "ACK", sent=False)[0]
    assert b" RTP/AVP 8 101" in acked.body, acked
    answered = final(near, "INVITE")[-1]
    assert answered.status == 200 and b" RTP/AVP 8 101" in answered.body, answered


run(reinvite, make, ask)
