#!/usr/bin/python3
"""transfer.py CHECK - telephones that transfer one another through Liaison, which does what their REFER asks for."""
import here, liaison, re
from baresip_ua import Baresip
from ear import Ear
from liaison import Liaison, run, until

# Carol is behind Bob's side, and reached from both.
CAROL = '[[routes]]\nname = "carol"\ncalled = ["carol"]\nto = ["c"]\n\n'
liaison.DOCUMENT = liaison.DOCUMENT.replace("[[routes]]", CAROL + "[[routes]]", 1)


def refers(phone):
    """The status lines that a phone was told in NOTIFY, in order."""
    return re.findall(r"^SIP/2\.0 (\d{3} [^\r\n]*)\r?\n\r?\n?", sipfrags(phone), re.M)


def sipfrags(phone):
    found = re.findall(r"NOTIFY sip:.*?message/sipfrag.*?\r?\n\r?\n(SIP/2\.0 [^\r\n]*\r?\n)", phone.trace(), re.S)
    return "\n".join(found) + "\n"


def told(phone, last):
    """That a phone was told that it is tried, and of that end."""
    until(lambda: f"the end {last} in {sipfrags(phone)}", lambda: last in sipfrags(phone), 10)
    assert sipfrags(phone).startswith("SIP/2.0 100 Trying"), sipfrags(phone)
    assert re.search(r"^Subscription-State: terminated;reason=noresource", phone.trace(), re.M), phone.trace()


def blind(by):
    """One of two who talk transfers the other one to Carol: they hear each other, and who transferred is released."""
    with Liaison() as sbc, \
         Baresip("alice", "10.0.0.1", tone=440) as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Baresip("carol", "10.0.0.5", tone=1500, account="answermode=auto") as carol, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob, Ear(carol.rtp_ports) as at_carol:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        at_alice.listen(1000), at_bob.listen(440)
        who, other, ear, tone, address = {
            "caller": (alice, bob, at_bob, 1000, "10.0.0.2"),
            "called": (bob, alice, at_alice, 440, "10.0.0.3"),
        }[by]
        who.command("transfer", f"sip:carol@{address}")
        carol.wait("CALL_ESTABLISHED")
        ear.listen(1500), at_carol.listen(tone)
        told(who, "SIP/2.0 200 OK")
        who.wait("CALL_CLOSED")
        call, = sbc.established(1)
        legs = sbc.get(f"/v1/calls/{call['id']}")["legs"]
        assert [leg["state"] for leg in legs].count("confirmed") == 2, legs
        ear.listen(1500), at_carol.listen(tone)
        other.command("hangup")
        carol.wait("CALL_CLOSED")
        sbc.idle()
        record, = sbc.records(1)
        transfer, = record["transfers"]
        assert transfer["status"] == 200 and transfer["to"].startswith("sip:carol@"), record


def refused():
    """Where Carol does not take it, the two who talked go on."""
    with Liaison() as sbc, \
         Baresip("alice", "10.0.0.1", tone=440) as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob, \
         Baresip("carol", "10.0.0.5", tone=1500) as carol:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        at_alice.listen(1000), at_bob.listen(440)
        bob.command("transfer", "sip:carol@10.0.0.3")
        carol.wait("CALL_INCOMING")
        carol.command("hangup")
        until(lambda: f"a failure in {sipfrags(bob)}", lambda: re.search(r"SIP/2\.0 (486|603|480)", sipfrags(bob)), 10)
        bob.command("resume")
        at_alice.listen(1000), at_bob.listen(440)
        sbc.established(1)
        alice.command("hangup")
        sbc.idle()


run(blind, refused)
