#!/usr/bin/python3
"""attackers.py CHECK - somebody who has heard the packets of a call sends to its media ports whatever may do harm: nothing of it crosses, the call
goes on as if nothing were, and the counters tell."""
import here, collections, contextlib, re, socket, struct, threading, time
import liaison
from attacks import attacks, forge, hello, rtp, stun, tone
from ear import RATE
from liaison import MEDIA, run, until
from pairs import ACCOUNTS, KINDS, baresip_of, bob_of, sbc_with, streams, talk_on
from recording import Tape, heard, talk
from wire import Wire, ends

KINDS["both"] = 'srtp = { mode = "required", keying = ["dtls"] }\nice = "offer"'
ACCOUNTS["both"] = "mediaenc=dtls_srtp;medianat=ice;"
MALLORY = "10.0.0.9"
SEALED = ("sdes", "dtls", "both")


class Everything(Wire):
    """All datagrams from and to media ports, in order."""
    def __init__(self):
        self.all, self.news = [], threading.Condition()
        super().__init__()

    def take(self, packet):
        if packet[9] != socket.IPPROTO_UDP:
            return
        source, destination = ends(packet)
        head = (packet[0] & 15) * 4
        if source[1] in MEDIA or destination[1] in MEDIA:
            with self.news:
                self.all.append((source, destination, packet[head + 8:int.from_bytes(packet[2:4], "big")]))
                self.news.notify_all()

    def between(self, source=None, destination=None):
        """What went from an address to another, each with ports: (ip, ports)."""
        fits = lambda end, of: of is None or (end[0] == of[0] and end[1] in of[1])
        with self.news:
            everything = self.all[:]
        return [(a, b, packet) for a, b, packet in everything if fits(a, source) and fits(b, destination)]


def media(packets, rtcp=False):
    """The RTP in them, or the RTCP."""
    return [packet for _, _, packet in packets if len(packet) >= 12 and packet[0] >> 6 == 2 and (192 <= packet[1] <= 223) == rtcp]


def numbers(packets):
    """Source and number of each packet of RTP."""
    return [struct.unpack_from(">H4xI", packet, 2) for packet in packets]


class Leg:
    """One of the two: the telephone, where its media is, where ours is for it, and what it is called by there."""
    def __init__(self, phone, stream):
        self.stream, self.phone = stream, phone
        ip, _, port = stream["local_address"].rpartition(":")
        self.at, self.ours = (ip, int(port)), (ip, (int(port), int(port) + 1))
        ip, _, port = stream["remote_address"].rpartition(":")
        self.peer, self.its = (ip, int(port)), (ip, phone.rtp_ports)


def legs(sbc, alice, bob):
    """Alice's, then Bob's."""
    return [Leg(phone, stream) for phone, stream in zip((alice, bob), sorted(streams(sbc), key=lambda stream: stream["local_address"]))]


COUNTERS = re.compile(r'liaison_media_(stray_packets|srtp_refused|dtls_dropped|dtls_datagrams|unkeyed|stun)_total(?!.*"answered")')


def counted(sbc):
    """What was refused so far: of each leg, and of all by reason."""
    of_legs = [stream["received"]["dropped_packets"] for stream in sorted(streams(sbc), key=lambda stream: stream["local_address"])]
    return of_legs, {name: value for name, value in sbc.metrics().items() if COUNTERS.match(name)}


def refused(sbc, since):
    """The sums since then: dropped of either leg, STUN, DTLS."""
    (before, early), (after, late) = since, counted(sbc)
    more = lambda word: sum(value - early[name] for name, value in late.items() if word in name)
    return [b - a for a, b in zip(before, after)], more("stun"), more("dtls")


@contextlib.contextmanager
def a_call(kind):
    """Alice, protected in that way, and Bob, who is not, talk; what is heard is on tapes."""
    with sbc_with(kind) as sbc, Everything() as everything, bob_of() as bob, baresip_of(kind) as (alice, at_alice, learn), \
         Tape(bob.rtp_ports) as at_bob:
        yield sbc, everything, alice, bob, at_alice, at_bob, learn


def answer(sbc, alice, bob, at_alice, at_bob, learn):
    alice.wait("CALL_ESTABLISHED", 20), bob.wait("CALL_ESTABLISHED", 20)
    # Before it has keys, or where they are from, nothing is judged of what Alice gets.
    until("the keys", lambda: streams(sbc)[0]["srtp"] or kind_is_plain(sbc), 10)
    alice.listen(1000)
    learn()
    at_bob.listen(440), at_alice.listen(1000)


def kind_is_plain(sbc):
    return all(stream["keying"] is None for stream in streams(sbc))


def crossed(everything, here, there):
    """That what a telephone got is what the other one has sent, and all of that, each packet once and from our one address."""
    sent, got = everything.between(here.its, here.ours), everything.between(None, there.its)
    others = {source for source, destination, _ in got if source[0] != there.at[0] or source[1] not in there.ours[1]}
    assert not others, (others, there.ours)
    sent_numbers, got_numbers = numbers(media(sent)), numbers(media(got))
    twice = [number for number, count in collections.Counter(got_numbers).items() if count > 1]
    assert not twice, twice
    foreign = set(got_numbers) - set(sent_numbers)
    assert not foreign, foreign
    first, last = sent_numbers.index(got_numbers[0]), sent_numbers.index(got_numbers[-1])
    assert set(sent_numbers[first:last + 1]) == set(got_numbers), set(sent_numbers[first:last + 1]) - set(got_numbers)
    assert len(media(got, rtcp=True)) <= len(media(sent, rtcp=True)), (media(got, True), media(sent, True))


def undisturbed(sbc, kind, everything, both, at_alice, at_bob, hang_up):
    """The end of it: all that was heard is the tone of the other one."""
    alice, bob = both
    crossed(everything, alice, bob), crossed(everything, bob, alice)
    now = legs(sbc, alice.phone, bob.phone)
    for before, after in zip(both, now):
        for name in ("local_address", "remote_address", "srtp", "keying", "direction"):
            assert before.stream[name] == after.stream[name], (before.stream, after.stream)
    if kind == "both":
        assert now[0].stream["ice"]["state"] == "completed" and now[0].stream["dtls"]["state"] == "keyed", now[0].stream
    failures = {name: value for name, value in sbc.metrics().items() if "dtls_failures" in name and value}
    assert not failures, failures
    at_alice.listen(1000), at_bob.listen(440)
    hang_up()
    sbc.idle()
    talk(heard(at_bob.played(), RATE), 440, [None])
    talk(heard(at_alice.played(), RATE), 1000, [None])
    assert kind not in SEALED or not at_alice.forged, f"{len(at_alice.forged)} packets with none of the keys"


def ufrags(phone):
    """Ours and the telephone's, as both were told on the wire."""
    told = re.findall(r"^a=ice-ufrag:(.*?)\r?$", phone.trace(), re.M)
    ours = [ufrag for ufrag in told if len(ufrag) == 8]
    theirs = [ufrag for ufrag in told if len(ufrag) != 8]
    return (ours[-1], theirs[-1]) if told else ("ours", "theirs")


def elsewhere(kind):
    """Somebody at a third address sends everything to the ports of both legs."""
    with a_call(kind) as (sbc, everything, alice, bob, at_alice, at_bob, learn), \
         socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mallory:
        mallory.bind((MALLORY, 0))
        alice.command("dial", "sip:bob@10.0.0.2")
        answer(sbc, alice, bob, at_alice, at_bob, learn)
        both = legs(sbc, alice, bob)
        since, sent = counted(sbc), collections.Counter()
        for number, leg in enumerate(both):
            stolen = media(everything.between(leg.its, leg.ours))
            assert len(stolen) > 30, len(stolen)
            for count, (what, datagram) in enumerate(attacks(stolen[-30:], ufrags(leg.phone))):
                for port in leg.ours[1] if len(datagram) < 1000 else (leg.at[1],):
                    mallory.sendto(datagram, (leg.at[0], port))
                    sent[number, what] += 1
                if count % 16 == 0 or len(datagram) > 1000:
                    # As fast as they are taken: none may be lost before it is counted.
                    all_of_them(sbc, since, sent, kind)
        all_of_them(sbc, since, sent, kind)
        talk_on(at_bob, 1)
        assert told(sbc, since) == expected(sent, kind), (told(sbc, since), expected(sent, kind), sent)
        answers = everything.between(None, (MALLORY, range(1, 65536)))
        assert all(len(packet) < 100 and packet[4:8] == b"\x21\x12\xa4\x42" for _, _, packet in answers), answers
        assert (kind in ("ice", "both")) or not answers, answers
        undisturbed(sbc, kind, everything, both, at_alice, at_bob, lambda: alice.command("hangup"))


def expected(sent, kind):
    """How many are counted where, of what was sent to which leg: with ICE, DTLS, or neither, everything but STUN is from a wrong source; keys
    alone tell by themselves what is theirs."""
    drops = [sent[number, "media"] + (0 if number == 0 and kind == "sdes" else sent[number, "dtls"]) for number in (0, 1)]
    stun = sent[0, "stun"] + sent[1, "stun"] + sum(sent[number, "keepalive"] for number in (0, 1) if number or kind not in ("ice", "both"))
    return drops, stun, sent[0, "dtls"] if kind in SEALED else 0


def told(sbc, since):
    return refused(sbc, since)


def all_of_them(sbc, since, sent, kind):
    def counted():
        now, then = told(sbc, since), expected(sent, kind)
        return sum(now[0]) + now[1] + now[2] >= sum(then[0]) + then[1] + then[2]
    until(lambda: f"{expected(sent, kind)}, but {told(sbc, since)}", counted, 10, 0.01)


run(elsewhere)
