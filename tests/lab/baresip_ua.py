"""A scriptable SIP phone for tests: baresip (Debian: baresip-core), driven over its ctrl_tcp module. No sound card: it
sends a sine tone, records what it hears to a WAV file, and can tell which tone that was.

    with Baresip("alice", "10.0.0.1", tone=440) as a, \\
         Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto") as b:
        a.command("dial", "sip:bob@10.0.0.2")
        a.wait("CALL_ESTABLISHED"); b.wait("CALL_ESTABLISHED")
        a.listen(1000); b.listen(440)

Standard library only. Needs an interface other than "lo" that is up with an address (see lo-run): baresip takes its
media address from it, and without one it fails in silence.

Origin: the lab scripts of this project; here it waits for what baresip prints and hears instead of sleeping.
"""
import array, glob, json, math, os, shutil, signal, socket, subprocess, tempfile, time

# The ausine source knows 48 kHz and two channels only; aufile cannot play to a file, so aubridge is the null sink and
# sndfile writes dump-*-dec.wav.
MODULES = "g711 g722 l16 opus stun turn ice srtp dtls_srtp aubridge ausine aufile sndfile"
APPLICATIONS = "account menu ctrl_tcp"
MODULE_PATH = next(iter(glob.glob("/usr/lib/*/baresip/modules") + glob.glob("/usr/lib/baresip/modules")), "")


class Baresip:
    def __init__(self, user, ip, port=5060, *, domain=None, account="", tone=440, codecs="pcma", transport="udp", config="", audio=None,
                 environment=()):
        """account: further parameters of baresip's accounts file, such as "answermode=auto;mediaenc=srtp-mand;regint=60;
        auth_pass=x;outbound=..."; config: further lines of its config file; audio: a WAV file of 8 kHz and one channel that it plays
        in place of the tone; environment: further variables of its process. baresip also listens for TLS on port + 1."""
        self.dir = tempfile.mkdtemp(prefix="baresip.")
        self.events, self.buffer = [], b""
        with socket.create_server((ip, 0)) as probe:
            control = probe.getsockname()[1]
        # It takes the first address of the interface for its media, whatever it listens on: the ports tell phones apart.
        base = 20000 + 100 * int(ip.rpartition(".")[2])
        self.rtp_ports = range(base, base + 100)
        self.uri = f"sip:{user}@{domain or f'{ip}:{port}'}"
        self._write("config", f"""
sip_listen {ip}:{port}
ctrl_tcp_listen {ip}:{control}
rtp_ports {base}-{base + 99}
audio_source {f"aufile,{audio}" if audio else f"ausine,{tone}"}
audio_player aubridge,heard
audio_alert aubridge,alert
ausrc_srate {8000 if audio else 48000}
ausrc_channels {1 if audio else 2}
auplay_channels 1
snd_path {self.dir}
module_path {MODULE_PATH}
{config}
""" + "".join(f"module {m}.so\n" for m in MODULES.split()) + "".join(f"module_app {m}.so\n" for m in APPLICATIONS.split()))
        self._write("contacts", "")
        self._write("accounts", "")
        # To a file, unbuffered (as baresip has it): what an event tells of has been written when the event comes.
        with open(self.dir + "/log", "wb") as log:
            self.process = subprocess.Popen(["baresip", "-s", "-v", "-f", self.dir], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **dict(environment)})
        deadline = time.monotonic() + 15
        while "baresip is ready" not in self.trace():
            if self.process.poll() is not None or time.monotonic() > deadline:
                trace = self.trace()
                self.close()
                raise AssertionError("baresip did not start:\n" + trace)
            time.sleep(0.01)
        self.control = socket.create_connection((ip, control), 5)
        # Only now, so that no event (REGISTER_OK) comes before there is a listener. An empty parameter spoils the rest.
        account = [part for part in account.split(";") if part]
        if not any(part.startswith("regint=") for part in account):
            account.insert(0, "regint=0")
        self.command("uanew", ";".join([f"<{self.uri};transport={transport}>", f"audio_codecs={codecs}", *account]))

    def _write(self, name, text):
        with open(f"{self.dir}/{name}", "w") as file:
            file.write(text)

    def _read(self, deadline):
        """One netstring ("LENGTH:JSON,") from the control connection, or None when the time is up."""
        while True:
            size, colon, rest = self.buffer.partition(b":")
            if colon and len(rest) > int(size):
                self.buffer = rest[int(size) + 1:]
                return json.loads(rest[:int(size)])
            self.control.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                data = self.control.recv(65536)
            except TimeoutError:
                return None
            assert data, "baresip ended:\n" + self.trace()
            self.buffer += data

    def command(self, name, params="", timeout=5):
        """Runs one command ("dial", "accept", "hangup", "hold", "resume", "sndcode", "reginfo", "callstat", ...: all of
        "help"); its text answer."""
        text = json.dumps({"command": name, "params": params, "token": "t"}).encode()
        self.control.sendall(b"%d:%s," % (len(text), text))
        deadline = time.monotonic() + timeout
        while True:
            message = self._read(deadline)
            assert message is not None, f"no answer to {name}:\n{self.trace()}"
            if message.get("response"):
                assert message.get("ok"), f"{name}: {message}"
                return message.get("data", "")
            self.events.append(message)

    def wait(self, kind, timeout=10):
        """The next event of that type, as a dict: REGISTER_OK, REGISTER_FAIL, CALL_INCOMING, CALL_RINGING,
        CALL_PROGRESS, CALL_ESTABLISHED, CALL_CLOSED, CALL_MENC, CALL_DTMF_START, CALL_RTCP, ..."""
        deadline = time.monotonic() + timeout
        while True:
            for i, event in enumerate(self.events):
                if event.get("type") == kind:
                    return self.events.pop(i)
            event = self._read(deadline)
            if event is None:
                raise AssertionError(f"no {kind}, but {[e.get('type') for e in self.events]}:\n{self.trace()}")
            self.events.append(event)

    def _recorded(self):
        """(path, samples, rate) of all that was received in the newest stream; a re-INVITE begins a new one."""
        files = sorted(glob.glob(self.dir + "/dump-*-dec.wav"), key=os.path.getmtime)
        if not files:
            return "", array.array("h"), 8000
        with open(files[-1], "rb") as file:      # the sizes in its header are only filled in at the end
            data = file.read()
        if len(data) < 48:
            return files[-1], array.array("h"), 8000
        rate, channels = int.from_bytes(data[24:28], "little"), data[22]
        return files[-1], array.array("h", data[44:44 + (len(data) - 44) // 4 * 4])[::channels], rate

    def heard(self, seconds=0.5, since=("", 0)):
        """(frequency in Hz, level 0..1) of the last seconds received; (0, 0) while they are not complete. since: a stream
        and the number of its samples that don't count."""
        path, samples, rate = self._recorded()
        # A stream that begins within the same second overwrites the file of the one before.
        if since[0] == path and since[1] <= len(samples):
            samples = samples[since[1]:]
        samples = samples[-int(rate * seconds):]
        if len(samples) < rate * seconds:
            return 0.0, 0.0
        level = math.sqrt(sum(s * s for s in samples) / len(samples)) / 32768
        crossings = sum(a < 0 <= b for a, b in zip(samples, samples[1:]))
        return crossings * rate / len(samples), level

    def listen(self, frequency, timeout=10):
        """Waits until half a second of that tone was received, all of it after this call; the frequency heard."""
        path, samples, _ = self._recorded()
        since, deadline = (path, len(samples)), time.monotonic() + timeout
        while True:
            got, level = self.heard(since=since)
            if level > 0.01 and abs(got - frequency) < 0.05 * frequency:
                return got
            if time.monotonic() > deadline:
                raise AssertionError(f"heard {got:.0f} Hz at level {level:.3f}, not {frequency} Hz:\n{self.trace()}")
            event = self._read(time.monotonic() + 0.1)      # new events end the wait early, none is lost
            if event:
                self.events.append(event)

    def trace(self):
        """Everything that baresip printed so far, with each SIP message."""
        with open(self.dir + "/log", errors="replace", newline="") as log:
            return log.read()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
