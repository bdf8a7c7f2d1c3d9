#!/usr/bin/python3
"""srtp.py CHECK - telephones that keep their media secret hear others, which may keep it in another way or not at all."""
import here, re, socket, threading
import liaison
from baresip_ua import Baresip
from ear import Ear
from house import House, phone
from liaison import MEDIA, Liaison, run, until
from secret_ear import SecretEar
from wire import Wire, ends

# Trunk `a` is at 10.0.0.1, where secrets are kept, over UDP here: what is on the wire is to be seen.
SECRET = '[profiles.secret]\nsrtp = {{ mode = "{mode}", suites = {suites}, keys_in_clear = true }}\n'
PLAIN = 'srtp = { mode = "off" }'
EVERY = ["AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_256_CM_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80",
         "AES_256_CM_HMAC_SHA1_32", "AES_CM_128_HMAC_SHA1_32"]
liaison.DOCUMENT = liaison.DOCUMENT.replace("[trunks.a]\n", '[trunks.a]\nprofile = "secret"\n')


def sbc_with(suites=EVERY, mode="required", default=PLAIN, **more):
    """Liaison, with that for trunk `a`; `b` has plain RTP, or what it says by default."""
    tables = SECRET.format(mode=mode, suites=str(suites).replace("'", '"')) + more.pop("tables", "")
    return Liaison(profile=default, tables=tables, **more)


def secret(user="alice", ip="10.0.0.1", tone=440, encryption="srtp-mand", **more):
    return Baresip(user, ip, tone=tone, account=f"mediaenc={encryption};{more.pop('account', '')}", **more)


def plain(user="bob", ip="10.0.0.4", tone=1000, **more):
    return Baresip(user, ip, tone=tone, **more)


def keys(trace):
    """The suites and keys of all a=crypto lines of a trace, in order."""
    return re.findall(r"a=crypto:\d+ (\S+) inline:([A-Za-z0-9+/=]+)", trace)


def judge(sbc, suite, caller_is_secret=True):
    """That the API says how each leg is protected, and no key is told by it, or in the log."""
    call, = sbc.established(1)
    told = sbc.get(f"/v1/calls/{call['id']}")
    legs = [leg["streams"][0] for leg in told["legs"]]
    ours, theirs = legs if caller_is_secret else reversed(legs)
    assert (ours["srtp"], ours["protocol"]) == (suite, "RTP/SAVP"), legs
    assert (theirs["srtp"], theirs["protocol"]) == (None, "RTP/AVP"), legs
    for text in (str(told), sbc.logged()):
        assert "inline:" not in text, text
    return told


def recorded(sbc, suite):
    record, = sbc.records(1)
    assert {leg["streams"][0].get("srtp") for leg in record["legs"]} == {suite, None}, record
    assert all(leg["streams"][0]["packets"] > 50 for leg in record["legs"]), record


def calls(suite):
    """A telephone with that suite calls one with plain RTP: each hears the other."""
    with sbc_with([suite]) as sbc, secret() as alice, plain(account="answermode=auto") as bob, Ear(bob.rtp_ports) as at_bob:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        alice.listen(1000), bob.listen(440), at_bob.listen(440)
        assert "a=crypto" not in bob.trace() and "SAVP" not in bob.trace(), bob.trace()
        offered, answered = (keys(trace) for trace in (alice.trace().partition("SIP/2.0 200")[0], alice.trace().partition("SIP/2.0 200")[2]))
        assert answered[0][0] == suite and answered[0] not in offered, (offered, answered)
        judge(sbc, suite)
        alice.command("hangup")
        bob.wait("CALL_CLOSED")
        sbc.idle()
        recorded(sbc, suite)


def called(suite):
    """A telephone with plain RTP calls one with that suite: each hears the other."""
    with sbc_with([suite]) as sbc, secret(account="answermode=auto") as alice, plain() as bob:
        bob.command("dial", "sip:alice@10.0.0.3")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        alice.listen(1000), bob.listen(440)
        assert "a=crypto" not in bob.trace(), bob.trace()
        judge(sbc, suite, caller_is_secret=False)
        bob.command("hangup")
        alice.wait("CALL_CLOSED")
        sbc.idle()
        recorded(sbc, suite)


def opportunistic(who):
    """RFC 8643: who has keys gets them with an offer of plain RTP, and who has none hears plain RTP."""
    phones = {"knows": lambda: secret(encryption="srtp", account="answermode=auto"), "knows_not": lambda: secret(encryption="", account="answermode=auto")}
    with sbc_with(mode="opportunistic") as sbc, phones[who]() as alice, plain() as bob, Ear(alice.rtp_ports) as at_alice:
        bob.command("dial", "sip:alice@10.0.0.3")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        alice.listen(1000), bob.listen(440)
        invite = re.search(r"INVITE sip:.*?\r?\n\r?\n.*?(?=\r?\n\r?\n)", alice.trace(), re.S)
        assert invite and re.search(r"m=audio \d+ RTP/AVP ", invite[0]) and "a=crypto:1 " in invite[0], alice.trace()
        call, = sbc.established(1)
        suites = [leg["streams"][0]["srtp"] for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"]]
        if who == "knows_not":
            assert suites == [None, None], suites
            at_alice.listen(1000)


def holds():
    """Each holds and resumes: the keys stay, and so do the numbers of the packets."""
    suite = "AES_CM_128_HMAC_SHA1_80"
    with sbc_with([suite]) as sbc, secret() as alice, plain(account="answermode=auto") as bob, Ear(bob.rtp_ports) as at_bob:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        told = keys(alice.trace().partition("SIP/2.0 200")[2])[0]
        with SecretEar(alice.rtp_ports, told[1]) as at_alice:
            at_alice.listen(1000), at_bob.listen(440)
            for holder, ear in ((alice, at_alice), (bob, at_bob)):
                holder.command("hold")
                ear.quiet()
                holder.command("resume")
                at_alice.listen(1000), at_bob.listen(440)
        judge(sbc, suite)
        # Liaison's key is in all that it has told; each other one is the telephone's.
        assert len(set(keys(alice.trace()))) == 2 and keys(alice.trace()).count(told) >= 5, keys(alice.trace())
        # baresip sends an RTCP packet in the clear before it has keys.
        refused = {name: value for name, value in sbc.metrics().items() if "srtp_refused" in name and "malformed" not in name and value}
        assert not refused, refused


def beside(kind):
    """A telephone of a leg that leaves it open calls one of a leg that ends its keys: each has keys with Liaison, and none of the other's. Each
    holds and resumes, and both hear on."""
    suite, encryption = "AES_CM_128_HMAC_SHA1_80", {"sdes": "srtp-mand", "dtls": "dtls_srtp"}[kind]
    with sbc_with([suite], default=f'srtp = {{ keys_in_clear = true, suites = ["{suite}"] }}') as sbc, \
         secret("bob", "10.0.0.4", 1000, encryption) as bob, secret(account="answermode=auto") as alice, Ear(bob.rtp_ports) as at_bob:
        bob.command("dial", "sip:alice@10.0.0.3")
        bob.wait("CALL_ESTABLISHED"), alice.wait("CALL_ESTABLISHED")
        bob.listen(440), alice.listen(1000)
        def hears_bob():
            if kind == "sdes":
                told = keys(bob.trace().partition("SIP/2.0 200")[2])[0]
                with SecretEar(bob.rtp_ports, told[1]) as ear:
                    ear.listen(440)
        with SecretEar(alice.rtp_ports, keys(alice.trace())[0][1]) as at_alice:
            for holder, ear in ((bob, at_bob), (alice, at_alice)):
                holder.command("hold")
                ear.quiet()
                holder.command("resume")
                at_alice.listen(1000)
                hears_bob()
        secrets = [set(re.findall(r"inline:([A-Za-z0-9+/=]+)|a=fingerprint:\S+ (\S+)", one.trace())) for one in (bob, alice)]
        assert all(secrets) and not secrets[0] & secrets[1], secrets
        # Neither has ever been told of plain RTP: in no offer, and in no answer.
        assert not re.search(r"m=audio [1-9]\d* RTP/AVP", bob.trace() + alice.trace()), bob.trace()
        call, = sbc.established(1)
        legs = [leg["streams"][0] for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"]]
        assert all(leg["srtp"] not in (None, "end-to-end") for leg in legs), legs
        assert {leg["keying"] for leg in legs} == {kind, "sdes"}, legs


class Thief(Wire):
    """Keeps the packets that a phone has sent."""
    def __init__(self, ports):
        self.ports, self.stolen, self.to = ports, [], None
        self.news = threading.Condition()
        super().__init__()

    def take(self, packet):
        if packet[9] != socket.IPPROTO_UDP:
            return
        source, destination = ends(packet)
        if source[1] in self.ports and destination[1] in MEDIA and destination[1] % 2 == 0:
            with self.news:
                self.stolen.append(packet[(packet[0] & 15) * 4 + 8:])
                self.to = destination
                self.news.notify_all()

    def wait(self, count, timeout=10):
        with self.news:
            assert self.news.wait_for(lambda: len(self.stolen) >= count, timeout), len(self.stolen)
            return self.stolen[:count], self.to


def attacked():
    """Packets of somebody else never cross and never disturb: stolen ones again, with another tag, in the clear, and no RTP at all."""
    with sbc_with() as sbc, secret() as alice, plain(account="answermode=auto") as bob, Ear(bob.rtp_ports) as at_bob, \
         Thief(alice.rtp_ports) as thief, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as attacker:
        attacker.bind(("10.0.0.9", 4444))
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        at_bob.listen(440)
        stolen, to = thief.wait(50)
        for at, packet in enumerate(stolen):
            attacker.sendto(packet, to)                                             # replayed
            number = (int.from_bytes(packet[2:4], "big") + 2000) % 65536            # the tag is of another number
            attacker.sendto(packet[:2] + number.to_bytes(2, "big") + packet[4:], to)
            attacker.sendto(packet[:12] + b"\xd5" * 160, to)                        # in the clear
            attacker.sendto(b"\x00", to)
            attacker.sendto(bytes([at * 5]), to)                                    # some of these would be DTLS (RFC 7983)
        would_be_dtls = sum(20 <= at * 5 <= 63 for at in range(50))
        name = 'liaison_media_srtp_refused_total{{reason="{}"}}'.format
        def refused():
            metrics = sbc.metrics()
            reasons = [metrics[name(reason)] for reason in ("replayed", "unauthentic", "malformed")]
            return [*reasons, metrics["liaison_media_dtls_dropped_total"]]
        # What is in the clear has the number of a packet that was there: it is refused for that.
        until(lambda: f"250 refused, but {refused()}", lambda: sum(refused()) >= 250, 10)
        replayed, unauthentic, malformed, dtls = refused()
        assert (replayed, unauthentic, dtls) == (100, 50, would_be_dtls) and malformed >= 100 - would_be_dtls, refused()
        at_bob.listen(440), alice.listen(1000)
        assert {source[0] for source in at_bob.got_from} == {"10.0.0.3"}, at_bob.got_from
        call, = sbc.established(1)
        told = sbc.get(f"/v1/calls/{call['id']}")["legs"][0]["streams"][0]
        assert told["remote_address"].startswith("10.0.0.1:"), told
        assert told["received"]["replayed_packets"] == replayed and told["received"]["unauthentic_packets"] == unauthentic, told


def refused():
    """Who must keep secrets, and does not, is not heard: 488 with Warning 302."""
    with sbc_with() as sbc, plain("alice", "10.0.0.1") as alice, plain(account="answermode=auto") as bob:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_CLOSED")
        assert re.search(r"SIP/2.0 488 .*?\r?\nWarning: 302 ", alice.trace(), re.S), alice.trace()
        assert "INVITE" not in bob.trace()


def tls():
    """Over TLS keys may be told: two telephones of a house hear each other, each with keys of its own. Over UDP they may not."""
    with House(profile='srtp = { mode = "required" }\ndigest = { algorithms = ["MD5"] }') as sbc, \
         phone(sbc, "carol", "10.0.0.6", "tls", more="mediaenc=srtp-mand", tone=440) as carol, \
         phone(sbc, "dave", "10.0.0.7", "tls", more="mediaenc=srtp-mand;answermode=auto", tone=1000) as dave, \
         phone(sbc, "web", "10.0.0.8", "udp", more="mediaenc=srtp-mand", tone=700) as web:
        for one in (carol, dave, web):
            one.wait("REGISTER_OK")
        carol.command("dial", "sip:dave@example.com")
        carol.wait("CALL_ESTABLISHED"), dave.wait("CALL_ESTABLISHED")
        carol.listen(1000), dave.listen(440)
        told = [{key for _, key in keys(one.trace())} for one in (carol, dave)]
        assert not told[0] & told[1], told
        call, = sbc.established(1)
        suites = [leg["streams"][0]["srtp"] for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"]]
        assert all(suites), suites
        carol.command("hangup")
        dave.wait("CALL_CLOSED")
        sbc.idle()
        web.command("dial", "sip:dave@example.com")
        web.wait("CALL_CLOSED")
        assert re.search(r"SIP/2.0 488 .*?\r?\nWarning: 302 ", web.trace(), re.S), web.trace()


run(calls, called, opportunistic, holds, beside, attacked, refused, tls)
