#!/usr/bin/python3
"""pairs.py CHECK - telephones that protect their media in each way, or not at all, and a plain one on a trunk: what each heard all
through a call is judged, with holds and a transfer in the middle of it."""
import here, contextlib, re, time
import liaison
from baresip_ua import Baresip
from ear import RATE, Ear
from liaison import Liaison, run, until
from linphone import Linphone
from recording import Tape, heard, of_file, talk, turned
from secret_ear import Handshakes, SecretEar, SecretTape

# Alice's telephone is at 10.0.0.1, where there is that, over UDP: what is on the wire is to be seen. All others have plain RTP.
KINDS = {
    "plain": 'srtp = { mode = "off" }',
    "sdes": 'srtp = { mode = "required", keying = ["sdes"], keys_in_clear = true, suites = ["AES_CM_128_HMAC_SHA1_80"] }',
    # The same, with other keys of hers in each description of hers.
    "renewed": 'srtp = { mode = "required", keying = ["sdes"], keys_in_clear = true }',
    "dtls": 'srtp = { mode = "required", keying = ["dtls"] }',
    "ice": 'srtp = { mode = "off" }\nice = "offer"',
}
liaison.DOCUMENT = liaison.DOCUMENT.replace("[trunks.a]\n", '[trunks.a]\nprofile = "alice"\n')
# Carol is behind Bob's side, and reached from both.
CAROL = '[[routes]]\nname = "carol"\ncalled = ["carol"]\nto = ["c"]\n\n'
liaison.DOCUMENT = liaison.DOCUMENT.replace("[[routes]]", CAROL + "[[routes]]", 1)


def sbc_with(kind, tables=""):
    return Liaison(profile='srtp = { mode = "off" }', tables=f"[profiles.alice]\n{KINDS[kind]}\n{tables}")


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


ACCOUNTS = {"plain": "", "sdes": "mediaenc=srtp-mand;", "dtls": "mediaenc=dtls_srtp;", "ice": "medianat=ice;"}


def by(phone):
    """That a packet is of that telephone."""
    return lambda source, _: source[1] in phone.rtp_ports


@contextlib.contextmanager
def baresip_of(kind, user="alice", ip="10.0.0.1", tone=440, speaker=None):
    """A baresip that protects its media so, a tape of all that it gets, and what gives that tape the keys."""
    with Handshakes() as handshakes, \
         Baresip(user, ip, tone=tone, account=ACCOUNTS[kind] + "answermode=auto", environment=handshakes.environment) as phone, \
         (SecretTape if "mediaenc" in ACCOUNTS[kind] else Tape)(phone.rtp_ports, speaker=speaker) as tape:
        def learn():
            if kind == "sdes":
                tape.learn(*re.findall(r"a=crypto:\d+ AES_CM_128_HMAC_SHA1_80 inline:(\S{40})", phone.trace()))
            elif "dtls" in ACCOUNTS[kind]:
                tape.learn(*handshakes.keys())
        yield phone, tape, learn


def baresip_talks(kind, caller):
    """A baresip that protects its media, and a plain one: the two talk, and each holds and resumes; each got one tone, as long as they talked,
    without a gap in it. baresip 1.0 records nothing after the first re-INVITE: later than that it is judged what came to it on the wire, with the
    keys of its own handshake, or its own descriptions."""
    with sbc_with(kind) as sbc, bob_of() as bob, baresip_of(kind, speaker=by(bob)) as (alice, at_alice, learn), \
         Tape(bob.rtp_ports, by(alice)) as at_bob:
        # Since when, by the clock of either tape, at the latest and at the earliest, and how long then.
        tapes, asked, begun, spans = (at_alice, at_bob), [0, 0], [0, 0], ([], [])

        def hear():
            at_alice.listen(1000)
            begun[:] = [tape.clock() - 0.5 for tape in tapes]
            at_bob.listen(440)
            for tape in tapes:
                tape.held = False

        def over():
            for at, tape in enumerate(tapes):
                tape.held = True
                spans[at].append((tape.clock() - begun[at], tape.clock() - asked[at]))

        calling, called = (alice, "sip:bob@10.0.0.2") if caller == "alice" else (bob, "sip:alice@10.0.0.3")
        calling.command("dial", called)
        bob.wait("CALL_ESTABLISHED", 20), alice.wait("CALL_ESTABLISHED", 20)
        alice.listen(1000), bob.listen(440), at_bob.listen(440)
        learn(), hear()
        protected(sbc, kind)
        for holder in (alice, bob):
            talk_on(at_alice, 2)
            holder.command("hold")
            over()
            at_alice.quiet(), at_bob.quiet()
            asked[:] = [tape.clock() for tape in tapes]
            holder.command("resume")
            hear()
        talk_on(at_alice, 2)
        protected(sbc, kind)
        calling.command("hangup")
        over()
        (bob if calling is alice else alice).wait("CALL_CLOSED")
        sbc.idle()
        for tape, tone, lengths in zip(tapes, (1000, 440), spans):
            talk(heard(tape.played(), RATE), tone, [None, *lengths[1:]])
        assert kind not in ("sdes", "dtls") or not at_alice.forged, f"{len(at_alice.forged)} packets with none of the keys"
        record, = sbc.records(1)
        assert all(leg["streams"][0]["packets"] > 200 and leg["streams"][0]["relayed"] for leg in record["legs"]), record


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


def baresip_transfers(kind):
    """A baresip that protects its media transfers a plain one to another plain one: the two hear each other."""
    with sbc_with(kind) as sbc, bob_of() as bob, carol_of() as carol, baresip_of(kind) as (alice, _, _), \
         Tape(bob.rtp_ports) as at_bob, Tape(carol.rtp_ports) as at_carol:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED", 20), bob.wait("CALL_ESTABLISHED", 20)
        alice.listen(1000), at_bob.listen(440)
        protected(sbc, kind)
        alice.command("transfer", "sip:carol@10.0.0.2")
        carol.wait("CALL_ESTABLISHED"), alice.wait("CALL_CLOSED")
        at_carol.listen(1000)
        talking = time.monotonic() - 0.5
        talk_on(at_bob, 2)
        until(lambda: f"two legs, but {streams(sbc)}", lambda: len(streams(sbc)) == 2, 10)
        assert not any(stream["srtp"] or stream["keying"] or stream["ice"] for stream in streams(sbc)), streams(sbc)
        carol.command("hangup")
        talked = time.monotonic() - talking
        bob.wait("CALL_CLOSED")
        sbc.idle()
        turned(heard(at_bob.played(), RATE), 440, 1500, talked)
        talk(heard(at_carol.played(), RATE), 1000, [talked])
        record, = sbc.records(1)
        assert [transfer["status"] for transfer in record["transfers"]] == [200], record


def joined(kind, others):
    """linphonec talks with a baresip, both protected, has it wait, talks with a plain one, and joins the two: they hear each other, and the one
    that was protected still is."""
    liaison.DOCUMENT = liaison.DOCUMENT.replace("[trunks.b]\n", '[trunks.b]\nprofile = "bob"\n')
    with sbc_with(kind, f"[profiles.bob]\n{KINDS[others]}\n") as sbc, carol_of() as carol, alice_of(kind) as alice, \
         baresip_of(others, "bob", "10.0.0.4", 1000) as (bob, at_bob, learn), Tape(carol.rtp_ports) as at_carol, Ear(alice.rtp_ports) as at_alice:
        alice.files(440)
        call(alice, bob, "alice")
        bob.listen(440)
        learn()
        at_bob.listen(440)
        alice.say("pause")
        alice.wait("paused")
        at_alice.quiet()
        alice.say("call sip:carol@10.0.0.2")
        carol.wait("CALL_ESTABLISHED"), alice.wait("Media streams established")
        at_carol.listen(440)
        first = [stream for one in sbc.established(2) for leg in sbc.get(f"/v1/calls/{one['id']}")["legs"] for stream in leg["streams"]]
        expected = {"sdes": "sdes", "dtls": "dtls"}
        assert sorted(stream["keying"] or "" for stream in first) == sorted(["", *[expected.get(one, "") for one in (kind, kind, others)]]), first
        alice.say("transfer 1 --to-call 2")
        at_carol.listen(1000)
        talking = time.monotonic() - 0.5
        at_bob.listen(1500)
        until(lambda: f"two legs, but {streams(sbc)}", lambda: len(streams(sbc)) == 2, 15)
        assert sorted(stream["keying"] or "" for stream in streams(sbc)) == sorted(["", expected.get(others, "")]), streams(sbc)
        assert sorted((stream["ice"] or {}).get("state", "") for stream in streams(sbc)) == sorted(["", "completed" if others == "ice" else ""])
        talk_on(at_carol, 2)
        carol.command("hangup")
        talked = time.monotonic() - talking
        bob.wait("CALL_CLOSED")
        sbc.idle()
        turned(heard(at_bob.played(), RATE), 440, 1500, talked)
        turned(heard(at_carol.played(), RATE), 440, 1000, talked)
        assert others not in ("sdes", "dtls") or not at_bob.forged, f"{len(at_bob.forged)} packets with none of the keys"
        statuses = [transfer["status"] for record in sbc.records(2) for transfer in record.get("transfers", [])]
        assert statuses == [200], statuses


if __name__ == "__main__":
    run(talks, transferred, baresip_talks, baresip_transferred, baresip_transfers, joined)
