#!/usr/bin/python3
"""glare.py update_update|reinvite_reinvite|reinvite_update|update_reinvite|prack_update TRANSPORT - offers that cross, of SIPp on both
sides: what the calling side asks for in the first, the called side is asked for, and before it answers it asks in the second.
glare.py twice FIRST SECOND - the calling side itself asks in the second before the first is answered, which it must not."""
import here
from liaison import run
from messages import requests
from talks import UAC_PARTIES, UAS_PARTIES, acknowledged, asked, asks, description, final, hears, request, says, talk, versions

HELD = "a=sendonly"


# The called side answers once the calling side has seen its refusal: it is told by an INFO, and no clock decides.
TOLD = asked("INFO", kept="told") + says(200, kept="told")


def tells(seq):
    return request("INFO", seq, UAC_PARTIES)


def refused(method, seq, parties, status=491):
    """Its own request collides."""
    if method != "INVITE":
        return hears(status)
    # In the transaction of the INVITE, which is two messages before.
    return ('<recv response="100" optional="true"></recv>\n' + hears(status)
            + request("ACK", seq, parties, branch="[branch-3]"))


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
              + TOLD + says(200, description(2, "a=recvonly")))
    number = '<action><ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" check_it="true" assign_to="rseq"/></action>'
    calling = (f'<recv response="183" rrs="true">{number}</recv>\n'
               + request("PRACK", 2, UAC_PARTIES, description(2, HELD), more="RAck: [$rseq] 1 INVITE\n", once=True)
               + request("UPDATE", 3, UAC_PARTIES, description(3), once=True) + hears(500) + tells(4) + hears(200) + hears(200))
    far, near = talk(transport, "", "", (called, calling), "Content-Length: 0\n")
    later, = [m for m in final(near, "UPDATE")]
    assert later.status == 500 and 0 <= int(later.one("retry-after")) <= 10, later
    pracked, = final(near, "PRACK")
    assert pracked.status == 200 and b"a=recvonly" in pracked.body, pracked
    assert [m.status for m in final(far, "UPDATE")] == [491]
    assert not any(m.body for m in final(near, "INVITE")), "all was said before"


def twice(first, second):
    """UAS-UsU, UAS-UsI, UAS-IsI and UAS-IsU of RFC 6337 §4.3: the second one gets 500, the first one goes its way."""
    called = (asked(first) + TOLD + says(200, description(2, "a=recvonly"), repeats=first == "INVITE")
              + acknowledged(first))
    # UPDATE has no provisional response.
    heard = '<recv response="100"></recv>\n' if first == "INVITE" else ""
    calling = (request(first, 2, UAC_PARTIES, description(2, HELD), once=True) + heard
               + request(second, 3, UAC_PARTIES, description(3), once=True) + refused(second, 3, UAC_PARTIES, 500) + tells(4)
               + hears(200) + hears(200))
    if first == "INVITE":
        calling += request("ACK", 2, UAC_PARTIES)
    far, near = talk("udp", called, calling)
    later, = [m for m in final(near, second) if m.cseq == 3]
    assert later.status == 500 and 0 <= int(later.one("retry-after")) <= 10, later
    answers = [m for m in final(near, first) if m.status == 200 and m.cseq == 2]
    assert len(answers) == 1 and b"a=recvonly" in answers[0].body, final(near, first)
    offers = [m for m in requests(far.messages(), first, sent=False) if m.body and HELD.encode() in m.body]
    assert len({m.body for m in offers}) == 1, "nobody is asked for the second one"
    for side in (far, near):
        numbers, texts = versions(side)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), texts


run(update_update, reinvite_reinvite, reinvite_update, update_reinvite, prack_update, twice)
