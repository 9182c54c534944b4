"""assay token, and the same over HTTP."""
import json
import re

from harness import folder, json_lines, run, serving


def create(*arguments):
    return run("token", "create", *arguments).out.splitlines()[-1]


def test_a_token_is_shown_once_and_kept_as_a_hash():
    done = run("token", "create", "--scope", "ingest", "--org", "acme")
    text = done.out.splitlines()[-1]
    assert re.fullmatch(r"assay_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", text), text
    row, = json_lines(run("token", "list", "--json").out)
    assert row["id"] == text.split("_")[1] and row["scope"] == "ingest", row
    assert row["org"] == "acme" and row["revoked_at"] is None, row
    secret = text.split("_", 2)[2].encode()
    for path in folder().glob("assay-data/*"):
        assert secret not in path.read_bytes(), path


def test_a_revoked_token_is_dead_at_once():
    first, second = create("--scope", "admin"), create("--scope", "read")
    identity = first.split("_")[1]
    run("token", "revoke", identity)
    run("token", "revoke", identity, code=1)
    run("token", "revoke", "nothing", code=1)
    bearer = {"Authorization": "Bearer " + first}
    with serving() as server:
        assert server.get("/v1/tokens", headers=bearer)[0] == 401
        assert server.get("/v1/health", headers=bearer)[0] == 401
        other = {"Authorization": "Bearer " + second}
        assert server.get("/v1/health", headers=other)[0] == 200


def test_wrong_wishes_are_said():
    assert "--scope" in run("token", "create", code=2).err
    run("token", "create", "--scope", "root", code=2)
    run("token", "create", "--scope", "read", "--org", "a b", code=2)
    run("token", code=2)


def test_a_running_server_is_asked_instead():
    admin = create("--scope", "admin")
    bearer = {"Authorization": "Bearer " + admin,
              "Content-Type": "application/json"}
    with serving() as server:
        refused = run("token", "create", "--scope", "read", code=3)
        assert str(server.process.pid) in refused.err, refused.err
        assert "POST /v1/tokens" in refused.err, refused.err
        refused = run("token", "revoke", "x", code=3)
        assert "DELETE /v1/tokens" in refused.err, refused.err
        assert len(json_lines(run("token", "list", "--json").out)) == 1
        for body in ("", "{}", "[]", "{\"scope\":\"root\"}",
                     "{\"scope\":1}", "{\"scope\":\"read\",\"org\":\"a b\"}",
                     "{\"scope\":\"read\",\"org\":7}", "x" * 9000):
            status, _, answer = server.get("/v1/tokens", "POST", body, bearer)
            assert status == 400, (body[:50], status, answer)
        status, fields, body = server.get(
            "/v1/tokens", "POST", '{"scope": "read", "org": "acme"}', bearer)
        made = json.loads(body)
        assert status == 201 and made["scope"] == "read", body
        assert fields["Cache-Control"] == "no-store", fields
        reader = {"Authorization": "Bearer " + made["token"]}
        assert server.get("/v1/health", headers=reader)[0] == 200
        assert server.get("/v1/tokens", headers=reader)[0] == 403
        status, _, body = server.get("/v1/tokens", headers=bearer)
        rows = json.loads(body)["data"]
        assert [row["scope"] for row in rows] == ["admin", "read"], rows
        assert "assay_" not in body.decode(), body
        path = "/v1/tokens/" + made["id"]
        assert server.get(path, "DELETE", headers=bearer)[0] == 200
        assert server.get(path, "DELETE", headers=bearer)[0] == 400
        assert server.get(path + "0", "DELETE", headers=bearer)[0] == 404
        assert server.get("/v1/health", headers=reader)[0] == 401
        assert made["token"] not in server.text() and admin not in server.text()


def test_beyond_loopback_a_token_is_enough():
    from gate_test import listening
    refused = run("serve", "--listen", "0.0.0.0:0", code=2)
    assert "assay token create" in refused.err, refused.err
    identity = create("--scope", "read").split("_")[1]
    with listening("private"):
        pass
    run("token", "revoke", identity)
    run("serve", "--listen", "0.0.0.0:0", code=2)
