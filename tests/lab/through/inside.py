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
from users import PASSWORD

SERVER = "10.0.0.5"
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
[networks.outside.media.traversal]
servers = [{servers}]
roots = "{root}"
ready = 4

[networks.outside.registrar]
domains = ["example.com"]
challenge = {{ realm = "example.com", users = [{{ username = "web", password = {{ env = "PHONE_PASSWORD" }} }}] }}
accounts = [{{ address = "web@example.com", users = ["web"] }}]

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
called = ["web"]
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
    def __init__(self, servers, root, profile=""):
        os.environ["PHONE_PASSWORD"], os.environ["TURN_PASSWORD"] = PASSWORD, TURN_PASSWORD
        folder = tempfile.mkdtemp(prefix="liaison.")
        own = Authority(folder, "house").issue("own", ["DNS:sbc.example.com"])
        self.own = own
        proof = f', username = "{TURN_USER}", password = {{ env = "TURN_PASSWORD" }}'
        entries = ", ".join(f'{{ uri = "{uri}"{proof if uri.startswith("turn") else ""} }}' for uri in servers)
        self.folder = folder
        self.begin(DOCUMENT, [("udp", "192.168.7.2", 5060), ("udp", "192.168.7.2", 5070), ("tcp", "192.168.7.2", 8443)], folder=folder,
                   certificate=f'{{ chain = "{own.chain}", key = "{own.key}" }}', page=PAGE, servers=entries, root=root, profile=profile)

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
    "tcp": [f"turn:{SERVER}?transport=tcp", f"stun:{SERVER}"],
    "tls": [f"turns:{SERVER}", f"stun:{SERVER}"],
}


@contextlib.contextmanager
def scene(way, mapping, alice="medianat=ice;", profile=""):
    """The server, the NAT, a telephone outside, one inside, and Liaison; the thread is inside."""
    with Coturn(SERVER) as server, Nat(mapping=mapping, forward=ENDS) as nat, \
         Baresip("alice", "10.0.0.1", tone=440, account=alice + "answermode=auto") as outer:
        with nat.inside(nat.second):
            bob = Baresip("bob", nat.SECOND, tone=1000, account="answermode=auto")
        with bob, nat.inside(), Inside(WAYS[way], server.root, profile) as sbc:
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


run(talk)
