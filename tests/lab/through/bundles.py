#!/usr/bin/python3
"""bundles.py CHECK - browsers that have audio and video on one port, with telephones that have a port for each, and with one another."""
import here, re
from browser_ua import Browser
from house import PAGE, PASSWORD, PORTS, House, phone
from liaison import run, until

MD5 = 'digest = { algorithms = ["MD5"] }'
VIDEO = "module vp8.so\nmodule fakevideo.so\nvideo_source fakevideo,nil\nvideo_display fakevideo,nil\nvideo_size 320x240\nvideo_bitrate 200000\nvideo_fps 10\n"


def web(sbc, user="web", page=PAGE, **more):
    return Browser(user, server=f"wss://10.0.0.2:{PORTS['wss']}", page=page, key_hash=sbc.key_hash(), password=PASSWORD, **more)


def carol_of(sbc, config=VIDEO):
    return phone(sbc, "carol", "10.0.0.6", "udp", "answermode=auto", tone=1000, config=config)


def streams(sbc):
    """What the API says of the streams of each leg."""
    call, = sbc.established(1)
    return [leg["streams"] for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"]]


def flows(sbc, legs=2, kinds=("audio", "video")):
    """Waits until of each stream packets have come and gone since now."""
    count = lambda: [stream[way]["packets"] for of in streams(sbc) for stream in of if stream["media"] in kinds for way in ("received", "sent")]
    before = count()
    assert len(before) == 2 * legs * len(kinds), before
    until(lambda: f"more than {before}, but {count()}", lambda: all(now > then + 10 for now, then in zip(count(), before)), 30)


def films(browser, timeout=30):
    """Waits until it shows more frames than it does."""
    before = browser.hear()["frames"]
    until(lambda: f"more than {before} frames, but {browser.hear()}", lambda: browser.hear()["frames"] > before + 5, timeout)


def is_bundle(leg, mids):
    assert [stream["bundle"] for stream in leg] == mids, leg
    assert len({stream["local_address"] for stream in leg if stream["bundle"]}) == 1, leg


def bodies(messages, start):
    return [text.partition("\r\n\r\n")[2] for text in messages if text.startswith(start) and "\r\n\r\nv=0" in text]


def apart():
    """A browser and a telephone, both with audio and video: each calls."""
    with House(profile=MD5) as sbc, carol_of(sbc) as carol, web(sbc, tone=440, video=True) as browser:
        carol.wait("REGISTER_OK"), browser.wait("registered")
        browser.do("call", "sip:carol@example.com")
        browser.wait("confirmed"), carol.wait("CALL_ESTABLISHED")
        browser.listen(1000), carol.listen(440)
        films(browser), flows(sbc)
        ours, theirs = streams(sbc)
        is_bundle(ours, ["0", "1"])
        assert len({stream["local_address"] for stream in theirs}) == 2 and not any(stream["bundle"] for stream in theirs), theirs
        assert browser.hear()["transports"] == 1, browser.hear()
        answer, = bodies(browser.messages("received"), "SIP/2.0 200")
        assert "a=group:BUNDLE 0 1\r\n" in answer and len(set(re.findall(r"^m=\w+ (\d+)", answer, re.M))) == 1, answer
        # ICE begins anew for both.
        browser.do("restart")
        browser.wait("restarted")
        films(browser), flows(sbc)
        browser.do("hangup")
        carol.wait("CALL_CLOSED"), browser.wait("ended")
        sbc.idle()
        carol.command("dial", "sip:web@example.com")
        carol.wait("CALL_ESTABLISHED"), browser.wait("confirmed")
        browser.listen(1000), films(browser), flows(sbc)
        theirs, ours = streams(sbc)
        assert all(stream["bundle"] for stream in ours), ours
        assert browser.hear()["transports"] == 1, browser.hear()
        carol.command("hangup")
        carol.wait("CALL_CLOSED"), browser.wait("ended")
        sbc.idle()


def less():
    """A telephone without video takes the audio of a browser's bundle only."""
    with House(profile=MD5) as sbc, carol_of(sbc, "") as carol, web(sbc, tone=440, video=True) as browser:
        carol.wait("REGISTER_OK"), browser.wait("registered")
        browser.do("call", "sip:carol@example.com")
        browser.wait("confirmed"), carol.wait("CALL_ESTABLISHED")
        browser.listen(1000), carol.listen(440)
        answer, = bodies(browser.messages("received"), "SIP/2.0 200")
        assert "a=group:BUNDLE 0\r\n" in answer and "\r\nm=video 0 " in answer, answer
        browser.do("hangup")
        carol.wait("CALL_CLOSED"), browser.wait("ended")
        sbc.idle()


def together():
    """Two browsers with audio, video and a data channel: each hears and sees the other, and what one says in the channel the other hears."""
    with House(users=("web", "net"), profile=MD5) as sbc, web(sbc, tone=440, video=True, data=True) as here_, \
         web(sbc, "net", "http://localhost:8001", tone=1000, video=True) as there:
        here_.wait("registered"), there.wait("registered")
        here_.do("call", "sip:net@example.com")
        here_.wait("confirmed"), there.wait("confirmed")
        here_.listen(1000), there.listen(440)
        films(here_), films(there), flows(sbc)
        for leg in streams(sbc):
            is_bundle(leg[:2], ["0", "1"])
        here_.do("say", "hello")
        assert there.wait("message")[1] == "hello"
        assert here_.wait("message")[1] == "hello is what I have heard"
        here_.do("hangup")
        there.wait("ended")
        sbc.idle()


def later():
    """A browser adds video to its call with another one, and takes it away: the slot stays, and is used again by the next."""
    with House(users=("web", "net"), profile=MD5) as sbc, web(sbc, tone=440) as here_, \
         web(sbc, "net", "http://localhost:8001", tone=1000, video=True) as there:
        here_.wait("registered"), there.wait("registered")
        here_.do("call", "sip:net@example.com")
        here_.wait("confirmed"), there.wait("confirmed")
        here_.listen(1000), there.listen(440)
        for mid in ("1", "2"):
            here_.do("film")
            here_.wait("filmed")
            films(there)
            for leg in streams(sbc):
                is_bundle(leg, ["0", mid])
            there.listen(440)
            here_.do("unfilm")
            here_.wait("unfilmed")
            for leg in streams(sbc):
                assert len(leg) == 2 and leg[1]["anchored"] is False, leg
            here_.listen(1000), there.listen(440)
        here_.do("hangup")
        there.wait("ended")
        sbc.idle()


run(apart, less, together, later)
