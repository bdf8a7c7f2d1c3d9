"""TLS for SIPp, which Debian's has none of: socat, with OpenSSL, between it and whom it talks to.

    with Outward(("10.0.0.1", 5070), "10.0.0.2:5061", own, root), Inward(("10.0.0.4", 5061), UAS, own, root):
        ...                          # SIPp calls 10.0.0.1:5070 over TCP; what comes to 10.0.0.4:5061 it gets over TCP

Each connection on one side is one on the other. Both show `own` and believe `root`. Standard library only.
"""
from processes import Daemon


def both(own):
    """A file with certificate and key, as socat wants them."""
    path = own.chain + ".both"
    with open(path, "w") as file:
        for part in own:
            with open(part) as source:
                file.write(source.read())
    return path


class Outward(Daemon):
    """Takes TCP at `at`, and goes on over TLS from the same address to `to`, whose certificate must be of `root`."""
    def __init__(self, at, to, own, root):
        ip, port = at
        tls = f"OPENSSL:{to},bind={ip},cert={both(own)},cafile={root},verify=1,commonname=,no-sni=1"
        super().__init__(["socat", f"TCP-LISTEN:{port},bind={ip},fork,reuseaddr", tls], [("tcp", ip, port)], log=own.chain + ".log")


class Inward(Daemon):
    """Takes TLS at `at`, from whom has a certificate of `root` where `clients`, and goes on over TCP to `to`."""
    def __init__(self, at, to, own, root, clients=True):
        (ip, port), (far, far_port) = at, to
        tls = f"OPENSSL-LISTEN:{port},bind={ip},fork,reuseaddr,cert={both(own)},cafile={root},verify={int(clients)}"
        super().__init__(["socat", tls, f"TCP:{far}:{far_port}"], [("tcp", ip, port)], log=own.chain + ".log")
