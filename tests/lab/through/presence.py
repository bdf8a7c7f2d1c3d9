#!/usr/bin/python3
"""presence.py CHECK - Kamailio is the presence server behind Liaison: publications and subscriptions cross."""
import here
from xml.etree import ElementTree
from kamailio_presence import Presence
from liaison import Liaison, run, until
from messages import Message
from ua import Ua

BOB = "sip:bob@10.0.0.2"
PIDF = """<?xml version="1.0" encoding="UTF-8"?>\r
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:bob@10.0.0.4">\r
<tuple id="t1"><status><basic>%s</basic></status><note>\u03c0</note></tuple></presence>\r
"""
MWI = "Messages-Waiting: yes\r\nMessage-Account: sip:bob@10.0.0.4\r\nVoice-Message: 2/8 (0/2)\r\n"


def watcher():
    return Ua("10.0.0.1", 5070)


def publisher():
    return Ua("10.0.0.1", 5080, "publisher")


def publish(ua, body="", what="200", kind="application/pidf+xml", event="presence", **fields):
    fields = {"Event": event, "Expires": "60", **fields, **({"Content_Type": kind} if body else {})}
    return ua.ask(ua.request("PUBLISH", BOB, body, **fields), what)


def subscribe(ua, expires, dialog=None, event="presence", what="200", **fields):
    return ua.ask(ua.request("SUBSCRIBE", BOB, dialog=dialog, Event=event, Expires=str(expires), **fields), what)


def basic(notify):
    """What a document says of Bob, as an XML parser reads it."""
    root = ElementTree.fromstring(notify.body)
    return [one.text for one in root.iter("{urn:ietf:params:xml:ns:pidf}basic")]


def state(notify):
    value, *rest = notify.one("subscription-state").split(";")
    return value, dict(one.partition("=")[::2] for one in rest)


def carried(sbc, count):
    until(sbc.metrics, lambda: sbc.metrics()["liaison_subscriptions_carried"] == count, 10)


def presence():
    """Subscribed, published, told, refreshed, and ended; each side sees its own dialog only."""
    with Liaison() as sbc, Presence() as server, watcher() as alice, publisher() as bob:
        ok = subscribe(alice, 60, Accept="application/pidf+xml", X_Keep="yes")
        first = alice.expect("NOTIFY")
        carried(sbc, 1)
        assert state(first)[0] == "active" and 0 < int(state(first)[1]["expires"]) <= 60, str(first)
        assert first.one("call-id") == ok.one("call-id") and first.tag("from") == ok.tag("to"), (str(ok), str(first))
        listed, = sbc.get("/v1/subscriptions")["subscriptions"]
        assert listed["event"] == "presence" and listed["state"] == "active" and listed["notifications"] == 1, listed
        assert listed["subscriber"]["sip_call_id"] == ok.one("call-id") and listed["notifier"]["trunk"] == "b", listed
        assert first.one("event") == "presence" and "10.0.0.4" not in first.start
        asked = Message(False, server.heard("SUBSCRIBE")[0].encode())
        assert asked.one("x-keep") == "yes" and asked.one("accept") == "application/pidf+xml", str(asked)
        assert asked.one("call-id") != ok.one("call-id") and "10.0.0.3:5060" in asked.one("contact"), str(asked)
        # Bob is there, and is heard to be; then he is not.
        made = publish(bob, PIDF % "open")
        tag = made.one("sip-etag")
        assert tag and int(made.one("expires")) == 60, str(made)
        told = alice.expect("NOTIFY")
        assert basic(told) == ["open"] and "\u03c0".encode() in told.body, str(told)
        assert told.one("content-type") == "application/pidf+xml" and told.cseq == first.cseq + 1, str(told)
        again = publish(bob, PIDF % "closed", SIP_If_Match=tag)
        assert again.one("sip-etag") != tag
        assert basic(alice.expect("NOTIFY")) == ["closed"]
        publish(bob, PIDF % "open", "412", SIP_If_Match=tag)
        # A refresh tells everything again; the end is told, too.
        refreshed = subscribe(alice, 30, ok)
        assert int(refreshed.one("expires")) == 30, str(refreshed)
        assert basic(alice.expect("NOTIFY")) == ["closed"]
        over = subscribe(alice, 0, ok)
        assert over.one("expires") == "0", str(over)
        last = alice.expect("NOTIFY")
        assert state(last) == ("terminated", {"reason": "timeout"}), str(last)
        carried(sbc, 0)
        subscribe(alice, 30, ok, what="481")
        bodies = [m.body for m in map(lambda text: Message(False, text.encode()), server.heard("PUBLISH")) if m.body]
        assert bodies[0] == (PIDF % "open").encode(), bodies
        # All that it ever told.
        assert not any(b"10.0.0.4:5060" in m.raw for m in (ok, first, told, last)), "nothing of the other side's way"


def expiry():
    """Nobody refreshes: the server ends it, and both sides forget it. What is too brief, or unheard of, is refused there."""
    with Liaison() as sbc, Presence(), watcher() as alice:
        refused = subscribe(alice, 2, what="423")
        assert refused.one("min-expires") == "5", str(refused)
        refused = subscribe(alice, 60, event="no-such-package", what="489")
        assert "presence" in refused.one("allow-events"), str(refused)
        ok = subscribe(alice, 5)
        alice.expect("NOTIFY")
        carried(sbc, 1)
        last = alice.expect("NOTIFY", 45)
        assert state(last)[0] == "terminated", str(last)
        carried(sbc, 0)
        subscribe(alice, 30, ok, what="481")
        # State is fetched once.
        subscribe(alice, 0)
        assert state(alice.expect("NOTIFY"))[0] == "terminated"
        carried(sbc, 0)


def waiting():
    """Messages waiting (RFC 3842), byte for byte."""
    with Liaison() as sbc, Presence(), watcher() as alice, publisher() as bob:
        kind = "application/simple-message-summary"
        publish(bob, MWI, kind=kind, event="message-summary")
        ok = subscribe(alice, 60, event="message-summary", Accept=kind)
        told = alice.expect("NOTIFY")
        assert told.body == MWI.encode() and told.one("content-type") == kind, str(told)
        subscribe(alice, 0, ok, event="message-summary")
        alice.expect("NOTIFY")
        carried(sbc, 0)


run(presence, expiry, waiting)
