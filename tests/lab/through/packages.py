#!/usr/bin/python3
"""packages.py info TRANSPORT - INFO of SIPp within a call: of a package that the far side takes, of one that it does not, and of none."""
import here
from liaison import OUTSIDE, Liaison, run
from messages import requests
from sipp import UAC, UAS, Sipp

SENT = """
  <send retrans="500">
    <![CDATA[
INFO [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
[routes]
Max-Forwards: 70
From: "Alice Example" <sip:+4940987654@[local_ip]:[local_port];user=phone>;tag=[pid]uac[call_number]
To: <sip:+4930123456[call_number]@[remote_ip]:[remote_port];user=phone>[peer_tag_param]
Call-ID: [call_id]
CSeq: %d INFO
%sContent-Type: %s
Content-Length: [len]

%s
    ]]>
  </send>
  <recv response="100" optional="true"></recv>
  <recv response="%d"></recv>
"""
HEARD = """
  <recv request="INFO"></recv>
  <send>
    <![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

    ]]>
  </send>
"""
INFOS = (SENT % (2, "Info-Package: bar;p=1\nContent-Disposition: Info-Package\n", "application/bar", "<bar/>", 200)
         + SENT % (3, "Info-Package: baz\nContent-Disposition: Info-Package\n", "application/baz", "<baz/>", 469)
         + SENT % (4, "", "application/dtmf-relay", "Signal=5\nDuration=160", 200))
CALLING = (("User-Agent: perf-uac/1.0", "User-Agent: perf-uac/1.0\nRecv-Info: foo"), ("  <pause/>\n", INFOS), ("CSeq: 2 BYE", "CSeq: 5 BYE"))
CALLED = (("Supported: timer, replaces", "Supported: timer, replaces\nRecv-Info: bar, qux"), ('  <recv request="BYE">', HEARD * 2 + '  <recv request="BYE">'))


def info(transport):
    with Liaison(transport=transport) as sbc, Sipp("uas", UAS, transport=transport, edits=CALLED) as far, \
         Sipp("uac", UAC, OUTSIDE, transport=transport, edits=CALLING) as near:
        near.wait(30)
        far.wait(30)
        sbc.idle()
        invite, = requests(far.messages(), "INVITE", sent=False)
        assert invite.all("recv-info") == ["foo"], str(invite)
        answers = [m for m in near.messages() if not m.sent and m.status == 200 and m.method == "INVITE"]
        assert answers[0].all("recv-info") == ["bar, qux"], str(answers[0])
        crossed = requests(far.messages(), "INFO", sent=False)
        assert [m.one("info-package") for m in crossed] == ["bar;p=1", None], crossed
        assert [m.body.strip() for m in crossed] == [b"<bar/>", b"Signal=5\r\nDuration=160"], crossed
        assert crossed[0].one("content-disposition") == "Info-Package" and crossed[0].one("content-type") == "application/bar", str(crossed[0])
        refused, = [m for m in near.messages() if not m.sent and m.status == 469]
        assert refused.all("recv-info") == ["bar, qux"], str(refused)


if __name__ == "__main__":
    run(info)
