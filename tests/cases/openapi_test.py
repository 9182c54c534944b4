"""/v1/openapi.json: real answers hold to it, and nothing it allows breaks us."""
import gzip
import json
import pathlib
import random
import re
import subprocess
import urllib.parse

from harness import ROOT, SAMPLE_LOG, run, sanitised, serving, skip, soaking

VALIDATOR = (ROOT / "build" / "openapi-validator" / "node_modules" / ".bin" /
             "validate-api")
KEY = "cloudspe|stream-o5s73x-mk5zc8fy|db936fab"
PLACES = {"key": urllib.parse.quote(KEY, ""), "line": "65536", "id": "none"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
KINDS = {"string": str, "integer": int, "number": (int, float),
         "boolean": bool, "array": list, "object": dict, "null": type(None)}


def import_data():
    run("import", "--org", "cloudspe", SAMPLE_LOG)
    # A day with a GPU, so that no list is empty.
    lines = []
    for i, (kind, at, data) in enumerate((
            ("network_capabilities", 0, [
                {"address": "0xA", "orch_uri": "https://a", "hardware": [
                    {"pipeline": "live-video-to-video", "model_id": "m",
                     "gpu_info": {"0": {"id": "G", "memory_total": 1}}}]}]),
            ("ai_stream_status", 60000, {
                "stream_id": "s", "request_id": "r", "state": "ONLINE",
                "pipeline": "m", "inference_status": {"fps": 1},
                "orchestrator_info": {"address": "0xA",
                                      "url": "https://a"}}))):
        lines.append(json.dumps({
            "id": str(i), "type": kind, "timestamp": str(1767900000000 + at),
            "gateway": "g", "data": data}))
    run("import", "--org", "acme", "-", input="\n".join(lines))


# ---- a small validator of our own --------------------------------------------


def mistakes(document, schema, value, place="$"):
    """What is wrong with VALUE by SCHEMA, as sentences."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][
            schema["$ref"].rsplit("/", 1)[1]]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    fits = [kind for kind in kinds if isinstance(value, KINDS[kind]) and
            (kind == "boolean" or not isinstance(value, bool))]
    if kinds and not fits:
        return [f"{place} is {value!r}, not {kinds}"]
    found = []
    if isinstance(value, str) and schema.get("format") == "date-time" and \
            not TIME.fullmatch(value):
        found.append(f"{place} is no time: {value!r}")
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += mistakes(document, schema.get("items", {}), item,
                              f"{place}[{i}]")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{place} lacks {name}"
                  for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            if name in known:
                found += mistakes(document, known[name], item,
                                  f"{place}.{name}")
            elif schema.get("additionalProperties", True) is False:
                found.append(f"{place} has {name} over and above")
    return found


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def filled(path):
    return re.sub(r"{(\w+)}", lambda match: PLACES[match[1]], path)


def check_answer(document, operation, answer, path):
    status, fields, body = answer
    family = f"{status // 100}XX"
    responses = operation["responses"]
    told = responses.get(str(status)) or responses.get(family)
    assert told, f"{path}: status {status} is not in the document"
    if not body:
        return
    if fields["Content-Encoding"] == "gzip":
        body = gzip.decompress(body)
    kind = fields["Content-Type"].split(";")[0]
    assert kind in told.get("content", {}), (path, status, kind)
    if kind.endswith("json"):
        found = mistakes(document, told["content"][kind]["schema"],
                         json.loads(body))
        assert not found, (path, found[:5])


# ---- the tests ---------------------------------------------------------------


def test_the_validator_of_these_tests_finds_mistakes():
    document = {"components": {"schemas": {"A": {
        "type": "object", "required": ["a"], "additionalProperties": False,
        "properties": {"a": {"type": ["integer", "null"]},
                       "t": {"type": "string", "format": "date-time"}}}}}}
    schema = {"type": "array", "items": {"$ref": "#/components/schemas/A"}}
    assert mistakes(document, schema, [{"a": 1}, {"a": None}]) == []
    for value in ({}, [{}], [{"a": True}], [{"a": 1.5}], [{"a": 1, "b": 1}],
                  [{"a": 1, "t": "yesterday"}]):
        assert mistakes(document, schema, value), value


def test_every_answer_holds_to_the_document():
    import_data()
    with serving() as server:
        document = server.json("/v1/openapi.json")
        told = set()
        for path, method, operation in operations(document):
            if method != "get":
                continue
            query = ("?as_of=2026-01-08T22:00:00Z"
                     if path.startswith("/v1/streaming/") else
                     "?start=2026-01-01T00:00:00Z"
                     if path.startswith("/compat/") else "")
            answer = server.get(filled(path) + query)
            check_answer(document, operation, answer, path)
            if path.startswith(("/v1/streaming", "/v1/sessions")):
                assert answer[0] == 200, (path, answer)
            if answer[0] == 200 and b'"data":[{' in answer[2]:
                told.add(path)
            refusal = server.get(filled(path) + "?there-is=none")
            check_answer(document, operation, refusal, path)
        assert {"/v1/streaming/sla", "/v1/streaming/demand",
                "/v1/streaming/gpu-metrics", "/v1/streaming/models",
                "/v1/streaming/orchestrators", "/v1/sessions",
                "/compat/v1/streaming/sla",
                "/compat/v1/streaming/demand"} <= told, told


def test_every_row_schema_is_strict():
    with serving() as server:
        schemas = server.json("/v1/openapi.json")["components"]["schemas"]
        for name, schema in schemas.items():
            assert schema["type"] == "object", name
            assert schema["additionalProperties"] is False, name
            required = set(schema["required"])
            assert required <= set(schema["properties"]), name
        assert len(schemas["SlaRow"]["properties"]) > 60


def test_operations_have_names_of_their_own():
    with serving() as server:
        document = server.json("/v1/openapi.json")
        names = [operation["operationId"]
                 for _, _, operation in operations(document)]
        assert len(names) == len(set(names)), names
        assert "get_v1_streaming_gpu_metrics" in names, names


def test_an_independent_validator_finds_no_error():
    if not VALIDATOR.exists():
        skip("the validator was not fetched: npm had no network, or "
             "./build.sh test did not run before")
    with serving() as server:
        pathlib.Path("openapi.json").write_bytes(
            server.get("/v1/openapi.json")[2])
    done = subprocess.run(["node", str(VALIDATOR), "openapi.json"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["valid"] is True, done.stdout
    broken = json.loads(pathlib.Path("openapi.json").read_text())
    del broken["info"]["title"]
    pathlib.Path("broken.json").write_text(json.dumps(broken))
    done = subprocess.run(["node", str(VALIDATOR), "broken.json"],
                          capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["valid"] is False, done.stdout


ODD = ["", "0", "-1", "1", "50", "1000", "1001", "9999999999999999999", "1e3",
       "2026-01-08", "2026-01-08T21:00:00Z", "2026-01-08T21:00:00",
       "0000-01-01", "9999-12-31T23:59:59.999Z", "2026-02-30", "null", "true",
       "a b", "'", '"', "<script>", "%00", "%ff", "%", "\u00e9", "\u202e",
       "x" * 1000, "x" * 1025, "W10", "WzEsMl0", "eyJhIjoxfQ", "..", "*", "|",
       "cloudspe", "settled", "whole", "published", "json", "csv", "0xA",
       "live-video-to-video"]


def random_query(chance, parameters, cursors):
    pairs = []
    for parameter in parameters:
        if parameter["in"] != "query" or chance.random() < 0.6:
            continue
        schema = parameter["schema"]
        value = chance.choice(schema.get("enum", ODD) if chance.random() < 0.5
                              else ODD + cursors)
        raw = value.startswith("%")
        pairs.append(parameter["name"] + "=" +
                     (value if raw else urllib.parse.quote(value, "")))
    if chance.random() < 0.1:
        pairs.append("limit=1")
    chance.shuffle(pairs)
    return "&".join(pairs)


def test_no_parameters_make_us_fail():
    import_data()
    chance = random.Random(3)
    rounds = 20000 if soaking() else 400 if sanitised() else 1500
    headers = [{}, {"Accept": "text/csv"}, {"Accept-Encoding": "gzip"},
               {"If-None-Match": "*"}]
    with serving() as server:
        document = server.json("/v1/openapi.json")
        cursors = [server.json(f"/v1/{name}?limit=1")["pagination"][
            "next_cursor"] or "W10"
            for name in ("streaming/sla", "streaming/demand", "sessions")]
        readable = [(path, operation)
                    for path, method, operation in operations(document)
                    if method == "get"]
        seen = set()
        for _ in range(rounds):
            path, operation = chance.choice(readable)
            query = random_query(chance, operation["parameters"], cursors)
            answer = server.get(f"{filled(path)}?{query}",
                                headers=chance.choice(headers))
            assert answer[0] < 500, (path, query, answer[2][:300])
            seen.add(answer[0])
            check_answer(document, operation, answer, f"{path}?{query}")
        assert {200, 304, 400} <= seen, seen


def test_no_path_makes_us_fail():
    import_data()
    chance = random.Random(4)
    with serving() as server:
        paths = list(server.json("/v1/openapi.json")["paths"])
        for _ in range(300):
            path = chance.choice(paths)
            path = re.sub(r"{\w+}", lambda _: urllib.parse.quote(
                chance.choice(ODD), ""), path)
            if chance.random() < 0.3:
                at = chance.randrange(len(path))
                path = path[:at] + chance.choice("/%.~a") + path[at + 1:]
            status, _, body = server.get("/" + path.lstrip("/"))
            assert status < 500, (path, status, body[:300])
