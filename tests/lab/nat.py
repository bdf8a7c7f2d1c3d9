"""A host behind a NAT, for lo-run's private network.

    with Nat(udp_seconds=12) as nat:
        with nat.inside():                       # sockets and processes of this block are behind the NAT
            phone = Baresip("dave", nat.INSIDE)
        ...

It lets nothing in that was not asked for, and forgets a flow over UDP that has been silent for udp_seconds: like a home
router, only faster. Its mapping is one of RFC 4787 §4.1 that nftables can do: the port that a host has is kept where it is free
("kept"); every flow gets another one at random, that is address and port dependent ("random"); or each host has an
outside address of its own, with all ports, endpoint independent, which lets everybody in ("open"); or it is as with "kept", and over UDP
lets nobody out but to ports 3478 and 5060 ("walled"). Needs nftables. Origin: `netlab` of this project's lab, here within one private network.
"""
import contextlib, ctypes, os, subprocess

CLONE_NEWNET = 0x40000000
FORWARD = """  chain forward { type filter hook forward priority 0; policy drop;
    iifname "lan*" accept;
    ct state established,related accept;
    ct status dnat accept;
  }
"""
MASQUERADE = """table ip nat {{
  chain out {{ type nat hook postrouting priority 100; oifname "wan" masquerade {}; }}
"""
RULES = {
    "kept": MASQUERADE.format("") + FORWARD + "}",
    "walled": MASQUERADE.format("") + FORWARD.replace('iifname "lan*" accept', 'iifname "lan*" udp dport != { 3478, 5060 } oifname "wan" drop;\n    iifname "lan*" accept') + "}",
    "random": MASQUERADE.format("fully-random") + FORWARD + "}",
    "open": """table ip nat {
  map outside { type ipv4_addr : ipv4_addr; elements = { 192.168.7.2 : 203.0.113.254, 192.168.8.2 : 203.0.113.253 } }
  map inside { type ipv4_addr : ipv4_addr; elements = { 203.0.113.254 : 192.168.7.2, 203.0.113.253 : 192.168.8.2 } }
  chain out { type nat hook postrouting priority 100; oifname "wan" snat to ip saddr map @outside; }
  chain in { type nat hook prerouting priority -100; iifname "wan" dnat to ip daddr map @inside; }
}""",
}


class Nat:
    """INSIDE is the address of `host`, SECOND that of another host, `second`; OUTSIDE that of the NAT, where they are seen; OTHER
    is where the second one is with the mapping "open"."""
    INSIDE, SECOND, OUTSIDE, OTHER = "192.168.7.2", "192.168.8.2", "203.0.113.254", "203.0.113.253"

    def __init__(self, udp_seconds=30, mapping="kept", forward=()):
        """forward: ports, each as ("udp", 5060), that lead from outside to `host`."""
        self.router, self.host, self.second = self._namespace(), self._namespace(), self._namespace()
        self._link(None, "toward", "203.0.113.1/24", self.router, "wan", f"{self.OUTSIDE}/24")
        self._link(self.router, "lan", "192.168.7.1/24", self.host, "eth0", f"{self.INSIDE}/24")
        self._link(self.router, "lan2", "192.168.8.1/24", self.second, "eth0", f"{self.SECOND}/24")
        self.run(self.router, "ip", "addr", "add", f"{self.OTHER}/24", "dev", "wan")
        self.run(self.router, "ip", "route", "add", "default", "via", "203.0.113.1")
        for host, gateway in ((self.host, "192.168.7.1"), (self.second, "192.168.8.1")):
            self.run(host, "ip", "route", "add", "default", "via", gateway)
        self.run(self.router, "nft", "-f", "-", input=RULES[mapping])
        for transport, port in forward:
            self.run(self.router, "nft", "-f", "-", input=f"""table ip nat {{
  chain ports {{ type nat hook prerouting priority -110; iifname "wan" {transport} dport {port} dnat to {self.INSIDE}; }}
}}""")
        # Of the namespace, by the hand of a process in it; connection tracking begins with the rules.
        for name, value in (("ipv4/ip_forward", 1), ("netfilter/nf_conntrack_udp_timeout", udp_seconds),
                            ("netfilter/nf_conntrack_udp_timeout_stream", udp_seconds)):
            self.run(self.router, "sh", "-c", f"echo {value} > /proc/sys/net/{name}")

    @staticmethod
    def _namespace():
        process = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "up\n", "no network namespace"
        return process

    def _link(self, one, name, address, other, far_name, far_address):
        """A cable between two namespaces; None is our own."""
        self.run(one, "ip", "link", "add", name, "type", "veth", "peer", "name", far_name, "netns", str(other.pid))
        for where, device, ip in ((one, name, address), (other, far_name, far_address)):
            self.run(where, "ip", "addr", "add", ip, "dev", device)
            self.run(where, "ip", "link", "set", device, "up")

    @staticmethod
    def run(where, *command, input=None):
        """A command in a namespace; its output."""
        enter = ["nsenter", f"--net=/proc/{where.pid}/ns/net"] if where else []
        done = subprocess.run([*enter, *command], input=input, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def restart(self):
        """It forgets every flow, as when it is switched off and on."""
        # Masquerading ends what it has mapped to an interface that goes down.
        for command in (["link", "set", "wan", "down"], ["link", "set", "wan", "up"], ["route", "add", "default", "via", "203.0.113.1"]):
            self.run(self.router, "ip", *command)

    @contextlib.contextmanager
    def inside(self, host=None):
        """This thread is behind the NAT, on that host; its sockets stay there."""
        with open("/proc/self/ns/net") as ours, open(f"/proc/{(host or self.host).pid}/ns/net") as theirs:
            self._enter(theirs)
            try:
                yield
            finally:
                self._enter(ours)

    @staticmethod
    def _enter(namespace):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def close(self):
        for process in (self.host, self.second, self.router):
            process.kill()
            process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
