"""Kamailio as a carrier with outbound (RFC 5626): two edge proxies and a registrar.

    with Edges("tcp") as carrier:
        carrier.edges[0].kill()
        carrier.edges[0].start()

The edges are at 10.0.0.6 and 10.0.0.7 over UDP, TCP and TLS; they keep flow tokens in Path and Record-Route, answer STUN and CRLF,
and tell a lost flow by 430. The registrar is at 10.0.0.8 over UDP and calls all flows of a user at once, as one that knows nothing
of flows: a call from 10.0.0.1 to it goes to whoever has registered ADDRESS. A call from Liaison to an edge goes to 10.0.0.1.
"""
import os, signal
from kamailio_process import COMMON, TLS, WITHIN, Process, profile

ADDRESS = "4930123456@carrier.example"
EDGES, REGISTRAR = ("10.0.0.6", "10.0.0.7"), "10.0.0.8"

FLOWS = COMMON + """
loadmodule "stun.so"
loadmodule "outbound.so"
"""

EDGE = FLOWS + """
listen=udp:{ip}:5060
listen=tcp:{ip}:5060
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

HOME = FLOWS + """
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
        xlog("L_ERR", "REGISTER<<$mb>>\\n");
        if (!save("location")) sl_reply_error();
        if (reg_fetch_contacts("location", "$tu", "all")) xlog("L_ERR", "bound<<$(ulc(all=>count))>>\\n");
        else xlog("L_ERR", "bound<<0>>\\n");
        exit;
    }}
""" + WITHIN + """
    $ru = "sip:{address}";
    record_route();
    if (!lookup("location")) {{ sl_send_reply("480", "Not Registered"); exit; }}
    if (!t_relay()) sl_reply_error();
}}

onreply_route {{
    xlog("L_ERR", "reply<<$rs $rm $si>>\\n");
}}
"""

SECURE = TLS + "listen=tls:{ip}:5061\n"


def parent(pid):
    """The parent of a process; None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


class Kamailio(Process):
    def kill(self):
        """SIGKILL to it and to the processes that it has started, which have its sockets too."""
        main = self.daemon.process.pid
        pids = [int(pid) for pid in os.listdir("/proc") if pid.isdigit()]
        for pid in [main, *(pid for pid in pids if parent(pid) == main)]:
            os.kill(pid, signal.SIGKILL)
        self.close()


class Edges:
    """own: what the edges show over TLS; outbound: whether the registrar knows it; flow_timer: seconds, or 0 for none."""
    def __init__(self, own=None, outbound=True, flow_timer=0):
        def edge(ip):
            configuration, profiles = EDGE, ()
            if own:
                configuration, profiles = EDGE.replace("request_route", SECURE + "\nrequest_route", 1), (profile("server", own),)
            return Kamailio(configuration, [("udp", ip, 5060)], profiles, ip=ip)
        self.all = []
        try:
            self.all.append(Kamailio(HOME, [("udp", REGISTRAR, 5060)], mode=int(outbound), flow_timer=flow_timer, address=ADDRESS))
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
