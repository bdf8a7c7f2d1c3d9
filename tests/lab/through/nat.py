#!/usr/bin/python3
"""nat.py CHECK - user agents behind a NAT that know nothing of it."""
import here, os, re, time
from baresip_ua import Baresip
from liaison import Liaison, run, until
from nat import Nat

# The NAT forgets after 12 s what is silent; the phone would register again after ten minutes only.
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


def phone(user, ip, tone, more="", transport="udp"):
    account = f"regint=600;auth_user={user};auth_pass={PASSWORD};outbound=\"sip:10.0.0.2:5060;transport={transport}\";{more}"
    return Baresip(user, ip, domain="example.com", account=account, tone=tone, transport=transport)


def idle():
    """A phone behind the NAT is called after it was idle for several times what the NAT remembers; each hears the other; it hangs
    up, and calls in turn, and is hung up on."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    with Nat(udp_seconds=12) as nat, Liaison(tables=TABLES, profile='digest = { algorithms = ["MD5"] }') as sbc:
        with nat.inside():
            dave = phone("dave", nat.INSIDE, 440, "answermode=auto")
        with dave, phone("carol", "10.0.0.6", 1000) as carol:
            for one in (carol, dave):
                one.wait("REGISTER_OK")
            bound = {one["address"]: one["bindings"][0] for one in sbc.get("/v1/registrations")["registrations"]}
            there = bound["dave@example.com"]
            assert there["behind_nat"] and there["source"].startswith(nat.OUTSIDE) and nat.INSIDE in there["contact"], there
            assert not bound["carol@example.com"]["behind_nat"], bound
            time.sleep(45)
            metrics = sbc.metrics()
            assert metrics['liaison_keepalives_total{outcome="sent"}'] >= 4, metrics
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


def stun():
    """A STUN client behind the NAT is told by the port of SIP where it is seen."""
    with Nat() as nat, Liaison() as sbc:
        said = nat.run(nat.host, "turnutils_stunclient", "-p", "5060", "10.0.0.2")
        assert re.search(rf"reflexive addr: {re.escape(nat.OUTSIDE)}:\d+", said), said
        until(sbc.metrics, lambda: sbc.metrics()['liaison_stun_total{outcome="answered"}'] >= 1, 5)


run(idle, lost, stun)
