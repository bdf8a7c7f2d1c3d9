#!/usr/bin/python3
"""secure.py CHECK - calls over mutual TLS with Kamailio on both sides, which is client and server: SIPp of Debian 12 has no TLS."""
import here, os, re, signal, subprocess, tempfile
import certificates, messages
from certificates import Authority, Cast
from kamailio import CARRIER, Kamailio
from liaison import run, until
from secure_liaison import Secure
from sipp import UAC, UAS, Sipp, pair
from syns import Syns

DOCUMENT = """
[node]
state_directory = "{state}"

[networks.outside]
domain = "sbc.example"
listeners = [{{ transport = "tls", address = "10.0.0.2:5061", advertised = "10.0.0.2:5061", tls = {{
    certificates = [{{ chain = "{own.chain}", key = "{own.key}" }}], clients = "required", roots = "{root}" }} }}]
media = {{ address = "10.0.0.2", ports = "30000-39999" }}
tls = {{ roots = "{root}", certificate = {{ chain = "{own.chain}", key = "{own.key}" }} }}

[networks.inside]
listeners = [{{ transport = "tls", address = "10.0.0.3:5061", tls = {{
    certificates = [{{ chain = "{own.chain}", key = "{own.key}" }}], clients = "required", roots = "{root}" }} }}]
media = {{ address = "10.0.0.3", ports = "30000-39999" }}
tls = {{ roots = "{root}", certificate = {{ chain = "{own.chain}", key = "{own.key}" }} }}

[trunks.a]
network = "outside"
targets = ["sip:10.0.0.6:5061;transport=tls"]
identities = ["carrier.example"]

[trunks.b]
network = "inside"
targets = ["{target}"]
identities = ["pbx.example"]

[[routes]]
name = "inbound"
trunks = ["a"]
to = ["b"]

[admin]
listen = "127.0.0.1:8080"
"""


TARGET = "sip:10.0.0.7:5061;transport=tls"


def liaison(cast, text=DOCUMENT):
    return Secure(text, cast.own, cast.root.root, target=TARGET)


def liaison6(own, root):
    """The same at addresses of IPv6."""
    text = DOCUMENT.replace("sip:10.0.0.6", "sip:[fd00::6]")
    for old, new in (("10.0.0.2", "fd00::2"), ("10.0.0.3", "fd00::3")):
        text = text.replace(f'"{old}"', f'"{new}"').replace(f'"{old}:5061"', f'"[{new}]:5061"')
    return Secure(text, own, root, ("fd00::2", "fd00::3"), target="sip:[fd00::7]:5061;transport=tls")


def calls():
    """Either side hangs up; the connections that we open are used by both sides."""
    cast = Cast()
    # One certificate: a request of Kamailio may come on a connection on which it was the server.
    with Syns(5061) as syns, Kamailio(cast.root.root, cast.both, cast.both) as proxy, liaison(cast) as sbc:
        for uas, uac in (("uas", "uac"), ("uas_hangs_up", "uac_hears_bye"), ("uas", "uac")):
            try:
                pair(uas, uac, through=CARRIER)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{sbc.logged()}\n{proxy.logged()[-6000:]}") from None
        sbc.idle()
        # The BYE of the called side came on the connection that we opened; ours to the calling side, which asks for no alias,
        # went on one of its own.
        assert sbc.connections() == [1, 2], f"accepted and opened: {sbc.connections()}\n{sbc.logged()}"
        # And so on the wire: nobody began a connection from the called side.
        assert syns.begun() == {("10.0.0.6", "10.0.0.2"): 1, ("10.0.0.2", "10.0.0.6"): 1, ("10.0.0.3", "10.0.0.7"): 1}, syns.begun()
        log = sbc.logged()
        for identity in ("URI:carrier.example", "URI:pbx.example"):
            assert identity in log, log
        records = sbc.records(3)
        assert all(record["legs"][0]["trunk"] == "a" for record in records), records


def strangers():
    """A client whose certificate stands for nobody that we know gets 403; of another authority it gets no connection."""
    cast = Cast(carrier="nobody.example")
    with Kamailio(cast.root.root, cast.carrier, cast.pbx), liaison(cast) as sbc:
        with Sipp("uac_refused", UAC, CARRIER) as refused:
            refused.wait()
        statuses = [m.status for m in refused.messages() if not m.sent and m.status and m.status >= 200]
        assert statuses == [403], statuses
        assert sbc.metrics()['liaison_invites_refused_total{cause="stranger"}'] == 1
    other = Authority(tempfile.mkdtemp(prefix="other."), "other")
    cast = Cast(authority=other)
    with Kamailio(cast.root.root, cast.carrier, cast.pbx), liaison(cast) as sbc:
        with Sipp("uac_refused", UAC, CARRIER) as refused:
            until("the handshake fails", lambda: sbc.metrics()['liaison_connections_failed_total{cause="handshake"}'] >= 1, 20)
        assert sbc.connections()[0] >= 1 and not sbc.calls()


def pinned():
    """Both sides show a certificate of an authority that nobody believes, and are known by its fingerprint: as clients, and as servers."""
    cast = Cast(authority=Authority(tempfile.mkdtemp(prefix="other."), "other"))

    def text(known):
        digits = certificates.openssl("x509", "-in", known.chain, "-noout", "-fingerprint", "-sha256").decode().strip().rpartition("=")[2]
        pins = lambda host: f'pins = [{{{{ host = "{host}", fingerprints = ["sha256:{digits}"] }}}}]'
        outside, mark, inside = DOCUMENT.partition("[networks.inside]")
        asked, made = 'clients = "required", ', 'tls = {{ roots = "{root}", '
        assert outside.count(asked) == 1 and outside.count(made) == 1
        outside = outside.replace(asked, asked + pins("carrier.example") + ", ").replace(made, made + pins("10.0.0.6") + ", ")
        return outside + mark + inside.replace(made, made + pins("10.0.0.7") + ", ")

    with Kamailio(cast.root.root, cast.both, cast.both), liaison(cast, text(cast.both)) as sbc:
        # The BYE goes to the calling side on a connection that we open.
        pair("uas_hangs_up", "uac_hears_bye", through=CARRIER)
        sbc.idle()
        log, record = sbc.logged(), sbc.records(1)[0]
        assert all(f"pin:{host}" in log for host in ("carrier.example", "10.0.0.6", "10.0.0.7")) and record["legs"][0]["trunk"] == "a", log
    with Kamailio(cast.root.root, cast.both, cast.both), liaison(cast, text(cast.carrier)) as sbc:
        with Sipp("uac_refused", UAC, CARRIER):
            until("the handshake fails", lambda: sbc.metrics()['liaison_connections_failed_total{cause="handshake"}'] >= 1, 20)
        assert not sbc.calls()


def impostors():
    """A server that does not prove the host that is called gets nothing of the call, not even its INVITE."""
    cast = Cast()
    # Two of them: our alert ends a connection of the impostor's, and none of the caller's proxy.
    with Kamailio(cast.root.root, cast.carrier, cast.pbx, at=["10.0.0.6"]), \
         Kamailio(cast.root.root, cast.carrier, cast.carrier, at=["10.0.0.7"]), liaison(cast) as sbc:
        with Sipp("uac_refused", UAC, CARRIER) as refused:
            refused.wait()
        statuses = [m.status for m in refused.messages() if not m.sent and m.status and m.status >= 200]
        assert statuses == [500], statuses
        record, = sbc.records(1)
        assert record["answered"] is None and record["legs"][0]["status"] == 500, record
        assert "NotValidForName" in sbc.logged(), sbc.logged()


def renewed():
    """A certificate is exchanged under a call: SIGHUP, the new one is shown in TLS 1.2 and 1.3, and the call ends as it should."""
    cast = Cast()
    # Who shows no certificate still sees ours.
    with Kamailio(cast.root.root, cast.carrier, cast.pbx), liaison(cast) as sbc, \
         Sipp("uas", UAS) as called, Sipp("uac", UAC, CARRIER, pause=5000) as calling:
        sbc.established(1)
        before = certificates.serial(cast.own.chain)
        assert certificates.shown("10.0.0.2:5061") == {"tls1_2": before, "tls1_3": before}
        renewed = cast.root.issue("own", ["DNS:sbc.example", "URI:sip:10.0.0.2"])
        after = certificates.serial(renewed.chain)
        sbc.signal(signal.SIGHUP)
        until("the new certificate", lambda: certificates.shown("10.0.0.2:5061") == {"tls1_2": after, "tls1_3": after}, 10)
        assert before != after and sbc.established(1)
        # A key that is not the certificate's changes nothing.
        os.replace(cast.root.key, renewed.key)
        os.chmod(renewed.key, 0o600)
        sbc.signal(signal.SIGHUP)
        until("the fault in the log", lambda: "key and certificate do not go together" in sbc.logged(), 10)
        assert certificates.shown("10.0.0.2:5061")["tls1_3"] == after
        calling.wait()
        called.wait()
        sbc.idle()


def checked():
    """`liaison check` names every file that cannot be used."""
    cast = Cast()
    folder = tempfile.mkdtemp(prefix="liaison.")
    path = folder + "/liaison.toml"
    os.chmod(cast.own.key, 0o644)
    with open(path, "w") as file:
        file.write(DOCUMENT.format(state=folder, own=cast.own, root=cast.root.root + ".none", target="sips:pbx.example"))
    done = subprocess.run([os.environ["LIAISON_BIN"], "check", path], capture_output=True, text=True)
    assert done.returncode == 2, done
    for fault in (r"networks\.outside\.listeners\[0\]\.tls\.certificates\[0\]\.key: .*everybody may use it \(mode 644\)",
                  r"networks\.inside\.tls\.roots: .*root\.pem\.none: No such file"):
        assert re.search(fault, done.stderr), done.stderr
    os.chmod(cast.own.key, 0o600)
    with open(path, "w") as file:
        file.write(DOCUMENT.format(state=folder, own=cast.own, root=cast.root.root, target="sips:pbx.example"))
    done = subprocess.run([os.environ["LIAISON_BIN"], "check", path], capture_output=True, text=True)
    assert done.returncode == 0, done
    # What works and is probably not meant is said, and is no mistake.
    other = cast.root.issue("other", ["DNS:sbc.example", "DNS:*.elsewhere.example"])
    with open(path, "w") as file:
        text = DOCUMENT.format(state=folder, own=other, root=cast.root.root, target="sips:pbx.example")
        file.write(text.replace(', advertised = "10.0.0.2:5061"', ""))
    done = subprocess.run([os.environ["LIAISON_BIN"], "check", path], capture_output=True, text=True)
    line = 1 + text[:text.index("address = \"10.0.0.3:5061\"")].count("\n")
    assert done.returncode == 0 and done.stderr.count("warning") == 1, done
    assert re.search(rf'liaison\.toml:{line}:\d+: warning: networks\.inside\.listeners\[0\]\.address: found "10\.0\.0\.3", expected '
                     r"a name that a certificate of the listener stands for: sbc\.example, \*\.elsewhere\.example", done.stderr), done.stderr
    # So is a certificate of ours that will not be good for long: of each network as a server, and as a client.
    old = cast.root.issue("old", ["DNS:sbc.example", "IP:10.0.0.2"], days=13)
    with open(path, "w") as file:
        file.write(DOCUMENT.format(state=folder, own=old, root=cast.root.root, target="sips:pbx.example"))
    done = subprocess.run([os.environ["LIAISON_BIN"], "check", path], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr.count("a chain that expires at ") == 4, done


def named():
    """A carrier that takes calls only of whom the certificate names in Contact: a name gets 200, an address 403."""
    cast = Cast()
    with Kamailio(cast.root.root, cast.both, cast.both, strict=True, at=["10.0.0.7"]), Kamailio(cast.root.root, cast.both, cast.both, at=["10.0.0.6"]):
        with liaison(cast) as sbc, Sipp("uac_refused", UAC, CARRIER) as refused:
            refused.wait()
            sbc.idle()
        assert [m.status for m in refused.messages() if not m.sent and m.status and m.status >= 200] == [403], refused.report()
        text = DOCUMENT.replace("[networks.inside]", '[networks.inside]\ndomain = "sbc.example"')
        with liaison(cast, text) as sbc, Sipp("uas", UAS) as called, Sipp("uac", UAC, CARRIER) as calling:
            calling.wait()
            called.wait()
            sbc.idle()
        invite, = messages.requests(called.messages(), "INVITE", sent=False)
        assert invite.one("contact") == "<sip:sbc.example:5061;transport=tls>", invite
        assert any(via.startswith("SIP/2.0/TLS sbc.example:5061;") for via in invite.all("via")), invite


def ipv6():
    """The same over IPv6: what Kamailio sees of us has brackets, in `received` none."""
    cast = Cast()
    both = cast.root.issue("both6", ["URI:sip:carrier.example", "URI:sip:pbx.example", "URI:sip:[fd00::6]", "URI:sip:[fd00::7]"])
    own = cast.root.issue("own6", ["URI:sip:sbc.example", "URI:sip:[fd00::2]", "URI:sip:[fd00::3]"])
    with Kamailio(cast.root.root, both, both, at=("[fd00::6]", "[fd00::7]"), outside="[fd00::2]", called="[fd00::4]"), \
         liaison6(own, cast.root.root) as sbc:
        with Sipp("uas", ("fd00::4", 5060)) as called, Sipp("uac", ("fd00::1", 5060), "[fd00::6]:5060") as calling:
            calling.wait()
            called.wait()
        sbc.idle()
        invite, = messages.requests(called.messages(), "INVITE", sent=False)
        vias, contact = invite.all("via"), invite.one("contact")
        assert [via for via in vias if re.match(r"SIP/2\.0/TLS \[fd00::3\]:5061;", via)], vias
        assert re.match(r"<sip:\[fd00::3\]:5061;transport=tls>", contact), contact
        assert b"c=IN IP6 fd00::3\r\n" in invite.body, invite
        answer = next(m for m in calling.messages() if m.status == 200)
        assert re.match(r"<sip:\[fd00::2\]:5061;transport=tls>", answer.one("contact")), answer
        assert b"c=IN IP6 fd00::2\r\n" in answer.body, answer
        for m in called.messages() + calling.messages():
            assert not re.search(rb"received=\[", m.raw), m


if __name__ == "__main__":
    run(calls, strangers, pinned, impostors, renewed, checked, named, ipv6)
