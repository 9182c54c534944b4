"""Entity tags, 304, lifetimes, gzip, HEAD, and answers kept in memory."""
import gzip
import json

from harness import SAMPLE_LOG, run, sanitised, serving, skip, wait_until

LISTS = ("/v1/streaming/sla", "/v1/streaming/demand",
         "/v1/streaming/gpu-metrics", "/v1/sessions")
DAY = "?as_of=2026-01-08T22:00:00Z"
TAGGED = (*LISTS, "/v1/streaming/models" + DAY,
          "/v1/streaming/orchestrators" + DAY, "/v1/openapi.json",
          "/v1/streaming/sla?format=csv", "/v1/evidence/lines/65536")


def import_sample():
    run("import", "--org", "cloudspe", SAMPLE_LOG)


def test_every_answer_has_a_strong_tag_and_304():
    import_sample()
    with serving() as server:
        for path in TAGGED:
            for headers in ({}, {"Accept-Encoding": "gzip"}):
                status, fields, body = server.get(path, headers=headers)
                tag = fields["ETag"]
                assert status == 200 and tag.startswith('"'), (path, tag)
                for match in (tag, '"x", ' + tag, "*", "W/" + tag):
                    again = dict(headers, **{"If-None-Match": match})
                    status, fields, rest = server.get(path, headers=again)
                    assert status == 304 and rest == b"", (path, match, status)
                    assert fields["ETag"] == tag, path
                again = dict(headers, **{"If-None-Match": '"other"'})
                status, fields, rest = server.get(path, headers=again)
                assert status == 200 and rest == body, path


def test_tags_name_the_bytes():
    import_sample()
    tags = {}
    for _ in range(2):  # and hold over a restart
        with serving() as server:
            for path in TAGGED:
                for coding in ("identity", "gzip"):
                    _, fields, body = server.get(
                        path, headers={"Accept-Encoding": coding})
                    assert tags.setdefault(fields["ETag"], body) == body, path
    assert len(tags) >= len(TAGGED)


def test_large_answers_are_compressed_for_who_takes_it():
    import_sample()
    with serving() as server:
        for path in TAGGED:
            _, plain, body = server.get(path)
            _, packed, small = server.get(
                path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
            assert "Content-Encoding" not in plain, path
            if len(body) > 1024:
                assert packed["Content-Encoding"] == "gzip", path
                assert gzip.decompress(small) == body, path
                assert len(small) < len(body) and plain["Vary"] == \
                    packed["Vary"] and "Accept-Encoding" in plain["Vary"]
            else:
                assert "Content-Encoding" not in packed, path
                assert small == body, path


def test_head_is_get_without_a_body():
    import_sample()
    with serving() as server:
        for path in (*TAGGED, "/compat/v1/streaming/sla", "/healthz"):
            _, get, body = server.get(path)
            status, head, none = server.get(path, method="HEAD")
            assert status == 200 and none == b"", path
            assert int(head["Content-Length"]) == len(body), path
            if not path.startswith("/compat"):
                assert head["ETag"] == get["ETag"], path


def test_closed_hours_are_not_asked_about_at_once():
    import_sample()
    with serving() as server:
        for path in LISTS[:3]:
            _, fields, _ = server.get(path + "?end=2026-01-09")
            assert fields["Cache-Control"] == "max-age=60, must-revalidate", \
                path
            for query in ("", "?end=2999-01-01", "?start=2026-01-01"):
                _, fields, _ = server.get(path + query)
                assert fields["Cache-Control"] == "no-cache", (path, query)


def test_forms_do_not_take_each_others_place():
    import_sample()
    with serving() as server:
        for _ in range(3):
            answers = [server.get("/v1/streaming/sla", headers=headers)
                       for headers in ({}, {"Accept": "text/csv"},
                                       {"Accept-Encoding": "gzip"},
                                       {"Accept": "application/json"})]
            bodies = [body for _, _, body in answers]
            assert bodies[0] == bodies[3] == gzip.decompress(bodies[2])
            assert bodies[1].startswith(b"window_start,org,")
            types = [fields["Content-Type"] for _, fields, _ in answers]
            assert types[1].startswith("text/csv")
            assert types[0] == types[2] == "application/json"
            assert len({fields["ETag"] for _, fields, _ in answers}) == 3


def event(number):
    return json.dumps({
        "id": f"e{number}", "type": "ai_stream_status",
        "timestamp": str(1767900000000 + number * 3_600_000), "gateway": "g",
        "data": {"stream_id": f"s{number}", "request_id": "r",
                 "state": "ONLINE", "pipeline": "streamdiffusion-sdxl",
                 "inference_status": {"fps": 10},
                 "orchestrator_info": {"address": "0xA", "url": ""}}})


def test_kept_answers_give_way_to_new_data():
    run("import", "--org", "acme", "-", input=event(0))
    token = run("token", "create", "--scope", "ingest", "--org", "acme",
                code=None)
    with serving() as server:
        for _ in range(3):
            assert len(server.json("/v1/sessions")["data"]) == 1
        if token.code != 0:
            return
        secret = token.out.split()[-1]
        for number in range(1, 4):
            status, _, body = server.get(
                "/v1/ingest/events", method="POST", body=event(number),
                headers={"Authorization": "Bearer " + secret,
                         "Content-Type": "application/x-ndjson"})
            assert status in (200, 202), (status, body)
            wanted = number + 1
            for path in LISTS:
                if path != "/v1/streaming/gpu-metrics":
                    wait_until(lambda path=path, wanted=wanted: len(
                        server.json(path)["data"]) == wanted,
                        what=f"row {wanted} of {path}")


def test_many_questions_stay_within_bounds():
    if sanitised():
        skip("a sanitised program keeps what it frees")
    import_sample()
    with serving() as server:
        def resident():
            with open(f"/proc/{server.process.pid}/status") as status:
                line = next(one for one in status if one.startswith("VmRSS"))
            return int(line.split()[1])

        for number in range(500):
            server.get(f"/v1/streaming/sla?limit=1000&model=x{number}")
        before = resident()
        for number in range(3000):
            server.get(f"/v1/streaming/sla?limit=1000&org=y{number}")
        assert resident() < before + 32_000, (before, resident())
