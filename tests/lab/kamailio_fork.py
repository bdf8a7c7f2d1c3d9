"""Kamailio as a proxy that forks: at 10.0.0.7 over UDP, it rings BRANCHES at once for whoever is called.

    with Fork():
        ...
"""
from kamailio_process import COMMON, WITHIN, Process

IP, BRANCHES = "10.0.0.7", ("10.0.0.4", "10.0.0.5", "10.0.0.6")

CONFIGURATION = COMMON + """
listen=udp:10.0.0.7:5060
loadmodule "corex.so"

request_route {{
""" + WITHIN + """
    record_route();
    $ru = "sip:bob@10.0.0.4:5060";
    append_branch("sip:bob@10.0.0.5:5060");
    append_branch("sip:bob@10.0.0.6:5060");
    if (!t_relay()) sl_reply_error();
}}
"""


class Fork(Process):
    def __init__(self):
        super().__init__(CONFIGURATION, [("udp", IP, 5060)])
