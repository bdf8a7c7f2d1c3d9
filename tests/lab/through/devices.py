#!/usr/bin/python3
"""devices.py CHECK - several devices of one user, each a SIPp, ring at once or in turn, and the losers hear why."""
import here, os
import messages
from liaison import OUTSIDE, Liaison, run
from sipp import UAC, Sipp

PASSWORD = "down-the-rabbit-hole"
# The route of the lab's own calls goes to the user: the number that its UAC calls becomes her.
TABLES = """
[networks.outside.registrar]
domains = ["example.com"]
challenge = { realm = "example.com", users = [{ username = "phones", password = { env = "PHONE_PASSWORD" } }] }
accounts = [{ address = "user1@example.com", users = ["phones"] }]
%s
[[routes]]
name = "users"
priority = 200
networks = ["outside"]
number = { strip = "+4930123456", prefix = "user" }
to = [{ domain = "example.com" }]
"""
DEVICES = [(f"10.0.0.{n}", 5060) for n in (6, 7, 8)]
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


def liaison(ring=""):
    os.environ["PHONE_PASSWORD"] = PASSWORD
    return Liaison(tables=TABLES % ring, profile='digest = { algorithms = ["MD5"] }')


def register(sbc, devices=DEVICES):
    """Each registers the same address, in this order."""
    for at in devices:
        with Sipp("uac_registers", at, OUTSIDE, extra=("-au", "phones", "-ap", PASSWORD, "-auth_uri", "example.com")) as phone:
            phone.wait(20)
    one, = sbc.get("/v1/registrations")["registrations"]
    assert len(one["bindings"]) == len(devices), one


def reasons(phone, method="CANCEL"):
    """The Reason of each such request that the device got, as bytes say it."""
    return [request.all("reason") for request in messages.requests(phone.messages(), method, sent=False)]


def breadth(phone):
    invite, = messages.requests(phone.messages(), "INVITE", sent=False)
    return int(invite.one("max-breadth"))


def ended(sbc):
    sbc.idle()
    metrics = sbc.metrics()
    assert metrics["liaison_media_pairs_lent"] == 0, metrics
    record, = sbc.records(1)
    return record


def parallel():
    """All ring at once; the second one answers, and the others hear a CANCEL that says so."""
    with liaison() as sbc:
        register(sbc)
        with Sipp("uas_loses", DEVICES[0]) as one, Sipp("uas", DEVICES[1]) as two, Sipp("uas_loses", DEVICES[2]) as three, \
             Sipp("uac", UAC, OUTSIDE, pause=500) as caller:
            for side in (caller, one, two, three):
                side.wait(30)
            assert reasons(one) == reasons(three) == [[ELSEWHERE]], (reasons(one), reasons(three))
            assert reasons(two) == [], two.report()
            assert [breadth(phone) for phone in (one, two, three)] == [20, 20, 20]
        record = ended(sbc)
        assert record["answered"] and record["released_by"] == "calling", record
        legs = sorted((leg["status"] or 0, leg.get("reason") or "") for leg in record["legs"] if leg["role"] == "called")
        assert legs == [(0, ""), (487, ELSEWHERE), (487, ELSEWHERE)], record
        assert sbc.metrics()["liaison_legs_answered_elsewhere_total"] == 2


def sequence():
    """One rings after the other, the newest first: two ring for too long, and the third answers."""
    with liaison('ring = "sequence"\nring_turn = "1s"') as sbc:
        register(sbc)
        with Sipp("uas", DEVICES[0]) as one, Sipp("uas_loses", DEVICES[1]) as two, Sipp("uas_loses", DEVICES[2]) as three, \
             Sipp("uac", UAC, OUTSIDE, pause=500) as caller:
            for side in (caller, one, two, three):
                side.wait(30)
            limit = 'SIP;cause=480;text="Ring limit"'
            assert reasons(two) == reasons(three) == [[limit]], (reasons(two), reasons(three))
            assert reasons(one) == [], one.report()
        record = ended(sbc)
        called = [leg for leg in record["legs"] if leg["role"] == "called"]
        assert [leg["target"].split("@")[1].split(":")[0] for leg in called] == ["10.0.0.8", "10.0.0.7", "10.0.0.6"], record
        assert [leg["cause"] for leg in called[:2]] == ["ring limit", "ring limit"], record


def declined():
    """One of three declines for the user: the others hear a CANCEL that says so, and the caller the 603."""
    with liaison() as sbc:
        register(sbc)
        with Sipp("uas_loses", DEVICES[0]) as one, Sipp("uas_declines", DEVICES[1]) as two, \
             Sipp("uas_loses", DEVICES[2]) as three, Sipp("uac_refused", UAC, OUTSIDE) as caller:
            for side in (caller, one, two, three):
                side.wait(30)
            assert reasons(one) == reasons(three) == [['SIP;cause=603;text="Call failed"']], (reasons(one), reasons(three))
            finals = {m.status for m in caller.messages() if m.status and m.status >= 200}
            assert finals == {603}, finals
        record = ended(sbc)
        assert record["answered"] is None and record["legs"][0]["status"] == 603, record


run(parallel, sequence, declined)
