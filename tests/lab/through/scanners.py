#!/usr/bin/python3
"""scanners.py CHECK - what the scanners of SIPVicious (Debian: sipvicious) find: nothing."""
import here, os, re, subprocess, tempfile
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
    with House(profile=MD5, guessing=GUESSING) as sbc, phone(sbc, "carol", SOURCE, "udp") as carol, \
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


run(users, passwords)
