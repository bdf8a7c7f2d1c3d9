"""What every Kamailio of the lab has in common: settings, modules, requests in dialogs, TLS, and the process.

    CONFIGURATION = COMMON + 'listen=udp:{ip}:5060\\nrequest_route {{' + WITHIN + "..."
    Process(CONFIGURATION, [("udp", ip, 5060)], ip=ip)
"""
import os, tempfile
from processes import Daemon

# One worker for each socket over UDP: two of them pass messages on in another order than they came in, an ACK behind the BYE that follows it, and
# what one counts after its answer is out has the next request in it already.
COMMON = """
#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
tcp_connection_lifetime=3605
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("rr", "enable_full_lr", 1)
"""

# What belongs to a dialog or a transaction goes on; what follows in the route is a request that begins something.
WITHIN = """
    if (has_totag()) {{
        loose_route();
        if (is_method("ACK") && !t_check_trans()) {{ t_relay(); exit; }}
        if (!t_relay()) sl_reply_error();
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    t_check_trans();
"""

TLS = """
enable_tls=yes
loadmodule "tls.so"
modparam("tls", "config", "{folder}/tls.cfg")
"""


def profile(role, own=None, root=None):
    """How TLS is done as "server" or as "client": with a certificate to show, and an authority that the far side must have one of."""
    lines = [f"[{role}:default]", "method = TLSv1.2+", f"verify_certificate = {'yes' if root else 'no'}"]
    if root:
        lines += ["require_certificate = yes", f"ca_list = {root}"]
    if own:
        lines += [f"private_key = {own.key}", f"certificate = {own.chain}"]
    return "\n".join(lines) + "\n"


class Process:
    """One Kamailio. profiles: for TLS, which is for the configuration to begin; values: of what stands in braces in it."""
    def __init__(self, configuration, listens, profiles=(), **values):
        self.folder, self.listens, self.starts = tempfile.mkdtemp(prefix="kamailio."), listens, 0
        for name, text in (("kamailio.cfg", configuration.lstrip().format(folder=self.folder, **values)), ("tls.cfg", "\n".join(profiles))):
            with open(os.path.join(self.folder, name), "w") as file:
                file.write(text)
        self.start()

    def start(self):
        """Starts it, again perhaps; each time with a log of its own."""
        self.starts += 1
        self.log = f"{self.folder}/log.{self.starts}"
        self.daemon = Daemon(["kamailio", "-f", self.folder + "/kamailio.cfg", "-Y", self.folder, "-DD", "-E", "-m", "32", "-M", "8"],
                             self.listens, log=self.log)

    def logged(self):
        with open(self.log, errors="replace", newline="") as file:
            return file.read()

    def heard(self, what):
        """Every message or note of that kind since it was last started."""
        return [part.partition(">>\n")[0] for part in self.logged().split(what + "<<")[1:]]

    def close(self):
        self.daemon.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
