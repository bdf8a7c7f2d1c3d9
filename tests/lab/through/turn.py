#!/usr/bin/python3
"""turn.py CHECK - the TURN server: coturn's client and baresip use it, and a client of the test's own abuses it."""
import here, json, os, re, shutil, socket, ssl, struct, subprocess, tempfile, time
import liaison
from certificates import Authority
from liaison import MEDIA, Liaison, run, until
from nat import Nat
from processes import Daemon
from turn_client import ALLOCATE, BINDING, LIFETIME, NONCE, REFRESH, UDP, Client, attributes, credentials
from users import PASSWORD, TABLES, phone

SECRET, REALM, SERVER = "a secret of the lab alone", "lab.example", ("10.0.0.2", 3478)
RELAYED = range(50000, 51000)
# An echo of coturn's, which is no media of ours.
ECHO = "10.0.0.5"


class Turned(Liaison):
    """more: further lines of the server's table; the rest as of Liaison."""
    def __init__(self, more="", tables="", **settings):
        self.folder = tempfile.mkdtemp(prefix="turn.")
        self.authority = Authority(self.folder, "root")
        self.own = self.authority.issue("turn", ["DNS:turn.example", "IP:10.0.0.2"])
        os.environ["TURN_SECRET"] = SECRET
        super().__init__(tables=self.table(more) + tables, **settings)

    def table(self, more=""):
        return f"""
[networks.outside.turn]
realm = "{REALM}"
secret = {{ env = "TURN_SECRET" }}
ports = "{RELAYED[0]}-{RELAYED[-1]}"
listeners = [
  {{ transport = "udp", address = "10.0.0.2:3478" }},
  {{ transport = "tcp", address = "10.0.0.2:3478" }},
  {{ transport = "tls", address = "10.0.0.2:5349", advertised = "turn.example", tls = {{ certificates = [{{ chain = "{self.own.chain}", key = "{self.own.key}" }}] }} }},
]
{more}
"""

    def start(self):
        self.sockets = self.sockets + [("udp", *SERVER), ("tcp", *SERVER), ("tcp", "10.0.0.2", 5349)]
        super().start()

    def turn(self, name, **labels):
        """A metric of the TURN server."""
        label = "".join(f'{{{key}="{value}"}}' for key, value in labels.items())
        return self.metrics()[f"liaison_turn_{name}{label}"]

    def allocations(self, query=""):
        return self.get("/v1/turn/allocations" + query)["allocations"]

    def credentials(self, **order):
        """What the admin API hands out."""
        status, _, body = self.curl("/v1/turn/credentials", "-H", "Content-Type: application/json", "-d", json.dumps(order))
        return status, json.loads(body)

    def reload(self, more="", **settings):
        self.write(tables=self.table(more), **settings)
        status, _, body = self.curl("/v1/config/reload", "-X", "POST")
        assert status == 200, f"{status} {body}"
        return json.loads(body)

    def none_left(self):
        until(lambda: f"no allocation left, but {self.allocations()}", lambda: not self.allocations(), 10)
        assert self.turn("allocations") == 0, self.metrics()


def client(user="alice", ip="10.0.0.1", seconds=3600, stream=None):
    return Client(SERVER, ip, *credentials(SECRET, user, seconds), REALM, stream)


def foreign(transport):
    """coturn's client, which chooses channels as RFC 5766 has them, sends to an echo and gets all of it back: on channels and by indications, one allocation each and with a second
    one on a reserved port for RTCP, as many clients at once."""
    way = {"udp": [], "tcp": ["-t"], "tls": ["-t", "-S", "-p", "5349"]}[transport]
    echo = ["turnutils_peer", "-L", ECHO, "-p", "3480"]
    with Turned(f'peers = ["{ECHO}"]\nallocations_per_user = 64\nold_channels = true') as sbc, open(os.devnull, "w") as nothing:
        if transport == "tls":
            way += ["-E", sbc.authority.root]
        peer = subprocess.Popen(echo, stdout=nothing, stderr=nothing)
        try:
            for mode in ([], ["-s"], ["-c", "-m", "8"], ["-c", "-s"]):
                before = sbc.turn("packets_total", towards="clients")
                done = subprocess.run(["turnutils_uclient", *way, "-u", "alice", "-W", SECRET, "-e", ECHO, "-r", "3480", "-n", "50",
                                       "-L", "10.0.0.1", *mode, SERVER[0]], capture_output=True, text=True, timeout=60)
                text = done.stdout + done.stderr
                clients = 8 if "-m" in mode else 1
                # Each client sends 50 messages; where there is RTCP half of its flows are that.
                sums = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", text)
                assert done.returncode == 0 and sums, text
                sent, got = map(int, sums[-1])
                assert sent == got >= 50 * clients, f"{mode}: {text}"
                assert re.search(r"Total lost packets 0 ", text), f"{mode}: {text}"
                assert sbc.turn("packets_total", towards="clients") - before >= got, sbc.metrics()
                # The first allocation of each client is left alone, as if it had crashed: a connection would end it.
                if transport == "udp":
                    assert not any(one["permissions"] for one in sbc.allocations()), sbc.allocations()
                else:
                    sbc.none_left()
        finally:
            peer.kill()
            peer.wait()
        assert sbc.turn("refused_total", code="403") == 0 and sbc.turn("unauthenticated_total", credential="wrong") == 0


def relay():
    """It is no open relay: nobody is reached but media ports of ours, by whatever way is tried."""
    with Turned() as sbc, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim:
        victim.bind((ECHO, 3480))
        victim.settimeout(0.5)
        mallory = client("mallory")
        ip, port = mallory.allocate()
        assert ip == "10.0.0.2" and port in RELAYED, (ip, port)
        for peer in (ECHO, "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "10.0.0.1", "8.8.8.8"):
            assert mallory.permit(peer, 3480) == 403, peer
            assert mallory.bind(0x4000, peer, 3480) == 403, peer
            mallory.send(peer, 3480, b"spam")
        # Ours, but no media: SIP, STUN, the relayed ports themselves.
        for own in (5060, 3478, port, port ^ 1, 8080, 1):
            assert mallory.bind(0x4000, "10.0.0.2", own) == 403, own
        assert mallory.permit("10.0.0.2") == 0 and mallory.permit("10.0.0.3") == 0
        mallory.send("10.0.0.2", 5060, b"OPTIONS sip:10.0.0.2 SIP/2.0\r\n\r\n")
        assert mallory.bind(0x4000, "10.0.0.3", MEDIA[0]) == 0
        # Who is not permitted is not heard.
        victim.sendto(b"unasked", (ip, port))
        assert mallory.silent()
        try:
            raise AssertionError(f"the victim got {victim.recv(2048)}")
        except TimeoutError:
            pass
        assert sbc.turn("packets_total", towards="peers") == 0 and sbc.turn("dropped_total", reason="forbidden") >= 8
        one, = sbc.allocations("?user=mallory&network=outside")
        assert one["permissions"] == ["10.0.0.2", "10.0.0.3"] and one["channels"] == [{"number": 0x4000, "peer": f"10.0.0.3:{MEDIA[0]}"}], one
        assert one["relayed_address"] == f"{ip}:{port}" and one["transport"] == "udp", one
        assert not sbc.allocations("?user=alice")


def strangers():
    """Who is not let in: a wrong password, an expired credential, a made-up nonce, one of another client, garbage, too much of it."""
    with Turned("allocations_per_user = 2\nunproven_rate = 100") as sbc:
        guess = client()
        guess.password = "guess"
        assert guess.ask(ALLOCATE, UDP)[0] == 401
        assert client(seconds=-1).ask(ALLOCATE, UDP)[0] == 401
        assert sbc.turn("unauthenticated_total", credential="wrong") == 1 and sbc.turn("unauthenticated_total", credential="expired") == 1
        thief, alice = client(), client()
        alice.allocate()
        thief.nonce = alice.nonce
        assert thief.once(ALLOCATE, UDP)[0] == 438
        assert client("bob").permit("10.0.0.2") == 437
        alice.username, alice.password = credentials(SECRET, "bob")
        assert alice.ask(REFRESH, (LIFETIME, bytes(4)))[0] == 441
        second = client()
        second.allocate()
        assert client().ask(ALLOCATE, UDP)[0] == 486
        assert second.ask(REFRESH, (LIFETIME, bytes(4)))[0] == 0
        client().allocate()
        # Garbage, and what looks like a request of one's own or an answer: not a word of it is answered with more than it is.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
            noise.bind(("10.0.0.9", 0))
            for count in range(500):
                request, _ = client("x").request(ALLOCATE, UDP)
                for datagram in (os.urandom(1 + count), b"\x40\x00" + os.urandom(40), request[:19], request[:-1], b"\1\x03" + request[2:],
                                 b"\0\3\xff\xff" + request[4:], request):
                    noise.sendto(datagram, SERVER)
            answers = 0
            noise.settimeout(0.5)
            try:
                while True:
                    answers += len(noise.recv(2048)) > 0
            except TimeoutError:
                pass
        assert 100 <= answers <= 300, answers
        assert sbc.turn("limited_total") >= 200 and sbc.turn("dropped_total", reason="unreadable") > 1000, sbc.metrics()
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"\xff" * 100):
            with socket.create_connection(SERVER, 3) as stream:
                stream.settimeout(3)
                stream.sendall(garbage)
                # What begins as ChannelData may be: it is waited for.
                assert garbage[0] == 0x47 or stream.recv(100) == b"", garbage
        # None of that has hurt anybody.
        assert len(sbc.allocations()) == 2 and client("carol").allocate()[1] in RELAYED
        until("no connection left", lambda: sbc.turn("connections") == 0, 40)


def handed_out():
    """The admin API makes credentials for coturn's client, and refuses what cannot be."""
    with Turned('credential_lifetime = "1h"') as sbc:
        status, made = sbc.credentials(user="alice", ttl=60)
        assert status == 200 and made["ttl"] == 60 and made["username"].endswith(":alice"), made
        assert made["uris"] == ["turn:10.0.0.2:3478?transport=udp", "turn:10.0.0.2:3478?transport=tcp", "turns:turn.example:5349?transport=tcp"]
        Client(SERVER, "10.0.0.1", made["username"], made["password"], REALM).allocate()
        one, = sbc.allocations()
        assert one["user"] == "alice" and one["client"].startswith("10.0.0.1:") and 590 < one["left_seconds"] <= 600, one
        assert sbc.credentials(user="alice")[1]["ttl"] == 3600
        for order, code in (({"user": "a\nb"}, 422), ({"user": ""}, 422), ({"user": "alice", "ttl": 3601}, 422), ({"user": "alice", "ttl": 0}, 422),
                            ({"user": "alice", "network": "inside"}, 404), ({"user": "alice", "color": "red"}, 400), ({}, 400)):
            assert sbc.credentials(**order)[0] == code, order
        status, _, _ = sbc.curl("/v1/turn/credentials", "-H", "Content-Type: application/json", "-d", '{"user":"x"}', token=False)
        assert status == 401, status


def certificate():
    """The certificate of the TLS listener."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("10.0.0.2", 5349), 5) as plain, context.wrap_socket(plain) as secure:
        return secure.getpeercert(True)


def reloaded():
    """A reload exchanges the secret, whom allocations reach, and the certificate; allocations stay."""
    with Turned(f'peers = ["{ECHO}"]', outer="") as sbc, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((ECHO, 3480))
        peer.settimeout(3)
        alice = client()
        relayed = alice.allocate()
        assert alice.bind(0x4000, ECHO, 3480) == 0
        alice.give(b"\x40\0\0\x05hello\0\0\0")
        assert peer.recvfrom(100) == (b"hello", relayed)
        shown = certificate()
        # The secret is another one, and the one before still good.
        file = sbc.folder + "/secret"
        with open(file, "w") as new:
            new.write("another secret of the lab\n")
        table = f'previous_secret = {{ env = "TURN_SECRET" }}\npeers = ["{ECHO}"]'
        renewed = sbc.authority.issue("turn", ["DNS:turn.example", "IP:10.0.0.2"])
        assert renewed == sbc.own
        written = sbc.table
        sbc.table = lambda more="": written(more).replace('secret = { env = "TURN_SECRET" }', f'secret = {{ file = "{file}" }}', 1)
        changes = [change["path"] for change in sbc.reload(table)["changes"]]
        assert "networks.outside.turn (secret)" in changes and any("turn.listeners[2].tls" in path for path in changes), changes
        until("another certificate", lambda: certificate() != shown, 5)
        assert client("bob").allocate()[1] in RELAYED and alice.ask(REFRESH)[0] == 0
        assert Client(SERVER, "10.0.0.1", *credentials("another secret of the lab", "carol"), REALM).allocate()[1] in RELAYED
        peer.sendto(b"still", relayed)
        assert alice.message()[4:9] == b"still"
        # Now the old secret is gone, and the echo is out of reach.
        sbc.reload("lifetime = \"20m\"")
        late = client("bob")
        until("the old secret refused", lambda: late.ask(ALLOCATE, UDP)[0] == 401, 5)
        alice.give(b"\x40\0\0\x05hello\0\0\0")
        peer.sendto(b"unheard", relayed)
        assert alice.silent()
        assert alice.ask(REFRESH)[0] == 401 and len(sbc.allocations()) == 3
        # What is bound waits for a restart.
        waits = sbc.reload('ports = "51000-51999"\nlifetime = "20m"'.replace("ports", "connections").replace('"51000-51999"', "7"))
        assert {"path": "networks.outside.turn.connections", "effect": "restart"} in waits["changes"], waits


def streams():
    """A connection ends with its client's allocation, and the other way round: nothing is left of either."""
    with Turned("connections_per_address = 4") as sbc:
        held = [client(f"user{n}", stream=socket.create_connection(SERVER, 3)) for n in range(4)]
        for one in held:
            one.allocate()
        with socket.create_connection(SERVER, 3) as fifth:
            fifth.settimeout(3)
            assert fifth.recv(1) == b"", "a fifth connection is served"
        assert sbc.turn("connections_refused_total") == 1 and sbc.turn("connections") == 4
        assert {one["transport"] for one in sbc.allocations()} == {"tcp"}
        # Who has no credential holds none, whatever it says.
        for one in held[2:]:
            one.stream.close()
        until("two connections", lambda: sbc.turn("connections") == 2, 5)
        stranger, begun = socket.create_connection(SERVER, 3), time.monotonic()
        stranger.settimeout(1)
        strange = client(stream=stranger)
        while time.monotonic() < begun + 40:
            try:
                strange.give(strange.request(BINDING)[0] + strange.request(ALLOCATE, UDP)[0])
                if not stranger.recv(65536):
                    break
            except TimeoutError:
                pass
            except ConnectionError:
                break
            time.sleep(0.5)
        assert 25 < time.monotonic() - begun < 40, time.monotonic() - begun
        # A message in pieces, two in one.
        first = held[0]
        one, _ = first.request(REFRESH)
        for octet in one:
            first.give(bytes([octet]))
        assert first.message()[:2] == b"\1\4"
        first.give(one + one)
        assert first.message()[:2] == b"\1\4" and first.message()[:2] == b"\1\4"
        for one in held:
            one.stream.close()
        sbc.none_left()
        until("no connection left", lambda: sbc.turn("connections") == 0, 5)


def behind(mapping):
    """A telephone (baresip) behind a NAT describes the address that the TURN server gave it, and calls and is called by it: media is
    taken from described addresses only, so that nobody would be heard without."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    liaison.DOCUMENT = liaison.DOCUMENT.replace('media = {{ address = "10.0.0.2",', 'media = {{ address = "10.0.0.2", latch = "sdp",')
    with Nat(mapping=mapping) as nat, Turned(tables=TABLES, profile='digest = { algorithms = ["MD5"] }') as sbc:
        made = sbc.credentials(user="dave")[1]
        relayed = f'medianat=turn;stunserver="turn:10.0.0.2:3478";stunuser="{made["username"]}";stunpass="{made["password"]}";'
        with nat.inside():
            dave = phone("dave", nat.INSIDE, 440, relayed + "answermode=auto")
        with dave, phone("carol", "10.0.0.6", 1000, "answermode=auto") as carol:
            for one in (carol, dave):
                one.wait("REGISTER_OK")
            for caller, user in ((carol, "dave"), (dave, "carol")):
                caller.command("dial", f"sip:{user}@example.com")
                for one in (carol, dave):
                    one.wait("CALL_ESTABLISHED", 20)
                carol.listen(440), dave.listen(1000)
                its = sbc.allocations("?user=dave")
                assert its and all(one["client"].startswith(nat.OUTSIDE) and set(one["permissions"]) <= {"10.0.0.2"} for one in its), its
                assert any(one["to_peers"]["packets"] > 20 and one["to_client"]["packets"] > 20 for one in its), its
                caller.command("hangup")
                for one in (carol, dave):
                    one.wait("CALL_CLOSED")
                sbc.idle()
            sbc.none_left()


run(foreign, relay, strangers, handed_out, reloaded, streams, behind)
