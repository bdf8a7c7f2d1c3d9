#!/usr/bin/python3
"""makers_transfer.py blind|attended linphonec|baresip handle|carry - telephones of two makers transfer one another through Liaison: it
does what their REFER asks for, or has it cross. Carol and Erin have baresip, Dave has linphonec; who transfers an attended call that
crosses needs a transferee that knows of Replaces, which is linphonec too (Frank)."""
import here, re
from ear import Ear
from house import House, linphone, phone
from liaison import run, until

USERS = ("carol", "dave", "erin", "frank")
TONES = {"carol": 440, "erin": 1500}


def house(refer):
    # This baresip gives up at a first challenge that it does not know.
    return House(users=USERS, profile=f'digest = {{ algorithms = ["MD5"] }}\nrefer = "{refer}"')


def dave_is(sbc, user="dave", ip="10.0.0.7"):
    return linphone(sbc, user, ip, "udp")


def ready(sbc, *phones):
    until(lambda: f"{len(phones)} registered, but {sbc.registered()}", lambda: len(sbc.registered()) == len(phones), 20)
    for one in phones:
        if hasattr(one, "say"):
            one.say("soundcard use files")
            one.wait("wav files")


def refers(text):
    """Every REFER in a trace."""
    return re.findall(r"^REFER sip:.*?\r?\n\r?\n", text, re.M | re.S)


def crossed(refer, transferee):
    """Whether the transferee's telephone got a REFER: it did where that crosses, and only there."""
    assert bool(refers(transferee.trace())) == (refer == "carry"), refers(transferee.trace())


def baresip(sbc, user, ip):
    return phone(sbc, user, ip, "udp", "answermode=auto", tone=TONES[user])


def blind_by_linphonec(refer):
    with house(refer) as sbc, baresip(sbc, "carol", "10.0.0.5") as carol, baresip(sbc, "erin", "10.0.0.6") as erin, dave_is(sbc) as dave, \
         Ear(carol.rtp_ports) as at_carol, Ear(erin.rtp_ports) as at_erin:
        ready(sbc, carol, erin, dave)
        dave.say("call sip:carol@example.com")
        carol.wait("CALL_ESTABLISHED"), dave.wait("Media streams established")
        dave.say("transfer sip:erin@example.com")
        erin.wait("CALL_ESTABLISHED")
        at_carol.listen(TONES["erin"]), at_erin.listen(TONES["carol"])
        until("the end at who has transferred", lambda: "SIP/2.0 200 " in sipfrags(dave), 10)
        crossed(refer, carol)
        sbc.established(1)
        carol.command("hangup")
        erin.wait("CALL_CLOSED")
        sbc.idle()


def sipfrags(phone):
    """The status lines that a phone was told in NOTIFY."""
    return "\n".join(re.findall(r"message/sipfrag.*?\r?\n\r?\n(SIP/2\.0 [^\r\n]*)", phone.trace(), re.S))


def blind_by_baresip(refer):
    with house(refer) as sbc, baresip(sbc, "carol", "10.0.0.5") as carol, baresip(sbc, "erin", "10.0.0.6") as erin, dave_is(sbc) as dave, \
         Ear(erin.rtp_ports) as at_erin:
        ready(sbc, carol, erin, dave)
        carol.command("dial", "sip:dave@example.com")
        dave.wait("incoming call from sip:carol@example.com")
        dave.say("answer")
        carol.wait("CALL_ESTABLISHED"), dave.wait("Media streams established")
        carol.command("transfer", "sip:erin@example.com")
        erin.wait("CALL_ESTABLISHED")
        until("the end at who has transferred", lambda: "SIP/2.0 200 " in sipfrags(carol), 10)
        carol.wait("CALL_CLOSED")
        crossed(refer, dave)
        sbc.established(1)
        erin.command("hangup")
        dave.wait(r"ended \(No error\)")
        sbc.idle()


def attended_by_linphonec(refer):
    other = baresip if refer == "handle" else lambda sbc, user, ip: linphone(sbc, "frank", ip, "udp")
    with house(refer) as sbc, other(sbc, "carol", "10.0.0.5") as first, baresip(sbc, "erin", "10.0.0.6") as erin, dave_is(sbc) as dave, \
         Ear(erin.rtp_ports) as at_erin:
        ready(sbc, first, erin, dave)
        if refer == "handle":
            dave.say("call sip:carol@example.com")
            first.wait("CALL_ESTABLISHED")
        else:
            dave.say("call sip:frank@example.com")
            first.wait("incoming call from sip:dave@example.com")
            first.say("answer")
        dave.wait("Media streams established")
        dave.say("pause")
        dave.wait("paused")
        dave.say("call sip:erin@example.com")
        erin.wait("CALL_ESTABLISHED"), dave.wait("Media streams established")
        sbc.established(2)
        dave.say("transfer 1 --to-call 2")
        until("the end at who has transferred", lambda: "SIP/2.0 200 " in sipfrags(dave), 15)
        crossed(refer, first)
        sbc.established(1, 15)
        if refer == "handle":
            at_erin.listen(TONES["carol"])
            replaced = re.findall(r"^INVITE sip:erin.*?\r?\n\r?\n", erin.trace(), re.M | re.S)
            assert len({re.search(r"^Call-ID: *(\S+)", text, re.M | re.I)[1] for text in replaced}) <= 1, "nobody is called for it"
        erin.command("hangup")
        sbc.idle()


def blind(by, refer):
    {"linphonec": blind_by_linphonec, "baresip": blind_by_baresip}[by](refer)


def attended(by, refer):
    assert by == "linphonec", "this baresip joins no calls"
    attended_by_linphonec(refer)


run(blind, attended)
