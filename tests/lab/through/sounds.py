#!/usr/bin/python3
"""sounds.py CHECK - SIPp with plain RTP, which streams tones, and baresip on a trunk: what each hears all through a call is what the other
one said, its tones, their lengths, and where nothing was."""
import here, os, tempfile, time
from baresip_ua import Baresip
from ear import RATE
from liaison import OUTSIDE, run
from pairs import carol_of, sbc_with
from recording import Said, Tape, heard, same, say_alaw, talk, turned
from sipp import UAC, Sipp
from talks import UAC_PARTIES, UAS_PARTIES, asked, asks, description, hears, request, says

# The ports of its streams; it says by itself which of them.
PORTS = range(6000, 6100)
ITS_PORT = ("[media_port]", "[rtpstream_audio_port]")
ANSWERED = hears(100, "").replace("<recv", '<recv optional="true"') + hears(200)


def plays(folder, tone):
    path = f"{folder}/{tone}.alaw"
    if not os.path.exists(path):
        say_alaw(path, tone)
    return f'<nop><action><exec rtp_stream="{path},-1,8"/></action></nop>\n'


def talks_on(millis):
    return f'<pause milliseconds="{millis}"/>\n'


def course(folder, parties):
    """It talks, holds, with another tone in place of music, and talks again."""
    steps = [plays(folder, 440), talks_on(3000)]
    for number, (direction, tone, millis) in enumerate([("a=sendonly", 700, 2000), ("a=sendrecv", 440, 2500)], 2):
        steps += [asks("INVITE", number, parties, number, direction), ANSWERED, request("ACK", number, parties), plays(folder, tone),
                  talks_on(millis)]
    return "".join(steps)


def judge(sbc, sipp_says, at_sipp, bob_says, at_bob):
    """Of the whole call."""
    said, got = heard(sipp_says.played(), RATE), heard(at_bob.played(), RATE)
    assert [tone for tone, _ in said] == [440, 700, 440], said
    assert all(abs(seconds - planned) < 0.5 for (_, seconds), planned in zip(said, (3, 2, 2.5))), said
    same(said, got)
    # Who is held says nothing.
    said, got = heard(bob_says.played(), RATE), heard(at_sipp.played(), RATE)
    assert [tone for tone, _ in said] == [1000, 0, 1000], said
    same(said, got)
    record, = sbc.records(1)
    assert all(leg["streams"][0]["packets"] > 200 and leg["streams"][0]["relayed"] for leg in record["legs"]), record


def talks(caller):
    """SIPp calls baresip, or is called by it, holds and resumes."""
    with tempfile.TemporaryDirectory() as folder, sbc_with("plain") as sbc, \
         Baresip("+49301234561", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Said(PORTS) as sipp_says, Tape(PORTS) as at_sipp, Said(bob.rtp_ports) as bob_says, Tape(bob.rtp_ports) as at_bob:
        if caller == "sipp":
            edits = [("<!-- EARLY -->", '<recv response="180" optional="true"></recv>'), ("<!-- THEN -->", course(folder, UAC_PARTIES)), ITS_PORT]
            with Sipp("uac_glares", UAC, OUTSIDE, edits=edits) as sipp:
                bob.wait("CALL_ESTABLISHED")
                bob.listen(440)
                sipp.wait(40)
            bob.wait("CALL_CLOSED")
        else:
            over = request("BYE", 9, UAS_PARTIES) + hears(200)
            edits = [("ANSWER\n", description(1)), ("<!-- EARLY -->", ""), ("<!-- THEN -->", course(folder, UAS_PARTIES) + over)]
            # It hangs up itself.
            ends = '  <recv request="BYE"></recv>\n'
            edits += [(ends + "  <send>", "  <!-- over"), ("  </send>\n</scenario>", "  over -->\n</scenario>"), ITS_PORT]
            with Sipp("uas_glares", UAC, edits=edits) as sipp:
                bob.command("dial", "sip:+4930123@10.0.0.3")
                bob.wait("CALL_ESTABLISHED")
                bob.listen(440)
                sipp.wait(40)
            bob.wait("CALL_CLOSED")
        sbc.idle()
        judge(sbc, sipp_says, at_sipp, bob_says, at_bob)


def transferred():
    """The telephone on the trunk transfers SIPp, which is asked for a description once more, to another one."""
    with tempfile.TemporaryDirectory() as folder, sbc_with("plain") as sbc, carol_of() as carol, \
         Baresip("+49301234561", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Tape(PORTS) as at_sipp, Tape(bob.rtp_ports) as at_bob, Tape(carol.rtp_ports) as at_carol:
        course = plays(folder, 440) + asked("INVITE") + says(200, description(2), repeats=True) + '<recv request="ACK"></recv>\n' + talks_on(3000)
        edits = [("<!-- EARLY -->", '<recv response="180" optional="true"></recv>'), ("<!-- THEN -->", course), ITS_PORT]
        with Sipp("uac_glares", UAC, OUTSIDE, edits=edits) as sipp:
            bob.wait("CALL_ESTABLISHED")
            bob.listen(440), at_sipp.listen(1000)
            bob.command("transfer", "sip:carol@10.0.0.3")
            carol.wait("CALL_ESTABLISHED"), bob.wait("CALL_CLOSED")
            at_carol.listen(440)
            talking = time.monotonic() - 0.5
            sipp.wait(40)
        talked = time.monotonic() - talking
        carol.wait("CALL_CLOSED")
        sbc.idle()
        turned(heard(at_sipp.played(), RATE), 1000, 1500, talked)
        talk(heard(at_bob.played(), RATE), 440, [None])
        talk(heard(at_carol.played(), RATE), 440, [talked])
        record, = sbc.records(1)
        assert [transfer["status"] for transfer in record["transfers"]] == [200], record


run(talks, transferred)
