#!/usr/bin/python3
"""pairs.py CHECK - telephones that protect their media in each way, or not at all, and a plain one on a trunk: what each heard all
through a call is judged, with holds and a transfer in the middle of it."""
import here, re, time
import liaison
from baresip_ua import Baresip
from ear import RATE, Ear
from liaison import Liaison, run, until
from linphone import Linphone
from recording import Tape, heard, of_file, talk, turned
from secret_ear import SecretEar

# Alice's telephone is at 10.0.0.1, where there is that, over UDP: what is on the wire is to be seen. All others have plain RTP.
KINDS = {
    "plain": 'srtp = { mode = "off" }',
    "sdes": 'srtp = { mode = "required", keying = ["sdes"], keys_in_clear = true }',
    # The same, with other keys of hers in each description of hers.
    "renewed": 'srtp = { mode = "required", keying = ["sdes"], keys_in_clear = true }',
    "dtls": 'srtp = { mode = "required", keying = ["dtls"] }',
    "ice": 'srtp = { mode = "off" }\nice = "offer"',
}
liaison.DOCUMENT = liaison.DOCUMENT.replace("[trunks.a]\n", '[trunks.a]\nprofile = "alice"\n')
# Carol is behind Bob's side, and reached from both.
CAROL = '[[routes]]\nname = "carol"\ncalled = ["carol"]\nto = ["c"]\n\n'
liaison.DOCUMENT = liaison.DOCUMENT.replace("[[routes]]", CAROL + "[[routes]]", 1)


def sbc_with(kind):
    return Liaison(profile='srtp = { mode = "off" }', tables=f"[profiles.alice]\n{KINDS[kind]}\n")


def alice_of(kind):
    return Linphone("alice", "10.0.0.1", domain="10.0.0.2", proxy="10.0.0.2:5060", transport="udp", password="x", root="",
                    encryption={"sdes": "srtp", "renewed": "srtp", "dtls": "dtls"}.get(kind, ""), ice=kind == "ice",
                    sip="keep_srtp_keys=0" if kind == "renewed" else "")


def bob_of():
    return Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto")


def streams(sbc):
    """Of the two legs that are there: of a transferred call there are more, which have ended."""
    call, = sbc.established(1)
    legs = [leg for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"] if leg["state"] == "confirmed"]
    return [stream for leg in legs for stream in leg["streams"]]


def protected(sbc, kind):
    """That one leg is protected so, and the other one is not. To an offer of ours linphonec answers with another role of DTLS than it has, as
    if it began a new handshake, and goes on with the keys that it has, which is what is told then."""
    plain, alices = sorted(streams(sbc), key=lambda stream: stream["local_address"], reverse=True)
    assert (plain["protocol"], plain["srtp"], plain["ice"]) == ("RTP/AVP", None, None), plain
    assert alices["keying"] == {"sdes": "sdes", "renewed": "sdes", "dtls": "dtls"}.get(kind), alices
    assert bool(alices["srtp"]) == bool(alices["keying"]), alices
    assert (alices["ice"] or {}).get("state") == ("completed" if kind == "ice" else None), alices


def call(alice, bob, caller):
    if caller == "alice":
        alice.say("call sip:bob@10.0.0.2")
    else:
        bob.command("dial", "sip:alice@10.0.0.3")
        alice.wait("incoming call from")
        alice.say("answer")
    bob.wait("CALL_ESTABLISHED"), alice.wait("Media streams established")


def talk_on(tape, seconds):
    """Until that much more has come."""
    enough = tape.total + seconds * RATE
    until(lambda: f"{enough} samples, but {tape.total}", lambda: tape.total >= enough, 10 + seconds)


def talks(kind, caller):
    """linphonec and a plain baresip: the two talk, linphonec holds and resumes, then the other one does; each heard one tone, as long as
    they talked, without a gap in it."""
    with sbc_with(kind) as sbc, bob_of() as bob, alice_of(kind) as alice, Tape(bob.rtp_ports) as at_bob, Ear(alice.rtp_ports) as at_alice:
        kept, clock = alice.files(440), time.monotonic
        call(alice, bob, caller)
        at_bob.listen(440)
        talking = clock() - 0.5
        protected(sbc, kind)
        talk_on(at_bob, 3)
        alice.say("pause")
        alice.wait("paused")
        holding = clock()
        at_alice.quiet()
        # Who is held hears what it plays to them: here the same tone.
        at_bob.listen(440)
        resumed = clock()
        alice.say("resume")
        alice.wait("Media streams established")
        talk_on(at_bob, 2)
        held = clock()
        bob.command("hold")
        at_bob.quiet()
        bob.command("resume")
        at_bob.listen(440)
        last = clock() - 0.5
        talk_on(at_bob, 1)
        protected(sbc, kind)
        bob.command("hangup")
        ended = clock()
        alice.wait(r"ended \(No error\)")
        sbc.idle()
        talk(heard(at_bob.played(), RATE), 440, [held - talking, ended - last])
        keys = set(re.findall(r"^a=crypto:1 \S+ inline:(\S+)", alice.trace(), re.M))
        assert kind != "renewed" or len(keys) >= 5, keys
        # It records nothing while it holds.
        talk(heard(*of_file(kept)), 1000, [holding - talking + held - resumed, ended - last])
        record, = sbc.records(1)
        assert all(leg["streams"][0]["packets"] > 200 and leg["streams"][0]["relayed"] for leg in record["legs"]), record

def carol_of():
    return Baresip("carol", "10.0.0.5", tone=1500, account="answermode=auto")


def transferred(kind, by):
    """linphonec and a plain baresip talk, and one of them transfers: the other one hears Carol, whose telephone is plain too, and is heard by
    her, with the same protection as before."""
    with sbc_with(kind) as sbc, bob_of() as bob, carol_of() as carol, alice_of(kind) as alice, \
         Tape(bob.rtp_ports) as at_bob, Tape(carol.rtp_ports) as at_carol:
        kept = alice.files(440)
        call(alice, bob, "alice")
        talk_on(at_bob, 2)
        protected(sbc, kind)
        if by == "bob":
            bob.command("transfer", "sip:carol@10.0.0.3")
            tone = 440
        else:
            alice.say("transfer sip:carol@10.0.0.2")
            tone = 1000
        carol.wait("CALL_ESTABLISHED")
        at_carol.listen(tone)
        talking = time.monotonic() - 0.5
        talk_on(at_carol, 3)
        until(lambda: f"two legs, but {streams(sbc)}", lambda: len(streams(sbc)) == 2, 10)
        if by == "alice":
            assert not any(stream["srtp"] or stream["keying"] for stream in streams(sbc)), streams(sbc)
        else:
            protected(sbc, kind)
        carol.command("hangup")
        talked = time.monotonic() - talking
        if by == "bob":
            alice.wait(r"ended \(No error\)")
            turned(heard(*of_file(kept)), 1000, 1500, talked)
            talk(heard(at_bob.played(), RATE), 440, [None])
        else:
            bob.wait("CALL_CLOSED")
            turned(heard(at_bob.played(), RATE), 440, 1500, talked)
        talk(heard(at_carol.played(), RATE), tone, [talked])
        sbc.idle()
        record, = sbc.records(1)
        transfer, = record["transfers"]
        assert transfer["status"] == 200, record


def baresip_transferred(kind):
    """The same of a baresip, of which the wire tells what it gets: with DTLS only that it gets as much as before."""
    account = {"plain": "", "sdes": "mediaenc=srtp-mand", "dtls": "mediaenc=dtls_srtp", "ice": "medianat=ice"}[kind]
    with sbc_with(kind) as sbc, bob_of() as bob, carol_of() as carol, Baresip("alice", "10.0.0.1", tone=440, account=account) as alice, \
         Tape(carol.rtp_ports) as at_carol:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED", 20), bob.wait("CALL_ESTABLISHED", 20)
        alice.listen(1000), bob.listen(440)
        protected(sbc, kind)
        told = re.findall(r"a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:(\S+)", alice.trace().partition("SIP/2.0 200")[2])
        with SecretEar(alice.rtp_ports, told[0]) if kind == "sdes" else Ear(alice.rtp_ports) as at_alice:
            bob.command("transfer", "sip:carol@10.0.0.3")
            carol.wait("CALL_ESTABLISHED"), bob.wait("CALL_CLOSED")
            at_carol.listen(440)
            talking = time.monotonic() - 0.5
            talk_on(at_alice, 2)
            if kind != "dtls":
                at_alice.listen(1500)
        until(lambda: f"two legs, but {streams(sbc)}", lambda: len(streams(sbc)) == 2, 10)
        protected(sbc, kind)
        alice.command("hangup")
        talked = time.monotonic() - talking
        carol.wait("CALL_CLOSED")
        sbc.idle()
        talk(heard(at_carol.played(), RATE), 440, [talked])


run(talks, transferred, baresip_transferred)
