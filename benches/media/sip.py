"""Calls through Liaison, which stay: a calling and a called user agent of a few lines, over UDP."""
import re, select, socket, time
from ng import crypto_of, description, key, port_of

SERVER, CALLING, CALLED = ("127.0.0.1", 5060), ("127.0.0.1", 15060), ("127.0.0.1", 15080)


def fields(message, name):
    return re.findall(rf"(?im)^{name}:[ \t]*([^\r\n]*)", message)


def invite(number, body):
    return (f"INVITE sip:+4930{number}@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:15060;branch=z9hG4bKi{number};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1:15060>;tag=a{number}\r\nTo: <sip:+4930{number}@127.0.0.1:5060>\r\n"
            f"Call-ID: media{number}\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:15060>\r\nContent-Type: application/sdp\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}")


def success(request, number, body):
    via = "".join(f"Via: {value}\r\n" for value in fields(request, "Via"))
    return (f"SIP/2.0 200 OK\r\n{via}From: {fields(request, 'From')[0]}\r\nTo: {fields(request, 'To')[0]};tag=b{number}\r\n"
            f"Call-ID: {fields(request, 'Call-ID')[0]}\r\nCSeq: {fields(request, 'CSeq')[0]}\r\nContact: <sip:b@127.0.0.1:15080>\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}")


def ack(response, number):
    target = re.search(r"(?im)^Contact:.*<([^>]+)>", response)[1]
    return (f"ACK {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:15060;branch=z9hG4bKa{number};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:a@127.0.0.1:15060>;tag=a{number}\r\nTo: {fields(response, 'To')[0]}\r\nCall-ID: media{number}\r\n"
            "CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n")


def calls(count, mode, first):
    """Sets calls up and gives their lines for blast. `first`: the first ports of A and of B."""
    caller, called = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    caller.bind(CALLING)
    called.bind(CALLED)
    return [call(number, mode, first, caller, called) for number in range(count)]


def call(number, mode, first, caller, called):
    la, lb = first[0] + 2 * number, first[1] + 2 * number
    of_a = key() if mode == "sdes-sdes" else None
    caller.sendto(invite(number, description(la, of_a)).encode(), SERVER)
    offer = of_b = None
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for ready in select.select([caller, called], [], [], 0.5)[0]:
            data, source = ready.recvfrom(65535)
            message = data.decode("latin1")
            if ready is called and message.startswith("INVITE"):
                offer = message
                tag, from_relay = crypto_of(offer)
                of_b = of_b or (key() if from_relay else None)
                called.sendto(success(message, number, description(lb, of_b, tag)).encode(), source)
            elif ready is caller and message.startswith("SIP/2.0 200") and f"media{number}\r" in message:
                caller.sendto(ack(message, number).encode(), source)
                keys = [of_b or "-", crypto_of(offer)[1] or "-", of_a or "-", crypto_of(message)[1] or "-"]
                return " ".join(map(str, [la, port_of(message), lb, port_of(offer), *keys]))
            elif ready is caller and re.match(r"SIP/2.0 [3-6]", message):
                raise RuntimeError(message)
    raise RuntimeError(f"call {number} was not answered")
