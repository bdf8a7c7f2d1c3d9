#!/usr/bin/python3
"""transcoding.py CHECK - two telephones that have no codec in common hear one another: frequency and level of tones, packet time, loss,
hold, keys, SRTP. Telephones are baresip, whose G.722 is libspandsp's and whose Opus is libopus's."""
import here, math, subprocess
import liaison
from baresip_ua import Baresip
from browser_ua import Browser
from ear import Ear, rtp_of
from house import PAGE, PASSWORD, PORTS, House, phone
from liaison import Liaison, run, until
from linphone import Linphone
from recording import heard, of_file, trimmed
from sipp import UAS, Sipp
from wire import Wire

# How far a tone may be from what it was, in Hz and in dB.
HERTZ, DECIBELS = 2, 1.0
KEYS = "1470#"
liaison.DOCUMENT = liaison.DOCUMENT.replace("[trunks.a]\n", '[trunks.a]\nprofile = "near"\n').replace("[trunks.b]\n", '[trunks.b]\nprofile = "far"\n')
# As baresip calls them, each with the rate of its samples.
CODECS = {"pcmu": "pcmu", "pcma": "pcma", "g722": "G722/16000/1", "opus": "opus/48000/2", "l16": "L16/16000/1"}


def sbc_with(codecs, near="", far="", **more):
    """Liaison, which may add those codecs to what the called side is offered."""
    listed = ", ".join(f'"{codec}"' for codec in codecs)
    return Liaison(tables=f"[profiles.near]\n{near}\n[profiles.far]\ntranscode = [{listed}]\n{far}\n", **more)


def pair(near, far, account="", **more):
    """Alice has one codec and sends 440 Hz, Bob has another one and sends 1000 Hz."""
    return Baresip("alice", "10.0.0.1", codecs=CODECS[near], account="answermode=auto"), \
        Baresip("bob", "10.0.0.4", codecs=CODECS[far], tone=1000, account="answermode=auto;" + account, **more)


def call(alice, bob):
    alice.command("dial", "sip:bob@10.0.0.2")
    alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")


def level_of(phone, frequency, within=HERTZ):
    """The level of that tone as the phone hears it, once it hears it for half a second."""
    got = phone.listen(frequency)
    assert abs(got - frequency) <= within, f"{got} Hz, not {frequency}"
    # Once more, for it has settled by now.
    got, level = until(lambda: f"{frequency} Hz, but {phone.heard()}", lambda: abs((h := phone.heard())[0] - frequency) <= within and h, 5)
    return level


def reference():
    """The levels of both tones where nothing is transcoded."""
    with sbc_with(["opus"]) as sbc:
        alice, bob = pair("pcma", "pcma")
        with alice, bob:
            call(alice, bob)
            told, = sbc.established(1)
            legs = sbc.get(f"/v1/calls/{told['id']}")["legs"]
            assert all(leg["streams"][0]["transcoding"] is None for leg in legs), legs
            return level_of(alice, 1000), level_of(bob, 440)


def references(near, far):
    """What both tones are without transcoding. Where baresip sends Opus it does not change the rate of its tone of half the full scale, which
    costs it some of the level else."""
    at_alice, at_bob = reference()
    half = 0.5 / math.sqrt(2)
    return half if far == "opus" else at_alice, half if near == "opus" else at_bob


def judge(phones, levels):
    """That both hear the tone of the other one, as loud as it is without transcoding."""
    for phone, tone, level in zip(phones, (1000, 440), levels):
        change = 20 * math.log10(level_of(phone, tone) / level)
        assert abs(change) <= DECIBELS, f"{tone} Hz is {change:.2f} dB louder"
        print(f"      {tone} Hz: {change:+.2f} dB")


def legs_of(sbc):
    told, = sbc.established(1)
    return sbc.get(f"/v1/calls/{told['id']}")["legs"]


ADDED = {"pcmu": "PCMU", "pcma": "PCMA", "g722": "G722", "opus": "opus", "l16": "L16/16000"}
NAMES = {"pcmu": "PCMU", "pcma": "PCMA", "g722": "G722", "opus": "opus", "l16": "L16"}


def tones(near, far):
    """A call between two codecs."""
    levels = references(near, far)
    with sbc_with([ADDED[far]]) as sbc:
        alice, bob = pair(near, far)
        with alice, bob:
            call(alice, bob)
            judge((alice, bob), levels)
            shown = [leg["streams"][0]["transcoding"] for leg in legs_of(sbc)]
            assert [(of["from"], of["to"]) for of in shown] == [(NAMES[near], NAMES[far]), (NAMES[far], NAMES[near])], shown
            assert all(of["packets"] and not of["unknown_packets"] for of in shown), shown
            assert sbc.metrics()["liaison_transcoding_directions"] == 2
            alice.command("hangup")
            sbc.idle()
            record, = sbc.records(1)
            assert [leg["streams"][0]["transcoded"] for leg in record["legs"]] == [NAMES[far], NAMES[near]], record
            until("nothing is transcoded", lambda: sbc.metrics()["liaison_transcoding_directions"] == 0, 5)


def held(near, far):
    """Hold and resume by either side: the one with G.711 hears its tone after each, on the wire, as baresip records nothing any more."""
    with sbc_with([ADDED[far]]) as sbc:
        alice, bob = pair(near, far)
        listener, tone = (alice, 1000) if near.startswith("pcm") else (bob, 440)
        with alice, bob, Ear(listener.rtp_ports) as ear:
            call(alice, bob)
            ear.listen(tone)
            for phone in (alice, bob, alice):
                phone.command("hold")
                until("a direction that is not both", lambda: any(
                    leg["streams"][0]["direction"] != "sendrecv" for leg in legs_of(sbc)), 5)
                phone.command("resume")
                until("both directions", lambda: all(leg["streams"][0]["direction"] == "sendrecv" for leg in legs_of(sbc)), 5)
                got = ear.listen(tone)
                assert abs(got - tone) <= HERTZ, got
                shown = [leg["streams"][0]["transcoding"] for leg in legs_of(sbc)]
                assert [of["to"] for of in shown] == [NAMES[far], NAMES[near]], shown


class Sizes(Wire):
    """How long the RTP packets with that payload type are that come to an address, without their header."""
    def __init__(self, address, payload):
        self.address, self.payload, self.sizes = address, payload, []
        super().__init__()

    def take(self, packet):
        seen = rtp_of(packet)
        if seen and seen[1][0] == self.address and seen[2][1] & 127 == self.payload:
            self.sizes.append(len(seen[2]) - 12)


def packet_time():
    """Who is called asks for packets of 40 ms, of which the calling side, which has packets of 20 ms, is told nothing."""
    media = (("RTP/AVP 8 101", "RTP/AVP 9 101"), ("a=rtpmap:8 PCMA/8000", "a=rtpmap:9 G722/8000"), ("a=ptime:20", "a=ptime:40"))
    with sbc_with(["G722"]) as sbc, Sipp("uas", UAS, edits=media) as bob, \
         Baresip("alice", "10.0.0.1", codecs=CODECS["pcma"]) as alice, Sizes("10.0.0.4", 9) as at_bob:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED")
        until(lambda: f"packets, but {at_bob.sizes}", lambda: len(at_bob.sizes) >= 50, 10)
        assert set(at_bob.sizes) == {320}, set(at_bob.sizes)
        assert "ptime:40" not in alice.trace(), alice.trace()
        shown = legs_of(sbc)[0]["streams"][0]
        assert shown["transcoding"]["to"] == "G722", shown


def lost(near, far):
    """A sixteenth of what the called side sends is lost on its way to us; the calling side hears its tone all the same."""
    levels = references(near, far)
    with sbc_with([ADDED[far]]) as sbc:
        alice, bob = pair(near, far)
        with alice, bob:
            ports = f"{bob.rtp_ports[0]}-{bob.rtp_ports[-1]}"
            # By the last octet of the number of RTP, so that what is lost is never two in a row.
            rules = f"""table inet loss {{
  chain input {{
    type filter hook input priority 0;
    udp sport {ports} udp dport 30000-39999 @th,88,8 & 0x0f == 3 counter drop;
  }}
}}"""
            subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
            call(alice, bob)
            # What is made up in place of a packet need not meet the next one in its phase.
            level = level_of(alice, 1000, within=20)
            change = 20 * math.log10(level / levels[0])
            print(f"      1000 Hz: {change:+.2f} dB")
            assert abs(change) <= 3, f"{change:.2f} dB"
            of_bob = lambda: legs_of(sbc)[1]["streams"][0]["transcoding"]
            until(lambda: f"concealed, but {of_bob()}", lambda: of_bob()["concealed_packets"] >= 10, 10)
            of_alice = legs_of(sbc)[0]["streams"][0]["transcoding"]
            assert of_alice["concealed_packets"] == 0, of_alice


def keys():
    """Keys that are pressed as events arrive, with the tones between them."""
    levels = reference()
    with sbc_with(["opus"]) as sbc:
        alice, bob = pair("pcmu", "opus")
        with alice, bob:
            call(alice, bob)
            for one, other in ((alice, bob), (bob, alice)):
                for key in KEYS:
                    one.command("sndcode", key)
                    assert other.wait("CALL_DTMF_START")["param"] == key
                    other.wait("CALL_DTMF_END")
            judge((alice, bob), levels)


def linphone():
    """linphonec has Opus, the other telephone linear samples of 16 kHz and nothing else."""
    with sbc_with(["L16/16000"]) as sbc, Baresip("bob", "10.0.0.4", codecs=CODECS["l16"], tone=1000, account="answermode=auto") as bob, \
         Linphone("alice", "10.0.0.1", domain="10.0.0.2", proxy="10.0.0.2:5060", transport="udp", password="x", root="") as alice:
        kept = alice.files(440)
        alice.say("call sip:bob@10.0.0.2")
        bob.wait("CALL_ESTABLISHED"), alice.wait("Media streams established")
        got = bob.listen(440)
        assert abs(got - 440) <= 2 * HERTZ, got
        shown = [leg["streams"][0]["transcoding"] for leg in legs_of(sbc)]
        assert [(of["from"], of["to"]) for of in shown] == [("opus", "L16"), ("L16", "opus")], shown
        until(lambda: f"packets, but {shown}", lambda: legs_of(sbc)[1]["streams"][0]["transcoding"]["packets"] >= 150, 10)
        bob.command("hangup")
        alice.wait(r"ended \(No error\)")
        found = trimmed(heard(*of_file(kept)))
        # As its stream begins and ends, a telephone fades.
        within = found[bool(found) and found[0][0] is None:]
        within = within[:-1] if within and within[-1][0] is None else within
        assert {tone for tone, _ in within} == {1000} and sum(seconds for _, seconds in within) > 2, found
        assert sum(seconds for tone, seconds in found if tone is None) < 1, found


def browser():
    """A browser has Opus, with DTLS-SRTP, ICE and one port; the other telephone has linear samples of 16 kHz and nothing else. Each calls, and after
    a hold each hears the other one."""
    profile = 'digest = { algorithms = ["MD5"] }\ntranscode = ["L16/16000", "opus"]'
    with House(profile=profile) as sbc, phone(sbc, "carol", "10.0.0.6", "udp", "answermode=auto", tone=1000, codecs=CODECS["l16"]) as carol, \
         Browser("web", server=f"wss://10.0.0.2:{PORTS['wss']}", page=PAGE, key_hash=sbc.key_hash(), password=PASSWORD, tone=440) as web:
        carol.wait("REGISTER_OK"), web.wait("registered")
        web.do("call", "sip:carol@example.com")
        web.wait("confirmed"), carol.wait("CALL_ESTABLISHED")
        web.listen(1000), carol.listen(440)
        shown = [leg["streams"][0]["transcoding"] for leg in legs_of(sbc)]
        assert [(of["from"], of["to"]) for of in shown] == [("opus", "L16"), ("L16", "opus")], shown
        web.do("hold")
        web.wait("held")
        web.do("resume")
        web.wait("resumed")
        web.listen(1000)
        web.do("hangup")
        carol.wait("CALL_CLOSED"), web.wait("ended")
        sbc.idle()
        carol.command("dial", "sip:web@example.com")
        carol.wait("CALL_ESTABLISHED"), web.wait("confirmed")
        web.listen(1000)
        shown = [leg["streams"][0]["transcoding"] for leg in legs_of(sbc)]
        assert [(of["from"], of["to"]) for of in shown] == [("L16", "opus"), ("opus", "L16")], shown


def secret():
    """One side has SRTP, of which we have the keys."""
    levels = reference()
    with sbc_with(["opus"], near='srtp = { mode = "off" }', far='srtp = { mode = "required", keys_in_clear = true }') as sbc:
        alice, bob = pair("pcma", "opus", account="mediaenc=srtp-mand;")
        with alice, bob:
            call(alice, bob)
            judge((alice, bob), levels)
            assert legs_of(sbc)[1]["streams"][0]["srtp"], legs_of(sbc)[1]


def limit():
    """With as many streams transcoded as may be, nothing is added, and the caller gets the other side's refusal."""
    with Liaison(
            tables='[profiles.near]\n[profiles.far]\ntranscode = ["opus"]\n[limits]\ntranscoded_streams = 0\n') as sbc:
        alice, bob = pair("pcmu", "opus")
        with alice, bob:
            alice.command("dial", "sip:bob@10.0.0.2")
            closed = alice.wait("CALL_CLOSED")
            assert "488" in closed["param"], closed
            assert sbc.metrics()['liaison_transcoding_refused_total{reason="limit"}'] == 1


if __name__ == "__main__":
    run(tones, held, packet_time, lost, keys, linphone, browser, secret, limit)
