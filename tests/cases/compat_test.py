"""/compat/v1/streaming: bodies as the publisher would send them.

The bodies below were written by hand from what is known of the publisher's
fields, order and defaults, not taken from our own answers.
"""
import base64
import json
import re
import time

from harness import run, serving

ALICE = "0x" + "a" * 40
LIVE = "live-video-to-video"
MODEL = "streamdiffusion-sdxl"
T0 = 1767870000000  # 2026-01-08T11:00:00Z
DAY = "start=2026-01-08T00:00:00Z&end=2026-01-09T00:00:00Z"


def line(number, org, kind, at, data):
    return json.dumps({"id": f"{org}-{number}", "org": org, "type": kind,
                       "timestamp": str(at), "gateway": "0xGate",
                       "data": data})


def session(org, at, name, fps):
    """A session of a requested, started stream with one status, and one more
    session that only reported."""
    who = {"address": ALICE, "url": "https://alice.example"}
    base = {"stream_id": name, "request_id": "r", "orchestrator_info": who}
    events = [("stream_trace", 60_000,
               {**base, "type": "gateway_receive_stream_request"}),
              ("stream_trace", 62_000,
               {**base, "type": "gateway_receive_first_processed_segment"}),
              ("stream_trace", 63_000,
               {**base, "type": "gateway_receive_few_processed_segments"}),
              ("ai_stream_status", 90_000,
               {**base, "pipeline": MODEL, "state": "ONLINE",
                "inference_status": {"fps": fps}})]
    return [line(f"{name}-{i}", org, kind, at + after, data)
            for i, (kind, after, data) in enumerate(events)]


def offer(org, at):
    return line(f"offer-{at}", org, "network_capabilities", at, [
        {"address": ALICE, "orch_uri": "https://alice.example", "hardware": [
            {"pipeline": LIVE, "model_id": MODEL,
             "gpu_info": {"0": {"id": "GPU-1", "memory_total": 1}}}]}])


def load(*lines):
    run("import", "-", input="\n".join(lines))


def load_a_day():
    load(offer("daydream", T0), *session("daydream", T0, "s", 12),
         line("quiet", "daydream", "ai_stream_status", T0 + 3_600_000, {
             "stream_id": "quiet", "request_id": "r", "pipeline": MODEL,
             "state": "ONLINE", "inference_status": {"fps": 7.5},
             "orchestrator_info": {"address": "", "url": ""}}))


def envelope(server, path):
    """The rows and next cursor at PATH; the rest of the envelope is checked."""
    answer = server.json(path)
    assert list(answer) == ["data", "pagination", "meta"], answer
    page, meta = answer["pagination"], answer["meta"]
    assert list(page) == ["next_cursor", "has_more", "page_size"], page
    assert page["page_size"] == len(answer["data"]), page
    assert page["has_more"] == (page["next_cursor"] != ""), page
    assert set(meta) == {"generated_at", "request_id"}, meta
    assert meta["request_id"] and re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", meta["generated_at"]), meta
    return answer["data"], page["next_cursor"]


SLA = [
    '{"window_start":"2026-01-08T12:00:00Z","org":"daydream",'
    '"orchestrator_address":"","pipeline_id":"live-video-to-video",'
    '"model_id":"streamdiffusion-sdxl","gpu_id":"","requested_sessions":0,'
    '"startup_success_sessions":0,"effective_success_rate":0,'
    '"no_swap_rate":0,"avg_output_fps":7.5,"sla_score":0}',
    '{"window_start":"2026-01-08T11:00:00Z","org":"daydream",'
    '"orchestrator_address":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",'
    '"pipeline_id":"live-video-to-video","model_id":"streamdiffusion-sdxl",'
    '"gpu_id":"GPU-1","requested_sessions":1,"startup_success_sessions":1,'
    '"effective_success_rate":1,"no_swap_rate":1,"avg_output_fps":12,'
    '"sla_score":85}']
DEMAND = [
    '{"window_start":"2026-01-08T12:00:00Z","org":"daydream",'
    '"gateway":"0xGate","pipeline_id":"live-video-to-video",'
    '"model_id":"streamdiffusion-sdxl","requested_sessions":0,'
    '"startup_success_sessions":0,"effective_success_rate":0,'
    '"total_minutes":0,"no_orch_sessions":0}',
    '{"window_start":"2026-01-08T11:00:00Z","org":"daydream",'
    '"gateway":"0xGate","pipeline_id":"live-video-to-video",'
    '"model_id":"streamdiffusion-sdxl","requested_sessions":1,'
    '"startup_success_sessions":1,"effective_success_rate":1,'
    '"total_minutes":0.5,"no_orch_sessions":0}']
GPU_METRICS = [
    '{"window_start":"2026-01-08T11:00:00Z","org":"daydream",'
    '"orchestrator_address":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",'
    '"pipeline_id":"live-video-to-video","model_id":"streamdiffusion-sdxl",'
    '"gpu_id":"GPU-1","gpu_model_name":"","known_sessions_count":1,'
    '"startup_success_sessions":1,"avg_output_fps":12,'
    '"avg_e2e_latency_ms":0,"swap_rate":0}']


def test_rows_are_the_bytes_that_the_publisher_sends():
    load_a_day()
    with serving() as server:
        for name, wanted in (("sla", SLA), ("demand", DEMAND),
                             ("gpu-metrics", GPU_METRICS)):
            path = f"/compat/v1/streaming/{name}?{DAY}"
            _, fields, body = server.get(path)
            assert fields["Content-Type"] == "application/json", fields
            start = '{"data":[' + ",".join(wanted) + '],"pagination":' \
                '{"next_cursor":"","has_more":false,"page_size":' \
                f'{len(wanted)}}},"meta":{{'
            assert body.decode().startswith(start), (name, body)
            data, following = envelope(server, path)
            assert data == [json.loads(row) for row in wanted]
            assert following == ""


def cursor(*texts):
    packed = json.dumps(texts, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def test_cursors_are_the_publishers():
    load_a_day()
    with serving() as server:
        for name, wanted, key in (("sla", SLA, ["", LIVE, MODEL, ""]),
                                  ("demand", DEMAND, ["0xGate", LIVE, MODEL])):
            path = f"/compat/v1/streaming/{name}?{DAY}&limit=1"
            first, following = envelope(server, path)
            assert following == cursor("1767873600000", *key), following
            second, end = envelope(server, f"{path}&cursor={following}")
            assert first + second == [json.loads(row) for row in wanted]
            assert end == ""


def test_the_second_org_with_an_equal_key_is_lost_at_a_page_edge():
    for org in ("cloudspe", "daydream"):
        load(offer(org, T0), *session(org, T0, "s", 12))
    with serving() as server:
        path = f"/compat/v1/streaming/sla?{DAY}"
        both, _ = envelope(server, path)
        assert [row["org"] for row in both] == ["cloudspe", "daydream"], both
        one, following = envelope(server, path + "&limit=1")
        assert len(one) == 1 and following
        assert envelope(server, f"{path}&limit=1&cursor={following}") == \
            ([], "")
        # Ours holds the organisation in the cursor.
        found, more = [], ""
        while more is not None:
            answer = server.json(f"/v1/streaming/sla?limit=1{more}")
            found += answer["data"]
            following = answer["pagination"]["next_cursor"]
            more = following and "&cursor=" + following
        assert len(found) == 2, found


def test_bad_dates_and_limits_are_silently_the_default():
    load_a_day()
    now = int(time.time() * 1000)
    load(offer("recent", now - 7_200_000),
         *session("recent", now - 7_100_000, "new", 20))
    with serving() as server:
        for query in ("", "start=yesterday", "start=2026-01-08",
                      "end=never", "start=2026-01-08T00:00:00",
                      "start=&end=", "limit=0", "limit=1001", "limit=ten",
                      "org=other&granularity=1m&orchestrator=none"):
            data, _ = envelope(server, "/compat/v1/streaming/sla?" + query)
            assert [row["org"] for row in data] == ["recent"], (query, data)
        data, _ = envelope(server, "/compat/v1/streaming/sla?start="
                           "2026-01-08T13:00:00%2B01:00&end=nonsense")
        assert len(data) == 2, data  # 12:00 UTC and today
        data, _ = envelope(server,
                           f"/compat/v1/streaming/sla?{DAY}&limit=-5")
        assert len(data) == 2


def test_of_a_doubled_parameter_the_first_counts():
    load_a_day()
    with serving() as server:
        path = f"/compat/v1/streaming/sla?limit=1&{DAY}"
        one, following = envelope(server, path)
        for more in ("&limit=2", "&start=2027-01-01T00:00:00Z", "&limit=%zz",
                     "&x=1&x=2", "&%zz=1", "&cursor=&cursor=nonsense",
                     "&limit=2;end=1", "&=&&"):
            assert envelope(server, path + more) == (one, following), more
        status, _, _ = server.get(path + "&cursor=%ff")
        assert status == 400
        status, _, _ = server.get("/v1/streaming/sla?limit=1&limit=1")
        assert status == 400


def test_other_pipelines_and_no_pipeline_are_left_out():
    who = {"address": "", "url": ""}
    load(*[line(i, "daydream", "stream_trace", T0 + i, {
        "type": kind, "stream_id": "s", "request_id": "r",
        "orchestrator_info": who})
        for i, kind in enumerate(("gateway_receive_stream_request",
                                  "gateway_no_orchestrators_available"))])
    with serving() as server:
        assert len(server.json("/v1/streaming/demand")["data"]) == 1
        assert envelope(server, f"/compat/v1/streaming/demand?{DAY}") == \
            ([], "")


def test_errors_are_problems():
    with serving() as server:
        for name in ("sla", "demand", "gpu-metrics"):
            for query in ("offset=0", "page=1", "page_size=10", "cursor=x",
                          "cursor=" + cursor("1", "a"),
                          "cursor=" + cursor("then", "a", "b", "c", "d")):
                path = f"/compat/v1/streaming/{name}?{query}"
                status, fields, body = server.get(path)
                assert status == 400, (path, status, body)
                assert fields["Content-Type"] == "application/problem+json"
                problem = json.loads(body)
                assert list(problem) == ["type", "title", "status",
                                         "detail"], problem
                assert problem["type"] == "about:blank"
                assert problem["title"] == "Bad Request"


def test_models_and_orchestrators_are_bare_arrays():
    with serving() as server:
        for name in ("models", "orchestrators"):
            assert server.json(f"/compat/v1/streaming/{name}") == []
    now = int(time.time()) * 1000
    seen = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now // 1000 - 600))
    load(offer("daydream", now - 600_000),
         *session("daydream", now - 500_000, "new", 12.25))
    with serving() as server:
        body = server.get("/compat/v1/streaming/models?limit=0")[2].decode()
        assert body == (
            '[{"pipeline":"live-video-to-video",'
            '"model":"streamdiffusion-sdxl","warm_orch_count":1,"gpu_slots":1,'
            '"active_streams":1,"available_capacity":0,"avg_fps":12.2}]'), body
        body = server.get("/compat/v1/streaming/orchestrators")[2].decode()
        assert body == (
            f'[{{"address":"{ALICE}","uri":"https://alice.example",'
            f'"models":["{MODEL}"],"gpu_count":1,"last_seen":"{seen}"}}]'), \
            body
