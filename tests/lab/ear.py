"""Listens to the RTP that arrives at some ports, on the wire: which tone is in it. Standard library only.

baresip 1.0 stops recording at the first re-INVITE; this does not, and it proves nothing less about the relay: what it
decodes are the packets that the phone with those ports gets.

    with Ear(phone.rtp_ports) as ear:
        ...
        ear.listen(1000)
"""
import math, socket, struct, threading, time
from wire import Wire, ends

RATE = 8000


def alaw(octet):
    octet ^= 0x55
    exponent, mantissa = octet >> 4 & 7, octet & 15
    value = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << exponent - 1
    return value if octet & 0x80 else -value


def ulaw(octet):
    octet = ~octet & 0xFF
    value = (((octet & 15) << 3) + 0x84 << (octet >> 4 & 7)) - 0x84
    return -value if octet & 0x80 else value


DECODERS = {0: [ulaw(o) for o in range(256)], 8: [alaw(o) for o in range(256)]}


def rtp_of(packet):
    """Source, destination (address and port) and payload of an IPv4 packet that carries RTP or RTCP (version 2), or None."""
    length = (packet[0] & 15) * 4
    if packet[9] != socket.IPPROTO_UDP or len(packet) < length + 8 + 12 or packet[length + 8] >> 6 != 2:
        return None
    end, = struct.unpack_from("!H", packet, length + 4)
    return *ends(packet), packet[length + 8:length + end]


def samples(rtp):
    """The decoded PCMU or PCMA samples, or None."""
    decoder = DECODERS.get(rtp[1] & 127)
    if decoder is None or rtp[0] & 0x30:          # no padding, no extension: the phones of this lab send neither
        return None
    return [decoder[octet] for octet in rtp[12 + 4 * (rtp[0] & 15):]]


class Ear(Wire):
    """sent_to: where the phone with those ports sent RTP and RTCP to; got_from: where it got them from."""
    def __init__(self, ports):
        self.sent_to, self.got_from = set(), set()
        self.ports, self.recent, self.total = ports, [], 0
        self.news = threading.Condition()
        super().__init__()

    def take(self, packet):
        seen = rtp_of(packet)
        if seen is None:
            return
        source, destination, rtp = seen
        if source[1] in self.ports:
            self.sent_to.add(destination)
        if destination[1] not in self.ports:
            return
        self.got_from.add(source)
        got = samples(rtp)
        if got:
            with self.news:
                self.recent = (self.recent + got)[-RATE:]
                self.total += len(got)
                self.news.notify_all()

    def heard(self, seconds=0.5, since=0):
        """(frequency in Hz, level 0..1) of the last seconds that arrived after the first `since` samples; (0, 0) while
        they are not complete."""
        with self.news:
            window = self.recent[-int(RATE * seconds):] if self.total - since >= RATE * seconds else []
        return self.judge(window) if window else (0.0, 0.0)

    @staticmethod
    def judge(window):
        level = math.sqrt(sum(s * s for s in window) / len(window)) / 32768
        return sum(a < 0 <= b for a, b in zip(window, window[1:])) * RATE / len(window), level

    def listen(self, frequency, timeout=10):
        """Waits until half a second of that tone arrived, all of it after this call; the frequency heard."""
        since, deadline = self.total, time.monotonic() + timeout
        while True:
            got, level = self.heard(since=since)
            if level > 0.01 and abs(got - frequency) < 0.05 * frequency:
                return got
            with self.news:
                if not self.news.wait(max(deadline - time.monotonic(), 0)):
                    raise AssertionError(f"port {self.ports[0]} hears {got:.0f} Hz at level {level:.3f}, not {frequency} Hz")
            if time.monotonic() > deadline:
                raise AssertionError(f"port {self.ports[0]} hears {got:.0f} Hz at level {level:.3f}, not {frequency} Hz")

    def quiet(self, seconds=0.5, timeout=10):
        """Waits until nothing arrived for that long."""
        deadline = time.monotonic() + timeout
        with self.news:
            while self.news.wait(seconds):
                assert time.monotonic() < deadline, f"port {self.ports[0]} still hears {self.total} samples"
