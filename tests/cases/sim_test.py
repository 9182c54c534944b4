"""The sandbox network: its port by raw bytes, and by foreign code.

The trickle table of livepeer-protocols.md §4.1 and the refusals of §3.1 are
asked over TLS as a client would; what an orchestrator says and streams is read
by grpcio, aiohttp and Google's protobuf, and compared with the truth.
"""
import base64
import contextlib
import http.client
import io
import json
import signal
import socket
import ssl
import statistics
import time
import urllib.parse

from harness import run, sanitised, soaking, wait_until
from sandbox import foreign, sandbox

MODEL = "streamdiffusion-sdxl"


# ---- a client of bytes -------------------------------------------------------


def dial(url, protocols=None):
    place = urllib.parse.urlsplit(url)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    plain = socket.create_connection((place.hostname, place.port), 20)
    return context.wrap_socket(plain)


def say(url, request):
    """All that comes back on a connection of its own."""
    with dial(url) as connection:
        connection.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
            while piece := connection.recv(65536):
                answer += piece
        return answer


class Heard:
    """Bytes as http.client wants a socket to be."""

    def __init__(self, data):
        self.data = data

    def makefile(self, *_):
        return io.BytesIO(self.data)


def ask(url, method, path, body=b"", headers=()):
    """Status, headers in lower case, body; None where nothing came."""
    head = [f"{method} {path} HTTP/1.1", "Host: sim", "Connection: close",
            f"Content-Length: {len(body)}", *headers]
    answer = say(url, "\r\n".join(head).encode() + b"\r\n\r\n" + body)
    if not answer:
        return None
    response = http.client.HTTPResponse(Heard(answer), method=method)
    response.begin()
    fields = {name.lower(): value for name, value in response.getheaders()}
    return response.status, fields, response.read()


def token_of(url):
    """A fresh auth token as the header Livepeer-Segment carries it."""
    return foreign("credentials.py", url, MODEL)["segment"]


def start(url, segment, **changes):
    body = {"model_id": MODEL, "gateway_request_id": "r", "stream_id": "s",
            **changes}
    body = {key: value for key, value in body.items() if value is not None}
    return ask(url, "POST", "/live-video-to-video", json.dumps(body).encode(),
               ["Livepeer-Payment:", f"Livepeer-Segment: {segment}"])


# ---- the command -------------------------------------------------------------


def test_addresses_follow_from_the_seed():
    seen = []
    for seed in (5, 5, 6):
        with sandbox("--seed", seed, orchestrators=2) as network:
            seen.append([(line["address"], line["signing_address"])
                         for line in network.lines if "address" in line])
            assert network.lines[0]["kind"] == "orchestrator"
            assert network.lines[0]["behaviour"] == "steady-1"
            assert network.lines[0]["model"] == MODEL
    assert seen[0] == seen[1] != seen[2], seen
    assert len({address for pair in seen[0] for address in pair}) == 4, seen


def test_both_signals_end_it_in_order():
    for number in (signal.SIGTERM, signal.SIGINT):
        with sandbox() as network:
            network.stop(number)
        assert network.truth.of_kind("network"), network.truth.lines


def test_misuse_is_told():
    assert "there is no option" in run("sim", "--scenari", "x", code=2).err
    assert "cannot be read" in run("sim", "--scenario", "x", code=2).err
    with open("s.yaml", "w", encoding="utf-8") as file:
        file.write("orchestrators:\n- fsp: 3\n- slots: many\n")
    told = run("sim", "--scenario", "s.yaml", code=2).err
    assert "s.yaml:2: there is no option fsp; did you mean fps?" in told, told
    assert "s.yaml:3: slots takes a whole number" in told, told
    assert "truth" in run("sim", "--truth", "/no/such/place", code=2).err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = run("sim", "--listen", f"127.0.0.1:{port}", code=4).err
    assert "cannot be listened on" in told, told
    told = run("sim", "--listen", "127.0.0.1:65534", code=2).err
    assert "there are not 3 ports from 65534 on" in told, told
    options = run("sim", "--options").out
    assert "failure:" in options and "latency:" in options, options


# ---- the port ----------------------------------------------------------------


def test_the_certificate_is_a_self_signed_one_on_p256():
    with sandbox() as network, dial(network.url("steady")) as connection:
        der = connection.getpeercert(binary_form=True)
        # id-ecPublicKey, prime256v1, and the name in a DNS entry.
        assert bytes.fromhex("2a8648ce3d0201") in der
        assert bytes.fromhex("2a8648ce3d030107") in der
        assert b"\x82\x09127.0.0.1" in der
        assert connection.selected_alpn_protocol() is None
        with dial(network.url("steady"), ["h2", "http/1.1"]) as other:
            assert other.selected_alpn_protocol() == "h2"
            assert other.getpeercert(binary_form=True) == der


def test_starts_are_refused_as_documented():
    with sandbox(orchestrators=1) as network:
        url = network.url("steady")
        segment = token_of(url)
        broken = base64.b64encode(b"\x42\x05\x0a\x03\1\2\3").decode()
        rows = [
            ("not JSON", ask(url, "POST", "/live-video-to-video", b"{"), 400,
             b""),
            ("no model", start(url, segment, model_id=None), None, b""),
            ("other model", start(url, segment, model_id="x"), 503,
             b"insufficient capacity\n"),
            ("payment", ask(url, "POST", "/live-video-to-video",
                            json.dumps({"model_id": MODEL}).encode(),
                            ["Livepeer-Payment: !"]), 402, b""),
            ("segment", start(url, "!"), 403, b"ErrorSegEncoding\n"),
            ("no token", start(url, ""), 403, b"missing auth token\n"),
            ("bad token", start(url, broken), 403, b"invalid auth token\n"),
            ("unknown path", ask(url, "GET", "/nothing"), 404, b""),
            ("live runners", ask(url, "GET", "/discovery"), 404,
             b"live runners are not supported\n"),
        ]
        for name, answer, status, body in rows:
            got = answer[0] if answer else None
            assert got == status, (name, answer)
            assert not body or answer[2] == body, (name, answer)
        for _ in range(4):
            assert start(url, segment)[0] == 200
        full = start(url, segment)
        assert full[0] == 503, full
        # Capacity is looked at before credentials are.
        assert start(url, "!")[0] == 503


def test_trickle_by_raw_bytes():
    """The table of §4.1 over TLS; the unit tests have it in the clear."""
    with sandbox() as network:
        url = network.url("steady")
        answer = json.loads(start(url, token_of(url))[2])
        path = urllib.parse.urlsplit(answer["control_url"]).path
        rows = [
            ("GET", "/5", b"", 470, {"lp-trickle-latest": "0",
                                     "lp-trickle-seq": "5"},
             b"Entry not found\n"),
            ("GET", "/next", b"", 200, {"lp-trickle-latest": "0"}, b"0"),
            ("POST", "/0", b'{"keep":"alive"}', 200, {"lp-trickle-seq": "0"},
             b""),
            ("GET", "/0", b"", 200, {"lp-trickle-seq": "0",
                                     "lp-trickle-latest": "1",
                                     "content-type": "application/json"},
             b'{"keep":"alive"}'),
            ("HEAD", "/-2", b"", 200, {"lp-trickle-seq": "0"}, b""),
            ("POST", "/7", b"x", 200, {"lp-trickle-seq": "7"}, b""),
            ("POST", "/4", b"", 200, {"lp-trickle-seq": "4",
                                      "connection": "close"}, b""),
            ("GET", "/next", b"", 200, {"lp-trickle-latest": "5"}, b"5"),
            ("POST", "/x", b"", 400, {}, b"Invalid idx\n"),
            ("DELETE", "/3", b"", 400, {}, b"Nonexistent segment\n"),
            ("PUT", "/0", b"x", 405, {}, None),
            ("DELETE", "", b"", 200, {}, b""),
            ("GET", "/0", b"", 404, {}, b"Stream not found\n"),
            ("POST", "/0", b"x", 404, {"connection": "close"},
             b"Stream not found\n"),
            ("DELETE", "", b"", 400, {}, b"Invalid stream\n"),
        ]
        for method, rest, body, status, headers, wanted in rows:
            row = method, rest
            got = ask(url, method, path + rest, body)
            assert got[0] == status, (row, got)
            assert headers.items() <= got[1].items(), (row, got)
            assert wanted is None or got[2] == wanted, (row, got)
        assert ask(url, "GET", path.replace("-control", "-out") + "/-5") is None


def test_interim_answers_come_while_nothing_is_published():
    if sanitised():
        return  # it takes ten seconds, and the product has shown it
    with sandbox() as network:
        url = network.url("steady")
        answer = json.loads(start(url, token_of(url))[2])
        path = urllib.parse.urlsplit(answer["publish_url"]).path
        with dial(url) as idle:
            began = time.monotonic()
            idle.sendall(f"POST {path}/0 HTTP/1.1\r\nHost: sim\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n".encode())
            assert idle.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert 9 < time.monotonic() - began < 15
            assert ask(url, "DELETE", path)[0] == 200
            end = idle.recv(1000)
            assert end.startswith(b"HTTP/1.1 200 OK\r\n"), end
            assert b"Lp-Trickle-Closed: terminated\r\n" in end, end
            assert b"Connection: close\r\n" in end, end
        # With the input, the job's other channels went.
        for name in ("subscribe_url", "control_url", "events_url"):
            other = urllib.parse.urlsplit(answer[name]).path
            wait_until(lambda path=other: ask(url, "GET", path + "/next")[0]
                       == 404, what=name + "'s end")


# ---- foreign code ------------------------------------------------------------


def test_foreign_code_discovers_starts_publishes_and_reads():
    seconds = 10 if soaking() else 4
    scenario = ("orchestrators:\n- name: steady\n  status_every: 1s\n"
                "  jitter: {mean_ms: 5, shape: exponential}\n")
    with sandbox("--seed", 1, scenario=scenario) as network:
        line = network.line("steady")
        seen = foreign("client.py", line["url"], MODEL, seconds)
    assert seen["transcoder"] == line["url"], seen
    assert seen["signing_address"] == line["signing_address"], seen
    assert len(seen["hardware"]) == 1 and seen["hardware"][0], seen
    assert seen["hardware_when_asked"] == 0, seen
    assert (seen["idle"], seen["busy"], seen["warm"]) == (4, 0, True), seen
    assert seen["refused"] == [
        "UNKNOWN", "Invalid orchestrator request: OrchestratorCapped"], seen
    assert seen["published"] == [[200, str(i)] for i in range(seconds // 2)]
    [job] = network.truth.runs()
    assert job.manifest_id == seen["urls"]["manifest_id"]
    assert [frame[1] for frame in seen["frames"]] == \
        [frame["pts"] for frame in job.frames]
    assert len(job.frames) == seconds * 24, len(job.frames)
    # What it read is what was sent, when it was sent; a busy machine may have
    # kept a stamp waiting behind its write.
    late = sorted(at * 1e6 - sent
                  for (at, _), sent in zip(seen["frames"], job.sent()))
    assert late[len(late) // 10] > -2000, late
    assert statistics.median(late) < 100000, late
    assert abs(job.output_fps() - 24) < 1.5, job.output_fps()
    assert 110 < job.e2e_ms(0.5) < 400, job.e2e_ms(0.5)
    assert job.params[0]["params"] == {"prompt": "a blue bicycle"}
    states = [event["event"]["state"] for event in seen["events"]
              if event["event"]["type"] == "status"]
    assert "ONLINE" in states, seen["events"]
    assert job.end["end"] == "input closed", job.end
    assert job.end["frames_in"] == seconds * 24, job.end
