#!/usr/bin/python3
"""dtls.py CHECK - telephones and a browser with DTLS-SRTP hear others, whose media is protected in another way or not at all."""
import here, re
import liaison
from baresip_ua import Baresip
from browser_ua import Browser
from ear import Ear
from house import PAGE, PASSWORD, PORTS, House, phone
from liaison import Liaison, run, until

# Trunk `a` is at 10.0.0.1, where there is DTLS, over UDP here: what is on the wire is to be seen.
DTLS = '[profiles.handshake]\nsrtp = { mode = "required", keying = ["dtls"] }\n'
SDES = 'srtp = { mode = "required", keying = ["sdes"], keys_in_clear = true }'
PLAIN = 'srtp = { mode = "off" }'
liaison.DOCUMENT = liaison.DOCUMENT.replace("[trunks.a]\n", '[trunks.a]\nprofile = "handshake"\n')
MD5 = 'digest = { algorithms = ["MD5"] }'


def sbc_with(profile=PLAIN):
    return Liaison(profile=profile, tables=DTLS)


def handshaker(**more):
    return Baresip("alice", "10.0.0.1", tone=440, account="mediaenc=dtls_srtp;answermode=auto", **more)


def plain(encryption=""):
    return Baresip("bob", "10.0.0.4", tone=1000, account=f"mediaenc={encryption};answermode=auto" if encryption else "answermode=auto")


def attributes(trace, name):
    return re.findall(rf"^a={name}:(.*?)\r?$", trace, re.M)


def guarded(sbc):
    """What the API says of each leg's protection: the protocol, where the keys come from, the suite."""
    call, = sbc.established(1)
    told = sbc.get(f"/v1/calls/{call['id']}")
    return [(stream["protocol"], stream["keying"], stream["srtp"]) for leg in told["legs"] for stream in leg["streams"]]


def pair(caller, profile, encryption, others):
    """The two hear each other whoever calls, and when either has held and resumed."""
    with sbc_with(profile) as sbc, handshaker() as alice, plain(encryption) as bob, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob:
        calling, called = (alice, "sip:bob@10.0.0.2") if caller == "dtls" else (bob, "sip:alice@10.0.0.3")
        calling.command("dial", called)
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        alice.listen(1000), bob.listen(440)
        legs = guarded(sbc)
        ours, theirs = legs if caller == "dtls" else reversed(legs)
        assert ours[0].startswith("UDP/TLS/RTP/SAVP") and ours[1] == "dtls" and ours[2], legs
        assert theirs[0] == others[0] and theirs[1] == others[1], legs
        # Nothing of a handshake is said on the other leg, and who begins it is said on this one.
        for name in ("fingerprint", "setup", "tls-id"):
            assert not attributes(bob.trace(), name), bob.trace()
        assert set(attributes(alice.trace(), "setup")) & {"active", "passive"}, alice.trace()
        prints = set(attributes(alice.trace(), "fingerprint"))
        for holder, ear in ((alice, at_alice), (bob, at_bob)):
            holder.command("hold")
            ear.quiet()
            holder.command("resume")
            if not encryption:
                at_bob.listen(440)
        assert set(attributes(alice.trace(), "fingerprint")) == prints, alice.trace()
        assert guarded(sbc)[0 if caller == "dtls" else 1][2], guarded(sbc)
        alice.command("hangup")
        bob.wait("CALL_CLOSED")
        sbc.idle()
        record, = sbc.records(1)
        assert {leg["streams"][0].get("keying") for leg in record["legs"]} == {"dtls", others[1]}, record
        assert all(leg["streams"][0]["packets"] > 50 for leg in record["legs"]), record


def to_plain(caller):
    pair(caller, PLAIN, "", ("RTP/AVP", None))


def to_sdes(caller):
    pair(caller, SDES, "srtp-mand", ("RTP/SAVP", "sdes"))


def web(sbc, **more):
    return Browser("web", server=f"wss://10.0.0.2:{PORTS['wss']}", page=PAGE, key_hash=sbc.key_hash(), password=PASSWORD, tone=440, **more)


def carol_of(sbc):
    return phone(sbc, "carol", "10.0.0.6", "udp", "answermode=auto", tone=1000)


def bodies(messages, start):
    return [text.partition("\r\n\r\n")[2] for text in messages if text.startswith(start) and "\r\n\r\nv=0" in text]


def browser():
    """A browser and a telephone that knows nothing but RTP/AVP, in a house that says nothing of SRTP: each calls, each hears."""
    with House(profile=MD5) as sbc, carol_of(sbc) as carol, web(sbc) as browser, Ear(carol.rtp_ports) as at_carol:
        carol.wait("REGISTER_OK"), browser.wait("registered")
        browser.do("call", "sip:carol@example.com")
        browser.wait("confirmed"), carol.wait("CALL_ESTABLISHED")
        browser.listen(1000), carol.listen(440), at_carol.listen(440)
        first, second = guarded(sbc)
        assert first[:2] == ("UDP/TLS/RTP/SAVPF", "dtls") and first[2] and second == ("RTP/AVP", None, None), (first, second)
        answer, = bodies(browser.messages("received"), "SIP/2.0 200")
        for line in (r"a=group:BUNDLE 0", r"a=mid:0", r"a=setup:active", r"a=rtcp-mux", r"a=ice-lite", r"m=audio \d+ UDP/TLS/RTP/SAVPF 8.*"):
            assert re.search(rf"^{line}\r$", answer, re.M), answer
        offer = re.search(r"INVITE sip:.*?\r?\n\r?\n.*?(?=\r?\n\r?\n)", carol.trace(), re.S)[0]
        assert re.search(r"^m=audio \d+ RTP/AVP ", offer, re.M), offer
        for name in ("fingerprint", "setup", "tls-id", "candidate", "ice-", "rtcp-fb", "rtcp-rsize", "group"):
            assert f"a={name}" not in offer, offer
        browser.do("hold")
        browser.wait("held")
        browser.quiet()
        browser.do("resume")
        browser.wait("resumed")
        browser.listen(1000), at_carol.listen(440)
        carol.command("hold")
        at_carol.quiet()
        carol.command("resume")
        browser.listen(1000), at_carol.listen(440)
        browser.do("hangup")
        carol.wait("CALL_CLOSED"), browser.wait("ended")
        sbc.idle()
        carol.command("dial", "sip:web@example.com")
        carol.wait("CALL_ESTABLISHED"), browser.wait("confirmed")
        browser.listen(1000), at_carol.listen(440)
        *_, offer = bodies(browser.messages("received"), "INVITE")
        for line in (r"m=audio \d+ UDP/TLS/RTP/SAVPF 8.*", "a=setup:actpass", "a=rtcp-mux", "a=ice-lite", "a=group:BUNDLE 0", r"a=tls-id:\S{32}"):
            assert re.search(rf"^{line}\r$", offer, re.M), offer
        carol.command("hangup")
        carol.wait("CALL_CLOSED"), browser.wait("ended")
        sbc.idle()


def version_of(sbc):
    """The version and the cipher suite of the one handshake of a call."""
    call, = sbc.established(1)
    told = [stream["dtls"] for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"] for stream in leg["streams"] if stream["dtls"]]
    (dtls,) = told
    assert dtls["state"] == "keyed", dtls
    return dtls["version"], dtls["cipher"]


def newest():
    """With 1.3 a browser has that, whoever calls and so whoever begins."""
    with House(profile=MD5 + '\nsrtp = { dtls = "1.3" }') as sbc, carol_of(sbc) as carol, web(sbc) as browser, Ear(carol.rtp_ports) as at_carol:
        carol.wait("REGISTER_OK"), browser.wait("registered")
        for calls in (True, False):
            browser.do("call", "sip:carol@example.com") if calls else carol.command("dial", "sip:web@example.com")
            browser.wait("confirmed"), carol.wait("CALL_ESTABLISHED")
            browser.listen(1000), at_carol.listen(440)
            version, cipher = version_of(sbc)
            assert version == "DTLS 1.3" and cipher.startswith("TLS_AES_"), (version, cipher)
            browser.do("hangup") if calls else carol.command("hangup")
            carol.wait("CALL_CLOSED"), browser.wait("ended")
            sbc.idle()


def older(caller):
    """A telephone whose OpenSSL has no 1.3 has 1.2 with us, who would speak 1.3."""
    tables = DTLS.replace('keying = ["dtls"]', 'keying = ["dtls"], dtls = "1.3"')
    with Liaison(profile=PLAIN, tables=tables) as sbc, handshaker() as alice, plain() as bob:
        calling, called = (alice, "sip:bob@10.0.0.2") if caller == "dtls" else (bob, "sip:alice@10.0.0.3")
        calling.command("dial", called)
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        alice.listen(1000), bob.listen(440)
        version, cipher = version_of(sbc)
        assert version == "DTLS 1.2" and cipher.startswith("TLS_ECDHE_"), (version, cipher)
        alice.command("hangup")
        bob.wait("CALL_CLOSED")
        sbc.idle()


def web_transferred():
    """A browser that talks with a telephone is transferred to another one, and hears that, and is heard; then it makes its ICE anew."""
    with House(users=("carol", "erin", "web"), profile=MD5 + '\nrefer = "handle"') as sbc, carol_of(sbc) as carol, \
         phone(sbc, "erin", "10.0.0.7", "udp", "answermode=auto", tone=1500) as erin, web(sbc) as browser, \
         Ear(carol.rtp_ports) as at_carol, Ear(erin.rtp_ports) as at_erin:
        carol.wait("REGISTER_OK"), erin.wait("REGISTER_OK"), browser.wait("registered")
        browser.do("call", "sip:carol@example.com")
        browser.wait("confirmed"), carol.wait("CALL_ESTABLISHED")
        browser.listen(1000), at_carol.listen(440)
        first, _ = guarded(sbc)
        carol.command("transfer", "sip:erin@example.com")
        erin.wait("CALL_ESTABLISHED"), carol.wait("CALL_CLOSED")
        browser.listen(1500), at_erin.listen(440)
        assert first in guarded(sbc) and ("RTP/AVP", None, None) in guarded(sbc), guarded(sbc)
        before = set(re.findall(r"^a=ice-ufrag:(.*?)\r?$", "\n".join(browser.messages("sent")), re.M))
        browser.do("restart")
        browser.wait("restarted")
        after = set(re.findall(r"^a=ice-ufrag:(.*?)\r?$", "\n".join(browser.messages("sent")), re.M))
        assert len(before) == 1 and len(after) == 2, (before, after)
        browser.listen(1500), at_erin.listen(440)
        assert first in guarded(sbc), guarded(sbc)
        browser.do("hold")
        browser.wait("held")
        browser.quiet()
        browser.do("resume")
        browser.wait("resumed")
        browser.listen(1500), at_erin.listen(440)
        erin.command("hangup")
        browser.wait("ended")
        sbc.idle()


def forged():
    """A browser whose certificate is not the one that its description has the fingerprint of is heard by nobody, and hears nobody."""
    with House(profile=MD5) as sbc, carol_of(sbc) as carol, web(sbc, forged=True) as browser, Ear(carol.rtp_ports) as at_carol:
        carol.wait("REGISTER_OK"), browser.wait("registered")
        browser.do("call", "sip:carol@example.com")
        browser.wait("confirmed"), carol.wait("CALL_ESTABLISHED")
        name = 'liaison_media_dtls_failures_total{reason="fingerprint"}'
        until(lambda: f"a failure of the fingerprint, but {sbc.metrics()}", lambda: sbc.metrics().get(name, 0) > 0, 20)
        assert browser.hear()["received"] == 0, browser.hear()
        assert not at_carol.got_from, at_carol.got_from
        assert guarded(sbc)[0] == ("UDP/TLS/RTP/SAVPF", "dtls", None), guarded(sbc)


run(to_plain, to_sdes, browser, newest, older, web_transferred, forged)
