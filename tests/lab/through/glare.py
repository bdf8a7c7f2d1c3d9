#!/usr/bin/python3
"""glare.py update_update|reinvite_reinvite|reinvite_update|update_reinvite|prack_update TRANSPORT - offers that cross, of SIPp on both
sides: what the calling side asks for in the first, the called side is asked for, and before it answers it asks in the second."""
import here
from liaison import OUTSIDE, Liaison, run
from messages import requests
from sipp import UAC, UAS, Sipp

HELD = "a=sendonly"
UAC_PARTIES = """From: "Alice Example" <sip:+4940987654@[local_ip]:[local_port];user=phone>;tag=[pid]uac[call_number]
To: <sip:+4930123456[call_number]@[remote_ip]:[remote_port];user=phone>[peer_tag_param]"""
UAS_PARTIES = """From:[$called];tag=[pid]uas[call_number]
To:[$caller]"""


def description(version, direction=""):
    return f"""Content-Type: application/sdp
Content-Length: [len]

v=0
o=phone 4711 {version} IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
{direction}
"""


def request(method, seq, parties, body="Content-Length: 0\n", branch="[branch]", more="", once=False):
    """Sends a request of its own in the dialog; SIPp sends nothing else as long as it repeats one, unless it is sent once."""
    repeats = "" if once or method == "ACK" else ' retrans="500"'
    return f"""<send{repeats}><![CDATA[
{method} [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch};rport
[routes]
Max-Forwards: 70
{parties}
Call-ID: [call_id]
CSeq: {seq} {method}
Contact: <sip:phone@[local_ip]:[local_port];transport=[transport]>
{more}{body}
]]></send>
"""


def hears(status, more=""):
    return f'<recv response="{status}">{more}</recv>\n'


def asked(method):
    """Is asked, and answers later."""
    keep = "".join(f'<ereg regexp=".*" search_in="hdr" header="{name}:" assign_to="{name.lower()[0]}asked"/>'
                   for name in ("Via", "From", "To", "CSeq"))
    return f'<recv request="{method}"><action>{keep}</action></recv>\n'


def says(status, body="Content-Length: 0\n", repeats=False):
    """The answer to what it was asked."""
    return f"""<send{' retrans="500"' if repeats else ''}><![CDATA[
SIP/2.0 {status} Whatever
Via:[$vasked]
From:[$fasked]
To:[$tasked]
Call-ID: [call_id]
CSeq:[$casked]
Contact: <sip:phone@[local_ip]:[local_port];transport=[transport]>
{body}
]]></send>
"""


def asks(method, seq, parties, version, direction=""):
    return request(method, seq, parties, description(version, direction))


def refused(method, seq, parties, status=491):
    """Its own request collides."""
    if method != "INVITE":
        return hears(status)
    # In the transaction of the INVITE, which is two messages before.
    return ('<recv response="100" optional="true"></recv>\n' + hears(status)
            + request("ACK", seq, parties, branch="[branch-3]"))


def acknowledged(method):
    return '<recv request="ACK"></recv>\n' if method == "INVITE" else ""


def quarrel(transport, first, second, gives_way):
    """The calling side asks in `first`; the called side, asked for that, asks in `second`, is refused, and then answers: with 491
    at first where it gives way to nobody."""
    later = says(491) + acknowledged(first) + asked(first) if gives_way else ""
    answered = says(200, description(2, "a=recvonly"), repeats=first == "INVITE") + acknowledged(first)
    called = (asked(first) + asks(second, 1, UAS_PARTIES, 2, HELD) + refused(second, 1, UAS_PARTIES) + later + answered)
    trying = '<recv response="100" optional="true"></recv>\n'
    calling = asks(first, 2, UAC_PARTIES, 2, HELD) + trying + hears(200)
    if first == "INVITE":
        calling += request("ACK", 2, UAC_PARTIES)
    return talk(transport, called, calling)


def talk(transport, called, calling, early=("", ""), answer=None):
    with Liaison(transport=transport) as sbc:
        answer = description(1) if answer is None else answer
        far_edits = [("<!-- EARLY -->", early[0]), ("<!-- THEN -->", called), ("ANSWER\n", answer)]
        near_edits = [("<!-- EARLY -->", early[1] or '<recv response="180" optional="true"></recv>'), ("<!-- THEN -->", calling)]
        with Sipp("uas_glares", UAS, transport=transport, edits=far_edits) as far, \
             Sipp("uac_glares", UAC, OUTSIDE, transport=transport, edits=near_edits) as near:
            near.wait(40)
            far.wait(40)
        sbc.idle()
    return far, near


def final(side, method, sent=False):
    """The statuses of final responses to requests of that method, in order, repetitions left out."""
    seen = {}
    for m in side.messages():
        if m.status and m.status >= 200 and m.sent == sent and m.method == method:
            seen.setdefault((m.all("via")[0], m.cseq), m)
    return list(seen.values())


def versions(side):
    """The descriptions that a side was sent, each with the version of its o= line, repetitions left out."""
    texts = []
    for m in side.messages():
        if not m.sent and m.body and (not texts or texts[-1] != m.body):
            texts.append(m.body)
    return [int(text.split(b"o=")[1].split(b" ")[2]) for text in texts], texts


def sorted_out(far, near, first, second, gives_way):
    offers = [m for m in requests(far.messages(), first, sent=False) if m.body and HELD.encode() in m.body]
    assert len(offers) == (2 if gives_way else 1), offers
    assert len({m.body for m in offers}) == 1, "it asks for the same again"
    assert len({m.cseq for m in offers}) == len(offers)
    mine = [m.status for m in final(far, second)]
    assert mine.count(491) == 1, mine
    answers = [m for m in final(near, first) if m.body and b"a=recvonly" in m.body]
    assert len(answers) == 1 and answers[0].status == 200, final(near, first)
    for side in (far, near):
        numbers, texts = versions(side)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), texts


def update_update(transport):
    far, near = quarrel(transport, "UPDATE", "UPDATE", True)
    sorted_out(far, near, "UPDATE", "UPDATE", True)
    assert not requests(far.messages(), "INVITE", sent=False)[1:], "it takes UPDATE"


def reinvite_reinvite(transport):
    far, near = quarrel(transport, "INVITE", "INVITE", True)
    sorted_out(far, near, "INVITE", "INVITE", True)


def reinvite_update(transport):
    far, near = quarrel(transport, "INVITE", "UPDATE", False)
    sorted_out(far, near, "INVITE", "UPDATE", False)


def update_reinvite(transport):
    far, near = quarrel(transport, "UPDATE", "INVITE", False)
    sorted_out(far, near, "UPDATE", "INVITE", False)


def prack_update(transport):
    """In an early dialog: the offer of a PRACK is under way as an UPDATE when both sides ask in UPDATEs of their own."""
    reliable = f"""<send retrans="500"><![CDATA[
SIP/2.0 183 Session Progress
Via:[$via]
From:[$caller]
To:[$called];tag=[pid]uas[call_number]
Call-ID: [call_id]
CSeq:[$cseq]
Contact: <sip:phone@[local_ip]:[local_port];transport=[transport]>
Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, PRACK, UPDATE
Require: 100rel
RSeq: 4711
{description(1)}
]]></send>
"""
    called = (reliable + asked("PRACK") + says(200) + asked("UPDATE") + asks("UPDATE", 1, UAS_PARTIES, 2, HELD) + hears(491)
              + '<pause milliseconds="700"/>' + says(200, description(2, "a=recvonly")))
    number = '<action><ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" check_it="true" assign_to="rseq"/></action>'
    calling = (f'<recv response="183" rrs="true">{number}</recv>\n'
               + request("PRACK", 2, UAC_PARTIES, description(2, HELD), more="RAck: [$rseq] 1 INVITE\n", once=True)
               + '<pause milliseconds="200"/>' + request("UPDATE", 3, UAC_PARTIES, description(3), once=True)
               + hears(500) + hears(200))
    far, near = talk(transport, "", "", (called, calling), "Content-Length: 0\n")
    later, = [m for m in final(near, "UPDATE")]
    assert later.status == 500 and 0 <= int(later.one("retry-after")) <= 10, later
    pracked, = final(near, "PRACK")
    assert pracked.status == 200 and b"a=recvonly" in pracked.body, pracked
    assert [m.status for m in final(far, "UPDATE")] == [491]
    assert not any(m.body for m in final(near, "INVITE")), "all was said before"


run(update_update, reinvite_reinvite, reinvite_update, update_reinvite, prack_update)
