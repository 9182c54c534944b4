"""The published series from our own store: rows, filters, passes, pages."""
import collections
import csv
import datetime
import fractions
import io
import json
import random
import sys
import urllib.parse

from harness import (ROOT, SAMPLE_LOG, folder, json_lines, run, sanitised,
                     serving, soaking)

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import generate                   # noqa: E402

T0 = 1767830400000  # 2026-01-08T00:00:00Z
HOUR = 3_600_000
MINUTE = 60_000
ALICE = "0x" + "a" * 40
BOB = "0x" + "b" * 40
LIVE = "live-video-to-video"
SERIES = ("sla", "demand", "gpu-metrics")


class Network:
    """Events of a small network, each with an id of its own."""

    def __init__(self):
        self.lines = []

    def add(self, org, kind, at, gateway, data):
        number = len(self.lines)
        self.lines.append({"id": f"e{number}", "org": org, "type": kind,
                           "timestamp": str(at), "gateway": gateway,
                           "data": data})

    def offer(self, org, at, *offers):
        """Each offer: address, model, GPU ids."""
        self.add(org, "network_capabilities", at, "g", [
            {"address": address, "orch_uri": f"https://{address[2:4]}.example",
             "hardware": [{"pipeline": LIVE, "model_id": model, "gpu_info": {
                 str(i): {"id": gpu, "memory_total": 1}
                 for i, gpu in enumerate(gpus)}}]}
            for address, model, gpus in offers])

    def trace(self, org, at, session, kind, address=None, gateway="g"):
        data = {"type": kind, "stream_id": session, "request_id": "r"}
        if address:
            data["orchestrator_info"] = {
                "address": address, "url": f"https://{address[2:4]}.example"}
        self.add(org, "stream_trace", at, gateway, data)

    def status(self, org, at, session, fps, address, gateway="g",
               model="streamdiffusion-sdxl", state="ONLINE"):
        self.add(org, "ai_stream_status", at, gateway, {
            "stream_id": session, "request_id": "r", "pipeline": model,
            "state": state, "inference_status": {"fps": fps},
            "orchestrator_info": {
                "address": address, "url": f"https://{address[2:4]}.example"}})

    def load(self, order=None):
        lines = list(self.lines)
        if order is not None:
            random.Random(order).shuffle(lines)
        text = "\n".join(map(json.dumps, lines))
        run("import", "-", input=text)


def small_network():
    """Two organisations, a session over two hours and two gateways, one
    without an orchestrator, one that nobody answered."""
    net = Network()
    model = "streamdiffusion-sdxl"
    for org in ("acme", "beta"):
        net.offer(org, T0 + 9 * HOUR, (ALICE, model, ["GPU-1"]),
                  (BOB, model, ["GPU-2", "GPU-3"]))
        start = T0 + 9 * HOUR + 5 * MINUTE
        net.trace(org, start, "one", "gateway_receive_stream_request", ALICE)
        net.trace(org, start + 500, "one", "gateway_send_first_ingest_segment",
                  ALICE)
        net.trace(org, start + 800, "one", "runner_send_first_processed_segment",
                  ALICE)
        net.trace(org, start + 2000, "one",
                  "gateway_receive_first_processed_segment", ALICE)
        net.trace(org, start + 4000, "one",
                  "gateway_receive_few_processed_segments", ALICE)
        for i in range(4):
            net.status(org, start + 10_000 + i * 10_000, "one", 10 + i, ALICE)
        net.status(org, start + 58 * MINUTE, "one", 20, ALICE)
        net.status(org, start + 59 * MINUTE, "one", 30, ALICE, gateway="h")
    net.trace("acme", T0 + 9 * HOUR + 30 * MINUTE, "two",
              "gateway_receive_stream_request")
    net.trace("acme", T0 + 9 * HOUR + 30 * MINUTE + 100, "two",
              "gateway_no_orchestrators_available")
    return net


def rows(server, path, **query):
    """All rows of PATH, page by page."""
    found = []
    while True:
        asked = path + "?" + urllib.parse.urlencode(query)
        answer = server.json(asked)
        found += answer["data"]
        query["cursor"] = answer["pagination"]["next_cursor"]
        if not query["cursor"]:
            return found


def parts(row, *names):
    return tuple(row[name] for name in names)


def test_percentiles_of_a_range_by_what_is_asked():
    net = small_network()
    # The same a month later, so that a range has whole days and ends.
    day = 24 * HOUR
    for org in ("acme", "beta"):
        net.offer(org, T0 + 30 * day, (BOB, "streamdiffusion-sdxl", ["G"]))
        for i in range(20):
            net.status(org, T0 + 30 * day + MINUTE * i, "late", 40 + i, BOB)
    net.load()
    path = "/v1/streaming/percentiles"
    with serving() as server:
        fps = rows(server, path, metric="output_fps")
        assert [parts(row, "orchestrator_address", "samples", "p50")
                for row in fps] == [(ALICE, 12, fps[0]["p50"]),
                                    (BOB, 40, fps[1]["p50"])], fps
        # Ranks 5 of 12 and 19 of 40: 12 and 49 within the bound.
        assert abs(fps[0]["p50"] / 12 - 1) < 0.0109, fps
        assert abs(fps[1]["p50"] / 49 - 1) < 0.0109, fps
        one, = rows(server, path, metric="output_fps", by="model", org="acme")
        assert parts(one, "orchestrator_address", "gpu_id", "samples") == (
            None, None, 26), one
        few, = rows(server, path, metric="output_fps", org="acme",
                    orchestrator=ALICE.upper().replace("X", "x"))
        assert parts(few, "samples", "p1", "p50", "p95", "p99") == (
            6, 10, 12, 20, 20), few
        assert [row["gpu_id"] for row in rows(
            server, path, metric="output_fps", by="gpu")] == ["GPU-1", "G"]
        latencies = rows(server, path, orchestrator=ALICE, org="acme")
        assert [parts(row, "metric", "samples", "p99")
                for row in latencies if row["metric"] != "output_fps"] == [
            ("startup_latency_ms", 2, 2000), ("e2e_latency_ms", 2, 300)]
        # By lens assay a session counts once.
        assert [parts(row, "metric", "samples", "p99") for row in rows(
            server, path, orchestrator=ALICE, org="acme", lens="assay")
            if row["metric"] != "output_fps"] == [
            ("startup_latency_ms", 1, 2000), ("ptff_ms", 1, 4000),
            ("e2e_latency_ms", 1, 4000)]
        everything = rows(server, path)
        assert rows(server, path, limit=1) == everything
        assert rows(server, path, lens="assay") == rows(
            server, path, lens="assay", **{"pass": "whole"})
        parted = [rows(server, path, metric="output_fps", by="model",
                       **bound) for bound in (
            {"end": "2026-01-08T10:00:00Z"},
            {"start": "2026-01-08T10:00:00Z", "end": "2026-02-07"},
            {"start": "2026-02-07T00:00:00Z"})]
        assert [sum(row["samples"] for row in part) for part in parted] == [
            8, 4, 40], parted
        assert server.get(path + "?metric=fps")[0] == 400
        table = list(csv.DictReader(io.StringIO(server.get(
            path + "?format=csv")[2].decode())))
        assert len(table) == len(everything)


def test_demand_counts_a_session_in_the_hour_of_its_start():
    small_network().load()
    with serving() as server:
        found = [parts(row, "window_start", "org", "gateway", "pipeline_id",
                       "sessions_count", "requested_sessions",
                       "startup_success_sessions", "no_orch_sessions",
                       "status_samples", "avg_output_fps", "total_minutes",
                       "effective_success_rate")
                 for row in rows(server, "/v1/streaming/demand")]
        ten, nine = "2026-01-08T10:00:00Z", "2026-01-08T09:00:00Z"
        wanted = []
        for org in ("acme", "beta"):
            wanted += [(ten, org, "g", LIVE, 1, 0, 0, 0, 1, 20.0, 0.0, None),
                       (ten, org, "h", LIVE, 1, 0, 0, 0, 1, 30.0, 0.0, None)]
        # The session's own gateway is the last one it was heard by.
        for org in ("acme", "beta"):
            if org == "acme":
                wanted.append((nine, org, "g", "", 1, 1, 0, 1, 0, None,
                               100 / 60000, 1.0))
            wanted += [(nine, org, "g", LIVE, 1, 0, 0, 0, 4, 11.5, 0.0, None),
                       (nine, org, "h", LIVE, 1, 1, 1, 0, 0, None, 59.0, 1.0)]
        assert found == wanted, found


def test_gpu_hours_hold_averages_and_percentiles():
    small_network().load()
    with serving() as server:
        found = rows(server, "/v1/streaming/gpu-metrics")
        keys = [parts(row, "window_start", "org", "orchestrator_address",
                      "gpu_id") for row in found]
        assert keys == [("2026-01-08T10:00:00Z", "acme", ALICE, "GPU-1"),
                        ("2026-01-08T10:00:00Z", "beta", ALICE, "GPU-1"),
                        ("2026-01-08T09:00:00Z", "acme", ALICE, "GPU-1"),
                        ("2026-01-08T09:00:00Z", "beta", ALICE, "GPU-1")], keys
        row = found[2]
        assert parts(row, "known_sessions_count", "status_samples",
                     "avg_output_fps", "p95_output_fps",
                     "avg_startup_latency_ms", "p95_startup_latency_ms",
                     "avg_e2e_latency_ms", "p95_e2e_latency_ms", "swap_rate",
                     "startup_failed_rate") == (
                         1, 4, 11.5, 11.5, 2000.0, 2000.0, 300.0, 300.0, 0.0,
                         0.0), row
        for name in ("gpu_model_name", "gpu_memory_bytes_total",
                     "runner_version", "cuda_version", "region",
                     "fps_jitter_coefficient",
                     "avg_prompt_to_first_frame_ms"):
            assert row[name] is None, (name, row[name])


def test_the_last_day_lists_models_and_orchestrators():
    small_network().load()
    with serving() as server:
        at = {"as_of": "2026-01-08T10:10:00Z"}
        model, = rows(server, "/v1/streaming/models", **at)
        assert parts(model, "pipeline", "model", "warm_orch_count", "gpu_slots",
                     "active_streams", "available_capacity", "status_samples",
                     "avg_fps") == (LIVE, "streamdiffusion-sdxl", 2, 3, 2, 1,
                                    12, 16.0), model
        first, second = rows(server, "/v1/streaming/orchestrators", limit=1,
                             **at)
        assert first == {"address": BOB, "uri": "https://bb.example",
                         "gpu_count": 2, "models": ["streamdiffusion-sdxl"],
                         "last_seen": "2026-01-08T09:00:00.000Z"}, first
        assert second["address"] == ALICE, second
        one, = rows(server, "/v1/streaming/models", org="beta",
                    orchestrator=ALICE.upper().replace("X", "x"), **at)
        assert parts(one, "warm_orch_count", "gpu_slots", "active_streams",
                     "status_samples") == (1, 1, 1, 6), one
        for other in ({"lens": "assay"}, {"pass": "whole"}):
            assert rows(server, "/v1/streaming/models", **other, **at) == \
                [model], other
        # Half an hour later nobody streams, a day later nobody offers.
        late, = rows(server, "/v1/streaming/models",
                     as_of="2026-01-08T10:34:01Z")
        assert late["active_streams"] == 0, late
        for path in ("models", "orchestrators"):
            path = "/v1/streaming/" + path
            assert rows(server, path, as_of="2026-01-09T09:00:01Z") == []
            assert rows(server, path, pipeline="text-to-image", **at) == []
            assert rows(server, path) == []


def test_filters_leave_exactly_what_they_name():
    small_network().load()
    filters = {"org": "org", "orchestrator": "orchestrator_address",
               "gateway": "gateway", "pipeline": "pipeline_id",
               "model": "model_id", "gpu": "gpu_id"}
    with serving() as server:
        for name in SERIES:
            path = "/v1/streaming/" + name
            for whole in ({}, {"pass": "whole"}):
                every = rows(server, path, **whole)
                assert every, name
                for parameter, field in filters.items():
                    if field not in every[0]:
                        status, _, _ = server.get(f"{path}?{parameter}=x")
                        assert status == 400, (path, parameter)
                        continue
                    for value in {row[field] or "" for row in every} | {"?"}:
                        wanted = [row for row in every
                                  if (row[field] or "") == value]
                        got = rows(server, path, **{parameter: value}, **whole)
                        assert got == wanted, (path, parameter, value)


def test_pages_neither_lose_nor_repeat_a_row():
    small_network().load()
    with serving() as server:
        for name in SERIES:
            for whole in ({}, {"pass": "whole"}):
                path = "/v1/streaming/" + name
                every = rows(server, path, limit=1000, **whole)
                for limit in (1, 2, 3):
                    assert rows(server, path, limit=limit, **whole) == every
                orgs = {row["org"] for row in every}
                assert orgs == {"acme", "beta"}, (name, orgs)


def test_one_day_alone_is_the_same_in_both_passes():
    small_network().load()
    with serving() as server:
        for name in SERIES:
            path = "/v1/streaming/" + name
            settled = rows(server, path, lens="published")
            whole = rows(server, path, **{"pass": "whole"})
            for row in settled + whole:
                row.pop("attribution_reasons", None)
            assert settled == whole, name


def test_regions_are_what_the_operator_says_by_lens_assay_alone():
    small_network().load()
    with open("assay.yaml", "w", encoding="utf-8") as file:
        file.write(f'regions:\n  gateways: "g=eu-west, h = us-east"\n'
                   f'  orchestrators: "{ALICE.upper().replace("X", "x")}='
                   f'Paris"\n')
    told = {}
    for what in ("sla", "gpu", "demand"):
        for lens in ("assay", "published"):
            out = run("export", what, "--config", "assay.yaml", "--lens",
                      lens).out
            told[what, lens] = collections.Counter(
                (row.get("gateway", row.get("orchestrator_address")),
                 row["region"]) for row in json_lines(out))
    assert set(told["sla", "assay"]) == {(ALICE, "Paris")}
    assert set(told["gpu", "assay"]) == {(ALICE, "Paris")}
    assert set(told["demand", "assay"]) == {("g", "eu-west"), ("h", "us-east")}
    for (what, lens), found in told.items():
        assert lens == "assay" or {region for _, region in found} == {None}
    with serving("--config", "assay.yaml") as server:
        for lens in ("assay", "published"):
            for more in ({}, {"pass": "whole"}):
                for name, what in zip(SERIES, ("sla", "demand", "gpu")):
                    got = rows(server, "/v1/streaming/" + name, lens=lens,
                               **more)
                    assert set(told[what, lens]) == {
                        (row.get("gateway", row.get("orchestrator_address")),
                         row["region"]) for row in got}, (name, lens, more)


def test_lens_assay_is_served_as_it_would_be_computed():
    small_network().load()
    with serving() as server:
        for name in SERIES:
            path = "/v1/streaming/" + name
            kept = rows(server, path, lens="assay", limit=3)
            made = rows(server, path, lens="assay", **{"pass": "whole"})
            assert kept == made and kept, name
            some = {key: kept[0][key] for key in (
                "org", "orchestrator_address", "gateway") if key in kept[0]}
            some["orchestrator"] = some.pop("orchestrator_address", None)
            asked = {key: value for key, value in some.items() if value}
            narrow = rows(server, path, lens="assay", **asked)
            assert narrow == rows(server, path, lens="assay", limit=1, **asked)
            assert 0 < len(narrow) <= len(kept), (name, asked)


def test_times_bound_the_windows():
    small_network().load()
    with serving() as server:
        for name in SERIES:
            path = "/v1/streaming/" + name
            every = rows(server, path)
            for start, end in (("2026-01-08T10:00:00Z", "2026-01-09"),
                               ("2026-01-08", "2026-01-08T10:00:00Z"),
                               ("2026-01-08T11:00:00+01:00",
                                "2026-01-08T10:00:00.001Z")):
                got = rows(server, path, start=start, end=end)
                ten = [row for row in every
                       if row["window_start"] == "2026-01-08T10:00:00Z"]
                wanted = ten if start != "2026-01-08" else every[len(ten):]
                assert got == wanted, (name, start, end)
            early = rows(server, path, as_of="2026-01-08T09:59:59Z")
            assert [row["window_start"] for row in early] == \
                ["2026-01-08T09:00:00Z"] * len(early) and early, early
            assert all(row["provisional"] for row in early)
            assert not any(row["provisional"] for row in every)


def test_bad_questions_are_refused_with_a_reason():
    with serving() as server:
        for name in (*SERIES, "models", "orchestrators"):
            for query in ("start=yesterday", "as_of=2026-13-01", "limit=0",
                          "limit=1001", "lens=assay2", "pass=hour",
                          "format=xml", "cursor=nonsense", "offset=1",
                          "start=2026-01-09&end=2026-01-08",
                          "orch=x"):
                path = f"/v1/streaming/{name}?{query}"
                status, fields, body = server.get(path)
                assert status == 400, (path, status)
                assert fields["Content-Type"] == "application/problem+json"
                problem = json.loads(body)
                assert problem["status"] == 400 and problem["detail"], path


def csv_rows(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_has_the_columns_of_the_export():
    small_network().load()
    with serving() as server:
        exported = csv_rows(run("export", "sla", "--format", "csv").out)
        status, fields, body = server.get("/v1/streaming/sla?format=csv")
        assert status == 200 and fields["Content-Type"].startswith("text/csv")
        served = csv_rows(body.decode())
        assert served[0] == exported[0]
        assert sorted(served[1:]) == sorted(exported[1:])
        exported = csv_rows(run("export", "sessions", "--format", "csv").out)
        served = csv_rows(server.get("/v1/sessions?format=csv")[2].decode())
        assert served[0] == exported[0]
        assert sorted(served[1:]) == sorted(exported[1:])
        for name in (*SERIES, "models", "orchestrators"):
            path = f"/v1/streaming/{name}?as_of=2026-01-08T10:10:00Z"
            asked = {"Accept": "text/csv"}
            status, fields, body = server.get(path, headers=asked)
            assert fields["Content-Type"].startswith("text/csv"), name
            table = csv_rows(body.decode())
            told = rows(server, path.split("?")[0],
                        as_of="2026-01-08T10:10:00Z")
            assert len(table) == len(told) + 1, name
            assert set(table[0]) <= set(told[0]), name
            assert all(len(line) == len(table[0]) for line in table), name


def test_csv_pages_are_linked():
    small_network().load()
    with serving() as server:
        every = server.get("/v1/streaming/demand?format=csv")[2].decode()
        path, found = "/v1/streaming/demand?limit=2&format=csv", []
        while path:
            _, fields, body = server.get(path)
            found += csv_rows(body.decode())[1:]
            link = fields["Link"]
            path = link and link.split(">")[0].lstrip("<")
        assert found == csv_rows(every)[1:]


def everything(server):
    """All rows of all series, as text."""
    return {name: json.dumps(rows(server, "/v1/streaming/" + name))
            for name in SERIES}


def test_rows_depend_neither_on_order_nor_on_rebuilding():
    net = small_network()
    net.load()
    with serving() as server:
        before = everything(server)
    run("rebuild")
    with serving() as server:
        assert everything(server) == before
    for order in range(3):
        run_folder = folder() / "assay-data"
        run_folder.rename(folder() / f"before-{order}")
        net.load(order)
        with serving() as server:
            assert everything(server) == before, order


def test_late_events_change_what_they_touch():
    net = small_network()
    late = net.lines.pop()  # that there was no orchestrator for "two"
    net.load()
    with serving() as server:
        two, = rows(server, "/v1/streaming/demand", pipeline="")
        assert two["no_orch_sessions"] == 0, two
    run("import", "-", input=json.dumps(late))
    with serving() as server:
        two, = rows(server, "/v1/streaming/demand", pipeline="")
        assert two["no_orch_sessions"] == 1, two
        assert abs(two["total_minutes"] - 100 / 60000) < 1e-12, two


def test_the_sample_log_is_one_session_of_demand():
    run("import", "--org", "cloudspe", SAMPLE_LOG)
    with serving() as server:
        row, = rows(server, "/v1/streaming/demand")
        assert round(row["total_minutes"], 6) == 2.838533, row
        assert parts(row, "requested_sessions", "startup_success_sessions",
                     "status_samples", "output_fps_sum", "avg_output_fps") == (
                         1, 1, 17, 271.9991760846937, 15.999951534393748), row
        sessions = json_lines(run("export", "sessions").out)
        assert len(sessions) == row["sessions_count"] == 1
        assert rows(server, "/v1/streaming/gpu-metrics") == []


# ---- generated telemetry ----------------------------------------------------


def ms_of(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000)


def hour_text(ms):
    moment = datetime.datetime.fromtimestamp(ms // HOUR * 3600,
                                             datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def records_of(seed):
    """Without ids that no address can name, as control characters."""
    return [record for record in generate.generate(seed)
            if b"\\u00" not in record]


def expected_demand(server, sessions):
    """Demand by its definition, from exported sessions and their events."""
    groups = collections.defaultdict(lambda: collections.defaultdict(
        fractions.Fraction))
    keys = collections.defaultdict(set)
    for one in sessions:
        placed = one["started_at"] or one["last_seen"]
        surface = (one["pipeline_id"], one["model_id"] or "")
        key = (hour_text(ms_of(placed)), one["org"], one["gateway"], *surface)
        keys[key].add(one["session_key"])
        group = groups[key]
        requested = one["requested_seen"]
        failed = one["startup_outcome"] == "failed"
        excused = failed and one["excusal_reason"] != "none"
        silent = one["loading_only_session"] or one["zero_output_fps_session"]
        for name, value in (
                ("requested_sessions", 1),
                ("startup_success_sessions",
                 one["startup_outcome"] == "success"),
                ("no_orch_sessions", one["selection_outcome"] == "no_orch"),
                ("startup_excused_sessions", excused),
                ("startup_failed_sessions", failed and not excused),
                ("effective_failed_sessions",
                 (failed and not excused) or bool(silent)),
                ("total_swapped_sessions", one["swap_count"] > 0)):
            group[name] += int(bool(requested and value))
        group["health_signal_count"] += one["health_signal_count"]
        group["error_status_samples"] += one["error_samples"]
        if one["started_at"]:
            group["total_minutes"] += fractions.Fraction(
                (ms_of(one["last_seen"]) - ms_of(placed)) / 60000)
        path = "/v1/sessions/" + urllib.parse.quote(one["session_key"], "")
        for event in server.json(path)["events"]:
            if event["family"] != "ai_stream_status":
                continue
            key = (hour_text(ms_of(event["ts"])), one["org"],
                   event["gateway"], *surface)
            keys[key].add(one["session_key"])
            groups[key]["status_samples"] += 1
            groups[key]["output_fps_sum"] += fractions.Fraction(event["fps"])
    for key, members in keys.items():
        groups[key]["sessions_count"] = len(members)
    return groups


def test_generated_demand_is_what_the_sessions_say():
    for seed in range(700, 740 if soaking() else 701 if sanitised() else 706):
        data = f"store-{seed}"
        (folder() / "in.ndjson").write_bytes(
            generate.file_of(records_of(seed)))
        run("import", "--data", data, "in.ndjson")
        with serving("--data", data) as server:
            for which in ("settled", "whole"):
                text = run("export", "sessions", "--data", data, "--pass",
                           which).out
                sessions = [json.loads(line) for line in text.split("\n")
                            if line]
                wanted = expected_demand(server, sessions)
                found = rows(server, "/v1/streaming/demand", limit=1000,
                             **{"pass": which})
                keys = [parts(row, "window_start", "org", "gateway",
                              "pipeline_id") + (row["model_id"] or "",)
                        for row in found]
                assert len(set(keys)) == len(keys), seed
                assert set(keys) == set(wanted), (seed, which)
                for key, row in zip(keys, found):
                    for name in ("requested_sessions", "total_minutes",
                                 "sessions_count", "status_samples",
                                 "output_fps_sum", "no_orch_sessions",
                                 "startup_success_sessions",
                                 "startup_excused_sessions",
                                 "startup_failed_sessions",
                                 "effective_failed_sessions",
                                 "total_swapped_sessions",
                                 "health_signal_count",
                                 "error_status_samples"):
                        value = float(wanted[key][name])
                        assert row[name] == value, (seed, key, name, value,
                                                    row[name])


def test_generated_gpu_hours_are_those_of_the_sla():
    keys = ("window_start", "org", "orchestrator_address", "pipeline_id",
            "model_id", "gpu_id")
    for seed in range(710, 750 if soaking() else 711 if sanitised() else 714):
        data = f"store-{seed}"
        (folder() / "in.ndjson").write_bytes(
            generate.file_of(records_of(seed)))
        run("import", "--data", data, "in.ndjson")
        with serving("--data", data) as server:
            for which in ({}, {"pass": "whole"}):
                sla = [row for row in rows(server, "/v1/streaming/sla",
                                           limit=1000, **which)
                       if row["gpu_id"]]
                gpus = rows(server, "/v1/streaming/gpu-metrics", limit=1000,
                            **which)
                assert [parts(row, *keys) for row in gpus] == \
                    [parts(row, *keys) for row in sla], seed
                for one, two in zip(gpus, sla):
                    both = set(one) & set(two)
                    assert len(both) > 25, both
                    for name in both:
                        assert one[name] == two[name], (seed, name)
