#!/usr/bin/python3
"""home.py CHECK - a browser, or linphonec over TLS, that registers in a house, and a plain telephone on a trunk: what each heard all through a
call is judged, with holds, transfers, and ICE made anew in the middle of it."""
import here, re, time
from attacks import MALLORY
from baresip_ua import Baresip
from browser_ua import Browser
from ear import RATE, Ear
from house import PAGE, PASSWORD, PORTS, House, linphone
from liaison import MEDIA, run, until
from recording import Said, Tape, heard, of_file, same, talk, trimmed, turned

PROFILE = 'digest = { algorithms = ["MD5"] }'
TRUNKS = """
[networks.inside]
listeners = [{ transport = "udp", address = "10.0.0.3:5060" }]
media = { address = "10.0.0.3", ports = "30000-39999" }

[trunks.b]
network = "inside"
targets = ["sip:10.0.0.4:5060;transport=udp"]
from = ["10.0.0.4"]
profile = "plain"

[trunks.c]
network = "inside"
targets = ["sip:10.0.0.5:5060;transport=udp"]
from = ["10.0.0.5"]
profile = "plain"

[profiles.plain]
srtp = { mode = "off" }

[[routes]]
name = "bob"
priority = 9
called = ["bob@example.com"]
to = ["b"]

[[routes]]
name = "carol"
priority = 9
called = ["carol@example.com"]
to = ["c"]
"""


def house(profile=PROFILE + '\nrefer = "handle"'):
    return House(profile=profile, tables=TRUNKS)


def web_of(sbc):
    return Browser("web", server=f"wss://10.0.0.2:{PORTS['wss']}", page=PAGE, key_hash=sbc.key_hash(), password=PASSWORD, tone=440)


def trunk_phone(user, ip, tone):
    return Baresip(user, ip, domain="example.com", tone=tone, account='answermode=auto;outbound="sip:10.0.0.3:5060;transport=udp"')


def streams(sbc, calls=1):
    return [stream for call in sbc.established(calls) for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"] if leg["state"] == "confirmed"
            for stream in leg["streams"]]


def talk_on(tape, seconds):
    """Until that much more has come."""
    enough = tape.total + seconds * RATE
    until(lambda: f"{enough} samples, but {tape.total}", lambda: tape.total >= enough, 10 + seconds)


# A browser hides more than a telephone, and needs to on a busy machine.
HIDDEN = 0.25


def begin(browser, bob, caller):
    browser.wait("registered")
    browser.do("call", "sip:bob@example.com") if caller == "web" else bob.command("dial", "sip:web@example.com")
    browser.wait("confirmed"), bob.wait("CALL_ESTABLISHED", 20)


def tape_at(phone):
    """What comes to a telephone from the browser."""
    return Tape(phone.rtp_ports, lambda source, to: to[0] == "10.0.0.2" and to[1] in MEDIA and source != MALLORY)


def web(caller):
    """A browser and a plain telephone: each holds and resumes, and the browser makes its ICE anew in the middle of a talk. Who is not held hears
    one tone without a gap."""
    with house() as sbc, trunk_phone("bob", "10.0.0.4", 1000) as bob, web_of(sbc) as browser, tape_at(bob) as at_bob, \
         Said(bob.rtp_ports) as bob_says:
        begin(browser, bob, caller)
        # How long each talk was, at the least and at the most: a busy browser begins somewhere between.
        spans, clock = [], at_bob.clock
        at_bob.listen(440), browser.listen(1000)
        plain, ours = sorted(streams(sbc), key=lambda stream: stream["local_address"], reverse=True)
        assert (plain["protocol"], plain["srtp"], plain["ice"]) == ("RTP/AVP", None, None), plain
        assert ours["protocol"] == "UDP/TLS/RTP/SAVPF" and ours["keying"] == "dtls" and ours["ice"]["state"] == "completed", ours
        talk_on(at_bob, 2)
        # It says nothing while it holds, and goes on sending that.
        browser.do("hold")
        browser.wait("held")
        browser.quiet()
        talk_on(at_bob, 1)
        begun = clock()
        browser.do("resume")
        browser.wait("resumed")
        at_bob.listen(440)
        talking = clock() - 0.5
        browser.listen(1000)
        known = ufrags(browser)
        browser.do("restart")
        browser.wait("restarted")
        browser.listen(1000), at_bob.listen(440)
        assert len(known) == 1 and len(ufrags(browser)) == 2, (known, ufrags(browser))
        talk_on(at_bob, 1)
        at_bob.held = True
        bob.command("hold")
        spans.append((clock() - talking, clock() - begun))
        at_bob.quiet(), browser.quiet()
        begun = clock()
        bob.command("resume")
        at_bob.listen(440)
        at_bob.held = False
        talking = clock() - 0.5
        browser.listen(1000)
        talk_on(at_bob, 1)
        said = heard(bob_says.played(), RATE)
        # It goes on meanwhile.
        kept = browser.recorded()
        browser.do("hangup") if caller == "web" else bob.command("hangup")
        spans.append((clock() - talking, clock() - begun))
        browser.wait("ended") if caller != "web" else bob.wait("CALL_CLOSED")
        sbc.idle()
        talk(heard(at_bob.played(), RATE), 440, [None, *spans])
        assert [tone for tone, _ in said] == [1000, 0, 1000, 0, 1000], said
        found = trimmed(heard(*kept, HIDDEN))
        same(said[:-1], found[:-1], 0.5)
        assert found[-1][0] == 1000 and found[-1][1] > said[-1][1] - 0.5, (said, found)
        record, = sbc.records(1)
        assert all(leg["streams"][0]["packets"] > 200 and leg["streams"][0]["relayed"] for leg in record["legs"]), record


def ufrags(browser):
    return set(re.findall(r"^a=ice-ufrag:(.*?)\r?$", "\n".join(browser.messages("sent")), re.M))


def web_transfers(how):
    """A browser transfers who it talks with, unasked of the other one or after a word with them, and the two hear each other."""
    with house() as sbc, trunk_phone("bob", "10.0.0.4", 1000) as bob, trunk_phone("carol", "10.0.0.5", 1500) as carol, web_of(sbc) as browser, \
         Tape(bob.rtp_ports) as at_bob, Tape(carol.rtp_ports) as at_carol:
        begin(browser, bob, "web")
        at_bob.listen(440), browser.listen(1000)
        if how == "blind":
            browser.do("refer", "sip:carol@example.com")
            carol.wait("CALL_ESTABLISHED")
        else:
            browser.do("hold")
            browser.wait("held")
            browser.do("call", "sip:carol@example.com")
            browser.wait("confirmed"), carol.wait("CALL_ESTABLISHED")
            at_carol.listen(440), browser.listen(1500)
            browser.do("join")
        at_carol.listen(1000)
        talking = time.monotonic() - 0.5
        at_bob.listen(1500)
        browser.wait("transferred")
        talk_on(at_carol, 2)
        until(lambda: f"two legs, but {streams(sbc)}", lambda: len(streams(sbc)) == 2, 10)
        assert all((stream["protocol"], stream["srtp"], stream["ice"]) == ("RTP/AVP", None, None) for stream in streams(sbc)), streams(sbc)
        carol.command("hangup")
        talked = time.monotonic() - talking
        bob.wait("CALL_CLOSED")
        sbc.idle()
        turned(heard(at_bob.played(), RATE), 440, 1500, talked)
        found = heard(at_carol.played(), RATE)
        talk(found, 1000, [talked]) if how == "blind" else turned(found, 440, 1000, talked)
        records = sbc.records(1 if how == "blind" else 2)
        assert [transfer["status"] for record in records for transfer in record.get("transfers", [])] == [200], records


def tls(caller):
    """linphonec over TLS, whose keys come with its descriptions, and a plain telephone: each holds and resumes, and each heard one tone, as long
    as they talked, without a gap in it."""
    profile = PROFILE + '\nsrtp = { mode = "required", keying = ["sdes"] }'
    with house(profile) as sbc, trunk_phone("bob", "10.0.0.4", 1000) as bob, linphone(sbc, "dave", "10.0.0.7", "tls", encryption="srtp") as dave, \
         Tape(bob.rtp_ports) as at_bob, Ear(dave.rtp_ports) as at_dave:
        until(lambda: f"dave, but {sbc.registered()}", lambda: "dave" in sbc.registered(), 20)
        kept, clock = dave.files(440), time.monotonic
        if caller == "dave":
            dave.say("call sip:bob@example.com")
        else:
            bob.command("dial", "sip:dave@example.com")
            dave.wait("incoming call from")
            dave.say("answer")
        bob.wait("CALL_ESTABLISHED"), dave.wait("Media streams established")
        at_bob.listen(440)
        talking = clock() - 0.5
        plain, secret = sorted(streams(sbc), key=lambda stream: stream["local_address"], reverse=True)
        assert (plain["protocol"], plain["srtp"]) == ("RTP/AVP", None) and secret["srtp"] and secret["keying"] == "sdes", (plain, secret)
        talk_on(at_bob, 3)
        dave.say("pause")
        dave.wait("paused")
        holding = clock()
        at_dave.quiet()
        # Who is held hears what it plays to them: here the same tone.
        at_bob.listen(440)
        resumed = clock()
        dave.say("resume")
        dave.wait("Media streams established")
        talk_on(at_bob, 2)
        held = clock()
        bob.command("hold")
        at_bob.quiet()
        bob.command("resume")
        at_bob.listen(440)
        last = clock() - 0.5
        talk_on(at_bob, 1)
        bob.command("hangup")
        ended = clock()
        dave.wait(r"ended \(No error\)")
        sbc.idle()
        talk(heard(at_bob.played(), RATE), 440, [held - talking, ended - last])
        talk(heard(*of_file(kept)), 1000, [holding - talking + held - resumed, ended - last])
        assert "inline:" in dave.trace() and "inline:" not in bob.trace(), bob.trace()
        record, = sbc.records(1)
        assert all(leg["streams"][0]["packets"] > 200 and leg["streams"][0]["relayed"] for leg in record["legs"]), record


if __name__ == "__main__":
    run(web, web_transfers, tls)
