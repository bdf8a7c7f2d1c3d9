"""Kamailio as the registrar and edge of a carrier, at 10.0.0.6 over UDP, TCP and TLS.

    with Registrar("udp") as carrier:
        carrier.registers()          # every REGISTER that it has heard, as text

It challenges REGISTERs, wants lifetimes of 120 s (423) though it grants 10, and gives a Service-Route to itself. A call from 10.0.0.1
goes to whoever has registered ADDRESS; a call from Liaison goes to 10.0.0.1.
"""
import os, tempfile
from processes import Daemon

ADDRESS, REALM, USER, PASSWORD = "4930123456@carrier.example", "carrier.example", "trunk-7", "open sesame"
AT = {"udp": "10.0.0.6:5060", "tcp": "10.0.0.6:5060;transport=tcp", "tls": "10.0.0.6:5061;transport=tls"}

CONFIGURATION = """
#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
listen=udp:10.0.0.6:5060
listen=tcp:10.0.0.6:5060
{tls}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("rr", "enable_full_lr", 1)
modparam("registrar", "use_path", 1)
modparam("registrar", "min_expires", 1)
modparam("registrar", "default_expires", 10)
modparam("registrar", "max_expires", 10)

request_route {{
    if (is_method("REGISTER")) {{
        xlog("L_ERR", "REGISTER<<$mb>>\\n");
        if (!pv_www_authenticate("{realm}", "{password}", "0")) {{
            www_challenge("{realm}", "1");
            exit;
        }}
        if ($(hdr(Expires){{s.int}}) > 0 && $(hdr(Expires){{s.int}}) < 120) {{
            append_to_reply("Min-Expires: 120\\r\\n");
            sl_send_reply("423", "Interval Too Brief");
            exit;
        }}
        append_to_reply("Service-Route: <sip:{at};lr>\\r\\n");
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
    xlog("L_ERR", "{{$rm $ru|$hdr(Route)}}\\n");
    if ($si == "10.0.0.1") {{
        $ru = "sip:{address}";
        record_route();
        if (!lookup("location")) {{ sl_send_reply("480", "Not Registered"); exit; }}
    }} else {{
        loose_route();
        record_route();
        $du = "sip:10.0.0.1:5060";
    }}
    if (!t_relay()) sl_reply_error();
}}
"""

TLS = """
enable_tls=yes
listen=tls:10.0.0.6:5061
loadmodule "tls.so"
modparam("tls", "config", "{folder}/tls.cfg")
"""

TLS_PROFILES = """
[server:default]
method = TLSv1.2+
verify_certificate = no
private_key = {own.key}
certificate = {own.chain}

[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
ca_list = {root}
"""


class Registrar(Daemon):
    """transport: of the Service-Route; own and root: over TLS, what it shows and the file of the authority that it believes."""
    def __init__(self, transport, own=None, root=None):
        self.folder = tempfile.mkdtemp(prefix="kamailio.")
        self.log = self.folder + "/log"
        tls = TLS.format(folder=self.folder) if own else ""
        text = CONFIGURATION.lstrip().format(tls=tls, realm=REALM, password=PASSWORD, address=ADDRESS, at=AT[transport])
        with open(self.folder + "/kamailio.cfg", "w") as file:
            file.write(text)
        if own:
            with open(self.folder + "/tls.cfg", "w") as file:
                file.write(TLS_PROFILES.lstrip().format(own=own, root=root))
        super().__init__(["kamailio", "-f", self.folder + "/kamailio.cfg", "-Y", self.folder, "-DD", "-E", "-m", "32", "-M", "8"],
                         [("udp", "10.0.0.6", 5060), ("tcp", "10.0.0.6", 5060)], log=self.log)

    def logged(self):
        with open(self.log, errors="replace", newline="") as file:
            return file.read()

    def registers(self):
        return [part.partition(">>\n")[0] for part in self.logged().split("REGISTER<<")[1:]]

    def calls(self):
        """Start line and Route of every INVITE that made a call."""
        lines = [line.partition("{")[2].rpartition("}")[0] for line in self.logged().splitlines() if "{INVITE " in line]
        return [tuple(line.split("|")) for line in lines]
