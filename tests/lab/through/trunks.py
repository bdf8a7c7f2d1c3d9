#!/usr/bin/python3
"""trunks.py CHECK - a trunk that registers with Kamailio, and calls by that registration."""
import here, os, re, signal, tempfile
from certificates import Authority
from kamailio_registrar import ADDRESS, AT, PASSWORD, USER, Registrar
from liaison import INSIDE, Liaison, run, until
from sipp import UAC, UAS, Sipp

TABLES = """
[trunks.carrier]
network = "outside"
# Nobody is there: calls take the Service-Route.
targets = ["sip:10.0.0.9:5060"]
credentials = [{{ realm = "carrier.example", username = "{user}", password = {{ env = "TRUNK_PASSWORD" }} }}]
register = {{ address = "{address}", registrars = ["sip:{at}"], expires = "1m", gruu = true }}

[[routes]]
name = "by-registration"
networks = ["inside"]
to = ["carrier"]
priority = 200
"""


def field(message, name):
    found = re.search(rf"^{name}: (.*?)\r?$", message, re.MULTILINE | re.IGNORECASE)
    return found and found[1]


def registration(sbc):
    return next(one["registration"] for one in sbc.get("/v1/trunks")["trunks"] if one["name"] == "carrier")


def registers(transport):
    """Challenged, told that the lifetime is too brief, registered, refreshed, called and calling, and unregistered at the end."""
    os.environ["TRUNK_PASSWORD"] = PASSWORD
    own, more = {}, {}
    if transport == "tls":
        root = Authority(tempfile.mkdtemp(prefix="certificates."), "root")
        own, more = secured(root, root.issue("theirs", ["URI:sip:10.0.0.6"]))
    tables = TABLES.format(user=USER, address=ADDRESS, at=AT[transport])
    with Registrar(transport, **own) as carrier, \
         Liaison(tables=tables, profile='digest = { algorithms = ["SHA-256", "MD5"] }', **more) as sbc:
        try:
            life(transport, carrier, sbc)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{carrier.logged()[-8000:]}") from None


def secured(root, theirs):
    """What Kamailio and Liaison show over TLS, and whom they believe."""
    ours = root.issue("ours", ["URI:sip:10.0.0.2"])
    shown = f'certificates = [{{ chain = "{ours.chain}", key = "{ours.key}" }}]'
    more = {"outer": f', {{ transport = "tls", address = "10.0.0.2:5061", tls = {{ {shown} }} }}',
            "outside": f'tls = {{ roots = "{root.root}" }}'}
    return {"own": theirs, "root": root.root}, more


def unproven(how):
    """A registrar that shows another name than its own, or what a stranger has issued, gets no REGISTER."""
    os.environ["TRUNK_PASSWORD"] = PASSWORD
    root = Authority(tempfile.mkdtemp(prefix="certificates."), "root")
    match how:
        case "name":
            theirs = root.issue("theirs", ["URI:sip:10.0.0.99"])
        case "issuer":
            theirs = Authority(tempfile.mkdtemp(prefix="certificates."), "stranger").issue("theirs", ["URI:sip:10.0.0.6"])
    own, more = secured(root, theirs)
    tables = TABLES.format(user=USER, address=ADDRESS, at=AT["tls"])
    with Registrar("tls", **own) as carrier, Liaison(tables=tables, **more) as sbc:
        until(lambda: f"refused, but {registration(sbc)}", lambda: registration(sbc)["failures"] > 0, 15)
        assert registration(sbc)["state"] != "registered", registration(sbc)
        assert carrier.registers() == [], carrier.registers()


def life(transport, carrier, sbc):
    until(lambda: f"registered, but {registration(sbc)}", lambda: registration(sbc)["state"] == "registered", 15)
    first, *others = carrier.registers()
    port, parameter = (5061 if transport == "tls" else 5060), ("" if transport == "udp" else f";transport={transport}")
    assert first.startswith("REGISTER sip:carrier.example SIP/2.0\r\n"), first
    with open(sbc.state + "/instance") as file:
        instance = file.read().strip()
    assert field(first, "Contact") == f'<sip:carrier@10.0.0.2:{port}{parameter}>;expires=60;+sip.instance="<{instance}>"', first
    assert field(first, "Supported") == "path, gruu" and field(first, "Authorization") is None, first
    assert [field(one, "Expires") for one in carrier.registers()][-1] == "120", others
    assert all(field(one, "Call-ID") == field(first, "Call-ID") for one in others), others
    numbers = [int(field(one, "CSeq").split()[0]) for one in carrier.registers()]
    assert numbers == list(range(1, len(numbers) + 1)), numbers
    shown = registration(sbc)
    assert shown["service_route"] == [f"<sip:{AT[transport]};lr>"] and shown["failures"] == 0, shown
    # To the contact, from an address that no trunk's `from` has.
    with Sipp("uas", UAS) as called, Sipp("uac", UAC, "10.0.0.6:5060") as calling:
        calling.wait()
        called.wait()
    # By the Service-Route.
    with Sipp("uas", UAC) as called, Sipp("uac", UAS, INSIDE) as calling:
        calling.wait()
        called.wait()
    (_, none), (_, route) = carrier.calls()
    assert none == "<null>" and route == f"<sip:{AT[transport]};lr>", carrier.calls()
    inbound, outbound = sbc.records(2)
    assert [leg["trunk"] for leg in inbound["legs"]] == ["carrier", "b"], inbound
    assert [leg["trunk"] for leg in outbound["legs"]] == ["b", "carrier"], outbound
    # The registrar grants 10 s.
    known = len(carrier.registers())
    until("a refresh", lambda: len(carrier.registers()) > known, 15)
    assert field(carrier.registers()[-1], "Authorization"), "a refresh has the credentials that were good"
    until(lambda: f"refreshed, but {registration(sbc)}", lambda: registration(sbc)["state"] == "registered", 5)
    metrics = sbc.metrics()
    assert metrics['liaison_trunk_registrations{state="registered"}'] == 1, metrics
    sbc.signal(signal.SIGTERM)
    assert sbc.daemon.process.wait(15) == 0, sbc.logged()
    last = carrier.registers()[-1]
    assert field(last, "Expires") == "0" and ">;expires=0;" in field(last, "Contact"), last
    assert "a trunk is no longer registered" in sbc.logged(), sbc.logged()


if __name__ == "__main__":
    run(registers, unproven)
