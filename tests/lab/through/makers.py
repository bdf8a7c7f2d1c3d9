#!/usr/bin/python3
"""makers.py CHECK - a telephone of two makers and a browser register to Liaison, call each other, and go on after a restart."""
import here, re
from browser_ua import Browser
from house import PAGE, PASSWORD, PORTS, House, linphone, phone
from liaison import run, until

# This baresip gives up at a first challenge that it does not know, though a second follows (RFC 8760 §2.4).
MD5 = 'digest = { algorithms = ["MD5"] }'


def there(sbc, *users):
    until(lambda: f"{users} registered, but {sbc.registered()}", lambda: set(sbc.registered()) == set(users), 20)


def converse(sbc, carol, dave):
    """A call each way between baresip and linphonec; who called hangs up."""
    dave.say("call sip:carol@example.com")
    carol.wait("CALL_ESTABLISHED")
    dave.wait("Media streams established")
    sbc.established(1)
    dave.say("terminate")
    carol.wait("CALL_CLOSED")
    dave.wait(r"ended \(No error\)")
    sbc.idle()
    carol.command("dial", "sip:dave@example.com")
    dave.wait("incoming call from sip:carol@example.com")
    dave.say("answer")
    carol.wait("CALL_ESTABLISHED")
    dave.wait("Media streams established")
    sbc.established(1)
    carol.command("hangup")
    dave.wait(r"ended \(No error\)")
    sbc.idle()


def phones(transport):
    """linphonec and baresip over one transport: still registered, and found, when Liaison was killed and started again."""
    with House(profile=MD5) as sbc, phone(sbc, "carol", "10.0.0.6", transport, "answermode=auto") as carol, \
         linphone(sbc, "dave", "10.0.0.7", transport) as dave:
        carol.wait("REGISTER_OK")
        there(sbc, "carol", "dave")
        dave.say("soundcard use files")
        dave.wait("wav files")
        before = sbc.registered()
        converse(sbc, carol, dave)
        with dave.asleep():
            # It would find nobody to connect to for a moment, and try again after a minute only.
            sbc.kill()
            sbc.start()
            after = sbc.registered()
        assert set(after) == {"carol", "dave"}, after
        if transport == "udp":
            assert after == before, (before, after)
        else:
            old, now = ({one["source"] for one in after["dave"]}, lambda: {one["source"] for one in sbc.registered()["dave"]})
            until(lambda: f"another connection of dave's, but {now()}", lambda: now() - old, 20)
        converse(sbc, carol, dave)


def first(messages, start):
    """The first message that begins so, and those after it."""
    for number, text in enumerate(messages):
        if text.startswith(start):
            return text, messages[number + 1:]
    raise AssertionError(f"no {start!r} in " + "\n".join(messages))


def browser():
    """JsSIP in Chromium over WSS calls a phone and is called by it, and so again when Liaison was killed and started again. The
    media goes between the two, because ours speaks no ICE and DTLS."""
    with House(profile=MD5 + '\nmedia = "bypass"') as sbc, \
         phone(sbc, "carol", "10.0.0.6", "udp", "answermode=auto;mediaenc=dtls_srtp;medianat=ice", "rtcp_mux yes", codecs="opus/48000/2,pcma") as carol, \
         Browser("web", server=f"wss://10.0.0.2:{PORTS['wss']}", page=PAGE, key_hash=sbc.key_hash(), password=PASSWORD) as web:
        carol.wait("REGISTER_OK")
        web.wait("registered")
        binding, = sbc.registered()["web"]
        # A browser has no address: its host does not exist, and it is reached on the flow that it opened (RFC 7118 §5, RFC 5626).
        assert re.fullmatch(r"sip:\w+@\w+\.invalid;transport=ws", binding["contact"]) and binding["reg_id"] == 1, binding
        conversations(sbc, carol, web)
        sent, received = web.messages("sent"), web.messages("received")
        # Its own call: INVITE, 200, ACK, BYE, 200.
        offer = [text for text in sent if text.startswith("INVITE sip:carol@example.com")][-1]
        assert "Authorization: Digest" in offer and "UDP/TLS/RTP/SAVPF" in offer and "a=fingerprint:" in offer, offer
        call = re.search(r"^Call-ID: (\S+)", offer, re.M)[1]
        of_call = lambda messages: [text for text in messages if f"Call-ID: {call}\r\n" in text]
        answer, _ = first(of_call(received), "SIP/2.0 200")
        assert "INVITE" in re.search(r"^CSeq: .*", answer, re.M)[0] and "a=fingerprint:" in answer, answer
        _, later = first(of_call(sent), offer[:20])
        later = [text for text in later if re.search(r"^CSeq: " + re.search(r"^CSeq: (\d+)", answer, re.M)[1] + " ACK", text, re.M)] and later
        assert later, of_call(sent)
        first(later, "BYE ")
        # Being called: the INVITE and the BYE came to it, on a connection that it opened.
        _, later = first(received, "INVITE sip:")
        first(first(later, "ACK ")[1], "BYE ")
        sbc.kill()
        sbc.start()
        # Its flow went with the connection; it opens another, and is there again.
        web.wait("disconnected")
        web.wait("registered")
        there(sbc, "carol", "web")
        conversations(sbc, carol, web)


def numberless():
    """A browser that does not know outbound is told so, unless the registrar takes it as it is: then it is called on its connection.
    Its host is never looked up."""
    without = [",gruu,outbound", ";reg-id=1"]
    for registrar, unsaid, lacking in (("", without, "outbound, gruu"), ("gruu = false", without, "outbound"),
                                       ('require_outbound = "none"', without, None)):
        with House(profile=MD5 + '\nmedia = "bypass"', registrar=registrar) as sbc, \
             phone(sbc, "carol", "10.0.0.6", "udp", "answermode=auto;mediaenc=dtls_srtp;medianat=ice", "rtcp_mux yes", codecs="opus/48000/2,pcma") as carol, \
             Browser("web", server=f"wss://10.0.0.2:{PORTS['wss']}", page=PAGE, key_hash=sbc.key_hash(), password=PASSWORD, unsaid=unsaid) as web:
            web.wait("registrationFailed" if lacking else "registered")
            asked, answer = web.messages("sent")[-1], web.messages("received")[-1]
            assert re.search(r"^Contact: <sip:\w+@\w+\.invalid;transport=ws>", asked, re.M) and "outbound" not in asked, asked
            if lacking:
                assert answer.startswith("SIP/2.0 421 ") and f"\r\nRequire: {lacking}\r\n" in answer, answer
                assert "web" not in sbc.registered(), sbc.registered()
            else:
                carol.wait("REGISTER_OK")
                assert sbc.registered()["web"][0]["reg_id"] is None, sbc.registered()
                conversations(sbc, carol, web)
            assert sbc.metrics()["liaison_locations_total"] == 0, sbc.metrics()


def conversations(sbc, carol, web):
    """A call each way; who called hangs up."""
    web.do("call", "sip:carol@example.com")
    web.wait("confirmed")
    carol.wait("CALL_ESTABLISHED")
    sbc.established(1)
    web.do("hangup")
    carol.wait("CALL_CLOSED")
    web.wait("ended")
    sbc.idle()
    carol.command("dial", "sip:web@example.com")
    web.wait("confirmed")
    carol.wait("CALL_ESTABLISHED")
    sbc.established(1)
    carol.command("hangup")
    web.wait("ended")
    sbc.idle()


run(phones, browser, numberless)
