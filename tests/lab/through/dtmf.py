#!/usr/bin/python3
"""dtmf.py CHECK - keys that are pressed in one form on one side arrive in another one on the other: digit, order and duration."""
import here, os, re, tempfile
import liaison
from baresip_ua import Baresip
from keys import Keys, write
from liaison import OUTSIDE, Liaison, run, until
from packages import SENT
from sipp import UAC, Sipp

KEYS = "1234567890*#ABCD"
LENGTH, PAUSE = 120, 120                    # ms, where we say how long a key is pressed
liaison.DOCUMENT = liaison.DOCUMENT.replace("[trunks.a]\n", '[trunks.a]\nprofile = "near"\n').replace("[trunks.b]\n", '[trunks.b]\nprofile = "far"\n')


def sbc_with(near, far, **more):
    """Liaison, with those lines for the two sides."""
    return Liaison(tables=f"[profiles.near]\n{near}\n[profiles.far]\n{far}\n", **more)


def form(name):
    return f'dtmf = "{name}"'


def phone(user, ip, **more):
    return Baresip(user, ip, account="answermode=auto;" + more.pop("account", ""), **more)


def call(alice, bob):
    alice.command("dial", "sip:bob@10.0.0.2")
    alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")


def press(one, other_has):
    """Presses each key once the one before has arrived: a phone says them one after the other, too."""
    for count, key in enumerate(KEYS, 1):
        one.command("sndcode", key)
        until(lambda: f"{count} keys, but {other_has()}", lambda: len(other_has()) >= count, 5)


def judge(arrived, expected, within):
    assert [key for key, _ in arrived] == [key for key, _ in expected] == list(KEYS), (arrived, expected)
    off = [(key, got, wanted) for (key, got), (_, wanted) in zip(arrived, expected) if abs(got - wanted) > within]
    assert not off, f"more than {within} ms: {off}"


# How what arrives is read, and how exact the durations of it are.
READ = {"rfc4733": lambda keys: keys.events(), "info": lambda keys: keys.infos(), "inband": lambda keys: keys.audio()}
WITHIN = {"rfc4733": 20, "info": 20, "inband": 45}


def arrives(keys, there):
    """All keys that have arrived, once they are all there and the last one is over."""
    read = READ[there]
    until(lambda: f"{len(KEYS)} keys, but {read(keys)}", lambda: len(read(keys)) >= len(KEYS), 20, every=0.3)
    return read(keys)


def noticed(bob, there):
    """baresip notices events and INFO by itself."""
    if there != "inband":
        got = [bob.wait("CALL_DTMF_START")["param"] for _ in KEYS]
        assert got == list(KEYS), got


def recorded(sbc, here, there, translated):
    sbc.idle()
    record, = sbc.records(1)
    near, far = record["legs"]
    # What crosses as it is is not looked at, and what nobody has agreed on has no name.
    assert near.get("dtmf", here) == here and far.get("dtmf", there) == there, record
    counts = near.get("dtmf_heard", 0), far.get("dtmf_said", 0), near.get("dtmf_said", 0), far.get("dtmf_heard", 0)
    assert counts == ((len(KEYS), len(KEYS), 0, 0) if translated else (0, 0, 0, 0)), record
    assert KEYS not in str(record) and "Signal" not in sbc.logged(), record
    metrics = sbc.metrics()
    for name, form in (("heard", here), ("said", there)):
        assert metrics[f'liaison_dtmf_{name}_total{{form="{form}"}}'] == len(KEYS) * translated, metrics
    assert not [name for name, value in metrics.items() if name.startswith("liaison_dtmf_dropped") and value], metrics


def shown(sbc, here, there, translated):
    told, = sbc.established(1)
    near, far = sbc.get(f"/v1/calls/{told['id']}")["legs"]
    assert near["dtmf"]["translated"] == translated and not near["dtmf"]["sealed"], near
    assert not translated or (near["dtmf"]["form"], far["dtmf"]["form"]) == (here, there), (near, far)


def events_to(there):
    """baresip presses keys as events."""
    with sbc_with(form("rfc4733"), form(there)) as sbc, phone("alice", "10.0.0.1") as alice, phone("bob", "10.0.0.4", tone=1000) as bob, \
         Keys(alice.rtp_ports) as at_alice, Keys(bob.rtp_ports, "10.0.0.4") as at_bob:
        call(alice, bob)
        shown(sbc, "rfc4733", there, there != "rfc4733")
        press(alice, lambda: READ[there](at_bob))
        arrived = arrives(at_bob, there)
        judge(arrived, at_alice.events(sent=True), WITHIN[there])
        if there != "rfc4733":
            at_bob.whole()
            assert not at_bob.events(), "no event is left"
        noticed(bob, there)
        alice.listen(1000), bob.listen(440)
        alice.command("hangup")
        recorded(sbc, "rfc4733", there, there != "rfc4733")


def tones_to(there):
    """baresip plays keys as tones."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "keys.wav")
        write(path, KEYS, LENGTH, PAUSE)
        with sbc_with(form("inband"), form(there)) as sbc, phone("alice", "10.0.0.1", audio=path) as alice, \
             phone("bob", "10.0.0.4", tone=1000) as bob, Keys(bob.rtp_ports, "10.0.0.4") as at_bob:
            call(alice, bob)
            shown(sbc, "inband", there, there != "inband")
            arrived = arrives(at_bob, there)
            judge(arrived, [(key, LENGTH) for key in KEYS], WITHIN[there])
            if there != "inband":
                at_bob.whole()
                # What has crossed before a key was noticed is too short to be one (ITU-T Q.24: none below 24 ms, every one from 40 ms on).
                left = [(key, millis) for key, millis in at_bob.audio() if millis > 30]
                assert not left, f"no tone is left, but {left}"
            noticed(bob, there)
            alice.listen(1000)
            alice.command("hangup")
            recorded(sbc, "inband", there, there != "inband")


def info_to(there):
    """SIPp sends keys by INFO."""
    infos = "".join(SENT % (number, "", "application/dtmf-relay", f"Signal={key}\nDuration={LENGTH}", 200) for number, key in enumerate(KEYS, 2))
    edits = (("  <pause/>\n", infos + "  <pause/>\n"), ("CSeq: 2 BYE", f"CSeq: {len(KEYS) + 2} BYE"))
    with sbc_with(form("info"), form(there)) as sbc, phone("+49301234561", "10.0.0.4", tone=1000) as bob, Keys(bob.rtp_ports, "10.0.0.4") as at_bob, \
         Sipp("uac", UAC, OUTSIDE, edits=edits, extra=("-d", "8000")) as near:
        bob.wait("CALL_ESTABLISHED")
        shown(sbc, "info", there, there != "info")
        arrived = arrives(at_bob, there)
        judge(arrived, [(key, LENGTH) for key in KEYS], WITHIN[there])
        if there != "info":
            at_bob.whole()
            assert not at_bob.infos(), "no INFO has crossed"
        noticed(bob, there)
        near.wait(30)
        recorded(sbc, "info", there, there != "info")


def each(here, there):
    {"rfc4733": events_to, "inband": tones_to, "info": info_to}[here](there)


def back():
    """The called side presses keys, as events, and the calling side, which has INFO, gets them."""
    with sbc_with(form("info"), form("rfc4733")) as sbc, phone("alice", "10.0.0.1") as alice, phone("bob", "10.0.0.4", tone=1000) as bob, \
         Keys(bob.rtp_ports) as at_bob, Keys(alice.rtp_ports, "10.0.0.1") as at_alice:
        call(alice, bob)
        press(bob, at_alice.infos)
        judge(at_alice.infos(), at_bob.events(sent=True), WITHIN["info"])
        noticed(alice, "info")


def secret():
    """A phone with SRTP presses keys as events; what arrives is INFO."""
    near = form("rfc4733") + '\nsrtp = { mode = "required", keys_in_clear = true }'
    far = form("info") + '\nsrtp = { mode = "off" }'
    with sbc_with(near, far) as sbc, phone("alice", "10.0.0.1", account="mediaenc=srtp-mand") as alice, \
         phone("bob", "10.0.0.4", tone=1000) as bob, Keys(bob.rtp_ports, "10.0.0.4") as at_bob:
        call(alice, bob)
        press(alice, at_bob.infos)
        assert [key for key, _ in at_bob.infos()] == list(KEYS), at_bob.infos()
        alice.listen(1000), bob.listen(440)


def secret_back():
    """What comes by tones is said as events in SRTP, whose numbers stay right: baresip takes them all."""
    near = form("inband") + '\nsrtp = { mode = "off" }'
    far = form("rfc4733") + '\nsrtp = { mode = "required", keys_in_clear = true }'
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "keys.wav")
        write(path, KEYS, LENGTH, PAUSE)
        with sbc_with(near, far) as sbc, phone("alice", "10.0.0.1", audio=path) as alice, \
             phone("bob", "10.0.0.4", tone=1000, account="mediaenc=srtp-mand") as bob:
            call(alice, bob)
            noticed(bob, "rfc4733")
            alice.listen(1000)
            dropped = {name: value for name, value in sbc.metrics().items() if "srtp_refused" in name and "malformed" not in name and value}
            assert not dropped, dropped


def sealed():
    """Between two that keep their media secret from us nothing is translated, and the call says so."""
    with sbc_with("", form("info")) as sbc, phone("alice", "10.0.0.1", account="mediaenc=srtp-mand") as alice, \
         phone("bob", "10.0.0.4", tone=1000, account="mediaenc=srtp-mand") as bob:
        call(alice, bob)
        told, = sbc.established(1)
        told = sbc.get(f"/v1/calls/{told['id']}")
        assert all(leg["dtmf"]["sealed"] and not leg["dtmf"]["translated"] for leg in told["legs"]), told["legs"]
        assert [step["subject"] for step in told["policy_trail"]].count("dtmf") == 1, told["policy_trail"]
        alice.listen(1000), bob.listen(440)
        alice.command("sndcode", "5")
        assert bob.wait("CALL_DTMF_START")["param"] == "5"


if __name__ == "__main__":
    run(each, back, secret, secret_back, sealed)
