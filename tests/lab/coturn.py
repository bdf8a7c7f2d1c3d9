"""coturn (Debian: coturn) as a STUN and TURN server, with one user. Standard library only.

    with Coturn("10.0.0.5") as server:
        server.close()              # it dies
"""
import os, tempfile
from certificates import Authority
from processes import Daemon

USER, PASSWORD, REALM = "liaison", "a password of the lab alone", "turn.example"
RELAYED = range(50000, 51000)


class Coturn(Daemon):
    """secret: one that credentials are made with, in place of the user. `root` is the file of the authority that its certificate is of."""
    def __init__(self, ip, secret=None):
        folder = tempfile.mkdtemp(prefix="coturn.")
        authority = Authority(folder, "root")
        self.root, self.ip = authority.root, ip
        own = authority.issue("turn", [f"IP:{ip}", "DNS:turn.example"])
        known = ["--use-auth-secret", f"--static-auth-secret={secret}"] if secret else ["--lt-cred-mech", f"--user={USER}:{PASSWORD}"]
        self.log = folder + "/log"
        super().__init__(["turnserver", "-n", f"--listening-ip={ip}", f"--relay-ip={ip}", f"--realm={REALM}", *known,
                          f"--cert={own.chain}", f"--pkey={own.key}", f"--min-port={RELAYED[0]}", f"--max-port={RELAYED[-1]}",
                          "--no-cli", "--fingerprint", "--verbose", "--log-file=stdout", f"--pidfile={folder}/pid", f"--db={folder}/db",
                          "--stale-nonce=600"],
                         [("udp", ip, 3478), ("tcp", ip, 3478), ("tcp", ip, 5349)], log=self.log)

    def logged(self):
        with open(self.log, errors="replace") as file:
            return file.read()
