"""/v1/dashboard and /v1/discover: ours, and as the publisher sends them.

The bodies and figures are worked out by hand from the published tables.
"""
import json
import time

from harness import run, serving

HOUR = 3_600_000
MINUTE = 60_000
LIVE = "live-video-to-video"
URL = {"0xaa": "https://alice.example:8935", "0xbb": "https://bob.example",
       "0xcc": "https://carol.example/x"}


def this_hour():
    """The start of the present hour, at least five minutes ago."""
    now = int(time.time() * 1000)
    if now % HOUR > HOUR - 2 * MINUTE:
        time.sleep((HOUR - now % HOUR) / 1000 + 1)
    return int(time.time() * 1000) // HOUR * HOUR


class Events:
    """Events, each with an id of its own."""

    def __init__(self):
        self.lines = []

    def add(self, kind, at, data):
        self.lines.append(json.dumps({
            "id": f"e{len(self.lines)}", "type": kind, "org": "acme",
            "timestamp": str(at), "gateway": "gw", "data": data}))

    def offers(self, at):
        """Alice streams; Bob draws, and announces a model alone; Carol draws
        with a card that has no name."""
        def card(number, name="A40"):
            return {str(number): {"id": f"G{number}", "name": name,
                                  "memory_total": 1}}
        self.add("network_capabilities", at, [
            {"address": "0xAA", "orch_uri": URL["0xaa"], "hardware": [
                {"pipeline": LIVE, "model_id": "sd", "gpu_info": card(1)}],
             "capabilities_prices": [
                 {"capability": 35, "constraint": "sd", "pricePerUnit": 7,
                  "pixelsPerUnit": 2},
                 {"capability": 27, "constraint": "x", "pricePerUnit": 0,
                  "pixelsPerUnit": 2}]},
            {"address": "0xCC", "orch_uri": URL["0xcc"], "hardware": [
                {"pipeline": "text-to-image", "model_id": "x",
                 "gpu_info": card(2, "")}]},
            {"address": "0xBB", "orch_uri": URL["0xbb"], "capabilities": {
                "constraints": {"PerCapability": {"27": {"models": {
                    "x": {"warm": False, "capacity": 1}}}}}},
             "capabilities_prices": [
                 {"capability": 27, "constraint": "x", "pricePerUnit": 3,
                  "pixelsPerUnit": 1}]}])

    def stream(self, at, name, plays=True, fps=12, closed=None, minutes=2):
        """A requested stream at Alice's; one that does not play fails."""
        base = {"stream_id": name, "request_id": "r", "orchestrator_info": {
            "address": "0xAA", "url": URL["0xaa"]}}

        def trace(kind, after):
            self.add("stream_trace", at + after, {**base, "type": kind})
        trace("gateway_receive_stream_request", 0)
        if plays:
            trace("gateway_receive_first_processed_segment", 2000)
            trace("gateway_receive_few_processed_segments", 3000)
        self.add("ai_stream_status", at + minutes * MINUTE, {
            **base, "pipeline": "sd", "state": "ONLINE" if plays else "ERROR",
            "inference_status": {"fps": fps}, "input_status": {"fps": 30}})
        if closed is not None:
            trace("gateway_ingest_stream_closed", closed)

    def jobs(self, at):
        for number, (success, url) in enumerate(((True, URL["0xbb"]),
                                                 (False, ""))):
            self.add("ai_batch_request", at + number, {
                "type": "ai_batch_request_completed", "success": success,
                "request_id": f"b{number}", "pipeline": "text-to-image",
                "model_id": "x", "duration_ms": 10 + number, "orch_url": url,
                "error_type": "" if success else "no_orchestrators"})
        self.add("job_gateway", at + 5, {
            "type": "job_gateway_completed", "request_id": "y",
            "capability": "dance", "success": True, "duration_ms": 7,
            "orchestrator_info": {"address": "0xBB", "url": URL["0xbb"]}})

    def take(self):
        run("import", "-", input="\n".join(self.lines))


def load():
    """Two streams three hours ago, one of which failed; two played last hour,
    one of which was closed; jobs last hour. Returns the present hour."""
    now = this_hour()
    events = Events()
    for hours in (3, 1):
        events.offers(now - hours * HOUR + 15 * MINUTE)
    events.stream(now - 3 * HOUR + 20 * MINUTE, "s0")
    events.stream(now - 3 * HOUR + 20 * MINUTE, "s1", plays=False, fps=0)
    events.stream(now - HOUR + 20 * MINUTE, "s2")
    events.stream(now - HOUR + 20 * MINUTE, "s3", closed=3 * MINUTE)
    events.jobs(now - HOUR + 30 * MINUTE)
    events.take()
    return now


def iso(ms, fraction=False):
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms / 1000))
    return text + (f".{ms % 1000:03d}Z" if fraction else "Z")


def body(server, path):
    return server.get("/compat/v1/" + path)[2].decode()


def check(got, wanted):
    assert got == wanted, f"\n{got}\nis not\n{wanted}"


def test_kpi_as_the_publisher_sends_it():
    now = load()
    hours = [iso(now - 3 * HOUR), iso(now - HOUR)]
    jobs = ('"requests":{"ai_batch":{"total_jobs":2,"selected_jobs":1,'
            '"no_orch_jobs":1,"success_rate":0.5,"avg_duration_ms":10.5},'
            '"byoc":{"total_jobs":1,"selected_jobs":1,"no_orch_jobs":0,'
            '"success_rate":1,"avg_duration_ms":7}}}')
    # Minutes: 2 and 2 in the first hour; 2 and, to its close, 3.
    wanted = (
        '{"streaming":{"successRate":{"value":75,"delta":50},'
        '"orchestratorsObserved":{"value":3,"delta":0},'
        '"dailyUsageMins":{"value":9,"delta":25},'
        '"dailySessionCount":{"value":4,"delta":0},'
        '"dailyNetworkFeesEth":{"value":0,"delta":0},"timeframeHours":24,'
        f'"hourlySessions":[{{"hour":"{hours[0]}","value":2}},'
        f'{{"hour":"{hours[1]}","value":2}}],'
        f'"hourlyUsage":[{{"hour":"{hours[0]}","value":4}},'
        f'{{"hour":"{hours[1]}","value":5}}]}},' + jobs)
    nothing = (
        '{"streaming":{"successRate":{"value":0,"delta":0},'
        '"orchestratorsObserved":{"value":0,"delta":0},'
        '"dailyUsageMins":{"value":0,"delta":0},'
        '"dailySessionCount":{"value":0,"delta":0},'
        '"dailyNetworkFeesEth":{"value":0,"delta":0},"timeframeHours":24},'
        + jobs)
    with serving() as server:
        check(body(server, "dashboard/kpi"), wanted)
        for odd in ("window=1d", "window=24", "window=yesterday", "window=-1",
                    "window=%2024h%20", "pipeline=", "what=ever"):
            check(body(server, "dashboard/kpi?" + odd), wanted)
        for hours_asked, told in (("2h", 2), ("9d", 168), ("1000", 168)):
            kpi = json.loads(body(server,
                                  "dashboard/kpi?window=" + hours_asked))
            assert kpi["streaming"]["timeframeHours"] == told, kpi
        check(body(server, "dashboard/kpi?model_id=none"), nothing)
        ours = server.json("/v1/dashboard/kpi?model_id=none")["streaming"]
        assert ours["successRate"] == {"value": None, "delta": None}, ours
        assert ours["dailyNetworkFeesEth"]["value"] is None
        assert ours["hourlySessions"] == []
        ours = server.json("/v1/dashboard/kpi")["streaming"]
        theirs = json.loads(wanted)["streaming"]
        for name in ("successRate", "dailyUsageMins", "dailySessionCount",
                     "hourlySessions", "hourlyUsage"):
            assert ours[name] == theirs[name], (name, ours)
        for query in ("org=other", "as_of=2026-01-01"):
            kpi = server.json("/v1/dashboard/kpi?" + query)
            assert kpi["streaming"]["hourlyUsage"] == [], query
            assert kpi["requests"]["byoc"]["total_jobs"] == 0, query
        for query in ("lens=assay", "pass=whole"):
            kpi = server.json("/v1/dashboard/kpi?" + query)["streaming"]
            assert kpi["dailySessionCount"]["value"] == 4, (query, kpi)
        for query in ("window=9d", "window=x", "window=0h", "windows=1"):
            status, _, problem = server.get("/v1/dashboard/kpi?" + query)
            assert status == 400 and b"window" in problem, query


PIPELINES = (
    '{"streaming":[{"name":"live-video-to-video","mins":9,"sessions":4,'
    '"avgFps":9,"modelMins":[{"model":"sd","mins":9,"sessions":4,'
    '"avgFps":9}]}],"requests":{"by_pipeline":[{"pipeline":"text-to-image",'
    '"total_jobs":2,"selected_jobs":1,"no_orch_jobs":1,"success_rate":0.5,'
    '"avg_duration_ms":10.5}],"by_capability":[{"capability":"dance",'
    '"total_jobs":1,"selected_jobs":1,"no_orch_jobs":0,"success_rate":1,'
    '"avg_duration_ms":7}]}}')
CAPACITY = (
    '{"totalGPUs":2,"activeGPUs":0,"availableCapacity":2,"models":['
    '{"model":"A40","count":1},{"model":"Unknown","count":1}],'
    '"pipelineGPUs":[{"name":"live-video-to-video","gpus":1,"models":['
    '{"model":"sd","gpus":1}]},{"name":"text-to-image","gpus":1,"models":['
    '{"model":"x","gpus":1}]}]}')
CATALOG = (
    '[{"id":"live-video-to-video","name":"live-video-to-video","models":['
    '"sd"],"regions":[]},{"id":"text-to-image","name":"text-to-image",'
    '"models":["x"],"regions":[]}]')
PRICING = (
    '[{"orchAddress":"0xaa","orchName":"alice.example",'
    '"pipeline":"live-video-to-video","model":"sd","priceWeiPerUnit":7,'
    '"pixelsPerUnit":2,"isWarm":true},{"orchAddress":"0xbb",'
    '"orchName":"bob.example","pipeline":"text-to-image","model":"x",'
    '"priceWeiPerUnit":3,"pixelsPerUnit":1,"isWarm":false}]')


def test_what_is_offered_as_the_publisher_sends_it():
    load()
    with serving() as server:
        check(body(server, "dashboard/pipelines"), PIPELINES)
        check(body(server, "dashboard/gpu-capacity"), CAPACITY)
        check(body(server, "dashboard/pipeline-catalog"), CATALOG)
        check(body(server, "dashboard/pricing"), PRICING)
        assert server.json("/v1/dashboard/gpu-capacity") == json.loads(
            CAPACITY)
        assert server.json("/v1/dashboard/pipelines") == json.loads(PIPELINES)
        for path, wanted in (("pipeline-catalog", CATALOG),
                             ("pricing", PRICING)):
            ours = server.json(f"/v1/dashboard/{path}")["data"]
            assert ours == [
                {name: int(value) if isinstance(value, bool) else value
                 for name, value in row.items()}
                for row in json.loads(wanted)], ours
            first = server.json(f"/v1/dashboard/{path}?limit=1")
            cursor = first["pagination"]["next_cursor"]
            rest = server.json(f"/v1/dashboard/{path}?limit=1&cursor={cursor}")
            assert first["data"] + rest["data"] == ours
            assert server.get(f"/v1/dashboard/{path}?format=csv")[2].count(
                b"\r\n") == 3
            for query in ("org=other", "as_of=2026-01-01"):
                assert server.json(
                    f"/v1/dashboard/{path}?{query}")["data"] == []


def test_nothing_as_the_publisher_sends_it():
    run("import", "-", input="")
    with serving() as server:
        check(body(server, "dashboard/pipelines"),
              '{"streaming":[],"requests":{"by_pipeline":null,'
              '"by_capability":null}}')
        check(body(server, "dashboard/pricing"), "null")
        check(body(server, "dashboard/gpu-capacity"),
              '{"totalGPUs":0,"activeGPUs":0,"availableCapacity":0,'
              '"models":[],"pipelineGPUs":[]}')
        for path in ("dashboard/orchestrators", "dashboard/pipeline-catalog",
                     "dashboard/job-feed", "discover/orchestrators"):
            check(body(server, path), "[]")
            assert server.json("/v1/" + path)["data"] == []
        ours = server.json("/v1/dashboard/pipelines")
        assert ours["requests"] == {"by_pipeline": [], "by_capability": []}


IDLE = (
    '"knownSessions":0,"successSessions":0,"successRatio":0,'
    '"effectiveSuccessRate":null,"noSwapRatio":null,"slaScore":null,'
    '"pipelines":["text-to-image"],"pipelineModels":[{'
    '"pipelineId":"text-to-image","modelIds":["x"]}],')


def test_orchestrators_as_the_publisher_sends_them():
    now = load()
    with serving() as server:
        rows = server.json("/v1/streaming/sla")["data"]
        score = rows[0]["sla_score"]
        assert score > 0 and rows[0]["window_start"] == iso(now - HOUR), rows
        check(body(server, "dashboard/orchestrators").replace(
            f'"slaScore":{score:g}', '"slaScore":S'),
            '[{"address":"0xaa","serviceUri":"https://alice.example:8935",'
            '"knownSessions":4,"successSessions":3,"successRatio":75,'
            '"effectiveSuccessRate":0.75,"noSwapRatio":1,"slaScore":S,'
            f'"slaWindowStart":"{iso(now - HOUR)}",'
            '"pipelines":["live-video-to-video"],"pipelineModels":[{'
            '"pipelineId":"live-video-to-video","modelIds":["sd"]}],'
            '"gpuCount":1},{"address":"0xbb",'
            '"serviceUri":"https://bob.example",' + IDLE +
            '"gpuCount":0},{"address":"0xcc",'
            '"serviceUri":"https://carol.example/x",' + IDLE +
            '"gpuCount":1}]')
        alice, bob, carol = server.json(
            "/v1/dashboard/orchestrators")["data"]
        assert alice["successRatio"] == 75 and bob["successRatio"] is None
        narrow = server.json("/v1/dashboard/orchestrators?window=2h")["data"]
        assert narrow[0]["knownSessions"] == 2, narrow
        page = server.json("/v1/dashboard/orchestrators?limit=1")
        cursor = page["pagination"]["next_cursor"]
        assert server.json("/v1/dashboard/orchestrators?limit=1&cursor="
                           + cursor)["data"] == [bob]
        assert carol["pipelineModels"] == bob["pipelineModels"]


def discovered(server, query=""):
    return [(row["address"], row["score"], row["capabilities"],
             row["recent_work"])
            for row in json.loads(body(server, "discover/orchestrators"
                                       + query))]


def test_whom_to_ask_as_the_publisher_sends_it():
    now = load()
    alice, bob, carol = URL["0xaa"], URL["0xbb"], URL["0xcc"]
    with serving() as server:
        live = [LIVE + "/sd"]
        score = discovered(server, "?caps=" + live[0])[0][1]
        sla = server.json("/v1/streaming/sla")["data"][0]["sla_score"]
        assert score == round(sla / 100, 3) > 0, (score, sla)
        image = ["text-to-image/x"]
        wanted = [(bob, 1, image, True), (alice, score, live, True),
                  (carol, 0, image, False)]
        assert discovered(server) == wanted, discovered(server)
        assert discovered(server, "?caps=&x=y") == wanted
        assert discovered(server, "?caps=text-to-image/x") == [
            wanted[0], wanted[2]]
        assert discovered(server, "?caps=none/x&caps=" + live[0]) == [
            wanted[1]]
        first = json.loads(body(server, "discover/orchestrators"))[0]
        seen = now - HOUR + 15 * MINUTE
        assert list(first) == ["address", "score", "capabilities",
                               "last_seen_ms", "last_seen", "recent_work"]
        assert first["last_seen_ms"] == seen
        assert first["last_seen"] == iso(seen, True)
        ours = server.json("/v1/discover/orchestrators?caps=text-to-image/x"
                           "&caps=" + live[0])["data"]
        assert [row["score"] for row in ours] == [1, sla / 100, None], ours
        assert [row["orch_address"] for row in ours] == [
            "0xbb", "0xaa", "0xcc"]
        assert server.get("/v1/discover/orchestrators?org=a&org=b")[0] == 400


def test_a_closed_stream_stays_in_the_publishers_feed():
    now = int(time.time() * 1000)
    events = Events()
    for before in (7 * MINUTE, 4 * HOUR + MINUTE):
        events.offers(now - before)
    events.stream(now - 4 * MINUTE, "open")
    # Its status as a viewer of Kafka saves records.
    events.lines[-1] = json.dumps({"value": json.loads(events.lines[-1])})
    events.stream(now - 6 * MINUTE, "closed", closed=3 * MINUTE)
    events.stream(now - 4 * HOUR, "old", closed=3 * MINUTE)
    events.take()
    with serving() as server:
        feed = json.loads(body(server, "dashboard/job-feed"))
        assert [row["lastSeen"] for row in feed] == [
            iso(now - 2 * MINUTE), iso(now - 4 * MINUTE),
            iso(now - 4 * HOUR + 2 * MINUTE)], feed
        duration = feed[0].pop("durationSeconds")
        assert 240 <= duration < 300, duration
        assert feed[0] == {
            "id": "e5", "pipeline": LIVE, "model": "sd", "gateway": "gw",
            "orchestratorAddress": "0xaa", "orchestratorUrl": URL["0xaa"],
            "state": "ONLINE", "inputFps": 30, "outputFps": 12,
            "firstSeen": iso(now - 4 * MINUTE),
            "lastSeen": iso(now - 2 * MINUTE)}, feed[0]
        assert [len(json.loads(body(server, "dashboard/job-feed?limit=" + n)))
                for n in ("1", "2", "0", "999", "x")] == [1, 2, 3, 3, 3]
        # Half an hour long it counts as active, on one and the same card.
        capacity = json.loads(body(server, "dashboard/gpu-capacity"))
        assert capacity["activeGPUs"] == 1, capacity
        model, = json.loads(body(server, "streaming/models"))
        assert model["active_streams"] == 2, model
        assert model["available_capacity"] == -1, model
        # Ours forgets it with its close.
        only, = server.json("/v1/dashboard/job-feed")["data"]
        assert only["sessionKey"] == "acme|open|r", only
        assert only["inputFps"] == 30 and only["durationSeconds"] >= 240
        model, = server.json("/v1/streaming/models")["data"]
        assert model["active_streams"] == 1, model
        for query in ("org=other", "orchestrator=0xBB", "model_id=none"):
            assert server.json(
                "/v1/dashboard/job-feed?" + query)["data"] == []


def test_streams_are_told_by_the_lens_that_is_asked_for():
    """Alice announces herself three minutes after the stream began."""
    now = int(time.time() * 1000)
    events = Events()
    events.stream(now - 6 * MINUTE, "s")
    events.offers(now - 3 * MINUTE)
    events.take()
    with serving() as server:
        for lens, address, cards in (("published", "", 0), ("assay", "0xaa", 1)):
            row, = server.json(f"/v1/dashboard/job-feed?lens={lens}")["data"]
            assert row["orchestratorAddress"] == address, (lens, row)
            capacity = server.json(f"/v1/dashboard/gpu-capacity?lens={lens}")
            assert capacity["activeGPUs"] == cards, (lens, capacity)
