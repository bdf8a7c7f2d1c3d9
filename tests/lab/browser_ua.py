"""A browser as a telephone: headless Chromium with JsSIP over WSS (browser/phone.mjs). Its microphone is a fake one.

    with Browser("web", server="wss://10.0.0.2:8443", page="http://localhost:8000", key_hash=hash, password="...") as web:
        web.wait("registered")
        web.do("call", "sip:carol@example.com")
        web.wait("confirmed")

Standard library only; needs Node.js and what `npm ci && npm run build` makes in browser/ (tests/run does it).
"""
import array, base64, json, math, os, subprocess, tempfile, threading, time, wave

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "browser")


class Browser:
    """key_hash: the SHA-256 in base64 of the one server key that it believes; page: where its web page is served; unsaid: what is
    left out of each message that it sends; forged: its fingerprints are not those of its certificate; tone: what it says, in Hz, in place
    of the beeps of a fake microphone; connection: the RTCConfiguration of its calls; video: it sends that of a fake camera, too; data: whether
    it opens a data channel with its calls, in which it repeats what it is told; relayed: "turn:" or "turns:", the servers among those that its registration tells by which it relays all."""
    def __init__(self, user, *, domain="example.com", server, page, key_hash, password, unsaid=(), forged=False, tone=None,
                 connection=None, video=False, data=False, relayed=None):
        assert os.path.exists(FOLDER + "/jssip.js"), f"not built: npm ci && npm run build in {FOLDER}"
        start = {"uri": f"sip:{user}@{domain}", "server": server, "user": user, "password": password, "unsaid": unsaid, "forged": forged, "video": video, "data": data, "relayed": relayed,
                 "connection": connection or {"iceServers": []}}
        self.folder = tempfile.TemporaryDirectory(prefix="browser.")
        options = {"keyHash": key_hash, "page": page, "start": start, "microphone": self._microphone(tone) if tone else None}
        self.events, self.frames, self.errors, self.new = [], [], [], threading.Condition()
        self.process = subprocess.Popen(["node", FOLDER + "/phone.mjs", json.dumps(options)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._collect, daemon=True)
        self.reader.start()

    def _collect(self):
        for line in self.process.stdout:
            with self.new:
                if not line.startswith("["):
                    self.errors.append(line)
                elif (event := json.loads(line))[0] in ("sent", "received"):
                    self.frames.append(event)
                else:
                    self.events.append(event)
                self.new.notify_all()

    def _microphone(self, tone, rate=48000):
        """A file with a second of that tone, which begins anew without a click."""
        path = self.folder.name + "/tone.wav"
        with wave.open(path, "wb") as file:
            file.setparams((1, 2, rate, rate, "NONE", ""))
            samples = (round(12000 * math.sin(2 * math.pi * tone * at / rate)) for at in range(rate))
            file.writeframes(array.array("h", samples).tobytes())
        return path

    def hear(self):
        """What it hears at the moment: frequency in Hz, level in dB, and how many packets it has received and sent."""
        self.do("hear")
        return self.wait("heard")[1]

    def listen(self, frequency, timeout=20):
        """Waits until it hears that tone."""
        deadline = time.monotonic() + timeout
        while True:
            heard = self.hear()
            if heard["level"] > -60 and abs(heard["frequency"] - frequency) < 0.05 * frequency:
                return heard
            assert time.monotonic() < deadline, f"{heard}, not {frequency} Hz\n{self.trace()}"
            time.sleep(0.1)

    def recorded(self):
        """All that it has heard in its newest call, but for the last tenth of a second: samples, and their rate."""
        self.do("recorded")
        kept = self.wait("recorded")[1]
        return array.array("h", base64.b64decode(kept["samples"])), round(kept["rate"])

    def quiet(self, timeout=20):
        """Waits until it gets no more packets."""
        deadline, before = time.monotonic() + timeout, self.hear()["received"]
        while True:
            time.sleep(0.5)
            now = self.hear()["received"]
            if now == before:
                return now
            assert time.monotonic() < deadline, f"still {now - before} packets"
            before = now

    def do(self, name, *arguments):
        """Calls a function of the page: call(uri), hold(), resume(), restart() of ICE, refer(uri), join() of its last two calls,
        hangup()."""
        self.process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self.process.stdin.flush()

    def wait(self, name, timeout=30):
        """The next event of JsSIP of that name, with its cause."""
        deadline = time.monotonic() + timeout
        with self.new:
            while True:
                for number, event in enumerate(self.events):
                    if event[0] == name:
                        del self.events[:number + 1]
                        return event
                left = deadline - time.monotonic()
                assert left > 0 and self.process.poll() is None, f"no {name}, but {self.events}\n{''.join(self.errors)}\n{self.trace()}"
                self.new.wait(left)

    def messages(self, way):
        """The SIP messages that it sent, or received: the texts of its WebSocket messages."""
        with self.new:
            return [text for direction, text in self.frames if direction == way and text.strip()]

    def trace(self):
        with self.new:
            return "\n".join(f"--- {direction}\n{text}" for direction, text in self.frames)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
