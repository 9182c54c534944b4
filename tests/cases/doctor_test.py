"""assay doctor and assay healthcheck: what they see and what they say."""
import contextlib
import json
import os
import pathlib
import socket
import threading

from harness import SAMPLE_LOG, certificate, free_port, run, serving


def doctor(*arguments, code=0):
    answer = json.loads(run("doctor", "--json", *arguments, code=code).out)
    return answer, {check["check"]: check for check in answer["checks"]}


def test_a_healthy_store_has_no_findings():
    run("import", SAMPLE_LOG)
    os.chmod("assay-data", 0o755)
    answer, checks = doctor()
    assert answer["findings"] == 0, answer
    for name in ("directory", "store", "files", "writer", "clock", "exposure",
                 "content"):
        assert checks[name]["state"] in ("ok", "note"), checks[name]
    _, fast = doctor("--fast")
    assert "content" not in fast
    text = run("doctor").out
    assert "ok       store" in text, text


def test_it_runs_beside_a_server_and_names_it():
    run("import", SAMPLE_LOG)
    with serving() as server:
        _, checks = doctor()
        assert str(server.process.pid) in checks["writer"]["saw"], checks


def test_no_store_is_a_finding():
    answer, checks = doctor(code=1)
    assert answer["findings"] > 0
    assert checks["directory"]["state"] == "finding"
    assert checks["directory"]["advice"], checks
    assert not pathlib.Path("assay-data").exists()


def test_what_everybody_may_write_is_a_finding():
    run("import", SAMPLE_LOG)
    os.chmod("assay-data", 0o777)
    _, checks = doctor(code=1)
    assert checks["directory"]["state"] == "finding", checks
    os.chmod("assay-data", 0o755)
    os.chmod("assay-data/assay.db", 0o666)
    _, checks = doctor(code=1)
    assert checks["files"]["state"] == "finding", checks


def test_a_key_is_named_and_never_shown():
    run("import", SAMPLE_LOG)
    key = "0" * 63 + "1"
    pathlib.Path("key").write_text(key + "\n")
    os.chmod("key", 0o600)
    pathlib.Path("assay.yaml").write_text(
        "ethereum: {key_file: key}\n"
        "payment: {signer_url: 'https://signer.example'}\n")
    _, checks = doctor("--config", "assay.yaml")
    assert checks["key"]["state"] == "ok", checks
    assert "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf" in checks["key"]["saw"]
    assert "pays nobody" in checks["payment"]["saw"], checks
    os.chmod("key", 0o644)
    _, checks = doctor("--config", "assay.yaml")
    assert checks["key"]["state"] == "note", checks
    shown = run("config", "show", "--config", "assay.yaml").out
    assert key not in shown and "set from key" in shown, shown
    pathlib.Path("key").write_text("0" * 64)
    _, checks = doctor("--config", "assay.yaml", code=1)
    assert checks["key"]["state"] == "finding", checks


def test_a_damaged_store_is_a_finding_with_advice():
    run("import", SAMPLE_LOG)
    path = pathlib.Path("assay-data/assay.db")
    whole = bytearray(path.read_bytes())
    at = whole.find(b"\x28\xb5\x2f\xfd")
    whole[at + 40] ^= 1
    path.write_bytes(bytes(whole))
    _, checks = doctor(code=1)
    assert checks["content"]["state"] == "finding", checks
    assert "restore" in checks["content"]["advice"], checks
    path.write_bytes(b"nonsense " * 10000)
    _, checks = doctor(code=1)
    assert checks["store"]["state"] == "finding", checks
    assert "restore" in checks["store"]["advice"], checks


def test_an_address_for_everybody_is_a_finding():
    run("import", SAMPLE_LOG)
    done = run("doctor", "--json", "--fast", code=1,
               env={"ASSAY_LISTEN": "0.0.0.0:8080"})
    checks = {check["check"]: check
              for check in json.loads(done.out)["checks"]}
    assert checks["exposure"]["state"] == "finding", checks


def authorities(path, code=1):
    done = run("doctor", "--json", "--fast", code=code,
               env={"ASSAY_TLS_CA_FILE": path})
    checks = json.loads(done.out)["checks"]
    return next(row for row in checks if row["check"] == "authorities")


def test_it_says_which_authorities_are_used():
    run("import", SAMPLE_LOG)
    os.chmod("assay-data", 0o755)
    told = authorities("", code=0)
    assert told["state"] == "ok" and "Mozilla" in told["saw"], told
    certificate("own")
    told = authorities("own.pem", code=0)
    assert told["state"] == "ok", told
    assert "own.pem (1 certificates)" in told["saw"], told
    whole = pathlib.Path("own.pem").read_bytes()
    pathlib.Path("cut.pem").write_bytes(whole + whole[:200])
    told = authorities("cut.pem", code=0)
    assert told["state"] == "note" and "1 cannot" in told["saw"], told
    pathlib.Path("broken.pem").write_bytes(whole[:200])
    for path in ("broken.pem", "absent.pem"):
        told = authorities(path)
        assert told["state"] == "finding" and path in told["saw"], told
        assert "built in" in told["advice"], told


def test_healthcheck_asks_the_server():
    with serving() as server:
        address = f"127.0.0.1:{server.port}"
        done = run("healthcheck", "--listen", address)
        assert done.out == "" and done.err == "", done
        run("healthcheck", env={"ASSAY_LISTEN": f"0.0.0.0:{server.port}"})
    done = run("healthcheck", "--listen", address, code=4)
    assert address in done.err, done.err


@contextlib.contextmanager
def answering(answer):
    """The address of something that sends ANSWER to whoever connects."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve():
            stream, _ = listener.accept()
            with stream:
                stream.recv(1000)
                stream.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield "127.0.0.1:%d" % listener.getsockname()[1]
        thread.join()


def test_healthcheck_judges_the_answer():
    for answer, code in ((b"HTTP/1.1 200 OK\r\n\r\n", 0),
                         (b"HTTP/1.1 503 No\r\n\r\n", 1),
                         (b"HTTP/1.1 2", 4), (b"", 4), (b"x" * 9000, 4)):
        with answering(answer) as address:
            run("healthcheck", "--listen", address, code=code)
    run("healthcheck", "--listen", f"127.0.0.1:{free_port()}", code=4)
