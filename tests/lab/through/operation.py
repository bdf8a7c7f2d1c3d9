#!/usr/bin/python3
"""operation.py CHECK - what an operator does to Liaison while calls are up: reload, drain, the admin API, kill -9."""
import here, json, os, re, resource, signal, stat, subprocess, tempfile, time
import messages
from liaison import OUTSIDE, PASSWORD, REALM, Liaison, run, until
from sipp import UAC, UAS, Sipp, pair

ELSEWHERE, LATER = ("10.0.0.5", 5060), ("10.0.0.1", 5070)


def killed():
    """SIGKILL in the middle of calls: up at once, strays get 481 on both sides, nothing to clean."""
    with Liaison() as sbc, \
         Sipp("uas_hangs_up", UAS, calls=21, pause=3000) as called, \
         Sipp("uac", UAC, OUTSIDE, calls=20, rate=100, pause=3000) as calling:
        sbc.established(20)
        token = sbc.token()
        sbc.kill()
        begun = time.monotonic()
        sbc.start()
        up = time.monotonic() - begun
        with Sipp("uac", LATER, OUTSIDE, pause=100) as first:
            first.wait(10)
        assert up < 3, f"up after {up:.1f} s"
        assert sbc.token() == token and sbc.curl("/readyz")[0] == 200
        def strays(side):
            byes = {m.one("call-id") for m in messages.requests(side.messages(), "BYE", sent=True)}
            return {m.one("call-id"): m.status for m in side.messages() if not m.sent and m.method == "BYE" and m.status and m.one("call-id") in byes}
        gone = lambda side: sum(status == 481 for status in strays(side).values())
        for side in (called, calling):
            until(lambda: f"20 strays answered 481, but {strays(side)}", lambda: gone(side) == 20, 15)
        sbc.idle()
        assert len(sbc.records(1)) == 1, "the CDR file goes on"
        print(f"up after {up:.2f} s")


def reloaded(shards="1"):
    """SIGHUP: new calls take the new route, the one that is up goes on; a faulty file changes nothing."""
    with Liaison(shards=shards) as sbc, Sipp("uas", UAS) as old, Sipp("uas", ELSEWHERE, calls=2) as new, \
         Sipp("uac", UAC, OUTSIDE, pause=6000) as calling:
        sbc.established(1)
        assert sbc.get("/v1/config")["version"] == 1
        sbc.write(to="c")
        sbc.signal(signal.SIGHUP)
        until("version 2", lambda: sbc.get("/v1/config")["version"] == 2, 5)
        with Sipp("uac", LATER, OUTSIDE) as second:
            second.wait()
        with open(sbc.path) as file:
            right = file.read()
        sbc.write(right.replace('to = ["c"]', 'to = ["nowhere"]').replace("[profiles.default]", '[profiles.default]\nmedia = "anchord"'))
        line = next(n for n, text in enumerate(open(sbc.path), 1) if "nowhere" in text)
        sbc.signal(signal.SIGHUP)
        until(lambda: "the faults in the log:\n" + sbc.logged(), lambda: f"line={line} column=7" in sbc.logged() and "anchord" in sbc.logged(), 5)
        os.rename(sbc.path, sbc.path + ".away")
        sbc.signal(signal.SIGHUP)
        until(lambda: "why not in the log:\n" + sbc.logged(), lambda: 'kind="unreadable" why="No such file' in sbc.logged(), 5)
        assert sbc.get("/v1/config")["version"] == 2
        with Sipp("uac", LATER, OUTSIDE) as third:
            third.wait()
        new.wait()
        assert len(sbc.established(1)) == 1, "the call from before goes on"
        calling.wait()
        old.wait()
        sbc.idle()
        assert len(sbc.records(3)) == 3


def drained(shards="1"):
    """SIGTERM: 503 with Retry-After to new calls, the one that is up ends by itself, then exit status 0."""
    with Liaison(shards=shards) as sbc, Sipp("uas", UAS) as called, Sipp("uac", UAC, OUTSIDE, pause=4000) as calling:
        sbc.established(1)
        assert sbc.curl("/readyz", token=False)[0] == 200
        sbc.signal(signal.SIGTERM)
        until("not ready", lambda: sbc.curl("/readyz", token=False)[0] == 503, 3)
        with Sipp("uac_refused", LATER, OUTSIDE) as refused:
            refused.wait()
        answer = [m for m in refused.messages() if not m.sent and m.status and m.status >= 200][0]
        assert answer.status == 503 and int(answer.one("retry-after").split()[0]) > 0, answer
        sbc.established(1)
        calling.wait()
        called.wait()
        assert sbc.daemon.process.wait(45) == 0, sbc.logged()
        assert len(sbc.records(1)) == 1


def administered():
    """The admin API, by curl, on a call that is up."""
    with Liaison() as sbc, Sipp("uas", UAS) as called, Sipp("uac_hears_bye", UAC, OUTSIDE) as calling:
        summary, = sbc.established(1)
        for path in ("/healthz", "/readyz", "/openapi.json"):
            status, kind, body = sbc.curl(path, token=False)
            assert status == 200 and "json" in kind, f"{path}: {status} {kind} {body}"
            json.loads(body)
        paths = json.loads(sbc.curl("/openapi.json", token=False)[2])["paths"]
        assert {"/v1/calls", "/v1/calls/{id}", "/v1/config", "/v1/config/reload"} <= set(paths), paths.keys()

        assert stat.S_IMODE(os.stat(sbc.token_file()).st_mode) == 0o600 and sbc.token_file() in sbc.logged()
        for more in ((), ("-H", "Authorization: Bearer wrong")):
            for path in ("/v1/calls", f"/v1/calls/{summary['id']}", "/v1/config"):
                status, kind, body = sbc.curl(path, *more, token=False)
                assert status == 401 and kind == "application/problem+json" and json.loads(body)["status"] == 401, body
        status, kind, body = sbc.curl("/v1/calls/no-such-call")
        assert status == 404 and kind == "application/problem+json" and json.loads(body)["status"] == 404, body

        call = sbc.get(f"/v1/calls/{summary['id']}")
        assert call["state"] == "established" and call["calling"] == {"network": "outside", "trunk": "a"}, call
        assert call["called"] == {"network": "inside", "trunk": "b"}, call
        a, b = call["legs"]
        invite, = messages.requests(called.messages(), "INVITE", sent=False)
        sent, = messages.requests(calling.messages(), "INVITE", sent=True)
        assert (a["role"], b["role"]) == ("calling", "called") and a["state"] == b["state"] == "confirmed", call
        assert a["sip_call_id"] == sent.one("call-id") != invite.one("call-id") == b["sip_call_id"], call
        assert (a["remote_tag"], b["local_tag"]) == (sent.tag("from"), invite.tag("from")), call
        assert len({leg[side] for leg in (a, b) for side in ("local_tag", "remote_tag")}) == 4, call
        assert [leg["remote_address"] for leg in (a, b)] == ["10.0.0.1:5060", "10.0.0.4:5060"], call
        assert a["remote_uri"] == "sip:+4940987654@10.0.0.1:5060;user=phone" == b["local_uri"], call
        assert b["target"].startswith("sip:") and "10.0.0.4" in b["target"], call
        for leg, ip in ((a, "10.0.0.2"), (b, "10.0.0.3")):
            stream, = leg["streams"]
            assert stream["media"] == "audio" and stream["anchored"] and stream["local_address"].startswith(ip + ":"), stream
            codec = stream["codecs"][0]
            assert (codec["format"], codec["name"], codec["clock_rate_hz"]) == ("8", "PCMA", 8000), stream
            assert {"packets", "bytes", "lost_packets", "jitter_seconds"} <= stream["received"].keys() & (stream["sent"].keys()), stream
        trail = " ".join(f"{step['subject']} {step['decision']} {step['reason']}" for step in call["policy_trail"])
        assert "inbound" in trail and "to b" in trail, trail

        status, _, body = sbc.curl(f"/v1/calls/{summary['id']}?reason=fraud", "-X", "DELETE")
        assert status == 202, body
        calling.wait()
        called.wait()
        for side in (called, calling):
            bye, = messages.requests(side.messages(), "BYE", sent=False)
            assert re.search(r'text="fraud"', bye.one("reason")), bye
        sbc.idle()
        assert sbc.curl(f"/v1/calls/{summary['id']}")[0] == 404
        record, = sbc.records(1)
        assert {leg["sip_call_id"] for leg in record["legs"]} == {sent.one("call-id"), invite.one("call-id")}, record


def listed(shards):
    """The admin API over calls of every shard: each is listed once, shown, and ended."""
    with Liaison(shards=shards) as sbc, Sipp("uas", UAS, calls=30) as called, \
         Sipp("uac_hears_bye", UAC, OUTSIDE, calls=30, rate=100, each=True) as calling:
        everyone = sbc.established(30)
        homes = {call["id"].partition("-")[0] for call in everyone}
        assert homes == {str(n) for n in range(int(shards))}, homes
        assert sbc.metrics()["liaison_calls"] == 30
        ready = json.loads(sbc.curl("/readyz", token=False)[2])
        assert homes == {part["component"].removeprefix("shard ") for part in ready["components"] if part["component"].startswith("shard ")}, ready
        pages, cursor = [], ""
        while cursor is not None:
            page = sbc.get(f"/v1/calls?limit=7{cursor and '&cursor=' + cursor}")
            assert len(page["calls"]) <= 7
            pages += page["calls"]
            cursor = page.get("next_cursor")
        assert [call["id"] for call in pages] == [call["id"] for call in everyone] and len({call["id"] for call in pages}) == 30, pages
        for call in pages:
            legs = sbc.get(f"/v1/calls/{call['id']}")["legs"]
            assert [leg["state"] for leg in legs] == ["confirmed", "confirmed"], legs
            status, _, body = sbc.curl(f"/v1/calls/{call['id']}", "-X", "DELETE")
            assert status == 202, body
        calling.wait()
        called.wait()
        sbc.idle()
        assert {record["call"] for record in sbc.records(30)} == {call["id"] for call in pages}
        status, _, body = sbc.curl(f"/v1/calls/{int(shards)}-0123456789abc")
        assert status == 404, body


def logged():
    """log.level is applied by a reload over the admin API, too; then a call and its messages are in the log, and no secret is."""
    challenge = f'WWW-Authenticate: Digest realm="{REALM}", nonce="6f1c", qop="auth"'
    with Liaison() as sbc:
        pair("uas", "uac", through=OUTSIDE)
        sbc.idle()
        assert "a call begins" not in sbc.logged()
        sbc.write(profile='[log]\nlevel = "trace"')
        status, _, body = sbc.curl("/v1/config/reload", "-X", "POST")
        assert status == 200 and "log.level" in body, body
        called, calling = pair("uas_challenges_bye_401", "uac", through=OUTSIDE, uas_keys={"challenge": challenge})
        sbc.idle()
        record = sbc.records(2)[1]
        lines = sbc.logged().splitlines()
        ids = [leg["sip_call_id"] for leg in record["legs"]]
        told = [line for line in lines if f"call={record['call']}" in line]
        for what, named in (("a call begins", ids[:1]), ("a target is dialled", ids), ("the called side progresses", ids),
                            ("a call is answered", ids), ("a call is over", ids)):
            line, = [line for line in told if what in line][:1] or [f"no line says {what!r}"]
            assert "DEBUG" in line and all(id in line for id in named), line
        traced = [line for line in lines if "TRACE" in line and "start_line=" in line]
        for way, local, peer, side in (("in", "10.0.0.2", "10.0.0.1", calling), ("out", "10.0.0.3", "10.0.0.4", called)):
            bye, = messages.requests(side.messages(), "BYE", sent=way == "in")[:1]
            parts = (f'direction="{way}"', 'transport="udp"', f"local={local}:5060", f"peer={peer}:5060",
                     'start_line="BYE sip:', f"bytes={len(bye.raw)}")
            assert any(all(part in line for part in parts) for line in traced), (parts, traced)
        answer = [m.one("authorization") for m in messages.requests(called.messages(), "BYE", sent=False) if m.all("authorization")]
        response = re.search(r'response="(\w+)"', answer[0])[1]
        for secret in (PASSWORD, sbc.token(), response, "Authorization", "Call-ID:", "o=-", "a=rtpmap"):
            assert not any(secret in line for line in lines), secret


def alone():
    """It may open as many files as it can be allowed; a second process with the same state directory says so, and is not run."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most // 2, most))
    with Liaison() as sbc:
        assert resource.prlimit(sbc.daemon.process.pid, resource.RLIMIT_NOFILE) == (most, most)
        other = subprocess.run([os.environ["LIAISON_BIN"], "run", "--config", sbc.path], capture_output=True, text=True, timeout=20)
        assert other.returncode == 1 and f"another process uses the state directory {sbc.state}" in other.stderr, other


def silent():
    """Media that nobody sends ends the call, with the Reason on both legs."""
    with Liaison(profile='media_inactivity = "2s"') as sbc:
        begun = time.monotonic()
        sides = pair("uas", "uac_hears_bye", through=OUTSIDE)
        assert time.monotonic() - begun > 2
        for side in sides:
            bye, = messages.requests(side.messages(), "BYE", sent=False)
            assert bye.one("reason").replace(" ", "") == 'SIP;cause=480;text="Mediainactivity"', bye
        sbc.idle()
        record, = sbc.records(1)
        assert record["cause"] == "media inactivity", record
        assert sbc.metrics()['liaison_calls_stopped_total{limit="media_inactivity"}'] == 1


def weak():
    """A reload that has a user whose password is its name is refused with the place in the file, by the admin API and in the log;
    nothing changes, and with a good password it is taken."""
    secret = tempfile.mkdtemp(prefix="password.") + "/300"

    def choose(password):
        with open(secret, "w") as file:
            file.write(password + "\n")
    choose("a-good-secret")
    tables = f"""
[networks.outside.registrar]
domains = ["example.com"]
accounts = [{{ address = "300@example.com", users = ["300"] }}]

[networks.outside.registrar.challenge]
realm = "example.com"
users = [
    {{ username = "300", password = {{ file = "{secret}" }} }},
]
"""
    with Liaison(tables=tables) as sbc:
        choose("300")
        setting = "networks.outside.registrar.challenge.users[0].password"
        for asked in ("{}", '{"dry_run": true}'):
            status, kind, body = sbc.curl("/v1/config/reload", "-H", "Content-Type: application/json", "-d", asked)
            assert (status, kind) == (422, "application/problem+json"), (status, kind, body)
            fault, = json.loads(body)["errors"]
            assert (fault["file"], fault["path"], fault["kind"]) == (sbc.path, setting, "secret"), fault
            assert fault["found"].startswith("the password is the user name"), fault
            with open(sbc.path) as file:
                there = file.read().splitlines()[fault["line"] - 1][fault["column"] - 1:]
            assert there.startswith(f'{{ file = "{secret}"'), there
        sbc.signal(signal.SIGHUP)
        until(lambda: "the fault in the log:\n" + sbc.logged(), lambda: f'line={fault["line"]} column={fault["column"]}' in sbc.logged(), 5)
        assert setting in sbc.logged() and sbc.get("/v1/config")["version"] == 1
        done = subprocess.run([os.environ["LIAISON_BIN"], "check", sbc.path], capture_output=True, text=True)
        assert done.returncode == 2 and f'{sbc.path}:{fault["line"]}:{fault["column"]}: {setting}: the password' in done.stderr, done
        pair("uas", "uac", through=OUTSIDE)
        choose("another-good-secret")
        status, _, body = sbc.curl("/v1/config/reload", "-X", "POST")
        assert status == 200 and sbc.get("/v1/config")["version"] == 2, body


run(killed, reloaded, drained, administered, listed, logged, alone, silent, weak)
