"""Certificates of a test, by the openssl program. Standard library only.

    root = Authority(folder, "root")
    own = root.issue("sbc", ["DNS:sbc.example"])          # own.chain, own.key: paths
"""
import collections, os, subprocess, tempfile

Issued = collections.namedtuple("Issued", "chain key")


def openssl(*arguments, input=None):
    done = subprocess.run(["openssl", *arguments], input=input, capture_output=True)
    assert done.returncode == 0, f"openssl {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.root, self.key = self.path(name, "pem"), self.path(name, "key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.root)

    def path(self, name, ending):
        return os.path.join(self.folder, f"{name}.{ending}")

    def issue(self, name, names):
        """A certificate with these subjectAltNames, as openssl writes them, and its key."""
        chain, key, request = self.path(name, "pem"), self.path(name, "key"), self.path(name, "csr")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/O={name}",
                "-keyout", key, "-out", request)
        extensions = self.path(name, "ext")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={','.join(names)}\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", request, "-CA", self.root, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                "-extfile", extensions, "-out", chain)
        os.chmod(key, 0o600)
        return Issued(chain, key)


class Cast:
    """An authority, and what everybody shows: Record-Route of Kamailio has addresses, so its certificates name them too."""
    def __init__(self, carrier="carrier.example", authority=None):
        folder = tempfile.mkdtemp(prefix="certificates.")
        self.root = Authority(folder, "root")
        issuer = authority or self.root
        self.own = self.root.issue("own", ["DNS:sbc.example", "URI:sip:sbc.example", "URI:sip:10.0.0.2", "URI:sip:10.0.0.3"])
        self.carrier = issuer.issue("carrier", [f"URI:sip:{carrier}", "URI:sip:10.0.0.6"])
        self.pbx = self.root.issue("pbx", ["DNS:pbx.example", "URI:sip:pbx.example", "URI:sip:10.0.0.7"])
        self.both = issuer.issue("both", ["URI:sip:carrier.example", "URI:sip:pbx.example", "URI:sip:10.0.0.6", "URI:sip:10.0.0.7"])


def serial(chain):
    """The serial number of the first certificate in a file."""
    return openssl("x509", "-in", chain, "-noout", "-serial").decode().strip()


def shown(at):
    """The serial number of the certificate that a TLS server shows, and the versions of TLS that it speaks."""
    versions = {}
    for version in ("tls1_2", "tls1_3"):
        done = subprocess.run(["openssl", "s_client", "-connect", at, f"-{version}"], input=b"", capture_output=True)
        if b"BEGIN CERTIFICATE" in done.stdout:
            versions[version] = openssl("x509", "-noout", "-serial", input=done.stdout).decode().strip()
    return versions
