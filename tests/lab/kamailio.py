"""Kamailio as two SIP proxies with mutual TLS: one between SIPp and the outside of Liaison, one between its inside and SIPp.

    with Kamailio(root, carrier, pbx):
        called, calling = pair("uas", "uac", through=CARRIER)

`carrier` takes UDP at CARRIER and goes on over TLS to Liaison; `pbx` takes TLS at PBX and goes on over UDP to SIPp's called
side, and back. Both stay in the dialog (Record-Route), show their certificates and want to see those of others, and send
requests on the connections that Liaison opened, as it asks by `alias` (RFC 5923); it does not ask for the same.
"""
from kamailio_process import COMMON, TLS, Process, profile

CARRIER, PBX = "10.0.0.6:5060", "10.0.0.7:5061"

CONFIGURATION = COMMON + TLS + """
tcp_accept_aliases=yes
{listen}

request_route {{
    if ($pr == "tls") force_tcp_alias();
    {strictly}
    if (has_totag()) {{
        loose_route();
        if (is_method("ACK") && !t_check_trans()) {{ t_relay(); exit; }}
            if ($pr == "udp") $fs = "tls:" + $RAi + ":5061";
        if (!t_relay()) sl_reply_error();
        exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    t_check_trans();
    record_route();
    if ($pr == "tls") {{ $du = "sip:{called}:5060"; $fs = "udp:" + $RAi + ":5060"; }}
    else {{ $du = "sip:{outside}:5061;transport=tls"; $fs = "tls:" + $RAi + ":5061"; }}
    if (!t_relay()) sl_reply_error();
}}
"""


# As some carriers do: who is in the Contact of a call has to be in the certificate.
STRICTLY = """if ($pr == "tls" && is_method("INVITE") && !has_totag() && $(ct{nameaddr.uri}{uri.host}) != $tls_peer_san_hostname) {
        sl_send_reply("403", "Contact is not in the certificate");
        exit;
    }"""


class Kamailio(Process):
    """root: the file of the authority that it believes; carrier and pbx: what it shows as client and as server; at: the addresses
    that it has, for two of them can share the work; outside and called: whom it leads to, IPv6 in brackets;
    strict: calls over TLS need a Contact that their certificate names."""
    def __init__(self, root, carrier, pbx, at=("10.0.0.6", "10.0.0.7"), outside="10.0.0.2", called="10.0.0.4", strict=False):
        listen = "\n".join(f"listen=udp:{ip}:5060\nlisten=tls:{ip}:5061" for ip in at)
        super().__init__(CONFIGURATION,
                         [socket for ip in at for socket in (("udp", ip.strip("[]"), 5060), ("tcp", ip.strip("[]"), 5061))],
                         (profile("server", pbx, root), profile("client", carrier, root)), listen=listen, outside=outside, called=called,
                         strictly=STRICTLY if strict else "")
