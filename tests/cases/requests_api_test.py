"""/v1/requests: sums of jobs, ours and as the publisher answers.

The bodies are written by hand from the published tables.
"""
import json

from harness import run, serving

NINE = 1767949200000  # 2026-01-09T09:00:00Z
HOUR = 3_600_000
URL = "https://o.example:8935"
DAY = "start=2026-01-09T00:00:00Z&end=2026-01-10T00:00:00Z"
PATHS = ("ai-batch/summary", "ai-batch/llm-summary", "byoc/summary")


class Jobs:
    """Events of jobs, each with an id of its own."""

    def __init__(self):
        self.lines = []

    def add(self, kind, at, data, org="acme", gateway="gw"):
        self.lines.append(json.dumps({
            "id": f"e{len(self.lines)}", "type": kind, "org": org,
            "timestamp": str(at), "gateway": gateway, "data": data}))

    def batch(self, at, request, pipeline, took, success=True, url=URL,
              **more):
        self.add("ai_batch_request", at, {
            "type": "ai_batch_request_completed", "request_id": request,
            "pipeline": pipeline, "model_id": "m", "success": success,
            "duration_ms": took, "orch_url": url, **more})

    def attempt(self, at, capability, took, success=True, **more):
        self.add("job_gateway", at, {
            "type": "job_gateway_completed", "request_id": "b",
            "capability": capability, "success": success,
            "duration_ms": took, **more})

    def stream(self, at):
        """What makes the publisher show the hour."""
        self.add("stream_trace", at, {
            "type": "gateway_receive_stream_request", "stream_id": f"s{at}",
            "request_id": "r"})


def load():
    """Two hours of jobs; the publisher shows only the first."""
    jobs = Jobs()
    jobs.stream(NINE + 1)
    jobs.batch(NINE + 10, "a", "text-to-image", 1000)
    jobs.batch(NINE + 20, "b", "text-to-image", 2000, success=False, url="",
               error_type="no_orchestrators")
    jobs.batch(NINE + 30, "c", "llm", 300, model_id="qwen")
    jobs.add("ai_llm_request", NINE + 31, {
        "type": "llm_request_completed", "request_id": "c", "model": "qwen",
        "total_tokens": 100, "tokens_per_second": 12.5, "ttft_ms": 80})
    jobs.batch(NINE + 40, "d", "live-video-to-video", 5)
    jobs.batch(NINE + 50, "e", "", 5)
    jobs.attempt(NINE + 60, "upscale", 40, success=False,
                 error="No orchestrators available")
    jobs.attempt(NINE + 70, "upscale", 61, orchestrator_info={
        "address": "0xBB", "url": URL})
    jobs.batch(NINE + HOUR, "f", "text-to-image", 6000)
    jobs.attempt(NINE + HOUR, "denoise", 7, orchestrator_info={"url": URL})
    run("import", "-", input="\n".join(jobs.lines) + "\n")


def rows(server, path, query=DAY):
    return server.json(f"/v1/requests/{path}?{query}")["data"]


def test_sums_count_every_job_and_say_what_the_publisher_hides():
    load()
    with serving() as server:
        image, llm = rows(server, "ai-batch/summary")
        assert image == {
            "pipeline": "text-to-image", "total_jobs": 3, "selected_jobs": 2,
            "no_orch_jobs": 1, "success_rate": 2 / 3, "avg_duration_ms": 3000,
            "unpublished_jobs": 1, "last_window": "2026-01-09T10:00:00Z"}
        assert (llm["pipeline"], llm["unpublished_jobs"]) == ("llm", 0)
        upscale, denoise = rows(server, "byoc/summary")
        assert upscale == {
            "capability": "upscale", "total_jobs": 2, "selected_jobs": 1,
            "no_orch_jobs": 1, "success_rate": 0.5, "avg_duration_ms": 50.5,
            "unpublished_jobs": 0, "last_window": "2026-01-09T09:00:00Z"}
        assert (denoise["total_jobs"], denoise["unpublished_jobs"]) == (1, 1)
        assert rows(server, "ai-batch/llm-summary") == [{
            "model": "qwen", "total_requests": 1, "success_rate": 1,
            "avg_tokens_per_sec": 12.5, "avg_ttft_ms": 80,
            "avg_total_tokens": 100, "unpublished_requests": 0,
            "last_window": "2026-01-09T09:00:00Z"}]


def test_the_publisher_s_answers_leave_hidden_hours_out():
    load()
    with serving() as server:
        def body(path, query=DAY):
            return server.get(f"/compat/v1/requests/{path}?{query}")[2]
        assert body("ai-batch/summary") == (
            b'[{"pipeline":"text-to-image","total_jobs":2,"selected_jobs":1,'
            b'"no_orch_jobs":1,"success_rate":0.5,"avg_duration_ms":1500},'
            b'{"pipeline":"llm","total_jobs":1,"selected_jobs":1,'
            b'"no_orch_jobs":0,"success_rate":1,"avg_duration_ms":300}]')
        assert body("byoc/summary") == (
            b'[{"capability":"upscale","total_jobs":2,"selected_jobs":1,'
            b'"no_orch_jobs":1,"success_rate":0.5,"avg_duration_ms":50.5}]')
        assert body("ai-batch/llm-summary") == (
            b'[{"model":"qwen","total_requests":1,"success_rate":1,'
            b'"avg_tokens_per_sec":12.5,"avg_ttft_ms":80,'
            b'"avg_total_tokens":100}]')
        for path in PATHS:  # the last day, and the same for what is no time
            assert body(path, "") == b"[]"
            assert body(path, "start=yesterday&offset=&x=1") == b"[]"


def test_filters_times_and_pages():
    load()
    with serving() as server:
        def names(path, query):
            return [next(iter(row.values()))
                    for row in rows(server, path, query)]
        assert names("ai-batch/summary", "pipeline=llm") == ["llm"]
        assert names("byoc/summary", "capability=denoise") == ["denoise"]
        assert names("ai-batch/llm-summary", "model=other") == []
        assert names("byoc/summary", "org=other") == []
        assert names("byoc/summary", "gateway=gw&as_of=2026-01-09T09:30:00Z"
                     ) == ["upscale"]
        assert names("byoc/summary", "start=2026-01-09T10:00:00Z"
                     ) == ["denoise"]
        assert names("byoc/summary", "end=2026-01-09T09:00:00Z") == []
        for path in ("ai-batch/summary", "byoc/summary"):
            every, cursor = [], ""
            while cursor is not None:
                more = f"&cursor={cursor}" if cursor else ""
                page = server.json(f"/v1/requests/{path}?limit=1{more}")
                every += page["data"]
                cursor = page["pagination"]["next_cursor"]
            assert every == rows(server, path, "") and len(every) == 2
        table = server.get("/v1/requests/byoc/summary?format=csv")[2].decode()
        assert table.splitlines()[0].startswith("capability,total_jobs,")
        assert len(table.splitlines()) == 3
        status, _, problem = server.get("/v1/requests/byoc/summary?pipeline=x")
        assert status == 400 and b"capability" in problem
