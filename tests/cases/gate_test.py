"""Who may ask what: every route, with every kind of token, from every kind of
page, against the table in route_matrix.txt."""
import contextlib
import http.client
import json
import pathlib
import re
import subprocess
import time

from harness import ROOT, binary, environment, folder, run, serving, wait_until

TABLE = pathlib.Path(__file__).with_name("route_matrix.txt")
CALLERS = ("no", "read", "ingest", "admin")
PAGES = {"good": {}, "host": {"Host": "evil.example"},
         "origin": {"Origin": "http://evil.example"}}
ALLOW = "Access-Control-Allow-Origin"
CODES = {401: "1", 403: "3", 421: "H"}
MODES = {
    "loopback": ("127.0.0.1:0", {}),
    "private": ("0.0.0.0:0", {}),
    "public": ("0.0.0.0:0", {"ASSAY_PUBLIC_READ": "true"}),
}


def token(scope, *more):
    return run("token", "create", "--scope", scope, *more).out.split()[-1]


@contextlib.contextmanager
def listening(mode):
    """The port of a server in MODE."""
    address, env = MODES[mode]
    log = folder() / "serve.log"
    with open(log, "wb") as out:
        process = subprocess.Popen([binary(), "serve", "--listen", address],
                                   stderr=out, env=environment(env))
    try:
        wait_until(lambda: "the store is" in log.read_text() or
                   process.poll() is not None, what="a start")
        line = log.read_text().split("listening on ")[1].split()[0]
        yield int(line.rstrip("/").rpartition(":")[2])
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()


def ask(port, method, path, headers):
    """Status and headers of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers


def routes():
    """(method, path) of every row of the server's table."""
    text = (ROOT / "app" / "api" / "routes.c").read_text()
    rows = text[text.index("const struct route routes[]"):]
    rows = rows[:rows.index("{0}")]
    found = re.findall(r'\{\s*"(/[^"]*)",.*?"(GET|POST|DELETE)"\s*\}', rows,
                       re.DOTALL)
    assert len(found) == rows.count('{"/'), "a row that this test cannot read"
    return [(method, path) for path, method in found]


def table():
    """{(method, path): {mode: [cells of good, host, origin]}}."""
    rows = {}
    for line in TABLE.read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            assert len(words) == 2 + 4 * len(MODES), line
            rows[words[0], words[1]] = {
                words[at]: words[at + 1:at + 4]
                for at in range(2, len(words), 4)}
    return rows


def cell(status):
    """One letter: + where the gate lets pass, whatever comes then."""
    assert status < 500 and status not in (405, 429), status
    return CODES.get(status, "+")


def cells(port, tokens, method, path):
    path = re.sub(r"\{[^}]*\}", "x", path)
    for fields in PAGES.values():
        word = ""
        for caller in CALLERS:
            headers = dict(fields)
            if caller in tokens:
                headers["Authorization"] = "Bearer " + tokens[caller]
            word += cell(ask(port, method, path, headers)[0])
        yield word


def test_every_route_is_in_the_table():
    assert sorted(routes()) == sorted(table()), (
        set(routes()) ^ set(table()), "differ from " + TABLE.name)


def test_every_route_is_as_the_table_says():
    tokens = {scope: token(scope) for scope in CALLERS[1:]}
    wrong = []
    for mode in MODES:
        with listening(mode) as port:
            for (method, path), wanted in table().items():
                got = list(cells(port, tokens, method, path))
                if got != wanted[mode]:
                    wrong.append((mode, method, path, got, wanted[mode]))
                if method == "GET":
                    got = list(cells(port, tokens, "HEAD", path))
                    if got != wanted[mode]:
                        wrong.append((mode, "HEAD", path, got, wanted[mode]))
    assert not wrong, wrong[:5]


def test_files_are_behind_the_gate_too():
    reader = token("read")
    with listening("private") as port:
        for path in ("/", "/app.js", "/nothing"):
            status, fields = ask(port, "GET", path, {})
            assert status == 401, (path, status)
            assert fields["WWW-Authenticate"].startswith("Bearer"), fields
        headers = {"Authorization": "Bearer " + reader}
        assert ask(port, "GET", "/", headers)[0] == 200
        assert ask(port, "GET", "/nothing", headers)[0] == 404


def test_own_pages_may_change_things():
    admin = "Bearer " + token("admin")
    with serving() as server:
        own = f"http://127.0.0.1:{server.port}"
        rows = [({"Origin": own}, 400), ({"Sec-Fetch-Site": "same-origin"}, 400),
                ({"Sec-Fetch-Site": "none"}, 400), ({"Origin": "null"}, 403),
                ({"Origin": own.replace("http", "https")}, 403),
                ({"Origin": own + "0"}, 403),
                ({"Sec-Fetch-Site": "cross-site"}, 403),
                ({"Sec-Fetch-Site": "same-site"}, 403)]
        for headers, wanted in rows:
            status, _ = ask(server.port, "POST", "/v1/tokens",
                            dict(headers, Authorization=admin))
            assert status == wanted, (headers, status)


def test_hosts_are_taken_exactly():
    with serving(env={"ASSAY_SERVE_HOSTS": "a.example, b.example"}) as server:
        for host, wanted in (("a.example", 200), ("A.Example:99", 200),
                             ("b.example", 200), ("c.example", 421),
                             ("a.example.evil.example", 421),
                             ("xa.example", 421), ("a.example:80x", 421),
                             ("a.example,b.example", 421), ("a", 421),
                             ("10.0.0.1", 421), ("[::1", 421)):
            status, _ = ask(server.port, "GET", "/healthz", {"Host": host})
            assert status == wanted, (host, status)
    token("read")
    with listening("private") as port:
        for host, wanted in (("10.0.0.1:1", 200), ("[fd00::1]", 200),
                             ("a.example", 421), ("10.0.0.1.evil.example", 421),
                             ("localhost", 200)):
            status, _ = ask(port, "GET", "/healthz", {"Host": host})
            assert status == wanted, (host, status)


def test_any_origin_reads_what_is_public_only():
    reader = {"Authorization": "Bearer " + token("read")}
    for mode, wanted in (("loopback", None), ("private", None),
                         ("public", "*")):
        with listening(mode) as port:
            for headers in ({}, PAGES["origin"]):
                # Refusals, too: a page cannot see why else.
                for path in ("/v1/health", "/v1/runs/none", "/none",
                             "/v1/health?what=ever", "/v1/runs?%"):
                    _, fields = ask(port, "GET", path, headers)
                    assert fields[ALLOW] == wanted, (mode, path)
                    told = fields["Access-Control-Expose-Headers"]
                    assert (told is None) == (wanted is None), (mode, path)
            for method, path, headers in (
                    ("GET", "/v1/health", reader), ("GET", "/v1/tokens", {}),
                    ("POST", "/v1/tokens", {}), ("OPTIONS", "/v1/health", {}),
                    ("GET", "/v1/health", PAGES["host"])):
                _, fields = ask(port, method, path, headers)
                assert fields[ALLOW] is None, (mode, method, path)
                assert fields["Set-Cookie"] is None
    env = {"ASSAY_PUBLIC_READ": "true", "ASSAY_SERVE_REQUESTS_PER_SECOND": "1"}
    with serving(env=env) as server:
        answers = [server.get("/v1/health") for _ in range(9)]
        refusal = next(one for one in answers if one[0] == 429)
        assert refusal[1][ALLOW] == "*", refusal[1]
        assert {"ETag", "Link", "Content-Location", "Retry-After",
                "Assay-Simulated"} == set(
            refusal[1]["Access-Control-Expose-Headers"].split(", "))


def test_doubled_headers_are_refused():
    with serving() as server:
        for name in ("Host", "Origin", "Authorization"):
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            connection.putrequest("GET", "/healthz", skip_host=True)
            connection.putheader(name, "localhost")
            connection.putheader(name, "localhost")
            connection.endheaders()
            assert connection.getresponse().status == 400, name
            connection.close()


def test_requests_of_one_address_are_limited_where_asked():
    with serving() as server:
        assert all(server.get("/healthz")[0] == 200 for _ in range(150))
    env = {"ASSAY_SERVE_REQUESTS_PER_SECOND": "5"}
    with serving(env=env) as server:
        answers = [server.get("/healthz") for _ in range(30)]
        states = [status for status, _, _ in answers]
        assert states[:10] == [200] * 10 and 429 in states, states
        refusal = next(one for one in answers if one[0] == 429)
        assert refusal[1]["Retry-After"] == "1", refusal[1]
        assert json.loads(refusal[2])["status"] == 429
        time.sleep(1)
        assert server.get("/healthz")[0] == 200


def test_wrong_tokens_are_counted_where_asked():
    good = {"Authorization": "Bearer " + token("admin")}
    wrong = {"Authorization": "Bearer assay_000000000000_x"}
    env = {"ASSAY_SERVE_TOKEN_FAILURES_PER_MINUTE": "3"}
    with serving(env=env) as server:
        states = [server.get("/v1/health", headers=wrong)[0]
                  for _ in range(5)]
        assert states == [401, 401, 401, 429, 429], states
        assert server.get("/v1/tokens", headers=good)[0] == 429
        assert server.get("/v1/health")[0] == 200
