"""Certificates of a test, by the openssl program. Standard library only.

    root = Authority(folder, "root")
    own = root.issue("sbc", ["DNS:sbc.example"])          # own.chain, own.key: paths
"""
import collections, os, subprocess, tempfile, time

Issued = collections.namedtuple("Issued", "chain key")


def openssl(*arguments, input=None):
    done = subprocess.run(["openssl", *arguments], input=input, capture_output=True)
    assert done.returncode == 0, f"openssl {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.root, self.key = self.path(name, "pem"), self.path(name, "key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "60",
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.root)

    def path(self, name, ending):
        return os.path.join(self.folder, f"{name}.{ending}")

    def issue(self, name, names, days=60):
        """A certificate with these subjectAltNames, as openssl writes them, that is good for so many days, and its key."""
        chain, key, request = self.path(name, "pem"), self.path(name, "key"), self.path(name, "csr")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/O={name}",
                "-keyout", key, "-out", request)
        extensions = self.path(name, "ext")
        with open(extensions, "w") as file:
            file.write(f"subjectAltName={','.join(names)}\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", request, "-CA", self.root, "-CAkey", self.key, "-CAcreateserial", "-days", str(days),
                "-extfile", extensions, "-out", chain)
        os.chmod(key, 0o600)
        return Issued(chain, key)


class Issuer(Authority):
    """An authority that keeps books: certificates of any time, and the list of those revoked."""
    BOOKS = """[ca]
default_ca = books
[books]
database = {index}
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
default_crl_days = 2
crlnumber = {index}.lists
crl_extensions = list
policy = any
unique_subject = no
[list]
authorityKeyIdentifier = keyid
[any]
organizationName = supplied
commonName = optional
"""

    def __init__(self, folder, name):
        super().__init__(folder, name)
        self.books, index = self.path(name, "cnf"), self.path(name, "index")
        for path, text in ((index, ""), (index + ".lists", "01\n")):
            with open(path, "w") as file:
                file.write(text)
        with open(self.books, "w") as file:
            file.write(self.BOOKS.format(index=index, folder=folder))
        self.signing = ["-config", self.books, "-keyfile", self.key, "-cert", self.root]

    def certify(self, name, names=(), common_name=None, days=(-1, 1), revoked=False):
        """A certificate with these subjectAltNames that is good from and until so many days from now."""
        chain, key, request, extensions = (self.path(name, ending) for ending in ("pem", "key", "csr", "ext"))
        subject = f"/O={name}" + (f"/CN={common_name}" if common_name else "")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout", key, "-out", request)
        with open(extensions, "w") as file:
            file.write("basicConstraints=CA:FALSE\n" + (f"subjectAltName={','.join(names)}\n" if names else ""))
        begin, end = (time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + day * 86400)) for day in days)
        openssl("ca", *self.signing, "-batch", "-notext", "-in", request, "-out", chain, "-extfile", extensions, "-startdate", begin, "-enddate", end)
        os.chmod(key, 0o600)
        if revoked:
            self.revoke(chain)
        return Issued(chain, key)

    def revoke(self, chain):
        openssl("ca", *self.signing, "-revoke", chain)

    def revocations(self):
        """The file of the list of what is revoked."""
        path = self.path(self.name, "crl")
        openssl("ca", *self.signing, "-gencrl", "-out", path)
        return path


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
