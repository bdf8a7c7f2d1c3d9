#!/usr/bin/python3
"""scanners.py CHECK - what the scanners of SIPVicious (Debian: sipvicious) find: nothing."""
import here, os, re, socket, ssl, subprocess, tempfile
from house import House, phone
from liaison import run, until

MD5 = 'digest = { algorithms = ["MD5"] }'
# The scanners and the phone are of one address; svcrack guesses about once a second, so the pace of refusal is quickened.
SOURCE = "10.0.0.6"
GUESSING = 'free = 3\ndelay = "2s"\nrefuse_after = 6'
# Users, of which two are registered, and names that nobody has. svwar may mistake the first that it calls, so that is one of these.
USERS = ("carol", "dave", "web")
NAMES = ("mallory", *USERS, "nobody")


def scanner(*command):
    """Runs one to its end; what it printed, without colours."""
    home = tempfile.mkdtemp(prefix="sipvicious.")
    words = "\n".join(NAMES) + "\n"
    done = subprocess.run(command, input=words, capture_output=True, text=True, timeout=70, env={**os.environ, "HOME": home})
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    assert "Traceback" not in text, text
    return text


def told_apart(text):
    """What a scanner says in its table of users, and of no name that nobody has: such as it was given, or made up."""
    rows = re.findall(r"^\| (\S+) +\| (\S+) +\|$", text, re.M)[1:]
    verdicts = lambda of_users: {verdict for name, verdict in rows if (name in USERS) == of_users}
    return verdicts(True) - verdicts(False)


def users(method):
    """svwar tells no user that exists from one that does not."""
    with House(profile=MD5) as sbc, phone(sbc, "carol", SOURCE, "udp") as carol, phone(sbc, "dave", "10.0.0.7", "udp", "answermode=auto") as dave:
        carol.wait("REGISTER_OK")
        dave.wait("REGISTER_OK")
        for force in ((), ("--force",)):
            for domain in ((), ("--domain=example.com",)):
                text = scanner("svwar", "-m", method, "-b", SOURCE, "-d", "-", *domain, *force, "10.0.0.2")
                assert not told_apart(text), text
        assert set(sbc.registered()) == {"carol", "dave"}
        carol.command("dial", "sip:dave@example.com")
        carol.wait("CALL_ESTABLISHED")


def passwords():
    """svcrack does not find even the right password once it has guessed too often; another user of its source calls meanwhile."""
    # The guard would not hear it any more before its patience is over.
    with House(profile=MD5, guessing=GUESSING, guard="enabled = false") as sbc, phone(sbc, "carol", SOURCE, "udp") as carol, \
         phone(sbc, "dave", "10.0.0.7", "udp", "answermode=auto") as dave:
        carol.wait("REGISTER_OK")
        dave.wait("REGISTER_OK")
        home = tempfile.mkdtemp(prefix="sipvicious.")
        with open(home + "/out", "w+") as out:
            cracker = subprocess.Popen(["svcrack", "-u", "web", "-b", SOURCE, "-r", "1000-9999", "-v", "--domain=example.com", "10.0.0.2"],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**os.environ, "HOME": home})
            counted = lambda outcome: sbc.metrics()[f'liaison_guesses_total{{outcome="{outcome}"}}']
            try:
                until(lambda: f"guesses refused, but {sbc.metrics()}", lambda: counted("refused") >= 3, 60)
                assert counted("wrong") >= 6 and counted("slowed") >= 1, sbc.metrics()
                # Another user of the source calls, while the guessing goes on.
                carol.command("dial", "sip:dave@example.com")
                carol.wait("CALL_ESTABLISHED")
                carol.command("hangup")
                dave.wait("CALL_CLOSED")
            finally:
                cracker.kill()
                cracker.wait()
            out.seek(0)
            assert "| web " not in (text := out.read()) and "The password" not in text, text
        assert set(sbc.registered()) == {"carol", "dave"}, sbc.registered()


# Where svmap and svwar send from, whatever they are told to bind.
SCANNER = "10.0.0.1"
UNHEARD = 'liaison_unheard_total{what="%s"}'
OPTIONS = ("OPTIONS sip:10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/%s 10.0.0.1:5060;rport;branch=z9hG4bK-%d\r\nMax-Forwards: 70\r\nFrom: <sip:s@10.0.0.1>;tag=1\r\n"
           "To: <sip:10.0.0.2>\r\nCall-ID: probe-%d\r\nCSeq: 1 OPTIONS\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n")


def silent():
    """After the threshold a scanner gets no byte, by no transport; where a user shares its address, that user goes on."""
    with House(profile=MD5, guard='refusals = 20\ngrace = "0s"') as sbc, phone(sbc, "dave", "10.0.0.7", "udp", "answermode=auto") as dave:
        dave.wait("REGISTER_OK")
        finds = lambda: "10.0.0.2:5060" in scanner("svmap", "10.0.0.2")
        scans = lambda: scanner("svwar", "-m", "REGISTER", "-e", "100-199", "--force", "10.0.0.2")
        listed = lambda: [one["source"] for one in sbc.get("/v1/quarantine")["sources"]]
        assert finds(), "svmap sees who answers"
        text = scans()
        assert listed() == [SCANNER], (listed(), text)
        assert not finds(), "svmap hears somebody"
        with open(sbc.log) as log:
            assert log.read().count("a source is not heard") == 1
        nothing_on_the_wire(sbc)
        with phone(sbc, "carol", SOURCE, "udp") as carol:
            carol.wait("REGISTER_OK")
            carol.command("dial", "sip:dave@example.com")
            carol.wait("CALL_ESTABLISHED")
        assert sbc.curl("/v1/quarantine/" + SCANNER, "-X", "DELETE")[0] == 200
        assert finds(), "lifted"
        with phone(sbc, "web", SCANNER, "udp") as web:
            web.wait("REGISTER_OK")
            text = scans()
            one, = listed()
            assert re.fullmatch(re.escape(SCANNER) + r":\d+", one), (one, text)
            web.command("dial", "sip:dave@example.com")
            web.wait("CALL_ESTABLISHED")


def nothing_on_the_wire(sbc):
    """Datagrams, garbage included, a plain connection, and one over TLS that carries a request: no byte of SIP comes back."""
    unheard = lambda what: sbc.metrics()[UNHEARD % what]
    before = unheard("message")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind((SCANNER, 5060))
        for n, text in enumerate([OPTIONS % ("UDP", n, n) for n in range(5)] + ["nonsense\r\n\r\n"]):
            plain.sendto(text.encode(), ("10.0.0.2", 5060))
        until(lambda: f"dropped, but {sbc.metrics()}", lambda: unheard("message") == before + 6, 10)
        # A Binding request (RFC 8489 §5), which who is heard gets an answer to (RFC 5626 §8).
        plain.sendto(bytes.fromhex("000100002112a442") + bytes(12), ("10.0.0.2", 5060))
        until(lambda: f"dropped, but {sbc.metrics()}", lambda: unheard("message") == before + 7, 10)
        plain.setblocking(False)
        try:
            assert False, plain.recv(65536)
        except BlockingIOError:
            pass
    # Closed before anything is said.
    assert until_closed(socket.create_connection(("10.0.0.2", 5060), 10, (SCANNER, 0))) == b""
    assert unheard("connection") == 1, sbc.metrics()
    context = ssl.create_default_context(cafile=sbc.root)
    stream = socket.create_connection(("10.0.0.2", 5061), 10, (SCANNER, 0))
    secure = context.wrap_socket(stream, server_hostname="sbc.example.com")
    secure.sendall((OPTIONS % ("TLS", 9, 9)).encode())
    assert until_closed(secure) == b""
    assert unheard("message") == before + 8, sbc.metrics()


def until_closed(stream):
    """What comes on a connection until it is over."""
    heard = b""
    with stream:
        try:
            while part := stream.recv(65536):
                heard += part
        except ConnectionResetError:
            pass
    return heard


def weak():
    """A reload with the password that scanners try first is refused with its place, by the API and by `liaison check`; nothing changes."""
    with House(users=("carol", "300"), profile=MD5) as sbc:
        password = sbc.dir + "/300.password"
        with open(password, "w") as file:
            file.write("300")
        os.chmod(password, 0o600)
        with open(sbc.path) as file:
            document = file.read()
        with open(sbc.path, "w") as file:
            of_user = '{ username = "300", password = { %s } }'
            assert of_user % 'env = "PHONE_PASSWORD"' in document
            file.write(document.replace(of_user % 'env = "PHONE_PASSWORD"', of_user % f'file = "{password}"'))
        status, kind, body = sbc.curl("/v1/config/reload", "-X", "POST")
        assert (status, kind) == (422, "application/problem+json"), (status, kind, body)
        place, why = "networks.house.registrar.challenge.users[1].password", "the password is the user name"
        assert place in body and why in body, body
        checked = subprocess.run([os.environ["LIAISON_BIN"], "check", sbc.path], capture_output=True, text=True)
        assert checked.returncode == 2 and f"{place}: {why}" in checked.stderr, checked
        with phone(sbc, "300", SOURCE, "udp") as old:
            old.wait("REGISTER_OK")


run(users, passwords, silent, weak)
