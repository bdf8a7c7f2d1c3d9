"""An authoritative name server for the zone `example.` (NSD, Debian: nsd). Standard library only.

    with NameServer("pbx 2 IN A 10.0.0.4"):
        ...
"""
import os, shutil, tempfile
from processes import Daemon

ADDRESS = "10.0.0.9"
ZONE = """$ORIGIN example.
@ 60 IN SOA ns root 1 60 60 60 2
@ 60 IN NS ns
ns 60 IN A 10.0.0.9
"""
CONFIG = """server:
  ip-address: {address}
  port: 53
  username: ""
  chroot: ""
  zonesdir: "{dir}"
  database: ""
  pidfile: "{dir}/pid"
  xfrdfile: "{dir}/xfrd"
  xfrdir: "{dir}"
  zonelistfile: "{dir}/list"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "example"
  zonefile: "zone"
"""


class NameServer(Daemon):
    """records: lines of the zone, without what every zone has."""
    def __init__(self, records):
        self.dir = tempfile.mkdtemp(prefix="nsd.")
        with open(self.dir + "/zone", "w") as file:
            file.write(ZONE + records + "\n")
        with open(self.dir + "/nsd.conf", "w") as file:
            file.write(CONFIG.format(address=ADDRESS, dir=self.dir))
        nsd = shutil.which("nsd") or "/usr/sbin/nsd"
        super().__init__([nsd, "-d", "-c", self.dir + "/nsd.conf"], [("udp", ADDRESS, 53)], log=self.dir + "/log")
