"""/v1/runs: own measurements, in pages, by filters, and one by one."""
import json

from harness import run, serving
from sandbox import sandbox

NOBODY = "https://127.0.0.1:1"  # where nobody listens


def probe(count=1):
    for _ in range(count):
        run("probe", NOBODY, "--allow-cidr", "127.0.0.0/8",
            "--data", "assay-data", code=1)


def test_runs_newest_first_in_pages():
    probe(3)
    with serving() as server:
        page = server.json("/v1/runs")
        rows = page["data"]
        assert len(rows) == 3, page
        starts = [row["started_at"] for row in rows]
        assert starts == sorted(starts, reverse=True), starts
        assert {row["outcome"] for row in rows} == {"failed"}
        assert {row["reason"] for row in rows} == {"connect_refused"}
        assert rows[0]["output_fps"] is None and rows[0]["line"] > 0
        first = server.json("/v1/runs?limit=2")
        cursor = first["pagination"]["next_cursor"]
        rest = server.json("/v1/runs?limit=2&cursor=" + cursor)
        assert first["data"] + rest["data"] == rows
        assert rest["pagination"]["has_more"] is False


def test_one_run_and_its_line():
    probe()
    with serving() as server:
        row, = server.json("/v1/runs")["data"]
        assert server.json("/v1/runs/" + row["run_id"]) == row
        line = server.json(f"/v1/evidence/lines/{row['line']}")
        event = json.loads(line["text"])
        assert event["type"] == "assay_run", event
        assert event["data"]["reason"] == "connect_refused", event
        status, _, body = server.get("/v1/runs/none")
        assert status == 404 and b"there is no run none" in body


def test_filters():
    probe()
    with serving() as server:
        def found(question):
            return len(server.json("/v1/runs?" + question)["data"])
        assert found("kind=reach") == 1 and found("kind=live") == 0
        assert found("outcome=failed") == 1 and found("outcome=ok") == 0
        assert found("orchestrator=" + NOBODY) == 1
        assert found("orchestrator=0x1") == 0 and found("model=noop") == 0
        assert found("start=2020-01-01") == 1 and found("end=2020-01-01") == 0
        status, _, body = server.get("/v1/runs?outcome=fine")
        assert status == 400 and b"outcome" in body


def test_runs_as_csv():
    probe()
    with serving() as server:
        status, _, body = server.get("/v1/runs?format=csv")
        head, row = body.decode().splitlines()
        assert status == 200 and head.startswith("run_id,kind,workflow,")
        assert ",connect_refused," in row, row


def test_what_was_measured_stands_by_orchestrator():
    probe(2)
    with serving() as server:
        assert server.json("/v1/measured")["data"] == []  # no live run
    with sandbox("--seed", 7) as network:
        for _ in range(2):
            run("probe", network.lines[0]["url"], "--kind", "live",
                "--seconds", "1", "--allow-cidr", "127.0.0.0/8",
                "--data", "assay-data")
        url = network.lines[0]["url"]
    with serving() as server:
        row, = server.json("/v1/measured")["data"]
        figures = [run["output_fps"] for run in
                   server.json("/v1/runs?kind=live")["data"]]
        assert row["orchestrator_url"] == url, row
        assert (row["runs"], row["ok"], row["output_fps_n"]) == (2, 2, 2), row
        assert abs(row["output_fps"] - sum(figures) / 2) < 1e-9, row
        assert row["output_fps_low"] is None, row  # two samples bound nothing
        assert row["success_rate"] == 1.0 > row["success_rate_low"], row
        assert row["published_fps"] is None and row["budget_ms"] is None, row
        assert row == server.json("/v1/measured?orchestrator="
                                  + url)["data"][0]
        assert server.json("/v1/measured?start=2030-01-01")["data"] == []
        status, _, body = server.get("/v1/measured?start=2020-01-01")
        assert status == 400 and b"31 days" in body, body
        assert server.json("/v1/measured?start=2020-01-01"
                           "&end=2020-02-01")["data"] == []
        assert server.get("/v1/measured?start=2020-01-01"
                          "&end=2020-02-02")[0] == 400
        status, _, body = server.get("/v1/measured?format=csv")
        assert status == 200 and body.count(b"\r\n") == 2, body


def test_without_a_plan_there_are_no_plans():
    probe()
    with serving() as server:
        for path in ("/v1/plan", "/v1/ledger", "/v1/ledger/counts"):
            page = server.json(path)
            assert page["data"] == [], page
            assert page["pagination"]["has_more"] is False, page
        status, _, body = server.get("/v1/ledger?state=planned")
        assert status == 400 and b"started|ended|executed|skipped" in body, body
