"""Liaison as the registrar of a house: telephones and browsers in one network, over every transport, calling each other.

    with House() as sbc, phone("carol", "10.0.0.6", "tls", sbc) as carol:
        carol.wait("REGISTER_OK")

Standard library only.
"""
import base64, hashlib, os, tempfile
from baresip_ua import Baresip
from certificates import Authority, openssl
from liaison import ADMIN, Liaison
from linphone import Linphone
from processes import Daemon

PASSWORD = "down-the-rabbit-hole"
USERS = ("carol", "dave", "web")
PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "wss": 8443}
PAGE = "http://localhost:8000"

DOCUMENT = """
[node]
state_directory = "{state}"

[guessing]
{guessing}

[guard]
{guard}

[networks.house]
nat = "{nat}"
domain = "sbc.example.com"
listeners = [
    {{ transport = "udp", address = "10.0.0.2:5060", advertised = "10.0.0.2:5060" }},
    {{ transport = "tcp", address = "10.0.0.2:5060", advertised = "10.0.0.2:5060" }},
    {{ transport = "tls", address = "10.0.0.2:5061", advertised = "10.0.0.2:5061", tls = {{ certificates = [{certificate}] }} }},
    {{ transport = "wss", address = "10.0.0.2:8443", tls = {{ certificates = [{certificate}] }}, websocket = {{ origins = ["{page}", "http://localhost:8001"] }} }},
]
media = {{ address = "10.0.0.2", ports = "30000-39999" }}
tls = {{ roots = "{root}", certificate = {certificate} }}

[networks.house.registrar]
domains = ["example.com"]
challenge = {{ realm = "example.com", users = [{users}] }}
accounts = [{accounts}]
{registrar}

[[routes]]
name = "users"
called = ["@example.com"]
to = [{{ domain = "example.com" }}]

{tables}
[profiles.default]
{profile}

[admin]
listen = "127.0.0.1:8080"
"""


class House(Liaison):
    """users: who may register user@example.com, all with PASSWORD; profile, guessing, guard, registrar: lines of these tables;
    tables: further ones, in which CERTIFICATE is its own.
    `root` is the file of the authority that its certificate is of, for 10.0.0.2 and sbc.example.com."""
    def __init__(self, users=USERS, profile="", nat="auto", guessing="", guard="", registrar="", tables=""):
        self.dir = tempfile.mkdtemp(prefix="liaison.")
        self.state, self.path, self.log = self.dir + "/state", self.dir + "/liaison.toml", self.dir + "/log"
        authority = Authority(self.dir, "root")
        self.authority, self.root = authority, authority.root
        self.own = authority.issue("own", ["DNS:sbc.example.com", "IP:10.0.0.2", "URI:sip:10.0.0.2"])
        certificate = f'{{ chain = "{self.own.chain}", key = "{self.own.key}" }}'
        with open(self.path, "w") as file:
            file.write(DOCUMENT.format(
                state=self.state, root=self.root, nat=nat, profile=profile, guessing=guessing, guard=guard, registrar=registrar, page=PAGE,
                certificate=certificate, tables=tables.replace("CERTIFICATE", certificate),
                users=", ".join(f'{{ username = "{user}", password = {{ env = "PHONE_PASSWORD" }} }}' for user in users),
                accounts=", ".join(f'{{ address = "{user}@example.com", users = ["{user}"] }}' for user in users)))
        self.start()

    def start(self):
        os.environ["PHONE_PASSWORD"] = PASSWORD
        sockets = [("udp" if transport == "udp" else "tcp", "10.0.0.2", port) for transport, port in PORTS.items()]
        port = int(ADMIN.rpartition(":")[2])
        self.daemon = Daemon([os.environ["LIAISON_BIN"], "run", "--config", self.path], [*sockets, ("tcp", "127.0.0.1", port)], log=self.log)

    def key_hash(self):
        """The SHA-256 of the public key in its certificate, in base64."""
        key = openssl("x509", "-in", self.own.chain, "-noout", "-pubkey")
        return base64.b64encode(hashlib.sha256(openssl("pkey", "-pubin", "-outform", "der", input=key)).digest()).decode()

    def registered(self):
        """Who is registered, with the bindings."""
        return {one["address"].removesuffix("@example.com"): one["bindings"] for one in self.get("/v1/registrations")["registrations"]}


def phone(sbc, user, ip, transport, more="", config="", **settings):
    """baresip as that user; over TLS it believes our authority only, and has a certificate of it for who connects to it."""
    account = f"regint=600;auth_user={user};auth_pass={PASSWORD};outbound=\"sip:10.0.0.2:{PORTS[transport]};transport={transport}\";{more}"
    issued = sbc.authority.issue(user, [f"URI:sip:{ip}"])
    with open(f"{sbc.dir}/{user}.both", "w") as both:
        for path in issued:
            with open(path) as part:
                both.write(part.read())
    return Baresip(user, ip, domain="example.com", transport=transport, account=account,
                   config=f"sip_cafile {sbc.root}\nsip_certificate {both.name}\n{config}", **settings)


def linphone(sbc, user, ip, transport, **settings):
    """linphonec as that user; over TLS it believes our authority only."""
    return Linphone(user, ip, domain="example.com", proxy=f"10.0.0.2:{PORTS[transport]}", transport=transport, password=PASSWORD,
                    root=sbc.root, **settings)
