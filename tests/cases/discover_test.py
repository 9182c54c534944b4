"""Finding orchestrators: what sources tell is printed once each, and whatever
else a source does is one line of error, in time.
"""
import contextlib
import http.server
import json
import socket
import threading
import time

from harness import json_lines, run, serving, wait_until
from sandbox import sandbox

HOST = "https://a.example:8935"
LOOPBACK = ("--allow-cidr", "127.0.0.0/8")
SILENCE_S = 20


class Teller(http.server.BaseHTTPRequestHandler):
    """Answers by path; .server.seen is what was asked for."""

    answers = {
        "/hook": (200, json.dumps([
            {"address": HOST, "score": 1}, {"address": HOST + "/"},
            {"address": ""}, {"address": "http://"}, 7])),
        "/discovery": (200, json.dumps([
            {"address": "b.example", "runners": [
                {"app": "live-video-to-video/noop", "capacity": 2,
                 "capacity_used": 1, "capacity_available": 1,
                 "gpu": {"id": "GPU-1"}}]}])),
        "/private": (200, json.dumps([
            {"address": "https://127.0.0.1:1"}, {"address": "169.254.169.254"},
            {"address": HOST}])),
        "/garbage": (200, "\x00\xff<html>"),
        "/deep": (200, "[" * 100000),
        "/object": (200, "{}"),
        "/large": (200, "[" + " " * (9 << 20) + "]"),
        "/empty": (503, '{"error":{"message":"cache empty"}}'),
        "/many": (200, json.dumps([
            {"address": f"https://h{i}.example"} for i in range(100000)])),
        "/long": (200, json.dumps([
            {"address": f"https://{i:05}{'.long-name' * 19}.invalid"}
            for i in range(20000)])),
    }

    def do_GET(self):                     # the base class wants this name
        self.server.seen.append(self.path)
        if self.path == "/silent":
            self.server.ended.wait(SILENCE_S)
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/hook")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status, text = self.answers[self.path]
        body = text.encode("latin-1")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def teller():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Teller)
    server.seen = []
    server.ended = threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def discover(*sources, code=0, arguments=LOOPBACK, env=None):
    named = [word for source in sources for word in ("--source", source)]
    return run("plan", "discover", "--json", *named, *arguments, code=code,
               env=env)


def urls(result):
    return [line["url"] for line in json_lines(result.out)]


def test_sources_are_joined():
    with open("mine", "w", encoding="utf-8") as file:
        file.write("# mine\nc.example:9000 # one\n\n" + HOST + "\n")
    with teller() as server:
        result = discover("b.example,http://d.example", "mine",
                          server.url + "/hook", server.url + "/discovery")
    lines = json_lines(result.out)
    assert urls(result) == ["https://b.example:8935", "http://d.example:80",
                            "https://c.example:9000", HOST], result
    assert lines[0]["models"] == [
        {"pipeline": "live-video-to-video", "model": "noop", "warm": False,
         "idle": 1, "busy": 1, "gpus": ["GPU-1"]}], lines
    assert [line["source"] for line in lines] == ["list", "list", "file",
                                                  "file"]
    for words in ("no_entry: 1", "no_url: 1", "wrong_url: 1", "duplicate: 3"):
        assert words in result.err, result


def test_hostile_answers_are_one_line_and_no_more():
    rows = {"/garbage": "no JSON", "/deep": "no JSON", "/object": "no array",
            "/large": "", "/empty": "503: {\"error\":{\"message\":\"cache "
            "empty\"}}", "/moved": "302"}
    with teller() as server:
        for path, words in rows.items():
            result = discover(server.url + path, "a.example", code=4)
            assert urls(result) == [HOST], result
            assert server.url + path in result.err, result
            assert words in result.err, result
        assert "/hook" not in server.seen, server.seen
        many = discover(server.url + "/many")
        assert len(urls(many)) == 10000, many.err
        assert "too_many: 90000" in many.err, many.err
        told = discover(server.url + "/private")
        listed = discover("https://c.example:1,https://d.example:2")
    assert urls(listed) == ["https://c.example:1", "https://d.example:2"]
    # Told is told: they are refused when somebody connects.
    assert urls(told) == ["https://127.0.0.1:1",
                          "https://169.254.169.254:8935", HOST]


def test_the_configuration_names_sources_and_a_silent_one_is_left():
    with teller() as server:
        env = {"ASSAY_DISCOVER_WEBHOOK_URL": server.url + "/silent",
               "ASSAY_DISCOVER_DISCOVERY_URL": server.url + "/discovery",
               "ASSAY_DISCOVER_STATIC": HOST}
        begun = time.monotonic()
        result = discover(code=4, env=env)
        took_s = time.monotonic() - begun
    assert urls(result) == [HOST, "https://b.example:8935"], result
    assert 2.9 < took_s < SILENCE_S - 5, took_s
    assert "/silent" in result.err, result


def test_private_sources_are_asked_only_where_allowed():
    with teller() as server:
        result = discover(server.url + "/hook", code=4, arguments=())
        assert server.seen == [], server.seen
    assert "loopback" in result.err, result
    assert discover(code=2).out == ""
    assert discover("http://", code=4).out == ""


def test_the_gateway_of_the_sandbox_tells_its_network():
    with sandbox("--seed", 3, "--sessions", 1, orchestrators=4) as network:
        gateway = network.url_of("gateway")
        result = discover(gateway + "/getNetworkCapabilities",
                          gateway + "/orchestrators")
    lines = json_lines(result.out)
    assert len(lines) == 4, result
    for line in lines:
        assert line["source"] == "capabilities", line
        assert len(line["orchestrator_address"]) == 42, line
        assert [model["pipeline"] for model in line["models"]] == [
            "live-video-to-video"], line
    model, = {line["models"][0]["model"] for line in lines}
    assert "nobody found tells to offer noop" in result.err, result
    assert f"they tell: {model} (4)." in result.err, result


# ---- a server that is told by somebody hostile ------------------------------

WORKFLOW = "name: other\npipeline: live-video-to-video\nmodel: noop\n"

HOSTILE = """discover: {{webhook_url: "{url}"}}
sched:
  enabled: true
  workflows: noop, other.yaml
  allow_cidrs: 127.0.0.1/32
  span_hours: 1
  hour_ms: {hour_ms}
  run_ms: 1000
  run_spread_ms: 100
  idle_share_ppm: 1000000
  runs_per_hour: 2
  run_ms_per_hour: {run_ms_per_hour}
  runs_at_once: 2
"""


def write_hostile(url, hour_ms, run_ms_per_hour):
    for name, text in (("other.yaml", WORKFLOW),
                       ("hostile.yaml", HOSTILE.format(
                           url=url, hour_ms=hour_ms,
                           run_ms_per_hour=run_ms_per_hour))):
        with open(name, "w", encoding="utf-8") as out:
            out.write(text)


def ledger():
    return json_lines(run("export", "ledger", "--data", "store").out)


def test_a_server_connects_to_no_private_address_that_a_webhook_tells():
    """Told twice, among garbage: one target a workflow, and nobody there."""
    with teller() as server, socket.create_server(("127.0.0.2", 0)) as inside:
        inside.settimeout(0)
        address = f"https://127.0.0.2:{inside.getsockname()[1]}"
        Teller.answers["/inside"] = (200, json.dumps([
            {"address": address}, {"address": address + "/"}, 7, None,
            {"address": "https://user:secret@a.invalid"}, {"address": []},
            {"address": "https://169.254.169.254:1"}]))
        write_hostile(server.url + "/inside", 6000, 20000)
        with serving("--data", "store", "--config", "hostile.yaml"):
            wait_until(lambda: len([row for row in ledger() if row["state"] ==
                                    "executed"]) >= 2, 60, "two runs")
        try:
            inside.accept()
            raise AssertionError("a private address was connected to")
        except BlockingIOError:
            pass
    targets = {(row["orchestrator_url"], row["workflow"]) for row in ledger()}
    assert {url for url, _ in targets} <= {
        address, "https://169.254.169.254:1"}, targets
    runs = json_lines(run("export", "runs", "--data", "store").out)
    assert {(one["outcome"], one["reason"]) for one in runs} == {
        ("excused", "address_forbidden")}, runs
    audit = json.loads(run("plan", "audit", "--data", "store", "--json",
                           code=None).out)
    assert audit["findings"] == 0, audit


def test_a_server_plans_for_more_names_than_a_plan_can_hold():
    """The plan is full and no fuller, and its budget is kept."""
    with teller() as server:
        write_hostile(server.url + "/long", 3600000, 10 ** 12)
        made = run("plan", "make", "--json", "--config", "hostile.yaml",
                   *LOOPBACK)
        with serving("--data", "store", "--config", "hostile.yaml"):
            wait_until(lambda: run("plan", "show", "--data", "store",
                                   code=None).code == 0, 60, "a plan")
            time.sleep(2)
    assert "no room for" in made.err, made.err
    assert 4 << 20 < len(made.out) < 8 << 20, len(made.out)
    audit = json.loads(run("plan", "audit", "--data", "store", "--json",
                           code=None).out)
    assert audit["findings"] == 0, audit
