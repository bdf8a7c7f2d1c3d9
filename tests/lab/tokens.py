"""JSON Web Tokens (RFC 7519) and the keys of an authorization server, by the openssl program and Python's hmac. Standard library only.

    key = Key("one")
    with open(path, "w") as file:
        file.write(key_set(key))
    token = key.token(sub="alice", iss=..., aud=..., exp=...)
"""
import base64, hashlib, hmac, json, tempfile
from certificates import openssl


def encoded(data):
    """base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(header, claims):
    return ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))


class Key:
    """A key for Ed25519 signatures (RFC 8037), by its name."""
    def __init__(self, name):
        self.name, self.file = name, tempfile.mkdtemp(prefix="token.") + "/key"
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.file)

    def public(self):
        """As a JWK. The last 32 bytes of its DER are the key (RFC 8410 §4)."""
        der = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")
        return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.name, "x": encoded(der[-32:])}

    def token(self, **claims):
        signed = parts({"alg": "EdDSA", "typ": "JWT", "kid": self.name}, claims)
        data = self.file + ".data"
        with open(data, "w") as file:
            file.write(signed)
        return f"{signed}.{encoded(openssl('pkeyutl', '-sign', '-inkey', self.file, '-rawin', '-in', data))}"

    def forged(self, **claims):
        """What somebody makes who knows the public key only, and takes it for a shared secret."""
        signed = parts({"alg": "HS256", "typ": "JWT", "kid": self.name}, claims)
        secret = base64.urlsafe_b64decode(self.public()["x"] + "=")
        return f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"

    def unsigned(self, **claims):
        return parts({"alg": "none", "kid": self.name}, claims) + "."


def key_set(*keys):
    """A JWK set (RFC 7517 §5)."""
    return json.dumps({"keys": [key.public() for key in keys]})
