"""/v1/openapi.json: real answers hold to it, and nothing it allows breaks us."""
import contextlib
import gzip
import json
import pathlib
import random
import re
import subprocess
import time
import urllib.parse

from harness import ROOT, SAMPLE_LOG, run, serving, skip, soaking

VALIDATOR = (ROOT / "build" / "openapi-validator" / "node_modules" / ".bin" /
             "validate-api")
KEY = "cloudspe|stream-o5s73x-mk5zc8fy|db936fab"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
KINDS = {"string": str, "integer": int, "number": (int, float),
         "boolean": bool, "array": list, "object": dict, "null": type(None)}


LISTS = ("streaming/sla", "streaming/demand", "sessions", "runs")


def event(number, kind, at, data):
    return json.dumps({"id": f"event-{number}", "type": kind,
                       "timestamp": str(at), "gateway": "g", "data": data})


def import_data():
    """Something for every list: the sample log, and the last hours of a day
    with a GPU, a stream, and jobs of each kind."""
    run("import", "--org", "cloudspe", SAMPLE_LOG)
    now = int(time.time() * 1000)
    who = {"address": "0xA", "url": "https://a"}
    lines = []
    for day in (1767900000000, now - 90_000_000, now - 600_000):
        for kind, at, data in (
                ("network_capabilities", 0, [
                    {"address": "0xA", "orch_uri": "https://a", "hardware": [
                        {"pipeline": pipeline, "model_id": model,
                         "gpu_info": {"0": {"id": "G", "memory_total": 1}}}
                        for pipeline, model in (("live-video-to-video", "m"),
                                                ("llm", "n"), ("up", "n"))],
                     "capabilities_prices": [
                         {"capability": 33, "constraint": "n",
                          "pricePerUnit": 3, "pixelsPerUnit": 1}]}]),
                ("ai_stream_status", 60000, {
                    "stream_id": "s", "request_id": f"r{day}",
                    "state": "ONLINE", "pipeline": "m",
                    "inference_status": {"fps": 1},
                    "orchestrator_info": who}),
                ("ai_batch_request", 70000, {
                    "type": "ai_batch_request_completed",
                    "request_id": f"b{day}", "pipeline": "llm",
                    "model_id": "n", "success": True, "duration_ms": 5,
                    "orch_url": "https://a"}),
                ("ai_llm_request", 70001, {
                    "type": "llm_request_completed", "request_id": f"b{day}",
                    "model": "n", "total_tokens": 1, "ttft_ms": 2}),
                ("worker_lifecycle", 60000, {
                    "type": "worker_registered", "capability": "up",
                    "worker_url": "https://w", "price_per_unit": 2,
                    "orchestrator_info": who}),
                ("job_auth", 60000, {"type": "job_auth_completed",
                                     "capability": "up", "success": True}),
                ("job_gateway", 80000, {
                    "type": "job_gateway_completed", "request_id": "y",
                    "capability": "up", "success": True, "duration_ms": 7,
                    "orchestrator_info": who})):
            lines.append(event(len(lines), kind, day + at, data))
    run("import", "--org", "acme", "-", input="\n".join(lines))
    run("probe", "https://127.0.0.1:1", "--allow-cidr", "127.0.0.0/8",
        "--data", "assay-data", code=1)


class Asking:
    """Answers of a server to an administrator, and its document."""

    def __init__(self, server, secret):
        self.server = server
        self.headers = {"Authorization": "Bearer " + secret}
        self.document = server.json("/v1/openapi.json")
        self.places = {"key": urllib.parse.quote(KEY, ""), "line": "65536"}
        self.ids = {"tokens": [], "runs": [row["run_id"] for row in
                                           server.json("/v1/runs")["data"]]}

    def filled(self, path):
        """PATH with something that is there in its braces."""
        def place(match):
            if match[1] != "id":
                return self.places[match[1]]
            return self.ids[path.split("/")[2]][-1]
        return re.sub(r"{(\w+)}", place, path)

    def ask(self, path, method, operation, body=None, headers=None):
        """The answer, which must be as OPERATION says."""
        answer = self.server.get(path, method.upper(), body,
                                 dict(self.headers, **(headers or {})))
        check_answer(self.document, operation, answer, f"{method} {path}")
        return answer


@contextlib.contextmanager
def asking():
    import_data()
    secret = run("token", "create", "--scope", "admin").out.split()[-1]
    with serving() as server:
        yield Asking(server, secret)


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


def resolved(document, thing):
    if "$ref" not in thing:
        return thing
    for part in thing["$ref"].split("/"):
        thing = document if part == "#" else thing[part]
    return thing


def check_headers(document, told, fields, path):
    """What is sent of the headers that the document knows is told there."""
    told = told.get("headers", {})
    for name in document["components"]["headers"]:
        assert fields[name] is None or name in told, (path, name)
    for header in told.values():
        assert resolved(document, header)["description"], path


def check_answer(document, operation, answer, path):
    status, fields, body = answer
    responses = operation["responses"]
    told = responses.get(str(status)) or responses.get(f"{status // 100}XX")
    assert told, f"{path}: status {status} is not in the document"
    check_headers(document, told, fields, path)
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


JSON = {"Content-Type": "application/json"}
GOOD_BODIES = {
    "/v1/ingest/events": event("new", "ai_stream_status", 1767900000000,
                               {"stream_id": "s"}),
    "/v1/tokens": '{"scope": "read", "org": "acme"}',
}


def good_query(path):
    if path.startswith("/v1/streaming/"):
        return "?as_of=2026-01-08T22:00:00Z"
    if path.startswith(("/compat/v1/streaming", "/compat/v1/requests")):
        return "?start=2026-01-01T00:00:00Z"
    return ""


def test_every_handler_holds_to_the_document():
    """A good answer of every route and method, and a refusal."""
    order = {"get": 1, "post": 0, "delete": 2}  # of what was made before
    with asking() as client:
        empty = set()
        for path, method, operation in sorted(
                operations(client.document), key=lambda one: order[one[1]]):
            if "{id}" in path and path.startswith("/v1/tokens"):
                client.ids["tokens"].append(json.loads(client.ask(
                    "/v1/tokens", "post",
                    client.document["paths"]["/v1/tokens"]["post"],
                    GOOD_BODIES["/v1/tokens"])[2])["id"])
            at = client.filled(path)
            sent = GOOD_BODIES.get(path) if method == "post" else None
            status, _, body = client.ask(at + good_query(path), method,
                                         operation, sent, JSON)
            assert status in (200, 201), (method, path, status, body[:300])
            if body.startswith((b'{"data":[]', b"[]", b"null")):
                empty.add(path)
            if path.startswith("/compat"):
                continue
            status, _, _ = client.ask(at + "?there-is=none", method,
                                      operation)
            assert status == 400, (method, path, status)
        # Only a scheduler makes these; demo_test.py holds them.
        assert empty == {"/v1/plan", "/v1/ledger",
                         "/v1/ledger/counts"}, empty


def test_every_row_schema_is_strict():
    with serving() as server:
        schemas = server.json("/v1/openapi.json")["components"]["schemas"]
        for name, schema in schemas.items():
            assert schema["type"] == "object", name
            assert schema["additionalProperties"] is False, name
            required = set(schema["required"])
            assert required <= set(schema["properties"]), name
        assert len(schemas["SlaRow"]["properties"]) > 60


def test_headers_and_statuses_are_told():
    with serving() as server:
        paths = server.json("/v1/openapi.json")["paths"]
        good = paths["/v1/streaming/sla"]["get"]["responses"]
        assert {"ETag", "Vary", "Cache-Control", "Content-Location",
                "Link"} <= set(good["200"]["headers"]), good["200"]
        assert {"200", "304", "400", "401", "403", "410", "421", "422", "429",
                "4XX", "503", "5XX"} == set(good), set(good)
        assert "Retry-After" in good["503"]["headers"]
        assert "WWW-Authenticate" in good["401"]["headers"]
        post = paths["/v1/ingest/events"]["post"]
        assert {"application/json", "application/x-ndjson"} == set(
            post["requestBody"]["content"])
        assert {"Idempotency-Key", "Content-Encoding"} == {
            one["name"] for one in post["parameters"]}
        assert {"413", "415", "422"} <= set(post["responses"])
        assert "201" in paths["/v1/tokens"]["post"]["responses"]
        assert set(paths["/v1/tokens/{id}"]) == {"delete"}


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


BODIES = ["", "{", "[]", "{}", "null", "1", '"a"', "[[[[[[1]]]]]]", "\x00",
          '{"scope": "root"}', '{"scope": 1}', '{"scope": "read", "org": {}}',
          '{"scope": "read", "orgs": "a"}', '{"id": "", "type": "a"}',
          '{"id": "a"}\n{"id"', "\ud800"]
CODINGS = ["identity", "gzip", "zstd", "br", ""]


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


def random_headers(chance, parameters):
    fields = chance.choice([{}, {"Accept": "text/csv"},
                            {"Accept-Encoding": "gzip"}])
    for parameter in parameters:
        if parameter["in"] == "header" and chance.random() < 0.3:
            words = parameter["schema"].get("enum", ["*", "a", "x" * 300])
            fields = dict(fields, **{parameter["name"]: chance.choice(
                words + CODINGS)})
    return fields


def random_body(chance, operation):
    """A body and its type; of GET and DELETE mostly none."""
    told = operation.get("requestBody", {}).get("content", {})
    if not told and chance.random() < 0.9:
        return None, {}
    kinds = list(told) + ["text/plain", "application/octet-stream"]
    if chance.random() < 0.3:
        return chance.choice(list(GOOD_BODIES.values())).encode(), JSON
    body = chance.choice(BODIES)
    return (body.encode("utf-8", "surrogatepass"),
            {"Content-Type": chance.choice(kinds)})


def random_place(chance, client, path):
    """What stands in the braces: half the time something that is there; never
    nothing, which would be another address."""
    if chance.random() < 0.5 and "tokens" not in path:
        return client.filled(path)
    return re.sub(r"{\w+}", lambda _: urllib.parse.quote(
        chance.choice(ODD[1:]), ""), path)


def test_no_parameters_make_us_fail():
    """All routes, methods, parameters, headers and bodies of the document."""
    chance = random.Random(3)
    rounds = 20000 if soaking() else 2000
    with asking() as client:
        server = client.server
        cursors = [server.json(f"/v1/{name}?limit=1")["pagination"][
            "next_cursor"] or "W10" for name in LISTS]
        every = list(operations(client.document))
        seen, asked = set(), set()
        for number in range(rounds):
            path, method, operation = every[number % len(every)]
            body, fields = random_body(chance, operation)
            parameters = operation["parameters"]
            fields = dict(random_headers(chance, parameters), **fields)
            query = random_query(chance, parameters, cursors)
            at = random_place(chance, client, path) + "?" * bool(query) + query
            answer = client.ask(at, method, operation, body, fields)
            assert answer[0] < 500, (method, at, body, answer[2][:300])
            seen.add(answer[0])
            asked.add((path, method))
        assert {200, 201, 304, 400, 404, 415} <= seen, seen
        assert len(asked) == len(every)


def test_no_path_makes_us_fail():
    chance = random.Random(4)
    with asking() as client:
        paths = list(client.document["paths"])
        for _ in range(300):
            path = chance.choice(paths)
            path = re.sub(r"{\w+}", lambda _: urllib.parse.quote(
                chance.choice(ODD), ""), path)
            if chance.random() < 0.3:
                at = chance.randrange(len(path))
                path = path[:at] + chance.choice("/%.~a") + path[at + 1:]
            status, _, body = client.server.get("/" + path.lstrip("/"))
            assert status < 500, (path, status, body[:300])
