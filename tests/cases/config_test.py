"""config_test.py: the configuration, from the outside."""
import pathlib

from harness import json_lines, json_of, run


def write(text, name="assay.yaml"):
    pathlib.Path(name).write_text(text)
    return name


def shown(*arguments, env=None):
    """What `config show` says: option to (value, origin)."""
    done = run("config", "show", "--json", *arguments, env=env)
    return {row["key"]: (row["value"], row["origin"])
            for row in json_lines(done.out)}


def test_the_printed_defaults_are_a_good_file():
    path = write(run("config", "default").out)
    done = run("config", "check", path)
    count = len(shown())
    assert done.out == (f"assay.yaml: {count} of {count} options set, "
                        "no problems\n")
    from_file = shown("--config", path)
    for key, (value, origin) in shown().items():
        assert origin == "default", (key, origin)
        assert from_file[key][0] == value, key
        assert from_file[key][1].startswith("assay.yaml:"), from_file[key]


def test_every_option_says_what_it_is():
    done = run("config", "show", "--json")
    for row in json_lines(done.out):
        assert row["help"].endswith("."), row
        assert row["variable"] == (
            "ASSAY_" + row["key"].replace(".", "_").upper()), row
        assert f"# {row['variable']}\n" in run("config", "default").out


def test_flag_beats_environment_beats_file_beats_default():
    path = write("\nlog:\n  level: error\ndata: ./from-file\n")
    variables = {"ASSAY_LOG_LEVEL": "warning"}
    assert shown()["log.level"] == ("info", "default")
    assert shown("--config", path)["log.level"] == ("error", "assay.yaml:3")
    both = shown("--config", path, env=variables)
    assert both["log.level"] == ("warning", "ASSAY_LOG_LEVEL")
    assert both["data"] == ("./from-file", "assay.yaml:4")
    all_three = shown("--config", path, "--log", "debug", env=variables)
    assert all_three["log.level"] == ("debug", "--log")


def test_the_environment_can_name_the_file():
    path = write("org: acme\n")
    assert shown(env={"ASSAY_CONFIG": path})["org"] == ("acme", "assay.yaml:1")
    other = write("org: other\n", "other.yaml")
    assert shown("--config", other, env={"ASSAY_CONFIG": path})["org"] == (
        "other", "other.yaml:1")
    assert run("config", "check", env={"ASSAY_CONFIG": path}).out.startswith(
        "assay.yaml: 1 of ")


def test_json_is_a_configuration_too():
    path = write('{"evidence": {"max_bytes": "2kB"}, "public_read": true}')
    values = shown("--config", path)
    assert values["evidence.max_bytes"][0] == 2000
    assert values["public_read"][0] is True


def test_check_tells_everything_that_is_wrong():
    path = write("lisen: x\nserve:\n  workers: 0\norg: a\norg: b\n")
    done = run("config", "check", path, code=2)
    assert done.out.splitlines() == [
        "assay.yaml:1: there is no option lisen; did you mean listen?",
        "assay.yaml:3: serve.workers takes a whole number from 1 to 256, not "
        '"0"',
        "assay.yaml:5: org stands in line 4 already",
    ], done
    assert "assay config: assay.yaml has 3 problems" in done.err
    rows = json_lines(run("config", "check", path, "--json", code=2).out)
    assert [row["where"] for row in rows] == [
        "assay.yaml:1", "assay.yaml:3", "assay.yaml:5"]


def test_check_tells_what_it_cannot_read():
    for name, says in (("absent.yaml", "No such file or directory"),
                       (".", "Is a directory")):
        done = run("config", "check", name, code=2)
        assert done.out == f"{name}: cannot be read: {says}\n", done
    write("org: 'never closed\n")
    done = run("config", "check", "assay.yaml", code=2)
    assert done.out.startswith("assay.yaml:2: is not YAML: "), done
    done = run("config", "check", code=2)
    assert "name the file" in done.err, done


def test_a_broken_configuration_stops_a_command_before_it_does_anything():
    path = write("org: [a]\nlog: {level: loud}\n")
    done = run("rebuild", "--config", path, code=2)
    assert ("assay rebuild: assay.yaml:1: org takes one value, not a list or "
            "a section (and 1 more; \"assay config check\" lists all)"
            in done.err), done
    assert not pathlib.Path("assay-data").exists()
    done = run("rebuild", "--log", "loud", code=2)
    assert "assay rebuild: --log: log.level takes one of debug|" in done.err
    done = run("rebuild", code=2, env={"ASSAY_PUBLIC_READ": "perhaps"})
    assert "ASSAY_PUBLIC_READ: public_read takes true or false" in done.err


def test_a_broken_environment_stops_neither_default_nor_check():
    broken = {"ASSAY_LISTEN": "nowhere", "ASSAY_CONFIG": "absent.yaml"}
    run("config", "default", env=broken)
    run("config", "check", write("org: a\n"), env=broken)
    run("version", env=broken)
    run("help", env=broken)
    run("config", "show", env=broken, code=2)


def test_unknown_variables_are_told_and_change_nothing():
    done = run("config", "show", env={"ASSAY_LISTEM": "1.2.3.4:5"})
    assert ("assay: warning: ASSAY_LISTEM: no option has this variable, did "
            "you mean ASSAY_LISTEN; it changes nothing" in done.err), done
    assert "1.2.3.4" not in done.out


def test_messages_can_be_json():
    path = write("log: {json: true}\n")
    done = run("rebuild", "--config", path, "--log", "loud", code=2)
    last = json_of(done.err.splitlines()[-1])
    assert last["level"] == "error", last
    assert last["text"].startswith("rebuild: --log: "), last
    assert last["time"].endswith("Z"), last
