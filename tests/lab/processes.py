"""Processes of a test: started, awaited without sleeping blindly, and ended. Standard library only."""
import socket, struct, subprocess, time


def bound(transport, ip, port):
    """Whether a socket of this network namespace is bound to (udp) or listens on (tcp) that address."""
    family, table = (socket.AF_INET6, transport + "6") if ":" in ip else (socket.AF_INET, transport)
    # The kernel prints each word of 32 bits as this machine reads it.
    words = struct.unpack(f"={4 if ':' in ip else 1}I", socket.inet_pton(family, ip))
    want = "".join("%08X" % word for word in words) + ":%04X" % port
    states = {"udp": ("07", "01"), "tcp": ("0A",)}[transport]
    with open(f"/proc/net/{table}") as table:
        return any(row[1] == want and row[3] in states for row in map(str.split, list(table)[1:]))


class Daemon:
    """A server under test. listens: (transport, address, port) of every socket to wait for.

        with Daemon([liaison, "run", "--config", path], [("udp", "10.0.0.2", 5060)]) as sbc:
            ...
    """
    def __init__(self, command, listens, log=None, timeout=15):
        self.output = open(log, "w+") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + timeout
        while not all(bound(*socket) for socket in listens):
            try:
                status = self.process.wait(0.01)
            except subprocess.TimeoutExpired:
                status = None
            if status is not None or time.monotonic() > deadline:
                self.close()
                raise AssertionError(f"{command[0]} does not listen on {listens}, exit status {status}")

    def close(self, timeout=15):
        """Ends it with SIGTERM, or SIGKILL when it does not obey; its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
