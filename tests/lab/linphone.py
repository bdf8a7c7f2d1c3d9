"""A telephone for tests: linphonec (Debian: linphone-cli), driven by its console. No sound card: it plays and records files.

    with Linphone("dave", "10.0.0.7", domain="example.com", proxy="10.0.0.2:5060", transport="tcp", password="...", root=ca) as dave:
        dave.wait("Registration on .* successful")
        dave.say("call sip:carol@example.com")

Standard library only. Origin: the lab scripts of this project; here it waits for what linphonec prints instead of sleeping.
"""
import contextlib, os, re, shutil, signal, subprocess, tempfile, threading, time
from recording import say

CONFIGURATION = """
[sip]
bind_address={ip}
sip_port={udp}
sip_tcp_port={tcp}
sip_tls_port={tls}
use_ipv6=0
root_ca={root}
verify_server_certs=1
verify_server_cn=0
default_proxy=0
guess_hostname=0
contact="{user}" <sip:{user}@{ip}>
{sip}
[proxy_0]
reg_proxy=<sip:{proxy};transport={transport}>
reg_route=<sip:{proxy};transport={transport};lr>
reg_identity=sip:{user}@{domain}
reg_expires=600
reg_sendregister=1
publish=0
[auth_info_0]
username={user}
passwd={password}
realm={domain}
domain={domain}
[net]
mtu=1300
{nat}
[rtp]
audio_rtp_port={rtp}
bind_address={ip}
{media}
[sound]
playback_dev_id=none
"""


class Linphone:
    """transport: the one that it listens on and registers over; root: the file of the authority that it believes; sip: further lines
    of its [sip]; rtp: its media port, which no other one on this network may have. It knows no addresses as names in certificates, so only the chain is verified.
    media: further lines of its [rtp]. encryption: what all of its media must have, srtp (SDES) or dtls; ice: it is a full agent."""
    def __init__(self, user, ip, *, domain, proxy, transport, password, root, port=5060, sip="", rtp=7078,
                 encryption="", ice=False, media=""):
        self.home = tempfile.mkdtemp(prefix="linphone.")
        os.makedirs(self.home + "/.local/share/linphone")        # without it, it opens no SIP port
        ports = {name: port if name == transport else 0 for name in ("udp", "tcp", "tls")}
        if encryption:
            sip += f"\nmedia_encryption={encryption}\nmedia_encryption_mandatory=1"
        nat = "nat_policy_ref=lab\n[nat_policy_0]\nref=lab\nprotocols=ice" if ice else ""
        self.rtp_ports = range(rtp, rtp + 2)
        with open(self.home + "/rc", "w") as file:
            file.write(CONFIGURATION.format(user=user, ip=ip, domain=domain, proxy=proxy, transport=transport, password=password,
                                            root=root, sip=sip, rtp=rtp, nat=nat, media=media, **ports))
        self.lines, self.read, self.new = [], 0, threading.Condition()
        self.process = subprocess.Popen(["linphonec", "-b", self.home + "/rc", "-d", "6", "-l", self.home + "/log"], text=True,
                                        errors="replace", env={**os.environ, "HOME": self.home}, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._collect, daemon=True)
        self.reader.start()

    def _collect(self):
        for line in self.process.stdout:
            with self.new:
                self.lines.append(line)
                self.new.notify_all()

    def say(self, words):
        """One line of its console: call, answer, terminate, soundcard, autoanswer, status, ..."""
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()

    def wait(self, pattern, timeout=15):
        """The next line that it prints that has that pattern, after those waited for before."""
        deadline = time.monotonic() + timeout
        with self.new:
            while True:
                for number in range(self.read, len(self.lines)):
                    if re.search(pattern, self.lines[number]):
                        self.read = number + 1
                        return self.lines[number]
                left = deadline - time.monotonic()
                assert left > 0 and self.process.poll() is None, f"linphonec ({self.process.poll()}): no {pattern!r} in\n{''.join(self.lines)}\n{self.trace()[-6000:]}"
                self.new.wait(left)

    def files(self, tone):
        """It says that tone from now on, and keeps what it hears in the file that is returned, of one call after the other."""
        said, kept = self.home + "/said.wav", self.home + "/heard.wav"
        say(said, tone)
        self.say("soundcard use files")
        self.wait("wav files")
        self.say(f"play {said}")
        self.say(f"record {kept}")
        return kept

    @contextlib.contextmanager
    def asleep(self):
        """It does nothing meanwhile, and finds afterwards what has come."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def trace(self):
        """Its log so far, with each SIP message."""
        with open(self.home + "/log", errors="replace") as file:
            return file.read()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(5)
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
