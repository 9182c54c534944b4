"""/v1/requests: sums of jobs, ours and as the publisher answers.

The bodies are written by hand from the published tables.
"""
import base64
import json
import time

from harness import export, run, serving

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


# ---- jobs one by one ---------------------------------------------


def offer(address, *offers, prices=()):
    """An element of a capability list: (pipeline, model, GPU or None)."""
    return {"address": address, "local_address": "", "orch_uri": URL,
            "hardware": [
                {"pipeline": pipeline, "model_id": model,
                 "gpu_info": {"0": {"id": gpu, "name": "A40",
                                    "memory_total": 1}} if gpu else None}
                for pipeline, model, gpu in offers],
            "capabilities_prices": list(prices)}


def load_jobs(at=NINE):
    """Offers, workers, authorisations, two batch jobs, two attempts."""
    jobs = Jobs()
    jobs.add("network_capabilities", at - 60_000, [
        offer("0xBB", ("text-to-image", "m", "G1"), ("llm", "qwen", "G2"),
              ("live-video-to-video", "x", "G3"), ("denoise", "u1", "G1")),
        offer("0xCC", ("text-to-image", "m", None))])
    jobs.add("worker_lifecycle", at - 50_000, {
        "type": "worker_registered", "capability": "denoise",
        "worker_url": "https://w1", "price_per_unit": 3,
        "worker_options": [{"model": "u1"}],
        "orchestrator_info": {"address": "0xBB", "url": URL}})
    jobs.add("worker_lifecycle", at - 40_000, {
        "type": "worker_unregistered", "capability": "denoise",
        "worker_url": "https://w2", "price_per_unit": 4,
        "orchestrator_info": {"address": "0xBB", "url": URL}})
    for after, success in ((1, True), (2, True), (3, False)):
        jobs.add("job_auth", at + after, {"capability": "denoise",
                                          "success": success})
    jobs.add("ai_batch_request", at + 5, {
        "type": "ai_batch_request_received", "request_id": "a"})
    jobs.batch(at + 10, "a", "text-to-image", 1000, tries=2)
    jobs.batch(at + 10, "b", "text-to-image", 3001, success=False, url="",
               error_type="no_orchestrators")
    jobs.attempt(at + 60, "denoise", 40, success=False, http_status=503,
                 error="No orchestrators available")
    jobs.attempt(at + 70, "denoise", 61, worker_url="https://w1",
                 http_status=200,
                 orchestrator_info={"address": "0xBB", "url": URL})
    jobs.stream(at + 1)
    run("import", "-", input="\n".join(jobs.lines) + "\n")


BATCH = [
    '{"request_id":"a","org":"acme","gateway":"gw","pipeline":"text-to-image",'
    '"model_id":"m","completed_at":"2026-01-09T09:00:00.01Z","success":true,'
    '"tries":2,"duration_ms":1000,"orch_url":"https://o.example:8935",'
    '"selection_outcome":"selected","gpu_model_name":"",'
    '"attribution_status":"ambiguous"}',
    '{"request_id":"b","org":"acme","gateway":"gw","pipeline":"text-to-image",'
    '"model_id":"m","completed_at":"2026-01-09T09:00:00.01Z","success":false,'
    '"tries":0,"duration_ms":3001,"orch_url":"","selection_outcome":"no_orch",'
    '"gpu_model_name":"","attribution_status":"unresolved"}']
BYOC = [
    '{"request_id":"e10","org":"acme","capability":"denoise","model":"u1",'
    '"completed_at":"2026-01-09T09:00:00.07Z","success":true,"duration_ms":61,'
    '"http_status":200,"orch_address":"0xbb",'
    '"orch_url":"https://o.example:8935","worker_url":"https://w1",'
    '"selection_outcome":"selected","gpu_model_name":"",'
    '"attribution_status":"resolved","error":""}',
    '{"request_id":"e9","org":"acme","capability":"denoise","model":"",'
    '"completed_at":"2026-01-09T09:00:00.06Z","success":false,'
    '"duration_ms":40,"http_status":503,"orch_address":"","orch_url":"",'
    '"worker_url":"","selection_outcome":"no_orch","gpu_model_name":"",'
    '"attribution_status":"unresolved","error":"No orchestrators available"}']


def test_jobs_are_the_bytes_that_the_publisher_sends():
    load_jobs()
    with serving() as server:
        for path, wanted in (("ai-batch/jobs", BATCH), ("byoc/jobs", BYOC)):
            path = f"/compat/v1/requests/{path}"
            body = server.get(f"{path}?{DAY}")[2].decode()
            start = ('{"data":[' + ",".join(wanted) + '],"pagination":'
                     '{"next_cursor":"","has_more":false,"page_size":2},'
                     '"meta":{"generated_at":"')
            assert body.startswith(start), body
            first = server.json(f"{path}?{DAY}&limit=1")
            assert first["data"] == [json.loads(wanted[0])], first
            cursor = first["pagination"]["next_cursor"]
            decoded = json.loads(base64.urlsafe_b64decode(cursor + "=="))
            row = json.loads(wanted[0])
            assert decoded[1] == row["request_id"] and len(decoded) == 2
            rest = server.json(f"{path}?{DAY}&limit=1&cursor={cursor}")
            assert rest["data"] == [json.loads(wanted[1])], rest
            assert rest["pagination"] == {"next_cursor": "", "has_more": False,
                                          "page_size": 1}
            assert server.json(path)["data"] == []  # the last day
            assert server.get(f"{path}?cursor=%21")[0] == 400
            assert server.get(f"{path}?page=1")[0] == 400


def test_our_jobs_are_the_exported_rows_with_their_line():
    load_jobs()
    with serving() as server:
        for path, what in (("ai-batch/jobs", "batch-jobs"),
                           ("byoc/jobs", "byoc-jobs")):
            got = rows(server, path, "")
            lines = [row.pop("line") for row in got]
            assert sorted(got, key=str) == sorted(export(what), key=str)
            event = json.loads(server.json(
                f"/v1/evidence/lines/{lines[0]}")["text"])
            assert event["data"]["type"].endswith("_completed"), event
            pages, cursor = [], ""
            while cursor is not None:
                page = server.json(f"/v1/requests/{path}?limit=1{cursor}")
                pages += page["data"]
                cursor = page["pagination"]["next_cursor"]
                cursor = cursor and "&cursor=" + cursor
            assert [row["line"] for row in pages] == lines
            assert rows(server, path, "org=other") == []
            assert len(rows(server, path, "end=2026-01-09T09:00:00.070Z")) == (
                2 if path == "ai-batch/jobs" else 1)
            # One day alone is the same as one pass, and by a time after all.
            for query in ("pass=whole", "as_of=2026-01-10"):
                assert [row["line"] for row in rows(server, path, query)] == \
                    lines, query
            assert rows(server, path, "as_of=2026-01-09T09:00:00Z") == []
            assay = rows(server, path, "lens=assay")
            assert [row["line"] for row in assay] == lines
        assert len(rows(server, "byoc/jobs", "orchestrator=0xBB")) == 1
        assert len(rows(server, "ai-batch/jobs", "pipeline=llm")) == 0
        assert rows(server, "ai-batch/jobs")[1]["success"] == 0
        assert rows(server, "ai-batch/jobs")[1]["gpu_id"] is None


# ---- workers and authorisations ---------------------------------------------


def test_workers_and_authorisations():
    load_jobs()
    with serving() as server:
        def body(path):
            return server.get(f"/compat/v1/requests/byoc/{path}?{DAY}")[2]
        assert body("workers") == (
            b'[{"capability":"denoise","worker_count":2,"models":["u1"],'
            b'"avg_price_per_unit":3.5}]')
        assert body("auth") == (
            b'[{"capability":"denoise","total_events":3,'
            b'"success_rate":0.6666666666666666,"failure_count":1}]')
        assert rows(server, "byoc/workers") == [{
            "capability": "denoise", "worker_count": 2,
            "avg_price_per_unit": 3.5, "event_count": 2,
            "last_seen": "2026-01-09T08:59:20.000Z", "models": ["u1"]}]
        assert rows(server, "byoc/auth") == [{
            "capability": "denoise", "total_events": 3, "success_rate": 2 / 3,
            "failure_count": 1, "last_seen": "2026-01-09T09:00:00.003Z"}]
        for path in ("byoc/workers", "byoc/auth"):
            assert rows(server, path, "capability=other") == []
            assert rows(server, path, "end=2026-01-09T08:00:00Z") == []
            assert rows(server, path, "as_of=2026-01-09T08:00:00Z") == []
            assert rows(server, path, "org=other") == []
        # An hour of authorisations counts where its start is asked for.
        late = "start=2026-01-09T09:00:00.001Z&end=2026-01-10T00:00:00Z"
        assert server.json("/compat/v1/requests/byoc/auth?" + late) == []


# ---- who offers what ---------------------------------------------


def test_models_and_orchestrators_of_requests():
    at = int(time.time() * 1000) // HOUR * HOUR - 2 * HOUR
    load_jobs(at)
    with serving() as server:
        got = server.get("/compat/v1/requests/models")[2].decode()
        assert got == (
            '[{"pipeline":"text-to-image","model":"m","job_type":"ai-batch",'
            '"warm_orch_count":2,"gpu_slots":1,"job_count_24h":2,'
            '"success_rate":0.5,"avg_duration_ms":2000},'
            '{"pipeline":"denoise","model":"u1","job_type":"byoc",'
            '"warm_orch_count":1,"gpu_slots":0,"job_count_24h":1,'
            '"success_rate":1,"avg_duration_ms":61},'
            '{"pipeline":"llm","model":"qwen","job_type":"ai-batch",'
            '"warm_orch_count":1,"gpu_slots":1,"job_count_24h":0,'
            '"success_rate":0,"avg_duration_ms":0}]'), got
        ours = rows(server, "models", "")
        assert [(row["model"], row["job_count_24h"], row["success_rate"])
                for row in ours] == [("m", 2, 0.5), ("u1", 1, 1),
                                     ("", 1, 0), ("qwen", 0, None)], ours
        assert ours[0]["avg_duration_ms"] == 2000.5
        seen = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                             time.gmtime(at / 1000 - 60))
        assert server.json("/compat/v1/requests/orchestrators") == [
            {"address": "0xbb", "uri": URL, "capabilities": [
                "denoise:u1", "llm:qwen", "text-to-image:m"],
             "gpu_count": 3, "last_seen": seen},
            {"address": "0xcc", "uri": URL, "capabilities": [
                "text-to-image:m"], "gpu_count": 0, "last_seen": seen}]
        assert [row["address"] for row in
                rows(server, "orchestrators", "gpu=G2")] == ["0xbb"]
        assert rows(server, "models", "pipeline=llm&orchestrator=0xCC") == []
        assert rows(server, "models", "as_of=2026-01-01") == []
