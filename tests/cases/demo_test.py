"""assay demo: a simulated network and the appliance in one process; what it
holds is marked as simulated wherever it shows."""
import collections
import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

from harness import (ROOT, SAMPLE_LOG, binary, environment, json_lines,
                     refuse_findings, run, sanitised, serving, skip, soaking,
                     wait_until)

sys.path.insert(0, str(ROOT / "tests" / "page"))
from browser import Browser, find_chromium  # noqa: E402

WITHIN_SECONDS = 90  # a demo takes half of it
ORCHESTRATORS = 8
SEED = 7  # flatters one that is not always full


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


def rows_of(demo, path):
    return demo.json(path)["data"]


def measured(demo, least):
    """What was measured, once every orchestrator but one that may always be
    full has LEAST runs."""
    def enough():
        rows = rows_of(demo, "/v1/measured")
        return (rows if len(rows) == ORCHESTRATORS and
                sum(row["runs"] >= least for row in rows) >= ORCHESTRATORS - 1
                else None)
    return wait_until(enough, WITHIN_SECONDS, f"{least} runs of each")


def check_marks(demo):
    for path in ("/v1/streaming/sla", "/v1/sessions", "/v1/runs",
                 "/v1/measured", "/v1/plan", "/v1/ledger"):
        assert demo.json(path)["meta"]["simulated"] is True, path
    for path in ("/v1/runs?format=csv", "/v1/metrics", "/", "/v1/health",
                 "/compat/v1/streaming/sla"):
        assert demo.ask(path)[0]["Assay-Simulated"] == "true", path
    simulation = demo.json("/v1/health")["simulation"]
    assert simulation["seed"] == SEED and simulation["honest"] is False
    assert simulation["hour_ms"] == 20000, simulation
    assert {row["vantage"] for row in rows_of(demo, "/v1/runs")} == \
        {"simulated"}


def check_plan_and_ledger(demo):
    """A plan is promised, carried out, and revealed."""
    plan = wait_until(lambda: next((one for one in rows_of(demo, "/v1/plan")
                                    if one["seed"]), None),
                      WITHIN_SECONDS, "a revealed seed")
    seed = bytes.fromhex(plan["seed"])
    assert hashlib.sha256(seed).hexdigest() == plan["seed_sha256"], plan
    assert plan["made_at"] <= plan["starts_at"] < plan["revealed_at"], plan
    assert plan["executed"] + plan["skipped"] == plan["runs"], plan
    ledger = rows_of(demo, "/v1/ledger?limit=500&plan=" + plan["plan_hash"])
    assert len(ledger) == plan["runs"], (len(ledger), plan)
    runs = {row["run_id"] for row in rows_of(demo, "/v1/runs?limit=500")}
    for row in ledger:
        assert (row["state"] == "executed") == (row["run_id"] in runs), row
        assert (row["state"] == "skipped") == (row["reason"] is not None), row
    pages = demo.json("/v1/ledger?limit=7&plan=" + plan["plan_hash"])
    again = demo.json("/v1/ledger?limit=500&plan=" + plan["plan_hash"] +
                      "&cursor=" + pages["pagination"]["next_cursor"])
    assert pages["data"] + again["data"] == ledger
    skipped = rows_of(demo, "/v1/ledger?limit=500&state=skipped&plan=" +
                      plan["plan_hash"])
    assert len(skipped) == plan["skipped"], (len(skipped), plan)
    counts = rows_of(demo, "/v1/ledger/counts?plan=" + plan["plan_hash"])
    assert {(row["state"], row["reason"]): row["runs"] for row in counts} == \
        collections.Counter((row["state"], row["reason"] or "")
                            for row in ledger), counts
    assert plan["orchestrators"] == len({row["orchestrator_url"]
                                         for row in ledger}), plan


def flatterers(rows):
    """Whose published frame rate is well above all that was measured."""
    return {row["orchestrator_address"] for row in rows
            if row["output_fps_high"] and
            row["published_fps"] > 1.08 * row["output_fps_high"]}


def text_of(page, selector):
    return page.evaluate(
        f"document.querySelector({json.dumps(selector)}).innerText")


def check_page(demo):
    """The mark on every page; two clicks from a figure to its evidence."""
    program = find_chromium()
    if program is None:
        return
    browser = Browser(program)
    plan = "#/plan/" + rows_of(demo, "/v1/plan")[-1]["plan_hash"]
    try:
        for width, height, dark in ((1280, 900, False), (390, 844, True)):
            for address in ("#/", "#/runs", "#/ledger", "#/sla", plan):
                page = browser.page(width, height, dark)
                page.open(f"{demo.url}/{address}")
                assert "Simulated network" in text_of(page, "#simulated")
                assert page.evaluate("document.title").startswith(
                    "Simulated: "), address
                assert page.overflow() <= 0, (address, page.overflow())
                assert page.complaints == [], (address, page.complaints)
                page.call("Page.close")
        page = browser.page(1280, 900)
        page.open(demo.url + "/#/")
        assert "Budget used" in text_of(page, ".board"), text_of(page, "main")
        for selector, words in ((".board a.own", "Runs"),
                                (".frame tbody th a", "A live run")):
            page.evaluate(f"document.querySelector('{selector}').click()")
            page.wait_for("document.querySelector('h1').textContent === "
                          f"'{words}'")
        assert "its line of evidence" in text_of(page, "main")
        assert page.complaints == [], page.complaints
    finally:
        browser.close()


def held(demo):
    """MB of memory that no file stands for, and open descriptors."""
    process = pathlib.Path(f"/proc/{demo.process.pid}")
    anonymous, = [line.split()[1] for line in
                  (process / "status").read_text().splitlines()
                  if line.startswith("RssAnon")]
    return int(anonymous) / 1024, len(os.listdir(process / "fd"))


def test_a_demo_over_long_holds_no_more_and_more():
    if not soaking() or sanitised():
        skip("twenty-one minutes, for the soak")
    with demonstration("--seed", SEED) as demo:
        samples = []
        for _ in range(21):
            time.sleep(60)
            samples.append(held(demo))
        heap_mb = [heap for heap, _ in samples]
        descriptors = [count for _, count in samples]
        # Caches of pages fill first; of telemetry a day is held, 8 minutes.
        assert max(heap_mb[14:]) < max(heap_mb[7:14]) + 12, heap_mb
        assert max(descriptors[14:]) < max(descriptors[:7]) + 32, descriptors


def test_a_network_measured_within_a_minute_and_marked_as_simulated():
    with demonstration("--seed", SEED, "--data", "kept") as demo:
        rows = measured(demo, 2 if sanitised() else 6)
        assert {row["orchestrator_address"] for row in rows} == \
            {line["address"] for line in demo.network
             if line["kind"] == "orchestrator"}
        check_marks(demo)
        # By now its clock is hours ahead of the machine's, which is no fault.
        assert demo.json("/readyz")["status"] == "ok"
        if not sanitised():
            check_plan_and_ledger(demo)
            check_page(demo)
            heap_mb, descriptors = held(demo)
            assert heap_mb < 128 and descriptors < 300, (heap_mb, descriptors)
        demo.stop(signal.SIGINT)
        told = demo.said("the gateway flattered ").split(" ")[0]
        if not sanitised():
            assert flatterers(rows) == {told}, (told, rows)
    refused = run("demo", "--data", "kept", "--listen", "127.0.0.1:0", code=2)
    assert "holds evidence already" in refused.err, refused.err
    refused = run("import", "--data", "kept", SAMPLE_LOG, code=2)
    assert "simulated" in refused.err, refused.err
    done = run("doctor", "--fast", "--json", "--data", "kept", code=None)
    states = {one["check"]: one["state"]
              for one in json.loads(done.out)["checks"]}
    assert states["clock"] != "finding", done.out
    done = run("export", "sla", "--data", "kept", "--format", "ndjson")
    assert json_lines(done.out) and "simulated" in done.err, done.err
    done = run("plan", "verify", "--data", "kept",
               code=None if sanitised() else 0)
    assert sanitised() or "0 findings" in done.out, done
    audit = json.loads(run("plan", "audit", "--json", "--data", "kept",
                           code=None).out)
    assert audit["gpus_told"] == ORCHESTRATORS, audit
    assert audit["gpus_shared"] == 0, audit  # one card is a model's alone
    with serving("--data", "kept") as server:
        assert server.json("/v1/health")["simulation"]["seed"] == SEED
        assert server.json("/v1/sessions")["meta"]["simulated"] is True


def test_another_seed_flatters_another_and_honest_nobody():
    flattered = set()
    for arguments in (["--seed", 1], ["--seed", 2], ["--seed", 2, "--honest"]):
        with demonstration(*arguments) as demo:
            place = pathlib.Path(demo.store)
            assert place.is_dir()
            demo.stop()
            assert not place.exists(), "the store must go with the demo"
            flattered.add(demo.said("the gateway flattered "))
    assert len(flattered) == 3 and "nobody" in flattered, flattered


def test_no_real_store_becomes_a_demo():
    run("import", "--org", "acme", SAMPLE_LOG, "--data", "real")
    refused = run("demo", "--data", "real", "--listen", "127.0.0.1:0", code=2)
    assert "holds evidence already" in refused.err, refused.err
    with serving("--data", "real") as server:
        assert server.json("/v1/health")["simulation"] is None
        assert "simulated" not in server.json("/v1/sessions")["meta"]
