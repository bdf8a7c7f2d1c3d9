"""What was heard all through a call, and what of it was missing. Standard library only.

    with Tape(phone.rtp_ports) as tape:                       # the RTP that arrives there, as it would be played
        ...
    heard(tape.played(), 8000)                                # [(1000, 5.2), (0, 2.0), (1000, 3.1)]: Hz, seconds
    heard(*of_file("heard.wav"))                              # the same of what a telephone has recorded
"""
import array, bisect, math, time, wave
from ear import DECODERS, RATE, Ear, rtp_of, samples

WINDOW = 0.05
# A telephone hides a packet or two that are missing, and no more.
BLINK = 0.12


class Reel:
    """Lays one packet after the other: what comes late or not at all leaves a gap, as it does in a telephone with this delay."""
    DELAY = 0.1

    def __init__(self):
        self.samples, self.begun = array.array("h"), None

    def put(self, got, now):
        self.begun = self.begun or now
        missing = int((now - self.begun) * RATE) - len(self.samples)
        if missing > self.DELAY * RATE:
            self.samples.extend([0] * missing)
        self.samples.extend(got)


class Patient:
    """What a tape needs on a busy machine, where telephones stand still now and then, and browsers often: that what `speaker` sends (a function of
    source and destination) comes late is no gap, unless it is `held`."""
    speaker, held, stood, spoke = None, False, 0.0, None

    def clock(self):
        """The time, in seconds, without that in which the speaker stood still."""
        return time.monotonic() - self.stood

    def watch(self, packet):
        seen = self.speaker and rtp_of(packet)
        if seen and self.speaker(*seen[:2]) and not 192 <= seen[2][1] <= 223:
            if self.spoke and self.came - self.spoke > 0.06 and not self.held:
                self.stood += self.came - self.spoke - 0.02
            self.spoke = self.came


class Tape(Patient, Ear):
    """Keeps all that arrives, of one call."""
    WAY = 1

    def __init__(self, ports, speaker=None):
        self.reel, self.speaker = Reel(), speaker
        super().__init__(ports)

    def take(self, packet):
        self.watch(packet)
        super().take(packet)
        seen = rtp_of(packet)
        got = samples(seen[2]) if seen and seen[self.WAY][1] in self.ports else None
        if not got:
            return
        with self.news:
            self.reel.put(got, self.came - self.stood)

    def played(self):
        with self.news:
            return self.reel.samples[:]


class Said(Tape):
    """Keeps all that the phone with those ports sends."""
    WAY = 0


def of_file(path):
    """Samples and rate of a recording of 16 bits and one channel, whose header may not be complete yet."""
    with open(path, "rb") as file:
        data = file.read()
    assert len(data) > 44 and data[22] == 1, f"{path}: {len(data)} octets"
    return array.array("h", data[44:44 + (len(data) - 44) // 2 * 2]), int.from_bytes(data[24:28], "little")


def heard(all_samples, rate, blink=BLINK):
    """The tones that follow one another, each with its length in seconds: 0 Hz is silence, None is no tone. What is shorter than a
    telephone hides, or no tone because another one begins in it, counts to what was before."""
    size, found = int(rate * WINDOW), []
    for at in range(0, len(all_samples) - size + 1, size):
        window = all_samples[at:at + size]
        level = math.sqrt(sum(sample * sample for sample in window) / size) / 32768
        rises = [n for n, (a, b) in enumerate(zip(window, window[1:])) if a < 0 <= b]
        if level < 0.01:
            tone = 0
        elif len(rises) < 3 or level < 0.05:
            tone = None
        else:
            apart = [b - a for a, b in zip(rises, rises[1:])]
            even = max(apart) - min(apart) <= 2
            tone = round((len(rises) - 1) * rate / (rises[-1] - rises[0]) / 20) * 20 if even else None
        if found and found[-1][0] == tone:
            found[-1][1] += WINDOW
        else:
            found.append([tone, WINDOW])
    whole = []
    for tone, seconds in found:
        if whole and (whole[-1][0] == tone or seconds <= blink):
            whole[-1][1] += seconds
        elif seconds > blink:
            whole.append([tone, seconds])
    return [(tone, round(seconds, 2)) for tone, seconds in whole]


def trimmed(found):
    """Without the silence before the first tone and after the last one."""
    while found and found[0][0] == 0:
        found = found[1:]
    while found and found[-1][0] == 0:
        found = found[:-1]
    return found


def talk(found, tone, spans, tolerance=0.4):
    """That what was heard is that tone, in as many spans as given and each as long (seconds, or the least and the most, or None for any), with
    silence between them alone and nothing else at all."""
    found = trimmed(found)
    assert all(is_tone in (tone, 0) for is_tone, _ in found), found
    sounding = [seconds for is_tone, seconds in found if is_tone]
    assert len(sounding) == len(spans), (found, spans)
    ranges = [span if isinstance(span, tuple) else (span, span) for span in spans]
    assert all(least is None or least - tolerance <= seconds <= most + tolerance for seconds, (least, most) in zip(sounding, ranges)), (found, spans)


def turned(found, before, after, seconds):
    """That what was heard is one tone, and then another one for so long, with no more between them than a moment's silence."""
    found = trimmed(found)
    tones = [tone for tone, _ in found if tone]
    assert tones == [before, after] and sum(length for tone, length in found if not tone) < 1, found
    assert abs(found[-1][1] - seconds) < 0.5, (found, seconds)


def same(said, found, tolerance=0.3):
    """That what was heard is what was said: the same tones, each as long, with as much silence between them."""
    said, found = trimmed(said), trimmed(found)
    assert [tone for tone, _ in said] == [tone for tone, _ in found], (said, found)
    assert all(abs(a - b) <= tolerance for (_, a), (_, b) in zip(said, found)), (said, found)


def say(path, tone, seconds=60):
    """Makes a file of that tone, which ends as it begins."""
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        second = array.array("h", (round(12000 * math.sin(2 * math.pi * tone * at / RATE)) for at in range(RATE)))
        file.writeframes(second.tobytes() * seconds)


LEVELS = sorted((level, octet) for octet, level in enumerate(DECODERS[8]))


def alaw_of(sample):
    """The octet of PCMA that is nearest."""
    above = bisect.bisect(LEVELS, (sample, 0))
    return min(LEVELS[max(above - 1, 0):above + 1], key=lambda level: abs(level[0] - sample))[1]


def say_alaw(path, tone, seconds=60):
    """The same in PCMA, without a header."""
    with open(path, "wb") as file:
        file.write(bytes(alaw_of(12000 * math.sin(2 * math.pi * tone * at / RATE)) for at in range(RATE)) * seconds)
