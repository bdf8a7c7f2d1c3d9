#!/usr/bin/python3
"""placed.py CHECK - calls that the admin API is asked to place (RFC 3725): this telephone is rung, and then that one."""
import here, json, re
from baresip_ua import Baresip
from ear import Ear
from liaison import Liaison, run, until

ALICE, BOB = {"uri": "sip:alice@example.com", "network": "inside"}, {"uri": "sip:bob@example.com", "network": "outside"}


def post(sbc, order):
    """What the API says to an order."""
    status, kind, body = sbc.curl("/v1/calls", "-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(order))
    assert kind.startswith("application/"), kind
    return status, json.loads(body)


def place(sbc, **more):
    """Alice first, and then Bob: the call."""
    status, call = post(sbc, {"first": {**ALICE, **more}, "then": BOB})
    assert status == 201 and call["placed"] and call["state"] == "setting_up", (status, call)
    return call


def says(phone, what):
    """That a phone has had a message like that: what it prints comes later than its events."""
    until(lambda: f"{what} in {phone.trace()}", lambda: re.search(what, phone.trace(), re.M | re.S), 10)


def talk(profile=""):
    """Both answer, and hear each other, media through us or around us; whoever hangs up ends it for both."""
    lines = {"": "", "around": 'media = "bypass"'}[profile]
    with Liaison(profile=lines, shards=2) as sbc, \
         Baresip("alice", "10.0.0.1", tone=440, account="answermode=auto") as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob:
        for ends, other in ((alice, bob), (bob, alice)):
            call = place(sbc)
            alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
            at_alice.listen(1000), at_bob.listen(440)
            standing, = sbc.established(1)
            assert standing["id"] == call["id"], (standing, call)
            legs = sbc.get(f"/v1/calls/{call['id']}")["legs"]
            assert [(leg["role"], leg["state"]) for leg in legs] == [("calling", "confirmed"), ("called", "confirmed")], legs
            assert all(leg["streams"][0]["anchored"] == (not profile) for leg in legs), legs
            ends.command("hangup")
            other.wait("CALL_CLOSED")
            sbc.idle()
        # Each is shown the other one, and the second one gets an offer.
        says(alice, r"^INVITE sip:alice@.*?^From: <sip:bob@example\.com>")
        says(bob, r"^INVITE sip:bob@[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n(?:[^\r\n]+\r?\n)*m=audio ")
        records = sbc.records(2)
        assert all(record["placed"] and record["answered"] for record in records), records
        assert [record["released_by"] for record in records] == ["calling", "called"], records
        assert sbc.metrics()['liaison_placed_calls_total{outcome="answered"}'] == 2


def busy():
    """Where Bob does not take it, Alice is told why (RFC 3725 §6); where she does not answer, he is not rung."""
    with Liaison() as sbc, Baresip("alice", "10.0.0.1", account="answermode=auto") as alice, Baresip("bob", "10.0.0.4") as bob:
        place(sbc)
        bob.wait("CALL_INCOMING")
        bob.command("hangup")
        alice.wait("CALL_CLOSED")
        sbc.idle()
        says(bob, r"^SIP/2\.0 [4-6]\d\d")
        status, = {int(code) for code in re.findall(r"^SIP/2\.0 ([4-6]\d\d)", bob.trace(), re.M)}
        says(alice, rf"^BYE .*?^Reason: SIP;cause={status};")
        record, = sbc.records(1)
        assert record["cause"] == "second party not reached" and record["answered"] is None, record
    with Liaison() as sbc, Baresip("alice", "10.0.0.1") as alice, Baresip("bob", "10.0.0.4") as bob:
        call = place(sbc)
        alice.wait("CALL_INCOMING")
        status, _, _ = sbc.curl(f"/v1/calls/{call['id']}?reason=given%20up", "-X", "DELETE")
        assert status == 202, status
        alice.wait("CALL_CLOSED")
        says(alice, r'^CANCEL .*?^Reason: SIP;cause=480;text="given up"')
        sbc.idle()
        place(sbc, ring_seconds=2)
        alice.wait("CALL_INCOMING"), alice.wait("CALL_CLOSED")
        sbc.idle()
        assert "INVITE" not in bob.trace(), bob.trace()
        status, problem = post(sbc, {"first": ALICE, "then": {**BOB, "network": "moon"}})
        assert status == 422 and problem["detail"] == "then: there is no network moon", problem
        until("the port free", lambda: not sbc.calls(), 5)


run(talk, busy)
