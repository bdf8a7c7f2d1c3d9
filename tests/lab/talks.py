"""Calls of SIPp on both sides that change their sessions, each step said in Python."""
from liaison import OUTSIDE, Liaison
from sipp import UAC, UAS, Sipp

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


def asked(method, kept="asked"):
    """Is asked, and answers later."""
    keep = "".join(f'<ereg regexp=".*" search_in="hdr" header="{name}:" assign_to="{name.lower()[0]}{kept}"/>'
                   for name in ("Via", "From", "To", "CSeq"))
    return f'<recv request="{method}"><action>{keep}</action></recv>\n'


def says(status, body="Content-Length: 0\n", repeats=False, kept="asked", more=""):
    """The answer to what it was asked."""
    return f"""<send{' retrans="500"' if repeats else ''}><![CDATA[
SIP/2.0 {status} Whatever
Via:[$v{kept}]
From:[$f{kept}]
To:[$t{kept}]
Call-ID: [call_id]
CSeq:[$c{kept}]
Contact: <sip:phone@[local_ip]:[local_port];transport=[transport]>
{more}{body}
]]></send>
"""


def asks(method, seq, parties, version, direction=""):
    return request(method, seq, parties, description(version, direction))


def acknowledged(method):
    return '<recv request="ACK"></recv>\n' if method == "INVITE" else ""


def talk(transport, called, calling, early=("", ""), answer=None, profile="", edits=()):
    """A call through Liaison: what either side does before and after the answer, and what is changed of the calling side besides."""
    with Liaison(transport=transport, profile=profile) as sbc:
        answer = description(1) if answer is None else answer
        far_edits = [("<!-- EARLY -->", early[0]), ("<!-- THEN -->", called), ("ANSWER\n", answer)]
        near_edits = [("<!-- EARLY -->", early[1] or '<recv response="180" optional="true"></recv>'), ("<!-- THEN -->", calling), *edits]
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
