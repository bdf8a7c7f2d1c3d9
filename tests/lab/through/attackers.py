#!/usr/bin/python3
"""attackers.py CHECK - somebody who has heard the packets of a call sends to its media ports whatever may do harm: nothing of it crosses, the call
goes on as if nothing were, and the counters tell."""
import here, collections, contextlib, re, socket, struct, threading, time
import home, liaison
from attacks import MALLORY, attacks, check, forge, goodbye, hello, tone
from ear import RATE
from liaison import MEDIA, run, until
from pairs import ACCOUNTS, KINDS, baresip_of, bob_of, by, sbc_with, streams, talk_on
from recording import Tape, heard, talk
from wire import Wire, ends

KINDS["both"] = 'srtp = { mode = "required", keying = ["dtls"] }\nice = "offer"'
ACCOUNTS["both"] = "mediaenc=dtls_srtp;medianat=ice;"
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
        """What went from an address to another, each with ports: (ip, ports), where None is any."""
        fits = lambda end, of: of is None or (of[0] in (None, end[0]) and end[1] in of[1])
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
    """One of the two: the telephone, where its media is, and where ours is for it. A browser has a port of the system's choice at every address."""
    EPHEMERAL = range(32768, 65536)

    def __init__(self, phone, stream):
        self.stream, self.phone = stream, phone
        ip, _, port = stream["local_address"].rpartition(":")
        self.at, self.ours = (ip, int(port)), (ip, (int(port), int(port) + 1))
        ip, _, port = stream["remote_address"].rpartition(":")
        self.peer, self.its = (ip, int(port)), (ip, phone.rtp_ports) if hasattr(phone, "rtp_ports") else (None, self.EPHEMERAL)


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
def a_call(kind, named=False):
    """Alice, protected in that way, and Bob, who is not, talk; what is heard is on tapes. named: somebody sends in Alice's name."""
    with sbc_with(kind) as sbc, Everything() as everything, bob_of() as bob, baresip_of(kind, speaker=by(bob)) as (alice, at_alice, learn), \
         Tape(bob.rtp_ports, None if named else by(alice)) as at_bob:
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


def crossed(everything, here, there, false=()):
    """That what a telephone got is what the other one has sent, without what is false of that, and all of it, each packet once and from our one
    address."""
    got = everything.between(None, there.its)
    sent = [one for one in everything.between(here.its, here.ours) if one[2] not in false]
    others = {source for source, _, _ in got if source[0] != there.at[0] or source[1] not in there.ours[1]}
    assert not others, (others, there.ours)
    sent_numbers, got_numbers = numbers(media(sent)), numbers(media(got))
    twice = [number for number, count in collections.Counter(got_numbers).items() if count > 1]
    assert not twice, twice
    foreign = set(got_numbers) - set(sent_numbers)
    assert not foreign, foreign
    first, last = sent_numbers.index(got_numbers[0]), sent_numbers.index(got_numbers[-1])
    assert set(sent_numbers[first:last + 1]) == set(got_numbers), set(sent_numbers[first:last + 1]) - set(got_numbers)
    assert len(media(got, rtcp=True)) <= len(media(sent, rtcp=True)), (media(got, True), media(sent, True))


def undisturbed(sbc, kind, everything, both, at_alice, at_bob, false=()):
    """That all which was heard, until Alice hangs up now, is the tone of the other one."""
    alice, bob = both
    unmoved(sbc, kind, everything, both, false)
    at_alice.listen(1000), at_bob.listen(440)
    alice.phone.command("hangup")
    sbc.idle()
    talk(heard(at_bob.played(), RATE), 440, [None])
    talk(heard(at_alice.played(), RATE), 1000, [None])
    assert kind not in SEALED or not at_alice.forged, f"{len(at_alice.forged)} packets with none of the keys"


def unmoved(sbc, kind, everything, both, false=()):
    """That each has got what the other one has sent, and that nothing of the call has changed."""
    alice, bob = both
    crossed(everything, alice, bob, false), crossed(everything, bob, alice)
    now = legs(sbc, alice.phone, bob.phone)
    for before, after in zip(both, now):
        for name in ("local_address", "remote_address", "srtp", "keying", "direction"):
            assert before.stream[name] == after.stream[name], (before.stream, after.stream)
    if kind == "both":
        assert now[0].stream["ice"]["state"] == "completed" and now[0].stream["dtls"]["state"] == "keyed", now[0].stream
    failures = {name: value for name, value in sbc.metrics().items() if "dtls_failures" in name and value}
    assert not failures, failures


def ufrags(phone):
    """Ours and the telephone's, as both were told."""
    told = re.findall(r"^a=ice-ufrag:(.*?)\r?$", phone.trace(), re.M)
    ours = [ufrag for ufrag in told if len(ufrag) == 8]
    theirs = [ufrag for ufrag in told if len(ufrag) != 8]
    return (ours[-1], theirs[-1]) if told else ("ours", "theirs")


def elsewhere(kind):
    """Somebody at a third address sends everything to the ports of both legs."""
    with a_call(kind) as (sbc, everything, alice, bob, at_alice, at_bob, learn):
        alice.command("dial", "sip:bob@10.0.0.2")
        answer(sbc, alice, bob, at_alice, at_bob, learn)
        both = legs(sbc, alice, bob)
        attack(sbc, kind, everything, both)
        talk_on(at_bob, 1)
        undisturbed(sbc, kind, everything, both, at_alice, at_bob)


def browser():
    """The same where Alice has a browser, with all at one port."""
    with home.house() as sbc, Everything() as everything, home.trunk_phone("bob", "10.0.0.4", 1000) as bob, home.web_of(sbc) as web, \
         home.tape_at(bob) as at_bob:
        home.begin(web, bob, "web")
        web.listen(1000), at_bob.listen(440)
        both = legs(sbc, web, bob)
        attack(sbc, "both", everything, both)
        talk_on(at_bob, 1)
        web.listen(1000), at_bob.listen(440)
        unmoved(sbc, "both", everything, both)
        kept = web.recorded()
        web.do("hangup")
        bob.wait("CALL_CLOSED")
        sbc.idle()
        talk(heard(at_bob.played(), RATE), 440, [None])
        talk(heard(*kept, home.HIDDEN), 1000, [None])


def stolen_from(everything, leg):
    """The newest packets of RTP that its telephone has sent."""
    return until("packets", lambda: len(sent := media(everything.between(leg.its, leg.ours))) >= 30 and sent[-30:], 10)


def attack(sbc, kind, everything, both):
    """Sends it, and judges what was counted of it, and what came back."""
    since, sent = counted(sbc), collections.Counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mallory:
        mallory.bind(MALLORY)
        for number, leg in enumerate(both):
            stolen = stolen_from(everything, leg)
            for count, (what, datagram) in enumerate(attacks(stolen, ufrags(leg.phone))):
                for port in leg.ours[1] if len(datagram) < 1000 else (leg.at[1],):
                    mallory.sendto(datagram, (leg.at[0], port))
                    sent[number, what] += 1
                if count % 16 == 0 or len(datagram) > 1000:
                    # As fast as they are taken: none may be lost before it is counted.
                    all_of_them(sbc, since, sent, kind)
        all_of_them(sbc, since, sent, kind)
        assert refused(sbc, since) == expected(sent, kind), (refused(sbc, since), expected(sent, kind), sent)
        answers = everything.between(None, (MALLORY[0], MALLORY[1:]))
    assert all(len(packet) < 100 and packet[4:8] == b"\x21\x12\xa4\x42" for _, _, packet in answers), answers
    assert kind in ("ice", "both") or not answers, answers


def expected(sent, kind):
    """How many are counted where, of what was sent to which leg: with ICE, DTLS, or neither, everything but STUN is from a wrong source; keys
    alone tell by themselves what is theirs."""
    drops = [sent[number, "media"] + (0 if number == 0 and kind == "sdes" else sent[number, "dtls"]) for number in (0, 1)]
    stun = sent[0, "stun"] + sent[1, "stun"] + sum(sent[number, "keepalive"] for number in (0, 1) if number or kind not in ("ice", "both"))
    return drops, stun, sent[0, "dtls"] if kind in SEALED else 0


def all_of_them(sbc, since, sent, kind):
    def counted():
        now, then = refused(sbc, since), expected(sent, kind)
        return sum(now[0]) + now[1] + now[2] >= sum(then[0]) + then[1] + then[2]
    until(lambda: f"{expected(sent, kind)}, but {refused(sbc, since)}", counted, 10, 0.01)


class Racer(Wire):
    """Somebody at a third address who has guessed the ports of the next call, and sends to them all the time, before anybody else does; from our
    descriptions, which are in the clear, they learn the username fragments."""
    def __init__(self):
        self.targets = {(ip, MEDIA[0] + port): "nobody" for ip in ("10.0.0.2", "10.0.0.3") for port in (0, 2, 4)}
        self.sent, self.over = 0, threading.Event()
        self.socket_of_mallory = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket_of_mallory.bind(MALLORY)
        self.sender = threading.Thread(target=self.send, daemon=True)
        super().__init__()
        self.sender.start()

    def take(self, packet):
        if packet[9] != socket.IPPROTO_UDP or ends(packet)[0][1] != 5060:
            return
        text = packet.decode("utf-8", "replace")
        found = re.search(r"^c=IN IP4 (10\.0\.0\.[23])\r$.*?^m=audio (\d+)", text, re.M | re.S)
        if found and int(found[2]) in MEDIA:
            ufrag = re.search(r"^a=ice-ufrag:(\S+)", text, re.M)
            self.targets[found[1], int(found[2])] = ufrag[1] if ufrag else "nobody"

    def send(self):
        number = 0
        while not self.over.wait(0.01):
            number += 1
            head = struct.pack(">BBHII", 0x80, 8, number & 0xFFFF, 160 * number, 0x4D414C4C)
            for (ip, port), ufrag in list(self.targets.items()):
                for datagram in (tone(head), hello(), check(f"{ufrag}:else", "a guess of 24 characters"), goodbye(0x4D414C4C), b"\x00"):
                    for to in (port, port + 1):
                        self.socket_of_mallory.sendto(datagram, (ip, to))
                        self.sent += 1

    def end(self):
        self.over.set()
        self.sender.join(5)

    def close(self):
        self.end()
        super().close()
        self.socket_of_mallory.close()


def first(kind, latch="auto"):
    """Somebody at a third address sends before either telephone does. baresip has its media at the address of its signalling on Alice's side only."""
    liaison.DOCUMENT = liaison.DOCUMENT.replace('media = {{ address = "10.0.0.2",', f'media = {{{{ address = "10.0.0.2", latch = "{latch}",')
    with a_call(kind) as (sbc, everything, alice, bob, at_alice, at_bob, learn), Racer() as racer:
        until("the first of the race", lambda: racer.sent > 100, 10, 0.01)
        alice.command("dial", "sip:bob@10.0.0.2")
        answer(sbc, alice, bob, at_alice, at_bob, learn)
        both = legs(sbc, alice, bob)
        for leg in both:
            source, _, _ = everything.between(None, leg.ours)[0]
            assert source == MALLORY, (leg.at, source)
        talk_on(at_bob, 2)
        racer.end()
        def all_of_it():
            of_legs, by_reason = counted(sbc)
            return sum(of_legs) + sum(by_reason.values())
        # Some of it is counted twice, as dropped of its leg and as DTLS.
        until(lambda: f"{racer.sent} refused, but {all_of_it()}", lambda: all_of_it() > 0.9 * racer.sent > 1000, 10)
        undisturbed(sbc, kind, everything, both, at_alice, at_bob)


def forged(kind):
    """Somebody who sends in the name of Alice's address is no better off where there are keys."""
    with a_call(kind, named=True) as (sbc, everything, alice, bob, at_alice, at_bob, learn):
        alice.command("dial", "sip:bob@10.0.0.2")
        answer(sbc, alice, bob, at_alice, at_bob, learn)
        both = legs(sbc, alice, bob)
        leg, since, sent, false = both[0], counted(sbc), collections.Counter(), set()
        stolen = stolen_from(everything, leg)
        for what, datagram in attacks(stolen, ufrags(alice)):
            forge(leg.peer, leg.at, datagram)
            sent[what] += 1
            if datagram not in stolen:
                false.add(datagram)
            # As fast as they are taken. What DTLS ignores by itself is not counted.
            until(lambda: f"{sent}, but {refused(sbc, since)}", lambda: refused(sbc, since)[0][0] >= sent["media"], 10, 0.01)
        talk_on(at_bob, 1)
        dropped, stun, dtls = refused(sbc, since)
        assert dropped == [sent["media"], 0] and 0 < dtls <= sent["dtls"], (dropped, dtls, sent)
        assert stun == sent["stun"] + (0 if kind == "both" else sent["keepalive"]), (stun, sent)
        undisturbed(sbc, kind, everything, both, at_alice, at_bob, false)


run(elsewhere, browser, first, forged)
