"""Kamailio as a presence server, at 10.0.0.4 over UDP: it takes PUBLISH, and notifies who subscribes to presence, dialog or
message-summary.

    with Presence() as server:
        server.heard("SUBSCRIBE")          # every SUBSCRIBE that it has heard, as text

Its tables are in a SQLite file of its own. Subscriptions of less than 5 s are refused with 423.
"""
import glob, os, sqlite3
from kamailio_process import COMMON, Process

SCHEMAS = "/usr/share/kamailio/db_sqlite"

CONFIGURATION = COMMON + """
listen=udp:10.0.0.4:5060
loadmodule "db_sqlite.so"
loadmodule "presence.so"
loadmodule "presence_xml.so"
loadmodule "presence_dialoginfo.so"
loadmodule "presence_mwi.so"
modparam("presence", "db_url", "sqlite://{folder}/presence.sqlite")
modparam("presence", "min_expires", 5)
modparam("presence", "min_expires_action", 1)
modparam("presence", "clean_period", 1)
modparam("presence", "db_update_period", 2)
modparam("presence_xml", "db_url", "sqlite://{folder}/presence.sqlite")
modparam("presence_xml", "force_active", 1)
modparam("presence_dialoginfo", "force_single_dialog", 0)

request_route {{
    xlog("L_ERR", "$rm<<$mb>>\\n");
    if (is_method("SUBSCRIBE")) {{ handle_subscribe(); exit; }}
    if (is_method("PUBLISH")) {{ handle_publish(); exit; }}
    sl_send_reply("405", "Method Not Allowed");
}}
"""


class Presence(Process):
    def __init__(self):
        super().__init__(CONFIGURATION, [("udp", "10.0.0.4", 5060)])

    def start(self):
        path = self.folder + "/presence.sqlite"
        if not os.path.exists(path):
            with sqlite3.connect(path) as database:
                for name in ("standard", "presence"):
                    script, = glob.glob(f"{SCHEMAS}/{name}-create.sql")
                    with open(script) as file:
                        database.executescript(file.read())
        super().start()
