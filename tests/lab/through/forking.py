#!/usr/bin/python3
"""forking.py branches - a proxy on the called side rings three at once (RFC 3261 §16.6), of whom two answer: Kamailio, and SIPp as each
of the three. The caller is played by hand, for it has three early dialogs at a time."""
import here, liaison, re
from kamailio_fork import BRANCHES, IP, Fork
from liaison import Liaison, run, until
from messages import requests
from sipp import Sipp
from ua import Ua

liaison.DOCUMENT = liaison.DOCUMENT.replace('from = ["10.0.0.4"]', f'from = ["{IP}"]')

DESCRIPTION = ("v=0\r\no=alice 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 28000 RTP/AVP 8 101\r\n"
               "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n")


def says(status, reason, to_invite=False, repeats=False):
    """A response: to the last request, or to the INVITE."""
    fields = ("Via:[$via]\nVia:[$before]\nRecord-Route:[$way]\nFrom:[$caller]\nTo:[$called];tag=[pid]uas[call_number]\n[last_Call-ID:]\nCSeq:[$cseq]"
              if to_invite else "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]")
    return f"""<send{' retrans="500"' if repeats else ''}><![CDATA[
SIP/2.0 {status} {reason}
{fields}
Contact: <sip:bob@[local_ip]:[local_port];transport=[transport]>
Content-Length: 0

]]></send>
"""


ASKED = '<recv request="{}" crlf="true"></recv>\n'
CANCELLED = ASKED.format("CANCEL") + says(200, "OK")
ENDS = ASKED.format("ACK") + ASKED.format("BYE") + says(200, "OK")
# The first one answers once it is told that all of them have rung; the second one as it is cancelled; the third one does not answer.
PARTS = (ASKED.format("INFO") + says(200, "OK") + says(200, "OK", True, True) + ENDS,
         CANCELLED + says(200, "OK", True, True) + ENDS,
         CANCELLED + says(487, "Request Terminated", True, True) + ASKED.format("ACK"))


def branch(number):
    """One of the three: its numbers of reliable responses are its own, and a field of nobody's tells it from the others."""
    return Sipp("uas_branch", (BRANCHES[number], 5060),
                edits=[("<!-- THEN -->", PARTS[number]), ("RSeq: 4711", f"RSeq: {number + 1}000\nX-Branch: {number}")])


def tag(message):
    return re.search(r";tag=([^;\s]+)", message.one("to"))[1]


def branches():
    with Liaison(targets=[f"sip:{IP}:5060"]) as sbc, Fork() as fork, Ua("10.0.0.1", 5060, "alice") as alice, \
         branch(0) as first, branch(1) as second, branch(2) as third:
        alice.send(alice.request("INVITE", "sip:+4930123@10.0.0.2", DESCRIPTION, Supported="100rel", Content_Type="application/sdp",
                                 Contact="<sip:alice@10.0.0.1:5060>"))
        early = {}
        while len(early) < 3:
            heard = alice.expect("183")
            assert heard.one("require") == "100rel" and b"m=audio" in heard.body, heard
            if tag(heard) in early:
                continue
            early[tag(heard)] = heard
            ok = alice.ask(alice.request("PRACK", "", dialog=heard, RAck=f"{heard.one('rseq')} 1 INVITE"), "200")
            assert tag(ok) == tag(heard), ok
        ports = {re.search(rb"m=audio (\d+)", heard.body)[1] for heard in early.values()}
        assert len(ports) == 3, "a media context each"
        rung, = [heard for heard in early.values() if heard.one("x-branch") == "0"]
        alice.ask(alice.request("INFO", "", dialog=rung), "200")
        final = alice.expect("200")
        assert tag(final) == tag(rung), "of the one that answered"
        alice.send(alice.request("ACK", "", dialog=final).replace(b"CSeq: %d ACK" % alice.number, b"CSeq: 1 ACK"))
        call, = sbc.established(1)
        second.wait(30), third.wait(30)
        ok = alice.ask(alice.request("BYE", "", dialog=final), "200")
        first.wait(30)
        sbc.idle()
        # What each of the branches has seen: its own response acknowledged, once, and its own end.
        for number, side in enumerate((first, second, third)):
            pracks = {m.one("rack") for m in requests(side.messages(), "PRACK", sent=False)}
            assert pracks == {f"{number + 1}000 1 INVITE"}, pracks
        methods = lambda side: [m.start.split()[0] for m in side.messages() if not m.sent and not m.status]
        once = lambda side: list(dict.fromkeys(methods(side)))
        assert once(first) == ["INVITE", "PRACK", "INFO", "ACK", "BYE"], methods(first)
        assert once(second) == ["INVITE", "PRACK", "CANCEL", "ACK", "BYE"], methods(second)
        assert once(third) == ["INVITE", "PRACK", "CANCEL", "ACK"], methods(third)
        late, = requests(second.messages(), "BYE", sent=False)
        assert late.one("reason").startswith("SIP;cause=200"), late
        # The caller hears of one answer.
        answers = {tag(m) for m in [final, *alice.heard] if m.status == 200 and m.one("cseq").endswith("INVITE")}
        assert answers == {tag(final)}, answers
        until(lambda: sbc.gauges(), lambda: not any(sbc.gauges().values()), 60)


run(branches)
