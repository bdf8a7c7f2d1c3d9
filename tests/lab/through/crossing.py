#!/usr/bin/python3
"""crossing.py CHECK - what crosses from one side to the other, and what does not, in the bytes that the peers got."""
import here, re
import messages
from liaison import MEDIA, OUTSIDE, Liaison, run
from sipp import pair


def keeps():
    with Liaison(profile='tcp_media = "refuse"'):
        called, calling = pair("uas_keeps", "uac_keeps", through=OUTSIDE)
    sent, = messages.requests(calling.messages(), "INVITE", sent=True)
    got, = messages.requests(called.messages(), "INVITE", sent=False)
    assert b"X-Keep: \xcf\x80\r\n" in got.raw and b"Subject: what must cross\r\n" in got.raw, got
    marker = b"Content-Type: application/x-lab-unknown"
    assert sent.body[sent.body.index(marker):] == got.body[got.body.index(marker):], got
    unknown = re.search(rb"m=x-lab-kind (\d+) UDP/X-LAB blue green\r\n((?:[^m-][^\r]*\r\n)*)", got.body)
    assert unknown and int(unknown[1]) in MEDIA and b"a=x-lab-attribute:4711\r\n" in unknown[2], got
    # What is refused has its place, and nothing of the other side.
    refused = re.compile(rb"m=message 0 TCP/MSRP \*\r\n((?:[^m\r-][^\r]*\r\n)*)")
    assert refused.search(got.body)[1] == b"a=accept-types:text/plain\r\n" and b"10.0.0.1" not in got.body, got
    answer = [m for m in calling.messages() if not m.sent and m.status == 200 and m.method == "INVITE"][0]
    unknown = re.search(rb"m=x-lab-kind (\d+) UDP/X-LAB blue\r\n((?:[^m-][^\r]*\r\n)*)", answer.body)
    assert unknown and int(unknown[1]) in MEDIA and b"a=x-lab-attribute:4712\r\n" in unknown[2], answer
    assert refused.search(answer.body) and b"10.0.0.4" not in answer.body, answer
    kept = {m.status: m.one("X-Keep") for m in calling.messages() if not m.sent and m.method == "INVITE"}
    assert kept[180] == "ρ" and kept[200] == "σ", kept


def parts():
    with Liaison():
        called, calling = pair("uas_parts", "uac_parts", through=OUTSIDE)
    sent, = messages.requests(calling.messages(), "INVITE", sent=True)
    got, = messages.requests(called.messages(), "INVITE", sent=False)
    # The description is found where it is, and gives way to ours there; all else is what it was.
    # The line end before a delimiter is the delimiter's.
    cut = lambda body: re.sub(rb"v=0\r\n(?:[a-z]=[^\r]*\r\n)*(?:\r\n)?", b"", body)
    lost = re.compile(rb"--lab-out\r\nContent-Type: application/x-lab-lost.*?(?=--lab-out--)", re.S)
    assert lost.search(sent.body) and cut(got.body) == lost.sub(b"", cut(sent.body)), got
    assert got.one("content-type") == sent.one("content-type") and got.one("geolocation") == "<cid:place@lab.invalid>", got
    assert b"10.0.0.1" not in got.body and int(re.search(rb"m=audio (\d+)", got.body)[1]) in MEDIA, got
    # Of the answer's alternatives the one that is understood crosses, and nothing else that speaks of the other side.
    answer = [m for m in calling.messages() if not m.sent and m.status == 200 and m.method == "INVITE"][0]
    assert answer.one("content-disposition") == "session;handling=required", answer
    assert b"x-lab-session" not in answer.body and b"10.0.0.4" not in answer.body, answer
    assert int(re.search(rb"m=audio (\d+)", answer.body)[1]) in MEDIA, answer


def canaries():
    with Liaison():
        called, calling = pair("uas_canaries", "uac_canaries", through=OUTSIDE, uac_extra=("-cid_str", "canary-callid-a-%u-%p@%s"))
    there, here_ = called.messages(), calling.messages()
    for seen, side, also in ((there, "a", ("10.0.0.1", "10.0.0.2", "14884", "14885")), (here_, "b", ("10.0.0.4", "10.0.0.3", "14894", "14895"))):
        crossed = messages.canaries(seen, side, also)
        assert not crossed, f"of side {side}: {crossed}"
    invite, = messages.requests(there, "INVITE", sent=False)
    sent, = messages.requests(here_, "INVITE", sent=True)
    assert '"keep-from-a"' in invite.one("from") and "keep-from-user-a@caller.invalid" in invite.one("from"), invite
    assert '"keep-to-a"' in invite.one("to") and "keep-to-user-a@called.invalid" in invite.one("to"), invite
    answer = [m for m in here_ if not m.sent and m.status == 200 and m.method == "INVITE"][0]
    for message, ip in ((invite, "10.0.0.3"), (answer, "10.0.0.2")):
        text = message.body.decode()
        assert re.findall(r"IN IP4 (\S+)", text) == [ip, ip] and int(re.search(r"m=audio (\d+)", text)[1]) in MEDIA, text
        assert ip in message.one("contact"), message
    assert b"a=x-keep-attribute:keep-attr-a" in invite.body and b"a=x-keep-attribute:keep-attr-b" in answer.body
    # Each leg has what is its own: Call-ID, tags, Via, CSeq number space.
    assert invite.one("call-id") != sent.one("call-id") and invite.tag("from") != sent.tag("from")
    assert len(invite.all("via")) == 1 and "10.0.0.3" in invite.one("via"), invite
    accepted = [m for m in there if m.sent and m.status == 200 and m.method == "INVITE"][0]
    assert answer.tag("to") != accepted.tag("to")
    bye, = messages.requests(there, "BYE", sent=False)
    assert bye.cseq == invite.cseq + 1 and bye.one("call-id") == invite.one("call-id"), bye


def asks():
    with Liaison():
        called, calling = pair("uas_asked", "uac_asks", through=OUTSIDE)
    ours, theirs = [m for m in calling.messages() if not m.sent and m.status == 200]
    assert "BYE" in ours.one("allow") and ours.all("accept") and not ours.body, ours
    # Who is behind us is asked by a request of our own, and what it can crosses as far as we can carry it.
    asked, = messages.requests(called.messages(), "OPTIONS", sent=False)
    sent = messages.requests(calling.messages(), "OPTIONS", sent=True)[-1]
    assert asked.one("call-id") != sent.one("call-id") and asked.tag("from") != sent.tag("from"), asked
    assert len(asked.all("via")) == 1 and "10.0.0.3" in asked.one("via") and asked.one("max-forwards") == "7", asked
    assert asked.one("x-keep") == "asked" and theirs.one("x-keep") == "answered", theirs
    allowed = {method.strip() for method in theirs.one("allow").split(",")}
    assert "X-LAB" in allowed and "REGISTER" not in allowed, theirs
    assert b"10.0.0.4" not in theirs.raw and not theirs.body, theirs


run(keeps, parts, canaries, asks)
