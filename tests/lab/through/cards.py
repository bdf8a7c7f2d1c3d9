#!/usr/bin/python3
"""cards.py CHECK - Digest AKA with a smart card's keys (RFC 3310, RFC 4169): SIPp is the home network's registrar."""
import here, hashlib, hmac, base64, tempfile
import messages
from liaison import OUTSIDE, Liaison, run, until
from milenage import Home
from sipp import UAC, UAS, Sipp

# Test set 1 of TS 35.207.
K, OP = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc"), bytes.fromhex("cdc202d5123e20f62b6d676ac72cb318")
REALM, USER, REGISTRAR = "ims.example", "jon@ims.example", ("10.0.0.6", 5060)
TABLES = """
[trunks.ims]
network = "outside"
targets = ["sip:10.0.0.6:5060"]
card_credentials = [{{ realm = "ims.example", username = "jon@ims.example", key = {{ file = "{k}" }}, operator = {{ file = "{op}" }}, operator_is = "op" }}]
register = {{ address = "jon@ims.example", registrars = ["sip:10.0.0.6:5060"] }}
"""


def tables():
    folder = tempfile.mkdtemp(prefix="card.")
    for name, key in (("k", K), ("op", OP)):
        with open(f"{folder}/{name}", "w") as file:
            file.write(key.hex() + "\n")
    return TABLES.format(k=folder + "/k", op=folder + "/op")


def asks(nonce, algorithm="AKAv1-MD5"):
    return f'WWW-Authenticate: Digest realm="{REALM}", nonce="{nonce}", algorithm={algorithm}, qop="auth", opaque="o"'


def registrar(*nonces, algorithm="AKAv1-MD5"):
    keys = {name: asks(nonce, algorithm) for name, nonce in zip(("challenge", "challenge2"), nonces)}
    return Sipp("uas_challenges_register" + ("_twice" if len(nonces) == 2 else ""), REGISTRAR, keys=keys)


def answers(sipp):
    """The credentials of each REGISTER that came, and the request."""
    return [(messages.parameters(m.one("authorization")), m) for m in messages.requests(sipp.messages(), "REGISTER", sent=False)
            if m.one("authorization")]


def proves(got, request, nonce, password, function=hashlib.md5):
    """Whether credentials are those that this password makes (RFC 3310 §3.3; RFC 7616 §3.4.1)."""
    h = lambda *parts: function(b":".join(parts)).hexdigest().encode()
    assert (got["nonce"], got["username"], got["realm"], got["opaque"], got["qop"]) == (nonce, USER, REALM, "o", "auth"), got
    # In an AUTS answer, too, all of the rest is as in any digest.
    uri = request.start.split()[1].encode()
    assert got["uri"].encode() == uri, request
    first, second = h(USER.encode(), REALM.encode(), password), h(b"REGISTER", uri)
    return got["response"].encode() == h(first, nonce.encode(), got["nc"].encode(), got["cnonce"].encode(), b"auth", second)


def kept(sbc, sqn):
    """Waits until the sequence number is in the store."""
    def there():
        with open(sbc.state + "/registrations.redb", "rb") as file:
            return sqn.to_bytes(8, "big") in file.read()
    until(f"{sqn} in the store", there, 5)


def registers(sbc, home):
    home.wait(20)
    until(sbc.logged, lambda: next(one for one in sbc.get("/v1/trunks")["trunks"] if one["name"] == "ims")["registration"]["state"] == "registered", 5)


def restarted():
    """A challenge is answered by RES. After a kill -9 the same challenge is old, and gets AUTS with our number; a new one is taken, and
    after another kill the next higher one at once: there is nothing to resynchronise."""
    ims = Home(K, OP)
    first, second, third = (ims.challenge(sqn) for sqn in (0x1_0000_0020, 0x1_0000_0040, 0x1_0000_0060))
    with registrar(first) as home, Liaison(tables=tables()) as sbc:
        registers(sbc, home)
        (got, request), = answers(home)
        assert proves(got, request, first, ims.res(first)) and "auts" not in got, request
        kept(sbc, 0x1_0000_0020)
        sbc.kill()
        home.close()
        with registrar(first, second) as home:
            sbc.start()
            registers(sbc, home)
            (old, request), (new, again) = answers(home)
            assert ims.sqn_of(first, old["auts"]) == 0x1_0000_0020, request
            assert proves(old, request, first, b""), "with an empty password"
            assert proves(new, again, second, ims.res(second)) and "auts" not in new, again
            kept(sbc, 0x1_0000_0040)
            sbc.kill()
        with registrar(third) as home:
            sbc.start()
            registers(sbc, home)
            (got, request), = answers(home)
            assert proves(got, request, third, ims.res(third)) and "auts" not in got, request
        assert K.hex() not in sbc.logged() and OP.hex() not in sbc.logged()


def versions():
    """Of the second version the password is made of RES, IK and CK (RFC 4169 §2.1)."""
    ims = Home(K, OP)
    for algorithm, function in (("AKAv2-MD5", hashlib.md5), ("AKAv2-SHA-256", hashlib.sha256)):
        nonce = ims.challenge(100)
        rand = base64.b64decode(nonce)[:16]
        secret = ims.res(nonce) + ims.out(rand, 8, 4) + ims.out(rand, 4, 2)
        password = base64.b64encode(hmac.new(secret, b"http-digest-akav2-password", function).digest())
        with registrar(nonce, algorithm=algorithm) as home, Liaison(tables=tables()) as sbc:
            registers(sbc, home)
            (got, request), = answers(home)
            assert got["algorithm"] == algorithm and proves(got, request, nonce, password, function), request


def foreign():
    """A challenge of another home network, one that is forged, and a password's for the realm of the card get nothing."""
    ims = Home(K, OP)
    nonce = ims.challenge(100)
    forged = base64.b64encode(bytes([base64.b64decode(nonce)[0] ^ 1]) + base64.b64decode(nonce)[1:]).decode()
    for text, algorithm in ((Home(OP, K).challenge(100), "AKAv1-MD5"), (forged, "AKAv1-MD5"), ("bm9uY2U=", "AKAv1-MD5"), (nonce, "MD5")):
        with registrar(text, algorithm=algorithm) as home, Liaison(tables=tables()) as sbc:
            until(home.report, lambda: sbc.metrics()['liaison_trunk_registers_total{outcome="failed"}'] >= 1, 10)
            assert not answers(home), home.report()
            assert sbc.metrics()["liaison_sip_challenges_failed_total"] == 1


def for_sipp(home, amf):
    """A challenge that SIPp answers well: it takes its RES for text, which ends with a zero."""
    while True:
        nonce = home.challenge(100, amf=amf.encode())
        if 0 not in home.res(nonce):
            return nonce


def carried():
    """A home network challenges the call of its terminal, and Liaison is in between: the challenge and the answer cross as they are, and the
    answer is right by the home network's count. Where the profile says nothing of it, the caller hears 403."""
    k, op, amf = "a-key-of-the-lab", "an-operator-of-it", "am"
    ims = Home(k.encode(), op[:16].encode())
    challenge = for_sipp(ims, amf)
    edits = [("[authentication]", f"[authentication username={USER} aka_K={k} aka_OP={op[:16]} aka_AMF={amf}]")]
    with Liaison(profile="carry = { credentials = true }") as sbc:
        keys = asks(challenge) + ', ik="00112233445566778899aabbccddeeff", ck="ffeeddccbbaa99887766554433221100"'
        with Sipp("uas_asks_for_proof", UAS, calls=2, keys={"challenge": keys}) as called, Sipp("uac_proves", UAC, OUTSIDE, edits=edits) as calling:
            calling.wait(20)
            called.wait(20)
        sbc.idle()
        asked, = {m.one("www-authenticate") for m in calling.messages() if m.status == 401}
        assert messages.parameters(asked) == messages.parameters(asks(challenge).partition(": ")[2]), "as it came, without the keys"
        sent = messages.requests(calling.messages(), "INVITE", sent=True)[1]
        heard = messages.requests(called.messages(), "INVITE", sent=False)[1]
        assert heard.one("authorization") == sent.one("authorization"), (str(heard), str(sent))
        ack = [m for m in messages.requests(called.messages(), "ACK", sent=False) if m.one("call-id") == heard.one("call-id")]
        assert ack[0].one("authorization") == sent.one("authorization"), str(ack[0])
        got = messages.parameters(heard.one("authorization"))
        h = lambda *parts: hashlib.md5(b":".join(parts)).hexdigest().encode()
        first, second = h(USER.encode(), REALM.encode(), ims.res(challenge)), h(b"INVITE", got["uri"].encode())
        assert got["response"].encode() == h(first, challenge.encode(), got["nc"].encode(), got["cnonce"].encode(), b"auth", second), got
    with Liaison() as sbc, Sipp("uas_asks_for_proof", UAS, keys={"challenge": asks(challenge)}) as called, \
         Sipp("uac_refused", UAC, OUTSIDE) as calling:
        calling.wait(20)
        assert [m.status for m in calling.messages() if m.status and m.status >= 200] == [403], calling.report()


def sipp():
    """The lab itself: SIPp, with a MILENAGE of its own, takes the challenges of our home network, and its answers are right."""
    # SIPp wants keys that are text.
    k, op, amf = "a-key-of-the-lab", "an-operator-of-it", "am"
    ims = Home(k.encode(), op[:16].encode())
    nonce = for_sipp(ims, amf)
    edits = [("[authentication]", f"[authentication username={USER} aka_K={k} aka_OP={op[:16]} aka_AMF={amf}]")]
    with registrar(nonce) as home, Sipp("uac_registers", ("10.0.0.1", 5060), "%s:%d" % REGISTRAR, edits=edits) as phone:
        phone.wait(20)
        home.wait(20)
        (got, _), = answers(home)
        h = lambda *parts: hashlib.md5(b":".join(parts)).hexdigest().encode()
        first, second = h(USER.encode(), REALM.encode(), ims.res(nonce)), h(b"REGISTER", got["uri"].encode())
        assert got["response"].encode() == h(first, nonce.encode(), got["nc"].encode(), got["cnonce"].encode(), b"auth", second), got


run(restarted, versions, foreign, carried, sipp)
