"""Kamailio as a carrier with outbound (RFC 5626): two edge proxies and a registrar.

    with Edges("tcp") as carrier:
        carrier.edges[0].kill()
        carrier.edges[0].start()

The edges are at 10.0.0.6 and 10.0.0.7 over UDP, TCP and TLS; they keep flow tokens in Path and Record-Route, answer STUN and CRLF,
and tell a lost flow by 430. The registrar is at 10.0.0.8 over UDP and calls all flows of a user at once, as one that knows nothing
of flows: a call from 10.0.0.1 to it goes to whoever has registered ADDRESS. A call from Liaison to an edge goes to 10.0.0.1.
"""
import os, signal, tempfile
from processes import Daemon

ADDRESS = "4930123456@carrier.example"
EDGES, REGISTRAR = ("10.0.0.6", "10.0.0.7"), "10.0.0.8"

COMMON = """
#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
loadmodule "tm.so"
loadmodule "stun.so"
loadmodule "outbound.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("rr", "enable_full_lr", 1)
"""

EDGE = COMMON + """
listen=udp:{ip}:5060
listen=tcp:{ip}:5060
{tls}
tcp_connection_lifetime=3605
loadmodule "path.so"

request_route {{
    if (is_method("REGISTER")) {{
        xlog("L_ERR", "REGISTER<<$mb>>\\n");
        remove_hf("Route");
        if (!add_path()) {{ sl_send_reply("503", "No Path"); exit; }}
        $du = "sip:10.0.0.8:5060";
        $fs = "udp:{ip}:5060";
        if (!t_relay()) sl_reply_error();
        exit;
    }}
    if (has_totag()) {{
        xlog("L_ERR", "within<<$rm $proto $si $hdr(Route)>>\\n");
        loose_route();
        if (is_method("ACK") && !t_check_trans()) {{ t_relay(); exit; }}
        if (!t_relay()) sl_reply_error();
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    t_check_trans();
    xlog("L_ERR", "INVITE<<$mb>>\\n");
    if ($si == "10.0.0.8") {{
        if (!loose_route()) {{ sl_send_reply("430", "Flow Failed"); exit; }}
        record_route();
        t_on_failure("FLOW");
    }} else {{
        loose_route();
        record_route();
        $du = "sip:10.0.0.1:5060";
        $fs = "udp:{ip}:5060";
    }}
    if (!t_relay()) sl_send_reply("430", "Flow Failed");
}}

failure_route[FLOW] {{
    if (t_branch_timeout() || !t_branch_replied()) send_reply("430", "Flow Failed");
}}
"""

HOME = COMMON + """
listen=udp:10.0.0.8:5060
loadmodule "usrloc.so"
loadmodule "registrar.so"
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
modparam("registrar", "outbound_mode", {mode})
modparam("registrar", "flow_timer", {flow_timer})
modparam("registrar", "min_expires", 1)
modparam("registrar", "default_expires", 60)
modparam("registrar", "max_expires", 60)

request_route {{
    if (is_method("REGISTER")) {{
        if (!save("location")) sl_reply_error();
        exit;
    }}
    if (has_totag()) {{
        loose_route();
        if (is_method("ACK") && !t_check_trans()) {{ t_relay(); exit; }}
        if (!t_relay()) sl_reply_error();
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    t_check_trans();
    $ru = "sip:{address}";
    record_route();
    if (!lookup("location")) {{ sl_send_reply("480", "Not Registered"); exit; }}
    if (!t_relay()) sl_reply_error();
}}

onreply_route {{
    xlog("L_ERR", "reply<<$rs $rm $si>>\\n");
}}
"""

TLS = """
enable_tls=yes
listen=tls:{ip}:5061
loadmodule "tls.so"
modparam("tls", "config", "{folder}/tls.cfg")
"""

TLS_PROFILES = """
[server:default]
method = TLSv1.2+
verify_certificate = no
private_key = {own.key}
certificate = {own.chain}
"""


def parent(pid):
    """The parent of a process; None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


class Kamailio:
    def __init__(self, ip, configuration, files=(), **values):
        self.ip, self.folder = ip, tempfile.mkdtemp(prefix="kamailio.")
        self.log, self.starts = self.folder + "/log", 0
        with open(self.folder + "/kamailio.cfg", "w") as file:
            file.write(configuration.lstrip().format(ip=ip, folder=self.folder, **values))
        for name, text in files:
            with open(os.path.join(self.folder, name), "w") as file:
                file.write(text)
        self.start()

    def start(self):
        """Starts it, again perhaps; each time with a log of its own."""
        self.starts += 1
        self.log = f"{self.folder}/log.{self.starts}"
        self.daemon = Daemon(["kamailio", "-f", self.folder + "/kamailio.cfg", "-Y", self.folder, "-DD", "-E", "-m", "32", "-M", "8"],
                             [("udp", self.ip, 5060)], log=self.log)

    def kill(self):
        """SIGKILL to it and to the processes that it has started, which have its sockets too."""
        main = self.daemon.process.pid
        pids = [int(pid) for pid in os.listdir("/proc") if pid.isdigit()]
        for pid in [main, *(pid for pid in pids if parent(pid) == main)]:
            os.kill(pid, signal.SIGKILL)
        self.close()

    def close(self):
        self.daemon.close()

    def logged(self):
        with open(self.log, errors="replace", newline="") as file:
            return file.read()

    def heard(self, what):
        """Every message or note of that kind since it was last started."""
        return [part.partition(">>\n")[0] for part in self.logged().split(what + "<<")[1:]]


class Edges:
    """own: what the edges show over TLS; outbound: whether the registrar knows it; flow_timer: seconds, or 0 for none."""
    def __init__(self, own=None, outbound=True, flow_timer=0):
        def edge(ip):
            tls = TLS.format(ip=ip, folder="{folder}") if own else ""
            files = [("tls.cfg", TLS_PROFILES.lstrip().format(own=own))] if own else []
            return Kamailio(ip, EDGE.replace("{tls}", tls), files)
        self.all = []
        try:
            self.all.append(Kamailio(REGISTRAR, HOME, mode=int(outbound), flow_timer=flow_timer, address=ADDRESS))
            for ip in EDGES:
                self.all.append(edge(ip))
        except BaseException:
            self.__exit__()
            raise
        self.home, *self.edges = self.all

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.all:
            one.close()
