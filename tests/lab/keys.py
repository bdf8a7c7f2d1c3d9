"""DTMF on the wire: events, tones and INFO as they arrive at a phone, each key with its milliseconds. Standard library only.

    with Keys(phone.rtp_ports) as keys:
        ...
        keys.events()            # [("5", 100.0), ...], and whether each was whole
"""
import math, re, struct, threading, wave
from ear import DECODERS, RATE, rtp_of
from wire import Wire, ends

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
PAD = ("123A", "456B", "789C", "*0#D")
CODES = "0123456789*#ABCD"
EVENT = 101


def frequencies(key):
    row = next(row for row in range(4) if key in PAD[row])
    return ROWS[row], COLUMNS[PAD[row].index(key)]


def write(path, keys, millis, pause, before=1000, after=60000):
    """A WAV file of 8 kHz, one channel, with those keys pressed one after the other."""
    samples = [0] * (before * RATE // 1000)
    for key in keys:
        low, high = frequencies(key)
        for at in range(millis * RATE // 1000):
            samples.append(int(5000 * math.sin(2 * math.pi * low * at / RATE) + 6000 * math.sin(2 * math.pi * high * at / RATE)))
        samples += [0] * (pause * RATE // 1000)
    samples += [0] * (after * RATE // 1000)
    with wave.open(path, "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


WINDOW, HOP = 160, 40                       # 20 ms, a step of 5 ms


def power(window, frequency):
    factor = 2 * math.cos(2 * math.pi * frequency / RATE)
    last = before = 0.0
    for sample in window:
        last, before = sample + factor * last - before, last
    return last * last + before * before - factor * last * before


def tones(samples):
    """The keys in audio, each with its milliseconds: the windows of 20 ms that have nearly all of their power in one low and one high
    frequency of the keypad."""
    runs, key, count = [], None, 0
    for at in range(0, len(samples) - WINDOW, HOP):
        window = samples[at:at + WINDOW]
        energy = sum(s * s for s in window)
        found = None
        if energy > WINDOW * 300 * 300:
            rows, columns = [power(window, f) for f in ROWS], [power(window, f) for f in COLUMNS]
            low, high = max(rows), max(columns)
            if low + high > 0.6 * energy * WINDOW / 2 and min(low, high) > 0.05 * max(low, high):
                found = PAD[rows.index(low)][columns.index(high)]
        if found == key:
            count += 1
            continue
        if key and count >= 3:
            runs.append((key, (count - 1) * HOP * 1000 / RATE + 10))
        key, count = found, 1
    return runs


class Keys(Wire):
    """What RTP with keys comes to those ports and goes from them, and which INFO comes to an address."""
    def __init__(self, ports, ip=None):
        self.ports, self.ip = ports, ip
        self.got, self.went, self.asked, self.news = [], [], [], threading.Condition()
        super().__init__()

    def take(self, packet):
        seen = rtp_of(packet)
        with self.news:
            if seen and seen[1][1] in self.ports:
                self.got.append(seen[2])
            elif seen and seen[0][1] in self.ports:
                self.went.append(seen[2])
            elif packet[9] == 17:
                payload = packet[(packet[0] & 15) * 4 + 8:]
                if payload.startswith(b"INFO ") and ends(packet)[1][0] == self.ip:
                    self.asked.append(payload)
            self.news.notify_all()

    @staticmethod
    def _events(packets):
        """Each event with its milliseconds and how many ends it had, by its timestamp; those that go on in another segment are one."""
        events, order = {}, []
        for rtp in packets:
            if rtp[1] & 127 != EVENT or len(rtp) < 16 or rtp_is_rtcp(rtp):
                continue
            timestamp, = struct.unpack_from("!I", rtp, 4)
            code, flags, duration = struct.unpack_from("!BBH", rtp, 12)
            if timestamp not in events:
                events[timestamp] = [CODES[code], 0, 0, rtp[1] & 128]
                order.append(timestamp)
            event = events[timestamp]
            event[1], event[2] = max(event[1], duration), event[2] + bool(flags & 128)
        return [events[timestamp] for timestamp in order]

    def events(self, sent=False):
        """The events that came, or went, and are over."""
        with self.news:
            packets = list(self.went if sent else self.got)
        return [(key, duration / 8) for key, duration, ends, _ in self._events(packets) if ends]

    def whole(self):
        """That each event that came began with the marker and ended three times, and that no number is missing or doubled."""
        with self.news:
            packets = [rtp for rtp in self.got if not rtp_is_rtcp(rtp)]
        for key, duration, count, marker in self._events(packets):
            assert marker and count == 3, (key, duration, count, marker)
        by_source = {}
        for rtp in packets:
            by_source.setdefault(rtp[8:12], []).append(struct.unpack_from("!H", rtp, 2)[0])
        for numbers in by_source.values():
            assert all((b - a) & 0xffff == 1 for a, b in zip(numbers, numbers[1:])), numbers
        return by_source

    def audio(self):
        """The keys in the audio that came."""
        samples = []
        with self.news:
            packets = list(self.got)
        for rtp in packets:
            decoder = DECODERS.get(rtp[1] & 127)
            if decoder and not rtp_is_rtcp(rtp):
                samples += [decoder[octet] for octet in rtp[12:]]
        return tones(samples)

    def infos(self):
        """The keys that came by INFO, repetitions left out."""
        seen = {}
        with self.news:
            asked = list(self.asked)
        for raw in asked:
            head, _, body = raw.partition(b"\r\n\r\n")
            kind = re.search(rb"\r\nContent-Type: *(\S+)", head)[1]
            signal, duration = re.search(rb"Signal=(\S+)", body), re.search(rb"Duration=(\d+)", body)
            cseq = re.search(rb"\r\nCSeq: *(\d+)", head)[1]
            if signal:
                assert kind == b"application/dtmf-relay", raw
                seen.setdefault(cseq, (signal[1].decode(), float(duration[1])))
        return list(seen.values())


def rtp_is_rtcp(rtp):
    return 192 <= rtp[1] <= 223
