#!/usr/bin/python3
"""rtcp.py CHECK - RTCP of two phones through Liaison: the same where nothing is changed, true on both sides where sources are hidden."""
import here, re
import liaison
from baresip_ua import Baresip
from liaison import Liaison, run, until
from linphone import Linphone
from reports import RR, SR, XR, Reports, blocks, names, parts, words

liaison.DOCUMENT = liaison.DOCUMENT.replace("[trunks.a]\n", '[trunks.a]\nprofile = "near"\n').replace("[trunks.b]\n", '[trunks.b]\nprofile = "far"\n')
ENOUGH = 3          # reports: baresip sends one in five seconds


def sbc_with(near="", far=""):
    return Liaison(tables=f"[profiles.near]\n{near}\n[profiles.far]\n{far}\n")


def phones(**bob):
    more = bob.pop("account", "")
    return Baresip("alice", "10.0.0.1"), Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto;" + more, **bob)


def call(alice, bob):
    alice.command("dial", "sip:bob@10.0.0.2")
    alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
    alice.listen(1000), bob.listen(440)


def reported(wire, *ends, count=ENOUGH):
    """Waits until both have got so many reports."""
    until(lambda: f"{count} reports, but {[len(wire.got(of.rtp_ports)) for of in ends]}",
          lambda: all(len(wire.got(of.rtp_ports)) >= count for of in ends), 60)


def hears(wire, phone):
    """The RTP that arrives: its sources, and whether its numbers go on without a gap."""
    packets = wire.got(phone.rtp_ports, rtcp=False)
    numbers = [int.from_bytes(packet[2:4], "big") for packet in packets]
    assert all((after - before) % 65536 == 1 for before, after in zip(numbers, numbers[1:])), numbers
    return {int.from_bytes(packet[8:12], "big") for packet in packets}, numbers


def stream(sbc, leg):
    told, = sbc.established(1)
    return sbc.get(f"/v1/calls/{told['id']}")["legs"][leg]["streams"][0]


def well(sbc):
    """Both legs are near, lose nothing and sound well, as far as anybody can tell."""
    for leg in (0, 1):
        seen = until(lambda: stream(sbc, leg), lambda: (s := stream(sbc, leg))["round_trip_seconds"] is not None and s["sent"]["mos"] and s, 20)
        assert seen["round_trip_seconds"] < 0.25 and not seen["poor"], seen
        assert seen["received"]["mos"] > 4.3 and seen["sent"]["mos"] > 4.3, seen
        assert seen["received"]["lost_packets"] == seen["sent"]["lost_packets"] == 0, seen
        assert seen["sent"]["jitter_seconds"] < 0.05, seen


def sound(wire, phone, *fields):
    rows, malformed = wire.opinion(phone.rtp_ports, *fields)
    assert not malformed, rows
    return rows


def untouched():
    alice, bob = phones()
    with sbc_with() as sbc, alice, bob, Reports() as wire:
        call(alice, bob)
        reported(wire, alice, bob)
        well(sbc)
        alice.command("hangup")
        sbc.idle()
        for one, other in ((alice, bob), (bob, alice)):
            for rtcp in (True, False):
                sent, got = wire.sent(one.rtp_ports, rtcp), wire.got(other.rtp_ports, rtcp)
                # What came before there was somebody to have it did not cross, nor what came after the end.
                first = sent.index(got[0])
                assert len(got) >= ENOUGH and got == sent[first:first + len(got)], (sent, got)
            sound(wire, other)
        record, = sbc.records(1)
        for leg in record["legs"]:
            of, = leg["streams"]
            assert of["mos"] > 4.3 and of["sent_mos"] > 4.3 and of["sent_lost"] == 0 and of["round_trip_seconds"] < 0.25, record
        metrics = sbc.metrics()
        for name, count in (("mos_count{direction=\"sent\"}", 2), ("loss_ratio_count{direction=\"received\"}", 2), ("round_trip_seconds_count", 2)):
            assert metrics["liaison_media_" + name] == count, {n: v for n, v in metrics.items() if "liaison_media_mos" in n or "round_trip" in n}


def hidden(secret=""):
    """Bob sees nothing of Alice's sources, and she her own in what he says of them."""
    alice, bob = phones(**({"account": "mediaenc=srtp-mand"} if secret else {}))
    keys = '\nsrtp = { mode = "required", keys_in_clear = true }' if secret else ""
    with sbc_with(far='rtp_sources = "hide"' + keys) as sbc, alice, bob, Reports() as wire:
        call(alice, bob)
        reported(wire, alice, bob)
        well(sbc)
        alice.listen(1000), bob.listen(440)
        alices = {int.from_bytes(packet[8:12], "big") for packet in wire.sent(alice.rtp_ports, rtcp=False)}
        bobs = {int.from_bytes(packet[8:12], "big") for packet in wire.sent(bob.rtp_ports, rtcp=False)}
        seen, numbers = hears(wire, bob)
        assert len(alices) == len(seen) == 1 and alices.isdisjoint(seen), (alices, seen)
        assert numbers[0] < 0x8000, numbers[0]
        # What Bob reports comes to Alice as being about her.
        highest = {int.from_bytes(packet[2:4], "big") for packet in wire.sent(alice.rtp_ports, rtcp=False)}
        about = [block for compound in wire.got(alice.rtp_ports) for block in blocks(compound)]
        assert about and {block[0] for block in about} == alices, (about, alices)
        assert all(block[3] & 0xFFFF in highest and block[2] == 0 for block in about), about
        assert bobs == hears(wire, alice)[0]
        # The round trip is between the two: she has sent what he answers.
        moments = {words(body)[1] << 16 & 0xFFFFFFFF | words(body)[2] >> 16 for compound in wire.sent(alice.rtp_ports)
                   for kind, _, body in parts(compound) if kind == SR}
        answered = {block[5] for block in about if block[5]}
        assert answered and answered <= moments, (answered, moments)
        sound(wire, alice)
        if not secret:
            for compound in wire.got(bob.rtp_ports):
                owners = {words(body)[0] for _, _, body in parts(compound)}
                assert owners == seen, (owners, seen)
                assert {block[0] for block in blocks(compound)} <= bobs
            told = [item for compound in wire.got(bob.rtp_ports) for item in names(compound).items()]
            assert told and {source for (source, _), _ in told} == seen and {kind for (_, kind), _ in told} == {1}, told
            cname, = {text for _, text in told}
            own = {text for compound in wire.sent(alice.rtp_ports) for (_, kind), text in names(compound).items() if kind == 1}
            assert len(cname) == 16 and own and cname not in own, (cname, own)
            everything = b"".join(wire.got(bob.rtp_ports))
            assert not any(text in everything for text in own), own
            # Another reader of RTCP says the same.
            rows = sound(wire, bob, "rtcp.senderssrc", "rtcp.ssrc.identifier", "rtcp.sdes.text")
            assert {int(value, 0) for row in rows for value in row[0].split(",") if value} == seen, rows
            assert cname.decode() in {value for row in rows for value in row[2].split(",")}, rows
            # SIP says nothing else of it either.
            assert not [line for line in re.findall(r"a=ssrc:(\d+)", bob.trace()) if int(line) in alices]
        alice.command("hangup")
        sbc.idle()


def hidden_secret():
    hidden("secret")


def poor():
    """No call is better than 4.41: below 4.5 each one is poor, and everybody who asks is told."""
    alice, bob = phones()
    with sbc_with(far='quality = { mos = "4.5", every = "1s" }') as sbc, alice, bob:
        call(alice, bob)
        until(lambda: stream(sbc, 1), lambda: stream(sbc, 1)["poor"], 10)
        assert not stream(sbc, 0)["poor"]
        alice.command("hangup")
        sbc.idle()
        record, = sbc.records(1)
        near, far = record["legs"]
        assert far["streams"][0]["poor"] == 1 and "poor" not in near["streams"][0], record
        assert sbc.metrics()['liaison_media_quality_changes_total{to="poor"}'] == 1
        assert sbc.logged().count("a stream is poor") == 1 and "received_mos=4." in sbc.logged(), sbc.logged()


XR_LINES = "rtcp_xr_enabled=1\nrtcp_xr_rcvr_rtt_mode=all\nrtcp_xr_rcvr_rtt_max_size=10000\nrtcp_xr_stat_summary_enabled=1\nrtcp_xr_voip_metrics_enabled=1"


def extended(how="carry"):
    """Two that send extended reports, of their clocks and of those that they know: they cross, and are true."""
    def phone(user, ip, of, rtp):
        return Linphone(user, ip, domain=of, proxy=f"{of}:5060", transport="udp", password="x", root="", rtp=rtp, media=XR_LINES)
    with sbc_with(far=f'rtp_sources = "{how}"') as sbc, phone("alice", "10.0.0.1", "10.0.0.2", 7078) as alice, \
         phone("bob", "10.0.0.4", "10.0.0.3", 7178) as bob, Reports() as wire:
        alice.files(440), bob.files(1000)
        alice.say("call sip:bob@10.0.0.2")
        bob.wait("incoming call from")
        bob.say("answer")
        alice.wait("Media streams established"), bob.wait("Media streams established")
        of = lambda packets: [packet for packet in packets if XR in {kind for kind, _, _ in parts(packet)}]
        until(lambda: f"extended reports, but {[len(wire.got(one.rtp_ports)) for one in (alice, bob)]}",
              lambda: all(len(of(wire.got(one.rtp_ports))) >= 3 for one in (alice, bob)), 60)
        seen = until(lambda: stream(sbc, 1), lambda: (s := stream(sbc, 1))["round_trip_seconds"] is not None and s, 30)
        assert seen["round_trip_seconds"] < 0.3, seen
        alices = {int.from_bytes(packet[8:12], "big") for packet in wire.sent(alice.rtp_ports, rtcp=False)}
        names_of = {int.from_bytes(packet[8:12], "big") for packet in wire.got(bob.rtp_ports, rtcp=False)}
        bobs = {int.from_bytes(packet[8:12], "big") for packet in wire.sent(bob.rtp_ports, rtcp=False)}
        assert (alices == names_of) == (how == "carry"), (alices, names_of)
        for one, other in ((alice, bob), (bob, alice)):
            sent, got = wire.sent(one.rtp_ports), wire.got(other.rtp_ports)
            if how == "carry":
                first = sent.index(got[0])
                assert got == sent[first:first + len(got)], (sent, got)
            about = {words(body)[at + 1] for compound in of(got) for kind, _, body in parts(compound) if kind == XR for at in about_sources(body)}
            known = names_of if one is alice else bobs
            assert about <= ({*alices} if other is alice else bobs), (about, alices, bobs)
            assert {words(body)[0] for compound in of(got) for kind, _, body in parts(compound)} == known
            sound(wire, other)


def about_sources(body):
    """Where, in words, the blocks of an extended report begin that are about a source."""
    found, at, all_words = [], 1, words(body)
    while at < len(all_words):
        if all_words[at] >> 24 in (1, 2, 3, 5, 6, 7) and all_words[at] & 0xFFFF:
            found.append(at)
        at += (all_words[at] & 0xFFFF) + 1
    return found


def extended_hidden():
    extended("hide")


run(untouched, hidden, hidden_secret, poor, extended, extended_hidden)
