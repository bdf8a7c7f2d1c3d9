#!/usr/bin/python3
"""ice.py CHECK - a telephone with ICE (baresip, a full agent) on one side and a plain one on the other: what each hears is judged."""
import here, os, re, socket
import liaison
from attacks import check
from baresip_ua import Baresip
from ear import Ear
from liaison import MEDIA, Liaison, run, until
from nat import Nat
from users import PASSWORD, TABLES, phone

# Both telephones have their media at the first address of the interface.
liaison.DOCUMENT = liaison.DOCUMENT.replace('from = ["10.0.0.4"]', 'from = ["10.0.0.4", "10.0.0.1"]')
ICE = "medianat=ice;"
OUTCOMES = "unauthorized", "malformed", "unknown", "conflict", "limited", "unexpected"


def stun(sbc, outcome):
    return sbc.metrics()[f'liaison_media_stun_total{{outcome="{outcome}"}}']


def sessions(sbc):
    """The ICE sessions of the one call, leg by leg."""
    call, = sbc.calls()
    return [stream["ice"] for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"] for stream in leg["streams"]]


def completed(sbc, leg, ip, ports):
    """That this leg alone has a session, and that it is completed with that address, one of those ports."""
    def done():
        of = sessions(sbc)
        return of[1 - leg] is None and of[leg] and of[leg]["state"] == "completed" and of[leg]
    session = until(lambda: f"a completed session of leg {leg}, but {sessions(sbc)}", done, 10)
    at, _, port = session["remote_address"].rpartition(":")
    assert at == ip and (ports is None or int(port) in ports) and session["checks"] > 0, session


def descriptions(phone, name):
    """The values of that attribute in what the telephone got."""
    return re.findall(rf"^a={name}:?(.*?)\r?$", phone.trace(), re.M)


def hear(caller):
    """The telephone with ICE calls the plain one, or is called by it."""
    with Liaison(profile='ice = "offer"') as sbc, \
         Baresip("alice", "10.0.0.1", tone=440, account=ICE + "answermode=auto") as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob:
        calling, called = (alice, "sip:bob@10.0.0.2") if caller == "ice" else (bob, "sip:alice@10.0.0.3")
        calling.command("dial", called)
        alice.wait("CALL_ESTABLISHED", 20)
        bob.wait("CALL_ESTABLISHED", 20)
        alice.listen(1000), bob.listen(440), at_alice.listen(1000), at_bob.listen(440)
        completed(sbc, 0 if caller == "ice" else 1, "10.0.0.1", alice.rtp_ports)
        for ear, ip in ((at_alice, "10.0.0.2"), (at_bob, "10.0.0.3")):
            assert ear.sent_to and all(to == ip and port in MEDIA for to, port in ear.sent_to), ear.sent_to
            assert ear.got_from and all(source == ip and port in MEDIA for source, port in ear.got_from), ear.got_from
        # Nothing of one side's ICE is seen on the other.
        trace = bob.trace()
        for secret in (*descriptions(alice, "ice-ufrag"), *descriptions(alice, "ice-pwd")):
            own = secret in descriptions(bob, "ice-ufrag") + descriptions(bob, "ice-pwd")
            assert not own, (secret, trace)
        assert stun(sbc, "answered") > 0 and not any(stun(sbc, of) for of in OUTCOMES), sbc.metrics()
        alice.command("hold")
        at_bob.quiet()
        alice.command("resume")
        at_alice.listen(1000), at_bob.listen(440)
        alice.command("hangup")
        bob.wait("CALL_CLOSED")
        sbc.idle()


def attack():
    """Somebody at another address who knows all but the password nominates, floods, and sends media: nothing of the call changes."""
    with Liaison() as sbc, \
         Baresip("alice", "10.0.0.1", tone=440, account=ICE) as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob, \
         socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mallory:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED", 20)
        at_alice.listen(1000), at_bob.listen(440)
        completed(sbc, 0, "10.0.0.1", alice.rtp_ports)
        ours = [ufrag for ufrag in descriptions(alice, "ice-ufrag") if len(ufrag) == 8]
        theirs = [ufrag for ufrag in descriptions(alice, "ice-ufrag") if ufrag not in ours]
        assert ours and theirs, alice.trace()
        (_, port), = {to for to in at_alice.sent_to if to[1] % 2 == 0}
        mallory.bind(("10.0.0.9", 0))
        for count in range(3000):
            for datagram in (check(f"{ours[-1]}:{theirs[-1]}", "a guess of 24 characters"), check("nobody:else", "x" * 24),
                             b"\x80\x08" + os.urandom(170), b"\x00", b"\x01\x01" + os.urandom(40)):
                mallory.sendto(datagram, ("10.0.0.2", port))
            if count % 500 == 0:
                at_alice.listen(1000), at_bob.listen(440)
        at_alice.listen(1000), at_bob.listen(440)
        completed(sbc, 0, "10.0.0.1", alice.rtp_ports)
        assert all(source == "10.0.0.2" for source, _ in at_alice.got_from), at_alice.got_from
        assert stun(sbc, "unauthorized") + stun(sbc, "limited") > 3000, sbc.metrics()
        call, = sbc.calls()
        stream, = sbc.get(f"/v1/calls/{call['id']}")["legs"][0]["streams"]
        assert stream["received"]["dropped_packets"] > 3000, stream
        alice.command("hangup")
        sbc.idle()


def behind(mapping):
    """The telephone with ICE is behind a NAT of that kind, and the network takes media from described addresses only: without ICE
    nobody would hear anything."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    liaison.DOCUMENT = liaison.DOCUMENT.replace('media = {{ address = "10.0.0.2",', 'media = {{ address = "10.0.0.2", latch = "sdp",')
    with Nat(mapping=mapping) as nat, Liaison(tables=TABLES, profile='ice = "offer"\ndigest = { algorithms = ["MD5"] }') as sbc:
        with nat.inside():
            dave = phone("dave", nat.INSIDE, 440, ICE + "answermode=auto")
        with dave, phone("carol", "10.0.0.6", 1000, "answermode=auto") as carol:
            for one in (carol, dave):
                one.wait("REGISTER_OK")
            for caller, user, leg in ((carol, "dave", 1), (dave, "carol", 0)):
                caller.command("dial", f"sip:{user}@example.com")
                for one in (carol, dave):
                    one.wait("CALL_ESTABLISHED", 20)
                carol.listen(440), dave.listen(1000)
                completed(sbc, leg, nat.OUTSIDE, None)
                caller.command("hangup")
                for one in (carol, dave):
                    one.wait("CALL_CLOSED")
                sbc.idle()


run(hear, attack, behind)
