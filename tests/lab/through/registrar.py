#!/usr/bin/python3
"""registrar.py CHECK - telephones register to Liaison, call each other, and are found after a restart."""
import glob, here, json, os, socket, struct, tempfile, time
from xml.etree import ElementTree
from baresip_ua import Baresip
from liaison import OUTSIDE, Liaison, run, until
from messages import requests
from sipp import Sipp
from tokens import Key, key_set

TABLES = """
[networks.outside.registrar]
domains = ["example.com"]
challenge = { realm = "example.com", users = [
    { username = "carol", password = { env = "PHONE_PASSWORD" } }, { username = "dave", password = { env = "PHONE_PASSWORD" } },
] }
accounts = [{ address = "carol@example.com", users = ["carol"] }, { address = "dave@example.com", users = ["dave"] }]

[[routes]]
name = "users"
called = ["@example.com"]
to = [{ domain = "example.com" }]
"""
PASSWORD = "down the rabbit hole".replace(" ", "-")


def phone(user, ip, transport, more=""):
    account = f"regint=600;auth_user={user};auth_pass={PASSWORD};outbound=\"sip:10.0.0.2:5060;transport={transport}\";{more}"
    return Baresip(user, ip, domain="example.com", transport=transport, account=account)


def registered(sbc):
    return {one["address"]: one["bindings"] for one in sbc.get("/v1/registrations")["registrations"]}


def converse(sbc, carol, dave):
    carol.command("dial", "sip:dave@example.com")
    carol.wait("CALL_ESTABLISHED")
    dave.wait("CALL_ESTABLISHED")
    sbc.established(1)
    carol.command("hangup")
    dave.wait("CALL_CLOSED")
    sbc.idle()


def phones(transport, nat="auto"):
    """Two phones register, call each other, are still registered when Liaison was killed and started again, and call again."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    # This baresip gives up at a first challenge that it does not know, though a second follows (RFC 8760 §2.4).
    with Liaison(tables=TABLES, nat=nat, profile='digest = { algorithms = ["MD5"] }') as sbc, phone("carol", "10.0.0.6", transport) as carol, \
         phone("dave", "10.0.0.7", transport, "answermode=auto") as dave:
        for one in (carol, dave):
            one.wait("REGISTER_OK")
        before = registered(sbc)
        assert set(before) == {"carol@example.com", "dave@example.com"}, before
        assert all(len(bindings) == 1 for bindings in before.values()), before
        converse(sbc, carol, dave)
        sbc.kill()
        sbc.start()
        assert registered(sbc) == before, (before, registered(sbc))
        converse(sbc, carol, dave)
        deleted = sbc.curl("/v1/registrations/dave@example.com", "-X", "DELETE")
        until(lambda: f"no dave, but {registered(sbc)} after {deleted}", lambda: set(registered(sbc)) == {"carol@example.com"}, 5)
        carol.command("dial", "sip:dave@example.com")
        until(carol.trace, lambda: "480 Temporarily Unavailable" in carol.trace(), 10)
        sbc.idle()


def reginfo(notify):
    """Version, extent, state of the registration, and by contact its event, as an XML parser reads them."""
    space = "{urn:ietf:params:xml:ns:reginfo}"
    root = ElementTree.fromstring(notify.body)
    assert root.tag == space + "reginfo" and notify.one("Content-Type") == "application/reginfo+xml", str(notify)
    one, = root.findall(space + "registration")
    assert one.get("aor") == "sip:user1@example.com", str(notify)
    contacts = {contact.find(space + "uri").text: contact.get("event") for contact in one.findall(space + "contact")}
    return root.get("version"), root.get("state"), one.get("state"), contacts


def watched(transport="udp", shards="1"):
    """One SIPp subscribes to what is registered for a user whom another registers, until its time is over."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    tables = """
[networks.outside.registrar]
domains = ["example.com"]
min_expires = "1s"
nat_expires = "10s"
challenge = { realm = "example.com", users = [{ username = "phones", password = { env = "PHONE_PASSWORD" } }] }
accounts = [{ address = "user1@example.com", users = ["phones"] }]
"""
    credentials = ("-au", "phones", "-ap", PASSWORD, "-auth_uri")
    with Liaison(tables=tables, shards=shards, nat="on" if transport == "tcp" else "off", profile='digest = { algorithms = ["MD5"] }') as sbc, \
         Sipp("uac_watches", ("10.0.0.7", 5060), OUTSIDE, transport=transport, extra=(*credentials, "user1@example.com")) as watcher:
        until(watcher.report, lambda: sbc.metrics()["liaison_notifies_total"] == 1, 10)
        watching = sbc.get("/v1/registrations/user1@example.com/subscriptions")["subscriptions"]
        assert [one["user"] for one in watching] == ["phones"], watching
        assert sbc.metrics()["liaison_subscriptions"] == 1
        with Sipp("uac_registers", ("10.0.0.6", 5060), OUTSIDE, extra=(*credentials, "example.com")) as phone:
            phone.wait(10)
        watcher.wait(30)
        heard = requests(watcher.messages(), "NOTIFY", sent=False)
        states = [notify.one("Subscription-State") for notify in heard]
        assert len(states) == 3 and states[0] == "active;expires=8" and states[1].startswith("active;expires="), states
        assert states[2] == "terminated;reason=timeout", states
        contact = {"sip:user1@10.0.0.6:5060": "registered"}
        assert [reginfo(notify) for notify in heard[:2]] == [("0", "full", "init", {}), ("1", "partial", "active", contact)]
        assert all(";gr" in notify.one("Contact") and notify.one("Event") == "reg" for notify in heard), heard
        until("a subscription is left", lambda: sbc.metrics()["liaison_subscriptions"] == 0, 5)
        assert sbc.metrics()["liaison_notifies_failed_total"] == 0


def load(shards="1"):
    """A thousand addresses are registered at two hundred a second; all are there again when Liaison was killed the moment after."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    names = [f"user{n}" for n in range(1, 1001)]
    accounts = ", ".join(f'{{ address = "{name}@example.com", users = ["phones"] }}' for name in names)
    tables = f"""
[networks.outside.registrar]
domains = ["example.com"]
challenge = {{ realm = "example.com", users = [{{ username = "phones", password = {{ env = "PHONE_PASSWORD" }} }}] }}
accounts = [{accounts}]
"""
    with Liaison(tables=tables, shards=shards, profile='digest = { algorithms = ["MD5"] }') as sbc, \
         Sipp("uac_registers", ("10.0.0.6", 5060), OUTSIDE, calls=len(names), rate=200,
              extra=("-au", "phones", "-ap", PASSWORD, "-auth_uri", "example.com")) as phones:
        phones.wait(60)
        sbc.kill()
        sbc.start()
        expected, found, cursor = {f"{name}@example.com" for name in names}, set(), ""
        while cursor is not None:
            page = sbc.get(f"/v1/registrations?limit=300{cursor and '&cursor=' + cursor}")
            found |= {one["address"] for one in page["registrations"]}
            cursor = page["next_cursor"]
        assert found == expected, sorted(expected - found)[:10]
        metrics = sbc.metrics()
        assert metrics["liaison_bindings"] == metrics["liaison_registered"] == len(names), metrics


BEARER = """
[networks.outside.registrar]
domains = ["example.com"]
min_expires = "1s"
accounts = [{ address = "user1@example.com", users = ["phones"] }]

[networks.outside.registrar.challenge]
realm = "example.com"
bearer = { authz_server = "https://auth.example/", issuer = "https://auth.example/", audiences = ["sbc"], scopes = ["sip"], keys = { file = "KEYS" } }
"""
ASKED = 'Bearer realm="example.com", scope="sip", authz_server="https://auth.example/"'


def bearing(scenario, token, status=200, at=("10.0.0.6", 5060)):
    """A SIPp that answers the challenge with a token, and is answered so."""
    edits = [(' auth="true"', ""), ("[authentication]", f"Authorization: Bearer {token}")]
    edits += [] if status == 200 else [('response="200"', f'response="{status}"')]
    return Sipp(scenario, at, OUTSIDE, edits=edits)


def register(token, status=200):
    """The challenges that a REGISTER hears: at first, and then if the token is refused."""
    with bearing("uac_registers", token, status) as phone:
        phone.wait(10)
        return [m.all("www-authenticate") for m in phone.messages() if m.status == 401]


def bearer():
    """Tokens open the registrar to REGISTER and SUBSCRIBE; when the set of keys is exchanged, old ones are refused and new ones taken,
    and what was bound or subscribed with an old one goes on (RFC 8898)."""
    folder = tempfile.mkdtemp(prefix="keys.")
    keys, old, new = folder + "/keys.jwks", Key("old"), Key("new")
    claims = {"iss": "https://auth.example/", "aud": ["elsewhere", "sbc"], "sub": "phones", "scope": "mail sip", "exp": int(time.time()) + 600}

    def publish(text):
        with open(keys, "w") as file:
            file.write(text)
    publish(key_set(old))
    with Liaison(tables=BEARER.replace("KEYS", keys), nat="off") as sbc:
        assert register(old.token(**claims)) == [[ASKED]]
        refused = {
            "of a key that nobody knows": new.token(**claims), "of another issuer": old.token(**{**claims, "iss": "https://other.example/"}),
            "for somebody else": old.token(**{**claims, "aud": "elsewhere"}), "expired": old.token(**{**claims, "exp": int(time.time()) - 60}),
            "not yet": old.token(**{**claims, "nbf": int(time.time()) + 300}), "without an end": old.token(**{k: v for k, v in claims.items() if k != "exp"}),
            "without a user": old.token(**{k: v for k, v in claims.items() if k != "sub"}),
            "by a shared secret": old.forged(**claims), "unsigned": old.unsigned(**claims),
            "with other claims": ".".join([*old.token(**claims).split(".")[:1], *old.token(**{**claims, "sub": "eve"}).split(".")[1:2],
                                           *old.token(**claims).split(".")[2:]]),
        }
        for why, token in refused.items():
            assert register(token, 401) == [[ASKED], [ASKED + ', error="invalid_token"']], why
        assert register(old.token(**{**claims, "scope": "mail"}), 401) == [[ASKED], [ASKED + ', error="invalid_scope"']]
        # A token of a user who may not register that address opens nothing.
        assert register(old.token(**{**claims, "sub": "eve"}), 403) == [[ASKED]]
        assert sbc.metrics()["liaison_tokens_refused_total"] == len(refused) + 1
        before = registered(sbc)
        assert len(before["user1@example.com"]) == 1, before
        with bearing("uac_watches", old.token(**claims), at=("10.0.0.7", 5060)) as watcher:
            until(watcher.report, lambda: sbc.metrics()["liaison_notifies_total"] == 1, 10)
            # A file that holds no keys changes nothing, and is told with its place.
            publish("no keys")
            status, kind, body = sbc.curl("/v1/config/reload", "-X", "POST")
            fault, = json.loads(body)["errors"]
            assert (status, kind) == (422, "application/problem+json") and fault["line"] and fault["path"].endswith("challenge.bearer.keys"), body
            assert register(old.token(**claims)) == [[ASKED]]
            publish(key_set(new))
            status, _, body = sbc.curl("/v1/config/reload", "-X", "POST")
            assert status == 200 and "challenge.bearer (keys)" in body, body
            assert register(old.token(**claims), 401) == [[ASKED], [ASKED + ', error="invalid_token"']]
            assert len(registered(sbc)["user1@example.com"]) == 1, "what is bound stays"
            assert register(new.token(**claims)) == [[ASKED]]
            with bearing("uac_watches", old.token(**claims), 401, ("10.0.0.8", 5060)) as late:
                until(late.report, lambda: sum(m.status == 401 for m in late.messages()) == 2, 10)
            watcher.wait(30)
        heard = requests(watcher.messages(), "NOTIFY", sent=False)
        assert heard[-1].one("Subscription-State") == "terminated;reason=timeout", heard
        publish(key_set(old, new))
        assert sbc.curl("/v1/config/reload", "-X", "POST")[0] == 200
        for key in (old, new):
            assert register(key.token(**claims)) == [[ASKED]]
        assert "eyJ" not in sbc.logged(), "a token is in no log"


REFUSING = """
[networks.outside.registrar]
domains = ["example.com"]
require_outbound = "REQUIRED"
challenge = { realm = "example.com", users = [{ username = "phones", password = { env = "PHONE_PASSWORD" } }] }
accounts = [{ address = "user1@example.com", users = ["phones"] }]
"""
HOPS = "Max-Forwards: 70"
CONTACT = "Contact: <sip:user[call_number]@[local_ip]:[local_port]>"
# Status, scenario, what stands there otherwise, and the field that says why; each in a network of its own kind.
REFUSED = {
    "none": [
        (420, "uac_refused", [(HOPS, HOPS + "\nRequire: teleport")], ("unsupported", "teleport")),
        (440, "uac_refused", [(HOPS, HOPS + "\nMax-Breadth: 0")], None),
        (423, "uac_registers", [("Expires: 600", "Expires: 1")], ("min-expires", "60")),
        (439, "uac_registers", [(CONTACT, CONTACT + ';reg-id=1;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'),
                                (HOPS, HOPS + "\n      Supported: path, outbound\n      Path: <sip:10.0.0.9;lr>\n      Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bKfar")], None),
        (406, "uac_watches", [("Accept: application/reginfo+xml", "Accept: text/plain")], None),
    ],
    "all": [(421, "uac_registers", [], ("require", "outbound, gruu"))],
}


def refusals():
    """What a SIPp is refused with, it finds in the metrics, once each."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    for required, cases in REFUSED.items():
        with Liaison(tables=REFUSING.replace("REQUIRED", required), profile='digest = { algorithms = ["MD5"] }') as sbc:
            for status, scenario, edits, told in cases:
                uri = "user1@example.com" if scenario == "uac_watches" else "example.com"
                if scenario != "uac_refused":
                    edits = [*edits, ('response="200"', f'response="{status}"')]
                with Sipp(scenario, ("10.0.0.1", 5060), OUTSIDE, edits=edits, extra=("-au", "phones", "-ap", PASSWORD, "-auth_uri", uri)) as phone:
                    heard = lambda: [m for m in phone.messages() if m.status == status]
                    until(phone.report, heard, 10)
                    assert told is None or heard()[0].one(told[0]) == told[1], heard()[0]
                assert sbc.metrics()[f'liaison_sip_refusals_total{{status="{status}"}}'] == 1, status
            # A challenge is one too: each of those that come with credentials had one.
            challenged = sum(scenario != "uac_refused" for _, scenario, _, _ in cases)
            assert sbc.metrics()['liaison_sip_refusals_total{status="401"}'] == challenged


def registers(user, ip="10.0.0.6", transport="udp", edits=(), more=()):
    """One REGISTER of SIPp's, with its answer to the challenge."""
    return Sipp("uac_registers", (ip, 5060), OUTSIDE, transport=transport, edits=(("user[call_number]", user), *edits),
                extra=("-au", user, "-ap", PASSWORD, "-auth_uri", "example.com", *more))


def statuses(phone):
    return [m.status for m in phone.messages() if not m.sent and m.status]


def readiness(sbc):
    status, _, body = sbc.curl("/readyz", token=False)
    return status, [one["reason"] for one in json.loads(body)["degraded"]]


MD5 = 'digest = { algorithms = ["MD5"] }'


def full():
    """While the disk is full a REGISTER gets 500, and everybody can see why; once there is room, the same node registers again."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    with Liaison(tables=TABLES, profile=MD5, room="4m") as sbc:
        with registers("carol") as carol:
            carol.wait()
        assert readiness(sbc) == (200, [])
        with open(sbc.state + "/fill", "wb", buffering=0) as fill:
            try:
                while fill.write(bytes(4096)):
                    pass
            except OSError:
                pass
        # A row that the pages which the file has do not hold.
        with registers("dave", edits=(("[local_port]>", "[local_port]>;+sip.description=\"" + 3000 * "d" + "\""),)) as dave:
            until(lambda: f"500, but {statuses(dave)}", lambda: 500 in statuses(dave), 10)
        status, (why,) = readiness(sbc)
        assert status == 200 and "No space left on device" in why, (status, why)
        assert sbc.metrics()["liaison_store_failing"] == 1
        assert "No space left on device" in sbc.logged()
        os.remove(sbc.state + "/fill")
        # It finds out by itself.
        until(lambda: f"no reason, but {readiness(sbc)}", lambda: readiness(sbc) == (200, []), 10)
        with registers("dave") as dave:
            dave.wait()
        assert set(registered(sbc)) == {"carol@example.com", "dave@example.com"}
        metrics = sbc.metrics()
        assert metrics["liaison_store_failing"] == 0 and metrics["liaison_store_recoveries_total"] >= 1, metrics
        assert sbc.logged().count("rows cannot be kept") <= 2, "once for each change"


def damaged():
    """With a damaged file it starts all the same, says so, puts the file aside and registers."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    with Liaison(tables=TABLES, profile=MD5) as sbc:
        with registers("carol") as carol:
            carol.wait()
        path = sbc.state + "/registrations.redb"
        aside = lambda: sorted(glob.glob(path + ".damaged-*"))
        with open(path, "rb") as file:
            whole = file.read()
        for n, bytes_ in enumerate((whole[:len(whole) // 2], bytes(4096) + whole[4096:], os.urandom(70000)), 1):
            sbc.kill()
            with open(path, "wb") as file:
                file.write(bytes_)
            sbc.start()
            status, reasons = readiness(sbc)
            assert status == 200 and any("was damaged" in reason for reason in reasons), (status, reasons)
            assert sbc.metrics()["liaison_store_damages_total"] == 1
            assert len(aside()) == n, aside()
            assert not registered(sbc)
            with registers("carol") as carol:
                carol.wait()
            assert set(registered(sbc)) == {"carol@example.com"}
        assert "the store was damaged, and has begun anew" in sbc.logged()
        for file in aside():
            os.remove(file)
        assert readiness(sbc) == (200, [])
        sbc.kill()
        sbc.start()
        assert set(registered(sbc)) == {"carol@example.com"}, "the new file keeps"


def sum16(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def out_of_reach(teller, source, destination):
    """`teller` tells by ICMP that the port of `destination` is out of reach for datagrams of `source`, of which it knows nothing else."""
    (ours, our_port), (theirs, their_port) = source, destination
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 300, 1, 0, 64, 17, 0, socket.inet_aton(ours), socket.inet_aton(theirs))
    quoted = ip[:10] + struct.pack("!H", sum16(ip)) + ip[12:] + struct.pack("!HHHH", our_port, their_port, 280, 0)
    packet = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.bind((teller, 0))
        raw.sendto(packet[:2] + struct.pack("!H", sum16(packet)) + packet[4:], (ours, 0))


def forged():
    """ICMP of a third party does not end the binding of a phone that is there; of one that is gone it does."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    flow = (("[local_port]>", "[local_port]>;reg-id=1;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"\n      Supported: outbound, gruu, path"),
            ("</scenario>", "<pause milliseconds=\"60000\"/></scenario>"))
    # It answers the OPTIONS by SIPp's own scenario for what belongs to no call.
    with Liaison(tables=TABLES, profile=MD5) as sbc, registers("carol", edits=flow, more=("-oocsn", "ooc_default")) as carol:
        until(lambda: f"registered, but {statuses(carol)}", lambda: 200 in statuses(carol), 10)
        questioned = lambda: sbc.metrics()["liaison_flows_questioned_total"]
        lies = lambda: out_of_reach("10.0.0.7", ("10.0.0.2", 5060), ("10.0.0.6", 5060))
        for n in range(1, 4):
            lies()
            until(lambda: f"asked {n} times, but {questioned()}", lambda: questioned() == n, 5)
            # The answer comes at once; only then another packet is another question.
            until(lambda: f"{n} answers:\n{carol.report()[-3000:]}", lambda: sbc.metrics()['liaison_keepalives_total{outcome="sent"}'] == n, 5)
            until("no question any more", lambda: sbc.metrics()['liaison_sip_transactions{role="client"}'] == 0, 10)
        assert set(registered(sbc)) == {"carol@example.com"}
        carol.process.kill()
        carol.process.wait()
        lies()
        until(lambda: f"nobody, but {registered(sbc)}", lambda: not registered(sbc), 20)
        assert sbc.metrics()["liaison_flows_lost_total"] == 1


STRAY = ("SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP x;branch=z9hG4bKx\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: x\r\n"
         "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


def crowded():
    """Hosts that take every connection there is, each with a stray response and pings, keep neither the trunk out nor a phone."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    limits = "[limits]\nconnections = 160\nconnections_per_peer = 100\n"
    with Liaison(tables=TABLES + limits, profile=MD5, transport="tcp") as sbc:
        taken = []
        for ip in ("10.0.0.7", "10.0.0.8", "10.0.0.9"):
            for _ in range(100):
                one = socket.create_connection(("10.0.0.2", 5060), 10, (ip, 0))
                one.sendall(STRAY.encode() + b"\r\n\r\n")
                taken.append(one)
        failed = lambda cause: sbc.metrics()['liaison_connections_failed_total{cause="%s"}' % cause]
        open_now = lambda: sbc.metrics()["liaison_connections"]
        until(lambda: f"all that are not kept for others, but {open_now()}", lambda: open_now() == 140 and failed("displaced") >= 160, 10)
        assert "there are as many connections as may be" in sbc.logged()
        # The trunk has its own part, and its call goes out on a connection of ours.
        with Sipp("uas", ("10.0.0.4", 5060), transport="tcp") as called, \
             Sipp("uac", ("10.0.0.1", 5060), OUTSIDE, transport="tcp") as calling:
            calling.wait(30)
            called.wait(30)
        before = failed("displaced")
        with registers("carol", transport="tcp") as carol:
            carol.wait()
        assert failed("displaced") > before
        assert set(registered(sbc)) == {"carol@example.com"}
        # Pings alone keep nobody: those that are left end within 64*T1.
        for one in taken:
            try:
                one.sendall(b"\r\n\r\n")
            except OSError:
                pass
        until(lambda: f"none is left, but {open_now()}", lambda: open_now() <= 4, 45, 0.5)
        for one in taken:
            one.close()


run(phones, load, watched, bearer, refusals, full, damaged, crowded, forged)
