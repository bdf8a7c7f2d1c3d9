#!/usr/bin/python3
"""inside.py CHECK ... - Liaison itself behind a NAT that forwards its SIP ports alone: a telephone or a browser outside, with ICE and
without, calls a plain one inside and is called by it. What each hears is judged; coturn is outside."""
import here, contextlib, os, re, tempfile
from baresip_ua import Baresip
from browser_ua import Browser
from certificates import Authority
from coturn import PASSWORD as TURN_PASSWORD, RELAYED, USER as TURN_USER, Coturn
from ear import Ear
from house import PAGE
from liaison import Liaison, run, until
from linphone import Linphone
from nat import Nat
from recording import Tape, heard, of_file
from users import PASSWORD

SERVER, SECRET = "10.0.0.5", "a secret of the lab alone"
SIP, WSS = 5060, 8443
ENDS = [("udp", SIP), ("tcp", WSS)]

DOCUMENT = """
[node]
state_directory = "{state}"

[networks.outside]
listeners = [
    {{ transport = "udp", address = "192.168.7.2:5060", advertised = "203.0.113.254:5060" }},
    {{ transport = "wss", address = "192.168.7.2:8443", tls = {{ certificates = [{certificate}] }}, websocket = {{ origins = ["{page}"] }} }},
]
[networks.outside.media]
address = "192.168.7.2"
ports = "30000-30999"
latch = "{latch}"
[networks.outside.media.traversal]
servers = [{servers}]
roots = "{root}"
ready = 4

[networks.outside.registrar]
domains = ["example.com"]
challenge = {{ realm = "example.com", users = [
    {{ username = "web", password = {{ env = "PHONE_PASSWORD" }} }}, {{ username = "dave", password = {{ env = "PHONE_PASSWORD" }} }},
] }}
accounts = [{{ address = "web@example.com", users = ["web"] }}, {{ address = "dave@example.com", users = ["dave"] }}]

[networks.lan]
listeners = [{{ transport = "udp", address = "192.168.7.2:5070" }}]
media = {{ address = "192.168.7.2", ports = "40000-40999" }}

[trunks.alice]
network = "outside"
targets = ["sip:10.0.0.1:5060"]
from = ["10.0.0.1"]

[trunks.bob]
network = "lan"
targets = ["sip:192.168.8.2:5060"]
from = ["192.168.8.2"]

[[routes]]
name = "web"
called = ["web", "dave"]
to = [{{ domain = "example.com" }}]

[[routes]]
name = "in"
networks = ["outside"]
to = ["bob"]

[[routes]]
name = "out"
networks = ["lan"]
to = ["alice"]

[profiles.default]
ice = "offer"
{profile}

[admin]
listen = "127.0.0.1:8080"
"""


class Inside(Liaison):
    """servers: lines of URIs, with what proves us to those of TURN."""
    def __init__(self, servers, root, profile="", latch="auto", secret=False):
        os.environ["PHONE_PASSWORD"], os.environ["TURN_PASSWORD"] = PASSWORD, TURN_PASSWORD
        folder = tempfile.mkdtemp(prefix="liaison.")
        own = Authority(folder, "house").issue("own", ["DNS:sbc.example.com"])
        self.own = own
        os.environ["TURN_SECRET"] = SECRET
        key = "secret = { env = \"TURN_SECRET\" }" if secret else "password = { env = \"TURN_PASSWORD\" }"
        proof = f', username = "{TURN_USER}", {key}'
        entries = ", ".join(f'{{ uri = "{uri}"{proof if uri.startswith("turn") else ""} }}' for uri in servers)
        self.folder = folder
        self.begin(DOCUMENT, [("udp", "192.168.7.2", 5060), ("udp", "192.168.7.2", 5070), ("tcp", "192.168.7.2", 8443)], folder=folder,
                   certificate=f'{{ chain = "{own.chain}", key = "{own.key}" }}', page=PAGE, servers=entries, root=root, profile=profile, latch=latch)

    def key_hash(self):
        from house import House
        return House.key_hash(self)

    def outer(self):
        """The ICE session of the leg outside, of the one call; None where it has none."""
        call, = self.calls()
        streams = [stream for leg in self.get(f"/v1/calls/{call['id']}")["legs"] if leg["party"]["network"] == "outside" for stream in leg["streams"]]
        return streams[0]["ice"] if streams else None

    def ready(self):
        """Waits until addresses were got of the servers for pairs of ports."""
        names = re.compile(r"liaison_media_server_addresses_total")
        until(lambda: f"addresses, but {self.metrics()}",
              lambda: all(value >= 8 for name, value in self.metrics().items() if names.match(name)), 10)

    def completed(self, kinds):
        """Waits for a session outside that is completed, whose pair has one of our candidates of these kinds."""
        def done():
            ice = self.outer()
            return ice and ice["state"] == "completed" and ice["candidates"] and ice["candidates"]["local"] in kinds and ice
        return until(lambda: f"a completed session by {kinds}, but {self.outer()}", done, 10)


WAYS = {
    "stun": [f"stun:{SERVER}"],
    "udp": [f"turn:{SERVER}"],
    "secret": [f"turn:{SERVER}"],
    "tcp": [f"turn:{SERVER}?transport=tcp", f"stun:{SERVER}"],
    "tls": [f"turns:{SERVER}", f"stun:{SERVER}"],
}


@contextlib.contextmanager
def scene(way, mapping, alice="medianat=ice;", profile="", latch="auto"):
    """The server, the NAT, a telephone outside, one inside, and Liaison; the thread is inside."""
    # It is to send from where it describes itself, which the address that it sends to decides.
    interface = "net_interface toward" if way == "stun" else ""
    with Coturn(SERVER, SECRET if way == "secret" else None) as server, Nat(mapping=mapping, forward=ENDS) as nat, \
         Baresip("alice", "10.0.0.1", tone=440, account=alice + "answermode=auto", config=interface) as outer:
        with nat.inside(nat.second):
            bob = Baresip("bob", nat.SECOND, tone=1000, account="answermode=auto")
        with bob, nat.inside(), Inside(WAYS[way], server.root, profile, latch, way == "secret") as sbc:
            sbc.ready()
            yield sbc, outer, bob, server, nat


def talk(way, mapping, peer):
    """A telephone outside, with ICE or without, calls and is called; hold and resume in the middle of it."""
    kinds = {"stun": ("srflx", "prflx")}.get(way, ("relay",) if mapping == "walled" else ("srflx", "prflx", "relay"))
    with scene(way, mapping, "medianat=ice;" if peer == "ice" else "") as (sbc, alice, bob, server, nat):
        for caller, callee, uri in ((alice, bob, f"sip:bob@{nat.OUTSIDE}"), (bob, alice, f"sip:alice@{nat.INSIDE}:5070")):
            caller.command("dial", uri)
            for one in (alice, bob):
                one.wait("CALL_ESTABLISHED", 20)
            alice.listen(1000), bob.listen(440)
            if peer == "ice":
                sbc.completed(kinds)
            else:
                assert sbc.outer() is None, sbc.outer()
            caller.command("hangup")
            for one in (alice, bob):
                one.wait("CALL_CLOSED")
            sbc.idle()
        told = re.findall(r"^c=IN IP4 (\S+?)\r?$", alice.trace(), re.M)
        assert (SERVER if way != "stun" else nat.OUTSIDE) in told, told
        if peer == "plain" and way != "stun":
            assert re.search(r"^m=audio 50\d\d\d ", alice.trace(), re.M), alice.trace()


def browser(way, mapping):
    """A browser outside, which has ICE, DTLS-SRTP and a shared port for RTCP, calls and is called; hold, resume and a restart of ICE."""
    kinds = ("relay",) if mapping == "walled" else ("srflx", "prflx")
    with scene(way, mapping, profile='digest = { algorithms = ["MD5"] }') as (sbc, _, bob, _, nat):
        with nat.inside(nat.second):
            at_bob = Ear(bob.rtp_ports)
        with at_bob, outside(nat), Browser("web", server=f"wss://{nat.OUTSIDE}:{WSS}", page=PAGE, key_hash=sbc.key_hash(), password=PASSWORD,
                                           tone=440) as web:
            web.wait("registered")
            for caller in ("web", "bob"):
                if caller == "web":
                    web.do("call", "sip:bob@example.com")
                else:
                    bob.command("dial", f"sip:web@{nat.INSIDE}:5070")
                web.wait("confirmed"), bob.wait("CALL_ESTABLISHED", 20)
                web.listen(1000), at_bob.listen(440)
                with nat.inside():
                    sbc.completed(kinds)
                web.do("hold")
                web.wait("held")
                web.quiet()
                web.do("resume")
                web.wait("resumed")
                web.listen(1000), at_bob.listen(440)
                ufrags = lambda: re.findall(r"^a=ice-ufrag:(.*?)\r?$", "\n".join(web.messages("received")), re.M)
                before = ufrags()
                web.do("restart")
                web.wait("restarted")
                web.listen(1000), at_bob.listen(440)
                assert ufrags()[-1] not in before, ufrags()
                with nat.inside():
                    sbc.completed(kinds)
                web.do("hangup") if caller == "web" else bob.command("hangup")
                bob.wait("CALL_CLOSED"), web.wait("ended")
                with nat.inside():
                    sbc.idle()


@contextlib.contextmanager
def outside(nat):
    """The thread is outside again for a while."""
    with open("/proc/self/ns/net") as here_, open("/proc/1/ns/net") as lab:
        nat._enter(lab)
        try:
            yield
        finally:
            nat._enter(here_)


def linphone():
    """linphonec, outside and without ICE, has a relayed address as its peer: it calls, holds and resumes, is called, and records no gap."""
    with scene("udp", "walled", profile='digest = { algorithms = ["MD5"] }') as (sbc, _, bob, _, nat):
        with nat.inside(nat.second):
            at_bob = Tape(bob.rtp_ports)
        with at_bob, outside(nat), Ear(range(7078, 7080)) as at_dave, \
             Linphone("dave", "10.0.0.7", domain="example.com", proxy=f"{nat.OUTSIDE}:5060", transport="udp", password=PASSWORD,
                      root=sbc.own.chain, sip="media_encryption=none") as dave:
            with nat.inside():
                until("registered", lambda: sbc.get("/v1/registrations")["registrations"], 15)
            kept = dave.files(440)
            dave.say("call sip:bob@example.com")
            bob.wait("CALL_ESTABLISHED", 20)
            at_dave.listen(1000), at_bob.listen(440)
            dave.say("pause")
            dave.wait("paused")
            at_dave.quiet()
            dave.say("resume")
            dave.wait("Media streams established")
            at_dave.listen(1000), at_bob.listen(440)
            bob.command("hangup")
            dave.wait(r"ended \(No error\)")
            tones = {tone for tone, _ in heard(*of_file(kept)) if tone}
            assert tones == {1000}, tones
            with nat.inside():
                sbc.idle()
            dave.say("autoanswer enable")
            bob.command("dial", f"sip:dave@{nat.INSIDE}:5070")
            bob.wait("CALL_ESTABLISHED", 20)
            at_dave.listen(1000), at_bob.listen(440)
            bob.command("hangup")
            assert all(ip == SERVER and port in RELAYED for ip, port in at_dave.got_from), at_dave.got_from


def dies():
    """The TURN server dies in the middle of a call, which ends for want of media; the log and the metrics tell, and the next call goes by
    what is left: the address that the STUN server sees."""
    WAYS["both"] = [f"turn:{SERVER}", "stun:10.0.0.6"]
    with Coturn("10.0.0.6"), scene("both", "open", "", 'media_inactivity = "5s"', latch="any") as (sbc, alice, bob, server, nat):
        def call():
            alice.command("dial", f"sip:bob@{nat.OUTSIDE}")
            for one in (alice, bob):
                one.wait("CALL_ESTABLISHED", 20)
            alice.listen(1000), bob.listen(440)
            return re.findall(r"^c=IN IP4 (\S+?)\r?$", alice.trace(), re.M)[-1]
        up = lambda: sbc.metrics()[f'liaison_media_server_up{{server="turn:{SERVER}"}}']
        assert call() == SERVER and up() == 1
        server.close()
        for one in (alice, bob):
            one.wait("CALL_CLOSED", 30)
        sbc.idle()
        until("a server that is down", lambda: up() == 0, 30)
        assert f"a server that leads through the NAT is of no use server=turn:{SERVER}" in sbc.logged().replace('"', ""), sbc.logged()
        assert call() == nat.OUTSIDE
        alice.command("hangup")
        bob.wait("CALL_CLOSED")
        # It comes back, and is used again.
        with outside(nat), Coturn(SERVER):
            with nat.inside():
                until("a server that is up", lambda: up() == 1, 60)


run(talk, browser, linphone, dies)
