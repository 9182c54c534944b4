"""What arrived is kept as it arrived, shown, exported, and verified."""
import hashlib
import json

from harness import SAMPLE_LOG, json_lines, run

EVENT = {"id": "e-1", "type": "stream_trace", "timestamp": "1767908945298",
         "gateway": "g", "data": {"type": "gateway_receive_stream_request",
                                  "stream_id": "s", "request_id": "r",
                                  "timestamp": 1767908945298}}


def event(**changes):
    return json.dumps(dict(EVENT, **changes))


def take(*lines, name="in.ndjson"):
    """Imports LINES (text or bytes) as a file."""
    with open(name, "wb") as out:
        for line in lines:
            out.write(line.encode() if isinstance(line, str) else line)
            out.write(b"\n")
    return run("import", "--org", "acme", name)


def exported(*arguments):
    return run("evidence", "export", *arguments).out_bytes


def verified():
    return run("evidence", "verify").out


def test_the_sample_log_comes_back_whole():
    run("import", SAMPLE_LOG)
    sent = {record["value"]["id"]: record["value"]
            for record in json.loads(SAMPLE_LOG.read_text())}
    assert len(sent) == 65
    came = [json.loads(line) for line in exported().splitlines()]
    came = [record.get("value", record) for record in came]
    assert {record["id"]: record for record in came} == sent
    assert len(came) == len(sent)
    assert "ok: 65 lines" in verified()


def test_lines_are_exact_to_the_byte():
    lines = [event(id="plain").encode(),
             b'  {"id" : "blanks","type":"stream_trace" ,'
             b'"timestamp":"1767908945298","data":{}}  ',
             event(id="umlaut \u00e4 \U0001f600").encode(),
             b'{"id":"bad \xff\xfe","type":"stream_trace"}',
             b"not json at all", b'{"id":"nul \x00 byte"}',
             b'\xef\xbb\xbf' + event(id="with a mark").encode()]
    take(*lines)
    out = exported()
    for line in lines[:-1]:
        assert line.strip() in out, line
    assert b'"with a mark"' in out
    verified()


def test_show_finds_a_line_by_its_number():
    take(event())
    row = json_lines(run("evidence", "export", "--json").out)[0]
    assert row["text"] == event() and row["kind"] == "line", row
    assert row["class"] == "accepted" and row["org"] == "acme", row
    assert row["sha256"] == hashlib.sha256(event().encode()).hexdigest()
    assert row["event_time"] == "2026-01-08T21:49:05.298Z", row
    shown = run("evidence", "show", row["line"]).out
    assert shown.rstrip("\n").endswith("\n\n" + event()), shown
    full = json_lines(run("evidence", "show", row["line"], "--json").out)[0]
    block = full.pop("block")
    assert full == row, (full, row)
    assert block["number"] * 65536 + block["index"] == row["line"], block


def test_show_says_what_is_wrong_with_a_number():
    take(event())
    assert "no evidence line 65535" in run("evidence", "show", 65535,
                                           code=1).err
    for wrong in ("x", "-1", "1.5", "1e3", "99999999999999999999"):
        run("evidence", "show", wrong, code=2)
    run("evidence", "show", code=2)


def test_export_selects():
    take(event(id="a"), event(id="b", type="create_signed_ticket"),
         "rejected line", event(id="c", org="umbrella"))

    def ids(*arguments):
        return [line.decode() for line in exported(*arguments).splitlines()]

    assert ids("--class", "rejected") == ["rejected line"]
    assert ids("--org", "umbrella") == [event(id="c", org="umbrella")]
    assert ids("--org", "nobody") == []
    assert sorted(ids("--source", "import")) == sorted(ids())
    rows = json_lines(run("evidence", "export", "--json").out)
    numbers = [row["line"] for row in rows]
    assert numbers == sorted(set(numbers)), numbers
    for i, number in enumerate(numbers):
        assert ids("--from-line", str(number)) == ids()[i:]
        assert ids("--to-line", str(number)) == ids()[:i + 1]


def test_importing_again_adds_no_evidence_but_repeats():
    lines = [event(id=str(i)) for i in range(50)] + ["nonsense"]
    take(*lines)
    before = exported()
    take(*reversed(lines), name="again.ndjson")
    assert exported() == before
    assert before.count(b"\n") == 51
    verified()


def test_a_record_over_several_lines_leaves_on_one():
    pretty = json.dumps([EVENT, dict(EVENT, id="e 2\n")], indent=3)
    with open("array.json", "w") as out:
        out.write(pretty)
    run("import", "--org", "acme", "array.json")
    lines = exported().splitlines()
    assert [json.loads(line) for line in lines] == json.loads(pretty)


def test_a_line_over_eight_megabytes_is_described():
    large = event(padding="x" * (9 << 20))
    take(event(id="before"), large, event(id="after"))
    rows = json_lines(run("evidence", "export", "--json").out)
    row = next(row for row in rows if row["kind"] == "oversize")
    assert row["length"] == len(large), row["length"]
    assert row["sha256"] == hashlib.sha256(large.encode()).hexdigest()
    assert row["text"] == large[:65536]
    described = next(line for line in json_lines(run("evidence",
                                                     "export").out)
                     if line.get("kind") == "oversize")
    assert described == {"line": row["line"], "kind": "oversize",
                         "length": len(large), "sha256": row["sha256"],
                         "kept_bytes": 65536}, described
    assert len(rows) == 3
    verified()


def test_a_line_of_nearly_eight_megabytes_is_kept():
    large = event(id="large", padding="x" * ((8 << 20) - 1000))
    take(large)
    assert exported() == large.encode() + b"\n"


def test_verify_prints_the_ends_of_the_chains():
    take(event(id="a"), "nonsense")
    out = verified()
    assert " accepted from import for acme: 1 lines in 1 blocks" in out, out
    summary = json_lines(run("evidence", "verify", "--json").out)[-1]
    assert summary["defects"] == 0 and summary["lines"] == 2, summary
    chains = summary["chains"]
    assert {row["class"] for row in chains} == {"accepted", "rejected"}
    for row in chains:
        assert len(row["chain"]) == 64 and row["chain"] in out, row


def test_many_lines_make_several_blocks():
    lines = [event(id=str(i), padding="x" * 1000) for i in range(9000)]
    take(*lines)
    rows = json_lines(run("evidence", "verify", "--json").out)[-1]["chains"]
    assert len(rows) == 1 and rows[0]["blocks"] > 2, rows
    assert exported() == "".join(line + "\n" for line in lines).encode()


def test_without_a_store_it_is_said_where_one_was_sought():
    for what in (["show", "1"], ["export"], ["verify"]):
        done = run("evidence", *what, "--data", "nowhere", code=3)
        assert "there is no store in nowhere" in done.err, done


def test_a_reader_works_beside_a_writer_that_was_killed():
    take(event(id="a"))
    with open("assay-data/assay.lock", "w") as lock:
        lock.write("1\n")
    verified()
    take(event(id="b"), name="more.ndjson")
    assert exported().count(b"\n") == 2
