"""/v1/runs: own measurements, in pages, by filters, and one by one."""
import json

from harness import run, serving

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
