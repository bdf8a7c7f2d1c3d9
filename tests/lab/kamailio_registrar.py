"""Kamailio as the registrar and edge of a carrier, at 10.0.0.6 over UDP, TCP and TLS.

    with Registrar("udp") as carrier:
        carrier.registers()          # every REGISTER that it has heard, as text

It challenges REGISTERs, wants lifetimes of 120 s (423) though it grants 10, gives a Service-Route to itself and GRUUs to those who
know of them. A call from 10.0.0.1 goes to whoever has registered ADDRESS, or that GRUU; a call from Liaison goes to 10.0.0.1; what
is sent to a GRUU in a dialog goes to whoever has it at that moment.
"""
from kamailio_process import COMMON, TLS, Process, profile

ADDRESS, REALM, USER, PASSWORD = "4930123456@carrier.example", "carrier.example", "trunk-7", "open sesame"
AT = {"udp": "10.0.0.6:5060", "tcp": "10.0.0.6:5060;transport=tcp", "tls": "10.0.0.6:5061;transport=tls"}

CONFIGURATION = COMMON + """
listen=udp:10.0.0.6:5060
listen=tcp:10.0.0.6:5060
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
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
        xlog("L_ERR", "within<<$rm $ru>>\\n");
        loose_route();
        if ($ru =~ ";gr(=|;|$)") {{
            if (!lookup("location")) {{ sl_send_reply("480", "Not Registered"); exit; }}
            xlog("L_ERR", "led<<$rm $ru>>\\n");
        }}
        if (is_method("ACK") && !t_check_trans()) {{ t_relay(); exit; }}
        if (!t_relay()) sl_reply_error();
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    t_check_trans();
    xlog("L_ERR", "{{$rm $ru|$hdr(Route)}}\\n");
    if ($si == "10.0.0.1") {{
        if (!($ru =~ ";gr(=|;|$)")) $ru = "sip:{address}";
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

SECURE = TLS + "listen=tls:10.0.0.6:5061\n"


class Registrar(Process):
    """transport: of the Service-Route; own and root: over TLS, what it shows and the file of the authority that it believes."""
    def __init__(self, transport, own=None, root=None):
        configuration, profiles = CONFIGURATION, ()
        if own:
            configuration, profiles = CONFIGURATION.replace("request_route", SECURE + "\nrequest_route", 1), (profile("server", own), profile("client", root=root))
        super().__init__(configuration, [("udp", "10.0.0.6", 5060), ("tcp", "10.0.0.6", 5060)], profiles, realm=REALM, password=PASSWORD,
                         address=ADDRESS, at=AT[transport])

    def registers(self):
        return self.heard("REGISTER")

    def calls(self):
        """Start line and Route of every INVITE that made a call."""
        lines = [line.partition("{")[2].rpartition("}")[0] for line in self.logged().splitlines() if "{INVITE " in line]
        return [tuple(line.split("|")) for line in lines]
