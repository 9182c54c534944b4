"""The journal: runs from the measurement into the evidence, and back."""
import hashlib
import json

from harness import json_lines, run
from sandbox import sandbox


def kept_runs():
    """One reach and one short live run in the store `kept`."""
    rows = []
    with sandbox("--seed", 7) as network:
        url = network.lines[0]["url"]
        for kind in (("--kind", "reach"),
                     ("--kind", "live", "--seconds", "2")):
            rows += json_lines(run("probe", "--json", "--data", "kept",
                                   "--allow-cidr", "127.0.0.0/8", *kind,
                                   url).out)
    return rows


def exported_lines():
    return run("evidence", "export", "--data", "kept").out_bytes.splitlines()


def test_what_was_shown_is_what_is_kept_and_what_a_rebuild_gives():
    rows = kept_runs()
    assert [row["kind"] for row in rows] == ["reach", "live"], rows
    exported = run("export", "runs", "--data", "kept").out
    assert json_lines(exported) == rows
    run("rebuild", "--data", "kept")
    assert run("export", "runs", "--data", "kept").out == exported
    answer = json.loads(run("evidence", "verify", "--json", "--data",
                            "kept").out)
    assert answer["defects"] == 0, answer
    assert answer["journal"]["entries"] == 2, answer

    # A stranger follows the chain with SHA-256 alone.
    before = "0" * 64
    samples = {}
    entries = []
    for line in exported_lines():
        read = json.loads(line)
        if read["type"] == "assay_run_samples":
            samples[read["id"]] = hashlib.sha256(line).hexdigest()
            continue
        entries.append(read)
        assert read["data"]["previous"] == before, read
        assert read["data"]["seq"] == len(entries), read
        before = hashlib.sha256(line).hexdigest()
    assert answer["journal"]["last_sha256"] == before
    assert [entry["id"] for entry in entries] == [r["run_id"] for r in rows]
    for entry in entries:
        assert entry["data"]["samples_sha256"] == samples[entry["id"]]
        for name, value in entry["data"].items():
            assert not isinstance(value, float), (name, value)

    # And cannot pass it off as his own.
    with open("theirs.ndjson", "wb") as out:
        out.write(b"\n".join(exported_lines()) + b"\n")
    run("import", "--org", "acme", "theirs.ndjson")
    assert run("export", "runs").out == ""
    reasons = {row["reason"]: row["received"]
               for row in json_lines(run("export", "counts").out)}
    assert reasons == {"run_from_outside": 4}, reasons
