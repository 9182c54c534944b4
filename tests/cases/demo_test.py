"""assay demo: a simulated network and the appliance in one process; what it
holds is marked as simulated wherever it shows."""
import contextlib
import json
import pathlib
import signal
import subprocess
import urllib.request

from harness import (SAMPLE_LOG, binary, environment, json_lines,
                     refuse_findings, run, serving, wait_until)

WITHIN_SECONDS = 60  # a demo takes a third of it


class Demo:
    """A running `assay demo`; .url, .network (its lines), json(), stop()."""

    def __init__(self, *arguments):
        self.log = open("demo.log", "w+b")
        self.process = subprocess.Popen(
            [binary(), "demo", "--listen", "127.0.0.1:0",
             *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
            env=environment())
        self.network = []
        while not self.network or self.network[-1]["kind"] != "gateway":
            line = self.process.stdout.readline()
            assert line, "the demo ended: " + self.text()
            self.network.append(json.loads(line))
        self.url = self.said("assay is listening on ").rstrip("/")
        self.store = self.said("the store is ").split(",")[0]

    def text(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def said(self, words):
        return self.text().split(words)[1].split("\n")[0]

    def ask(self, path):
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.headers, answer.read()

    def json(self, path):
        return json.loads(self.ask(path)[1])

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        ended = self.process.wait(60)
        refuse_findings(self.text())
        assert ended == 0, (ended, self.text()[-3000:])


@contextlib.contextmanager
def demonstration(*arguments):
    demo = Demo(*arguments)
    try:
        yield demo
        if demo.process.poll() is None:
            demo.stop()
    finally:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.wait()
        demo.process.stdout.close()
        demo.log.close()


def scored(demo, hours=2):
    """The scores, once there are HOURS of them."""
    def enough():
        rows = demo.json("/v1/streaming/sla?limit=200")["data"]
        return (rows if len({row["window_start"] for row in rows}) >= hours
                else None)
    return wait_until(enough, WITHIN_SECONDS, f"{hours} scored hours")


def test_hours_and_scores_come_within_a_minute_and_say_simulated():
    with demonstration("--seed", 1) as demo:
        rows = scored(demo)
        ours = {row["orchestrator_address"] for row in rows} - {""}
        known = {line["address"] for line in demo.network
                 if line["kind"] == "orchestrator"}
        assert ours <= known and len(ours) >= 4, (ours, known)
        assert demo.json("/v1/streaming/sla")["meta"]["simulated"] is True
        simulation = demo.json("/v1/health")["simulation"]
        assert simulation["seed"] == 1 and simulation["honest"] is False
        assert simulation["hour_ms"] == 20000, simulation
        for path in ("/v1/streaming/sla?format=csv", "/v1/metrics",
                     "/compat/v1/streaming/sla", "/"):
            assert demo.ask(path)[0]["Assay-Simulated"] == "true", path
        place = pathlib.Path(demo.store)
        assert place.is_dir()
        demo.stop(signal.SIGINT)
        assert not place.exists(), "the store must go with the demo"
        assert "the gateway flattered 0x" in demo.text(), demo.text()


def test_another_seed_flatters_another_and_honest_nobody():
    flattered = set()
    for arguments in (["--seed", 1], ["--seed", 2], ["--seed", 2, "--honest"]):
        with demonstration(*arguments) as demo:
            demo.stop()
            flattered.add(demo.said("the gateway flattered "))
    assert len(flattered) == 3 and "nobody" in flattered, flattered


def test_what_it_kept_stays_marked_and_takes_nothing_real():
    with demonstration("--data", "kept", "--seed", 3) as demo:
        scored(demo, 1)
    refused = run("demo", "--data", "kept", "--listen", "127.0.0.1:0", code=2)
    assert "holds evidence already" in refused.err, refused.err
    refused = run("import", "--data", "kept", SAMPLE_LOG, code=2)
    assert "simulated" in refused.err, refused.err
    done = run("export", "sla", "--data", "kept", "--format", "ndjson")
    assert json_lines(done.out) and "simulated" in done.err, done.err
    with serving("--data", "kept") as server:
        assert server.json("/v1/health")["simulation"]["seed"] == 3
        assert server.json("/v1/sessions")["meta"]["simulated"] is True


def test_no_real_store_becomes_a_demo():
    run("import", "--org", "acme", SAMPLE_LOG, "--data", "real")
    refused = run("demo", "--data", "real", "--listen", "127.0.0.1:0", code=2)
    assert "holds evidence already" in refused.err, refused.err
    with serving("--data", "real") as server:
        assert server.json("/v1/health")["simulation"] is None
        assert "simulated" not in server.json("/v1/sessions")["meta"]
