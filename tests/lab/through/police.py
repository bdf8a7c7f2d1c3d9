#!/usr/bin/python3
"""police.py CHECK - somebody at the address of a telephone sends what was not negotiated, and the marks of what arrives: nothing of it crosses, it is
counted, and what the telephones themselves send goes through whole."""
import here, os, threading
import liaison
from attacks import forge, rtp, tone
from baresip_ua import Baresip
from ear import Ear, rtp_of
from liaison import Liaison, run, until
from linphone import Linphone
from wire import Wire

liaison.DOCUMENT = liaison.DOCUMENT.replace("[trunks.a]\n", '[trunks.a]\nprofile = "near"\n').replace(
    'media = {{ address = "10.0.0.2", ports = "30000-39999" }}', 'media = {{ address = "10.0.0.2", ports = "30000-39999", dscp = "AF41" }}').replace(
    'media = {{ address = "10.0.0.3", ports = "30000-39999" }}', 'media = {{ address = "10.0.0.3", ports = "30000-39999", dscp = "EF" }}')
EF, AF41 = 46 << 2, 34 << 2


class Packets(Wire):
    """All RTP and RTCP, each with the octet of IP that has DSCP and ECN."""
    def __init__(self):
        self.all, self.lock = [], threading.Lock()
        super().__init__()

    def take(self, packet):
        seen = rtp_of(packet)
        if seen:
            with self.lock:
                self.all.append((*seen, packet[1]))

    def to(self, phone, rtcp=None):
        """What a telephone got: packet and mark."""
        with self.lock:
            all = [(packet, mark) for _, (_, port), packet, mark in self.all if port in phone.rtp_ports]
        return [(packet, mark) for packet, mark in all if rtcp is None or (192 <= packet[1] <= 223) == rtcp]

    def of(self, at):
        """What came from there: RTP."""
        with self.lock:
            return [packet for source, _, packet, _ in self.all if source == at and not 192 <= packet[1] <= 223]


def sbc_with(near=""):
    return Liaison(tables=f"[profiles.near]\n{near}\n")


def address(text):
    ip, _, port = text.rpartition(":")
    return ip, int(port)


def streams(sbc):
    told, = sbc.established(1)
    return [leg["streams"][0] for leg in sbc.get(f"/v1/calls/{told['id']}")["legs"]]


def policed(sbc):
    metrics = sbc.metrics()
    return tuple(int(metrics[f'liaison_media_policed_total{{reason="{reason}"}}']) for reason in ("payload_type", "rate"))


def begin(alice, bob):
    alice.command("dial", "sip:bob@10.0.0.2")
    alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
    alice.listen(1000), bob.listen(440)


def two():
    return Baresip("alice", "10.0.0.1"), Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto")


def payload_types():
    """Payload types that nobody has described, in her name: Bob gets none of them; all media is marked as the networks say."""
    alice, bob = two()
    with sbc_with() as sbc, alice, bob, Packets() as wire:
        begin(alice, bob)
        assert policed(sbc) == (0, 0)
        her = streams(sbc)[0]
        peer, ours = address(her["remote_address"]), address(her["local_address"])
        stolen = until("her packets", lambda: wire.of(peer)[-1:], 5)[0]
        types = [kind for kind in range(128) if kind not in (0, 8, 9, 13, 101) and not 64 <= kind <= 95]
        for number, kind in enumerate(types):
            forge(peer, ours, tone(rtp(stolen, 500 + number, payload_type=kind)))
            if number % 20 == 0:
                until("them", lambda: streams(sbc)[0]["received"]["unnegotiated_packets"] == number + 1, 5)
        told = until("all of them", lambda: (s := streams(sbc)[0]["received"])["unnegotiated_packets"] == len(types) and s, 5)
        assert told["excess_packets"] == 0 and told["dropped_packets"] >= len(types), told
        assert policed(sbc) == (len(types), 0)
        alice.listen(1000), bob.listen(440)
        until("RTCP", lambda: wire.to(alice, True) and wire.to(bob, True), 20)
        alice.command("hangup")
        sbc.idle()
        kinds = {packet[1] & 127 for packet, _ in wire.to(bob, False)}
        assert kinds <= {8, 101}, kinds
        marks = {mark for _, mark in wire.to(bob)}, {mark for _, mark in wire.to(alice)}
        assert marks == ({EF}, {AF41}), marks
        record, = sbc.records(1)
        assert [leg["streams"][0].get("unnegotiated") for leg in record["legs"]] == [len(types), None], record


def flood(sbc, wire, until_met):
    """Packets in her name, much more than G.711 is, until that is met."""
    her = streams(sbc)[0]
    peer, ours = address(her["remote_address"]), address(her["local_address"])
    stolen = until("her packets", lambda: wire.of(peer)[-1:], 5)[0]
    sent = 0

    def burst():
        nonlocal sent
        for number in range(100):
            forge(peer, ours, rtp(stolen, 1000 + sent) + os.urandom(1200))
            sent += 1
        return until_met()
    until("that", burst, 20, every=0.01)
    return sent


def rate():
    """More than was negotiated, in her name: Bob gets as much of it as may come at once, and the call goes on."""
    alice, bob = two()
    with sbc_with() as sbc, alice, bob, Packets() as wire:
        begin(alice, bob)
        sent = flood(sbc, wire, lambda: streams(sbc)[0]["received"]["excess_packets"] >= 500)
        crossed = sum(len(packet) > 1000 for packet, _ in wire.to(bob, False))
        # 224 kbit/s, for so long as that took and five seconds more.
        assert 0 < crossed <= 25 * 28_000 / 1200 < sent, (crossed, sent)
        assert policed(sbc)[0] == 0 and policed(sbc)[1] >= 500
        assert len(sbc.established(1)) == 1
        alice.command("hangup")
        sbc.idle()
        record, = sbc.records(1)
        assert record["legs"][0]["streams"][0]["excess"] >= 500, record


def ended():
    """The same where a profile says that it ends the call: both get a BYE that says why."""
    alice, bob = two()
    with sbc_with('police = { rate = "end" }') as sbc, alice, bob, Packets() as wire:
        begin(alice, bob)
        flood(sbc, wire, lambda: not [call for call in sbc.calls() if call["state"] == "established"] or streams_excess(sbc))
        alice.wait("CALL_CLOSED"), bob.wait("CALL_CLOSED")
        sbc.idle()
        record, = sbc.records(1)
        assert record["cause"] == "media rate", record
        assert sbc.metrics()['liaison_calls_stopped_total{limit="media_rate"}'] == 1
        for phone in (alice, bob):
            assert 'Reason: SIP;cause=480;text="Media rate"' in phone.trace(), phone.trace()[-2000:]


def streams_excess(sbc):
    return any(leg["streams"] and leg["streams"][0]["received"] and leg["streams"][0]["received"]["excess_packets"]
               for call in sbc.calls() for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"])


def innocent():
    """linphonec and baresip talk, hold, resume and press keys: nothing of that is dropped."""
    bob = Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto")
    with sbc_with() as sbc, bob, \
         Linphone("alice", "10.0.0.1", domain="10.0.0.2", proxy="10.0.0.2:5060", transport="udp", password="x", root="") as alice, Ear(bob.rtp_ports) as at_bob:
        alice.files(440)
        alice.say("call sip:bob@10.0.0.2")
        bob.wait("CALL_ESTABLISHED"), alice.wait("Media streams established")
        at_bob.listen(440)
        for key in "159#":
            alice.say(key)
        at_bob.listen(440)
        alice.say("pause")
        alice.wait("paused")
        alice.say("resume")
        alice.wait("Media streams established")
        at_bob.listen(440)
        bob.command("hold")
        at_bob.quiet()
        bob.command("resume")
        at_bob.listen(440)
        assert policed(sbc) == (0, 0), streams(sbc)
        bob.command("hangup")
        sbc.idle()
        assert policed(sbc) == (0, 0)


def copied():
    """Alice marks what she sends, as EF and ECN-capable: Bob gets that where it is copied, and she gets nothing of his that has no marks but the DSCP
    of her network."""
    liaison.DOCUMENT = liaison.DOCUMENT.replace('dscp = "EF"', 'dscp = "copy", ecn = true')
    alice = Baresip("alice", "10.0.0.1", config=f"rtp_tos {EF | 2}")
    bob = Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto", config="rtp_tos 0")
    with sbc_with() as sbc, alice, bob, Packets() as wire:
        begin(alice, bob)
        until("RTCP", lambda: wire.to(alice, True) and wire.to(bob, True), 20)
        alice.command("hangup")
        sbc.idle()
        marks = [{mark for _, mark in wire.to(phone, False)} for phone in (bob, alice)]
        assert marks == [{EF | 2}, {AF41}], marks


def sources():
    """Somebody who cannot see her stream sends into it, by names that are none of its: of many at once Bob hears a few, and of her all; where nothing is
    said of it they are counted only."""
    for near in ('police = { sources = "drop" }', ""):
        alice, bob = two()
        with sbc_with(near) as sbc, alice, bob, Packets() as wire:
            begin(alice, bob)
            her = streams(sbc)[0]
            peer, ours = address(her["remote_address"]), address(her["local_address"])
            stolen = until("her packets", lambda: wire.of(peer)[-1:], 5)[0]
            own = stolen[8:12]
            for number in range(200):
                forge(peer, ours, tone(rtp(stolen, number, ssrc=0x5EED0000 + number)))
            told = until("all of them", lambda: (s := streams(sbc)[0]["received"])["foreign_packets"] >= 190 and s, 5)
            alice.listen(1000), bob.listen(440)
            crossed = {packet[8:12] for packet, _ in wire.to(bob, False)} - {own}
            dropped = sbc.metrics()['liaison_media_policed_total{reason="source"}']
            if near:
                assert len(crossed) <= 8 and dropped == told["foreign_packets"], (len(crossed), told)
            else:
                assert len(crossed) == 200 and dropped == 0, (len(crossed), told)
            alice.command("hangup")
            sbc.idle()
            record, = sbc.records(1)
            assert record["legs"][0]["streams"][0]["foreign"] >= 190, record


run(payload_types, sources, rate, ended, innocent, copied)
