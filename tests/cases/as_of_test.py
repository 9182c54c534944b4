"""Answers as of an earlier time, by the other lens, and as one pass: computed
rows, held against the tables of a store that knows just as much."""
import json
import sys
import threading
import time
import urllib.parse

from harness import ROOT, run, sanitised, serving, soaking

sys.path.insert(0, str(ROOT / "tests" / "reference"))

import generate                   # noqa: E402

SERIES = ("sla", "demand", "gpu-metrics")


def records(seed):
    """Lines with the time of each, in ms; those without a time are left out."""
    found = []
    for line in generate.generate(seed):
        try:
            event = json.loads(line)
            at = int(event["timestamp"])
        except (ValueError, TypeError, KeyError):
            continue
        if 10 ** 12 < at < 10 ** 13:
            found.append((at, line))
    return sorted(found)


def take(lines, store="assay-data"):
    run("import", "--data", store, "-", input=b"\n".join(lines))


def iso(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(ms // 1000)) + \
        f"{ms % 1000:03d}Z"


def rows(server, path, **query):
    found = []
    while True:
        answer = server.json(path + "?" + urllib.parse.urlencode(query))
        found += answer["data"]
        query["cursor"] = answer["pagination"]["next_cursor"]
        if not query["cursor"]:
            return found, answer["meta"]


def comparable(found):
    """Without what tables know beside the rows."""
    for row in found:
        row.pop("attribution_reasons", None)
        row.pop("provisional", None)
    return found


def everything(server, **query):
    out = {}
    for name in SERIES:
        for which in ("settled", "whole"):
            got, meta = rows(server, "/v1/streaming/" + name, limit=1000,
                             **{"pass": which}, **query)
            out[name, which] = comparable(got)
            if query:
                out["known_by"] = meta["known_by"]
    return out


def seeds():
    return range(900, 920) if soaking() else (900,) if sanitised() else \
        (900, 901, 902)


def test_before_the_first_line_events_count_by_their_own_time():
    for seed in seeds():
        every = records(seed)
        full, part = f"full-{seed}", f"part-{seed}"
        middle = every[len(every) * 2 // 3][0]
        take([line for _, line in every], full)
        take([line for at, line in every if at <= middle], part)
        with serving("--data", full) as server:
            then = everything(server, as_of=iso(middle))
            assert then.pop("known_by") == "event_time"
            now = everything(server)
            assert now != then
            got = [rows(server, "/v1/streaming/" + name, as_of=iso(middle))[0]
                   for name in ("models", "orchestrators")]
        with serving("--data", part) as server:
            wanted = everything(server)
            for key, value in wanted.items():
                value = [row for row in value
                         if row["window_start"] <= iso(middle)]
                assert then[key] == value, (seed, key)
            assert got == [
                rows(server, "/v1/streaming/" + name, as_of=iso(middle))[0]
                for name in ("models", "orchestrators")], seed
            _, meta = rows(server, "/v1/streaming/sla", as_of=iso(middle))
            assert meta["known_by"] == "all" and meta["as_of"] == iso(middle)


def test_bounds_leave_the_rows_between_them_as_they_are():
    every = records(903)
    middle = every[len(every) * 3 // 4][0]
    take([line for _, line in every])
    with serving() as server:
        for name in SERIES:
            path = "/v1/streaming/" + name
            found, _ = rows(server, path, as_of=iso(middle), limit=1000)
            hours = sorted({row["window_start"] for row in found})
            for at in range(0, len(hours) - 1, 5):
                start, end = hours[at], hours[min(at + 4, len(hours) - 1)]
                got, _ = rows(server, path, as_of=iso(middle), limit=7,
                              start=start, end=end)
                assert got == [row for row in found
                               if start <= row["window_start"] < end], start


def test_lines_count_from_when_they_came():
    every = [line for _, line in records(904)]
    cut = len(every) // 2
    take(every[:cut])
    take(every[:cut], "before")
    time.sleep(1.1)
    then = iso(int(time.time() * 1000))
    time.sleep(0.1)
    take(every[cut:cut + cut // 2])
    take(every[cut + cut // 2:])
    with serving("--data", "before") as server:
        wanted = everything(server)
    with serving() as server:
        got = everything(server, as_of=then)
        assert got.pop("known_by") == "arrival"
        assert got == wanted
        now = iso(int(time.time() * 1000) + 1)
        late = everything(server, as_of=now)
        assert late.pop("known_by") == "all"
        assert late == everything(server) != wanted


def test_the_other_lens_is_that_of_the_export():
    take([line for _, line in records(905)])
    text = run("export", "sla", "--lens", "assay").out
    exported = [json.loads(line) for line in text.split("\n") if line]
    with serving() as server:
        got, _ = rows(server, "/v1/streaming/sla", lens="assay", limit=50)
        for row in got:
            for name in set(row) - set(exported[0]):
                del row[name]
        key = ("window_start", "org", "orchestrator_address", "pipeline_id",
               "model_id", "gpu_id")
        assert sorted(got, key=lambda row: [row[name] or "" for name in key]) \
            == sorted(exported,
                      key=lambda row: [row[name] or "" for name in key])
        status, _, body = server.get(
            "/v1/streaming/sla?lens=assay&pass=settled")
        assert status == 400 and "settled" in json.loads(body)["detail"]
        status, _, _ = server.get("/v1/streaming/demand?lens=assay&format=csv")
        assert status == 200


def test_what_takes_too_much_memory_is_refused():
    run("import", "-", input=b"\n".join(generate.generate(910, 10, 600)))
    with serving(env={"ASSAY_SERVE_COMPUTE_BYTES": "1MiB"}) as server:
        hours = [row["window_start"] for row in server.json(
            "/v1/streaming/sla?limit=1000")["data"]]
        for query in ("pass=whole", "lens=assay&pass=whole", "pass=whole&limit=1",
                      "as_of=" + hours[len(hours) // 20]):
            for _ in range(2):
                status, fields, body = server.get(
                    "/v1/streaming/sla?" + query)
                assert status == 422, (query, status)
                assert fields["Content-Type"] == "application/problem+json"
                assert "serve.compute_bytes" in json.loads(body)["detail"]
        assert server.get("/v1/streaming/sla")[0] == 200


def test_one_is_computed_at_a_time():
    take([line for seed in range(910, 914) for _, line in records(seed)])
    with serving() as server:
        wanted = server.json("/v1/streaming/sla?pass=whole&limit=10")
        answers = []

        def ask(number):
            answers.append(server.get(
                f"/v1/streaming/sla?pass=whole&limit=10&end=20{number}-01-01"))

        threads = [threading.Thread(target=ask, args=(30 + number,))
                   for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for status, fields, body in answers:
            assert status in (200, 503), status
            if status == 503:
                assert fields["Retry-After"] == "1"
            else:
                assert json.loads(body)["data"] == wanted["data"]
        assert any(answer[0] == 200 for answer in answers)
