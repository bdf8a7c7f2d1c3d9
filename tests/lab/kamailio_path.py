"""Kamailio as the edge proxy before a registrar that is Liaison: at 10.0.0.8 over UDP, it adds itself as Path (RFC 3327).

    with Edge() as edge:
        edge.heard("REGISTER")      # as it came from the phone
        edge.heard("answer")        # every response to one, as it came from Liaison
        edge.heard("INVITE")        # as it came from Liaison

What comes from phones goes to Liaison. What its Path says leads back to where the phone has sent from, whatever its Contact says: a call without that Path finds nobody.
"""
from kamailio_process import COMMON, WITHIN, Process

IP = "10.0.0.8"
CONFIGURATION = COMMON + """
listen=udp:10.0.0.8:5060
loadmodule "path.so"
modparam("path", "use_received", 1)

request_route {{
    if (is_method("REGISTER")) {{
        xlog("L_ERR", "REGISTER<<$mb>>\\n");
        remove_hf("Route");
        if (!add_path_received()) {{ sl_send_reply("503", "No Path"); exit; }}
        $du = "sip:10.0.0.2:5060";
        t_on_reply("ANSWER");
        if (!t_relay()) sl_reply_error();
        exit;
    }}
    if (has_totag()) xlog("L_ERR", "within<<$rm $si $ru>>\\n");
""" + WITHIN + """
    if ($si != "10.0.0.2") {{
        loose_route();
        record_route();
        $du = "sip:10.0.0.2:5060";
        if (!t_relay()) sl_reply_error();
        exit;
    }}
    xlog("L_ERR", "INVITE<<$mb>>\\n");
    # Of a Route that was there before any dialog it says that it follows none; the destination is that of its "received".
    loose_route();
    if ($du == $null) {{ sl_send_reply("404", "No Route"); exit; }}
    record_route();
    if (!t_relay()) sl_reply_error();
}}

onreply_route[ANSWER] {{
    xlog("L_ERR", "answer<<$mb>>\\n");
}}
"""


class Edge(Process):
    def __init__(self):
        super().__init__(CONFIGURATION, [("udp", IP, 5060)])
