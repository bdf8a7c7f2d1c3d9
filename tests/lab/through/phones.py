#!/usr/bin/python3
"""phones.py CHECK - two telephones hear each other through the relay."""
import here, datetime, re, signal
import liaison
from baresip_ua import Baresip
from ear import Ear
from liaison import MEDIA, Liaison, run, until


# Over TCP baresip leaves the address that it connects from to the system, and this host has those of both sides.
liaison.DOCUMENT = liaison.DOCUMENT.replace('from = ["10.0.0.4"]', 'from = ["10.0.0.4", "10.0.0.1"]')


def relayed(ear, ip):
    """That all RTP of the phone went to Liaison, to one port of its range there, and all that it got came from there."""
    assert ear.sent_to and all(to == ip and port in MEDIA for to, port in ear.sent_to), ear.sent_to
    assert ear.got_from and all(source == ip and port in MEDIA for source, port in ear.got_from), ear.got_from


def flows(sbc, call):
    """What the admin API counts of a call's streams: received and sent, of both legs."""
    streams = [stream for leg in sbc.get(f"/v1/calls/{call}")["legs"] for stream in leg["streams"]]
    return [stream[way] for stream in streams for way in ("received", "sent")]


def counted(sbc, call):
    """That RTP and RTCP are counted in each direction of each leg, and when the last packet went through."""
    reported = lambda: all(flow["rtcp_packets"] for flow in flows(sbc, call))
    until(lambda: f"RTCP each way, but {flows(sbc, call)}", reported, 15)
    now = datetime.datetime.now(datetime.timezone.utc)
    for flow in flows(sbc, call):
        assert flow["packets"] > 50 and flow["bytes"] > 50 * 12, flow
        ago = now - datetime.datetime.fromisoformat(flow["last_packet_at"].replace("Z", "+00:00"))
        assert abs(ago.total_seconds()) < 2, (flow, now)


def hear(transport):
    with Liaison(transport=transport) as sbc, \
         Baresip("alice", "10.0.0.1", tone=440, transport=transport) as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, transport=transport, account="answermode=auto") as bob, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob:
        alice.command("dial", f"sip:bob@10.0.0.2;transport={transport}")
        alice.wait("CALL_ESTABLISHED")
        bob.wait("CALL_ESTABLISHED")
        alice.listen(1000), bob.listen(440), at_alice.listen(1000), at_bob.listen(440)
        for holder, ear in ((alice, at_alice), (bob, at_bob)):
            holder.command("hold")
            ear.quiet()
            holder.command("resume")
            at_alice.listen(1000), at_bob.listen(440)
        relayed(at_alice, "10.0.0.2")
        relayed(at_bob, "10.0.0.3")
        call, = sbc.established(1)
        legs = sbc.get(f"/v1/calls/{call['id']}")["legs"]
        assert {leg["transport"].lower() for leg in legs} == {transport}, legs
        for leg in legs:
            stream, = leg["streams"]
            assert stream["anchored"], stream
        counted(sbc, call["id"])
        alice.command("hangup")
        bob.wait("CALL_CLOSED")
        sbc.idle()
        record, = sbc.records(1)
        assert all(leg["streams"][0]["packets"] > 50 and leg["streams"][0]["relayed"] for leg in record["legs"]), record


def held_call_stays():
    """Silence ends a call, and never one on hold."""
    with Liaison(profile='media_inactivity = "2s"') as sbc, \
         Baresip("alice", "10.0.0.1", tone=440) as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED")
        bob.wait("CALL_ESTABLISHED")
        at_alice.listen(1000), at_bob.listen(440)
        alice.command("hold")
        at_alice.quiet(seconds=6, timeout=15)
        sbc.established(1)
        alice.command("resume")
        at_alice.listen(1000), at_bob.listen(440)
        # Bob's phone dies: its side may send, and does not.
        bob.process.send_signal(signal.SIGSTOP)
        alice.wait("CALL_CLOSED")
        bob.process.send_signal(signal.SIGCONT)
        bob.wait("CALL_CLOSED")
        sbc.idle()
        for phone in (alice, bob):
            bye = re.search(r"BYE sip:.*?\r?\n\r?\n", phone.trace(), re.S)
            assert bye and re.search(r"^Reason: SIP ?;cause=480 ?;text=\"Media inactivity\"", bye[0], re.M), phone.trace()
        record, = sbc.records(1)
        assert record["cause"] == "media inactivity", record


def twice(keying):
    """A call that we send on comes back to us and goes through us once more: the two hear each other, with media between our own legs that is
    plain, or has keys; also when either has held and resumed."""
    secret = {"none": 'mode = "off"'}.get(keying, f'mode = "required", keying = ["{keying}"], keys_in_clear = true')
    around = f"""
[profiles.between]
srtp = {{ {secret} }}

[trunks.around]
network = "inside"
targets = ["sip:10.0.0.3:5060;transport=udp"]
from = ["10.0.0.3"]
profile = "between"

[[routes]]
name = "again"
priority = 9
trunks = ["around"]
to = ["b"]
"""
    with Liaison(to="around", tables=around) as sbc, Baresip("alice", "10.0.0.1", tone=440) as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        at_alice.listen(1000), at_bob.listen(440)
        calls = sbc.established(2)
        between = [(leg["streams"][0]["keying"] or "none") for call in calls for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"]
                   if leg["party"].get("trunk") == "around"]
        assert between == [keying, keying], between
        for holder, ear in ((alice, at_alice), (bob, at_bob)):
            holder.command("hold")
            ear.quiet()
            holder.command("resume")
            at_alice.listen(1000), at_bob.listen(440)
        alice.command("hangup")
        bob.wait("CALL_CLOSED")
        sbc.idle()


run(hear, held_call_stays, twice)
