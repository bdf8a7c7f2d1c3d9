#!/usr/bin/python3
"""nat.py CHECK - user agents behind a NAT that know nothing of it."""
import here, os, re, time
import liaison
from baresip_ua import Baresip
from liaison import OUTSIDE, Liaison, run, until
from messages import requests
from nat import Nat
from nsd import NameServer
from sipp import UAC, UAS, Sipp
from syns import Syns

# Ten idle minutes at ten times the speed. A NAT remembers a silent flow over UDP for two minutes at least (RFC 4787 §4.3,
# REQ-5): here 12 s. nat_keepalive is less than that by a sixth, 100 s: here 10 s. The phone is left alone for 60 s, five times what
# the NAT remembers; left to itself it would register again after 600 s, which would be a hundred minutes.
FASTER = 10
REMEMBERED, IDLE = 120 // FASTER, 600 // FASTER
TABLES = """
[networks.outside.registrar]
domains = ["example.com"]
challenge = { realm = "example.com", users = [
    { username = "carol", password = { env = "PHONE_PASSWORD" } }, { username = "dave", password = { env = "PHONE_PASSWORD" } },
] }
accounts = [{ address = "carol@example.com", users = ["carol"] }, { address = "dave@example.com", users = ["dave"] }]
nat_expires = "10m"
nat_keepalive = "10s"

[[routes]]
name = "users"
called = ["@example.com"]
to = [{ domain = "example.com" }]
"""
PASSWORD = "down-the-rabbit-hole"


def phone(user, ip, tone, more="", transport="udp", config=""):
    account = f"regint=600;auth_user={user};auth_pass={PASSWORD};outbound=\"sip:10.0.0.2:5060;transport={transport}\";{more}"
    return Baresip(user, ip, domain="example.com", account=account, tone=tone, transport=transport, config=config)


def idle():
    """A phone behind the NAT is called after ten idle minutes at that speed; each hears the other; it hangs
    up, and calls in turn, and is hung up on."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    with Nat(udp_seconds=REMEMBERED) as nat, Liaison(tables=TABLES, profile='digest = { algorithms = ["MD5"] }') as sbc:
        with nat.inside():
            dave = phone("dave", nat.INSIDE, 440, "answermode=auto")
        with dave, phone("carol", "10.0.0.6", 1000) as carol:
            for one in (carol, dave):
                one.wait("REGISTER_OK")
            bound = {one["address"]: one["bindings"][0] for one in sbc.get("/v1/registrations")["registrations"]}
            there = bound["dave@example.com"]
            assert there["behind_nat"] and there["source"].startswith(nat.OUTSIDE) and nat.INSIDE in there["contact"], there
            assert not bound["carol@example.com"]["behind_nat"], bound
            time.sleep(IDLE)
            metrics = sbc.metrics()
            assert metrics['liaison_keepalives_total{outcome="sent"}'] >= IDLE // REMEMBERED, metrics
            assert metrics['liaison_keepalives_total{outcome="unanswered"}'] == 0, metrics
            converse(sbc, carol, "dave", dave)
            converse(sbc, dave, "carol", carol, answer=True)
            sbc.idle()


def converse(sbc, caller, user, called, answer=False):
    caller.command("dial", f"sip:{user}@example.com")
    if answer:
        called.wait("CALL_INCOMING")
        called.command("accept")
    caller.wait("CALL_ESTABLISHED")
    called.wait("CALL_ESTABLISHED")
    tones = {"dave": 440, "carol": 1000}
    caller.listen(tones[user])
    called.listen(next(tone for name, tone in tones.items() if name != user))
    sbc.established(1)
    called.command("hangup")
    caller.wait("CALL_CLOSED")
    sbc.idle()


def lost():
    """What is reached on a connection only is bound for as long as that is there."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    with Nat() as nat, Liaison(tables=TABLES, profile='digest = { algorithms = ["MD5"] }') as sbc:
        with nat.inside():
            dave = phone("dave", nat.INSIDE, 440, transport="tcp")
        with dave:
            dave.wait("REGISTER_OK")
            binding, = sbc.get("/v1/registrations")["registrations"][0]["bindings"]
            assert binding["behind_nat"] and binding["source"].startswith(nat.OUTSIDE), binding
            dave.process.kill()
            until(sbc.metrics, lambda: sbc.metrics()["liaison_flows_lost_total"] == 1, 10)
            assert sbc.get("/v1/registrations")["registrations"] == []


def outbound():
    """A phone with outbound behind the NAT, which lets no connection in: a call to it, and the BYE that ends the call, come on the
    one that it has opened."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    with Nat() as nat, Syns(5060) as syns, Liaison(tables=TABLES, profile='digest = { algorithms = ["MD5"] }') as sbc:
        with nat.inside():
            dave = phone("dave", nat.INSIDE, 440, "answermode=auto;sipnat=outbound", transport="tcp", config="module_app uuid.so\n")
        with dave, phone("carol", "10.0.0.6", 1000) as carol:
            for one in (carol, dave):
                one.wait("REGISTER_OK")
            bound = {one["address"]: one["bindings"][0] for one in sbc.get("/v1/registrations")["registrations"]}
            there = bound["dave@example.com"]
            assert there["reg_id"] == 1 and there["instance"] and there["source"].startswith(nat.OUTSIDE), there
            carol.command("dial", "sip:dave@example.com")
            for one in (carol, dave):
                one.wait("CALL_ESTABLISHED")
            carol.command("hangup")
            dave.wait("CALL_CLOSED")
            sbc.idle()
            bye = re.search(r"BYE sip:.*?\r?\n\r?\n", dave.trace(), re.S)
            assert bye and "Via: SIP/2.0/TCP 10.0.0.2:5060" in bye[0], dave.trace()
            assert syns.begun() == {(nat.OUTSIDE, "10.0.0.2"): 1}, syns.begun()
            assert sbc.metrics()['liaison_connections_total{role="opened"}'] == 0


def stun():
    """A STUN client behind the NAT is told by the port of SIP where it is seen."""
    with Nat() as nat, Liaison() as sbc:
        said = nat.run(nat.host, "turnutils_stunclient", "-p", "5060", "10.0.0.2")
        assert re.search(rf"reflexive addr: {re.escape(nat.OUTSIDE)}:\d+", said), said
        until(sbc.metrics, lambda: sbc.metrics()['liaison_stun_total{outcome="answered"}'] >= 1, 5)


def two(mapping):
    """Two phones behind one NAT of that kind call each other, and are called again when Liaison was killed and started again, before
    they register anew."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    with Nat(mapping=mapping) as nat, Liaison(tables=TABLES, profile='digest = { algorithms = ["MD5"] }') as sbc:
        with nat.inside():
            dave = phone("dave", nat.INSIDE, 440, "answermode=auto")
        with nat.inside(nat.second):
            carol = phone("carol", nat.SECOND, 1000)
        with dave, carol:
            for one in (carol, dave):
                one.wait("REGISTER_OK")
            before = bindings(sbc)
            for user, inside, outside in (("dave", nat.INSIDE, nat.OUTSIDE), ("carol", nat.SECOND, nat.OTHER)):
                there = before[user]
                outside = outside if mapping == "open" else nat.OUTSIDE
                kept = there["contact"].rpartition(":")[2].partition(";")[0] == there["source"].rpartition(":")[2]
                assert kept or mapping != "open" and (mapping == "random" or user == "carol"), there
                assert there["behind_nat"] and there["source"].startswith(outside + ":") and f"@{inside}:" in there["contact"], there
            converse(sbc, carol, "dave", dave)
            converse(sbc, dave, "carol", carol, answer=True)
            sbc.kill()
            sbc.start()
            assert bindings(sbc) == before, (before, bindings(sbc))
            converse(sbc, carol, "dave", dave)
            sbc.idle()


def rebinds():
    """A NAT that starts again forgets its flows: the phone is found at its new address and port as soon as it has registered again,
    by one binding."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    brief = TABLES.replace('nat_expires = "10m"', 'min_expires = "10s"\nnat_expires = "10s"')
    with Nat(mapping="random") as nat, Liaison(tables=brief, profile='digest = { algorithms = ["MD5"] }') as sbc:
        with nat.inside():
            dave = phone("dave", nat.INSIDE, 440, "answermode=auto")
        with dave, phone("carol", "10.0.0.6", 1000) as carol:
            for one in (carol, dave):
                one.wait("REGISTER_OK")
            before = bindings(sbc)["dave"]["source"]
            nat.restart()
            until(lambda: bindings(sbc), lambda: bindings(sbc)["dave"]["source"] != before, 20)
            converse(sbc, carol, "dave", dave)
            sbc.idle()


def watches(transport):
    """A subscriber behind the NAT hears what is registered on the flow that its SUBSCRIBE came on: nothing is sent to its Contact, and no
    connection is opened."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    brief = TABLES.replace('nat_expires = "10m"', 'min_expires = "1s"\nnat_expires = "10s"').replace("carol", "user1")
    credentials = ("-au", "user1", "-ap", PASSWORD, "-auth_uri")
    with Nat(mapping="random") as nat, Syns(5060) as syns, Liaison(tables=brief, profile='digest = { algorithms = ["MD5"] }') as sbc:
        with nat.inside():
            watcher = Sipp("uac_watches", (nat.INSIDE, 5060), OUTSIDE, transport=transport, extra=(*credentials, "user1@example.com"),
                           # Without it an answer goes to the port of Via (RFC 3581 §4).
                           edits=[("branch=[branch]", "branch=[branch];rport")])
        with watcher:
            until(watcher.report, lambda: sbc.metrics()["liaison_notifies_total"] == 1, 10)
            with Sipp("uac_registers", ("10.0.0.6", 5060), OUTSIDE, extra=(*credentials, "example.com")) as one:
                one.wait(10)
            watcher.wait(30)
            asked = requests(watcher.messages(), "SUBSCRIBE", sent=True)
            heard = requests(watcher.messages(), "NOTIFY", sent=False)
            assert len(heard) == 3 and all(f"@{nat.INSIDE}:5060>" in subscribe.one("Contact") for subscribe in asked), heard
            assert all(f" sip:user1@{nat.INSIDE}:5060 " in notify.start for notify in heard), heard
            assert syns.begun() == ({(nat.OUTSIDE, "10.0.0.2"): 1} if transport == "tcp" else {}), syns.begun()
            metrics = sbc.metrics()
            assert metrics["liaison_notifies_failed_total"] == 0 and metrics['liaison_connections_total{role="opened"}'] == 0, metrics


def bindings(sbc):
    """The one binding of each user."""
    return {one["address"].removesuffix("@example.com"): one["bindings"][0] for one in sbc.get("/v1/registrations")["registrations"]
            if len(one["bindings"]) == 1}


def source():
    """A phone behind a NAT that does not ask by `rport`: its call is answered where it came from, or it would hear nothing."""
    hidden = [("[local_ip]:[local_port];branch=[branch];rport", "192.168.7.2:5070;branch=[branch]")]
    with Liaison(nat="on") as sbc, Sipp("uas", UAS) as called, Sipp("uac", UAC, OUTSIDE, edits=hidden) as calling:
        calling.wait()
        called.wait()
        sbc.idle()
    answers = [m for m in calling.messages() if not m.sent]
    assert {m.status for m in answers} == {100, 180, 200}, answers
    for answer in answers:
        via = answer.one("via")
        assert via.startswith("SIP/2.0/UDP 192.168.7.2:5070;") and ";received=10.0.0.1" in via and "rport" not in via, via


def named():
    """A trunk that is called by its name, whose media is taken from where its signalling comes from: that is known once it has answered, and
    each hears the other."""
    media = 'media = {{ address = "10.0.0.2", ports = "30000-39999"'
    named = liaison.DOCUMENT.replace(media, media + ', latch = "signalling"')
    liaison.DOCUMENT = named.replace('targets = ["sip:10.0.0.1:5060;', 'targets = ["sip:pbx.example;')
    with NameServer("pbx 60 IN A 10.0.0.1"), Liaison(tables='[dns]\nservers = ["10.0.0.9:53"]') as sbc, \
         Baresip("alice", "10.0.0.1", tone=440, account="answermode=auto") as alice, Baresip("bob", "10.0.0.4", tone=1000) as bob:
        bob.command("dial", "sip:alice@10.0.0.3")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        alice.listen(1000), bob.listen(440)
        call, = sbc.established(1)
        streams = [leg["streams"][0] for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"]]
        assert all(stream["received"]["packets"] > 50 for stream in streams), streams


run(idle, lost, outbound, stun, source, two, rebinds, watches, named)
