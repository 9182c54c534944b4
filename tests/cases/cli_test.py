"""cli_test.py: the command line as such: help, usage, exit codes, output."""
import re
import subprocess

from harness import ROOT, binary, environment, json_lines, json_of, run

COMMANDS = ["serve", "demo", "import", "export", "rebuild", "evidence", "metrics",
            "probe", "plan", "sim", "config", "token", "backup", "restore",
            "doctor", "healthcheck", "version", "help"]


def listed_commands(text):
    part = text.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in part.splitlines()
            if not line.startswith("   ")]


def test_no_command_is_wrong_usage_and_prints_help_to_standard_error():
    done = run(code=2)
    assert done.out == ""
    assert done.err == run("--help").out


def test_help_lists_every_command_in_order():
    for arguments in (["--help"], ["-h"], ["help"]):
        done = run(*arguments)
        assert listed_commands(done.out) == COMMANDS, done.out


def test_help_of_a_command_is_the_same_by_both_ways():
    for command in COMMANDS:
        done = run("help", command)
        assert done.out == run(command, "--help").out
        assert done.out.startswith(f"Usage: assay {command} ".rstrip())
        assert "--data DIR" in done.out
        assert max(map(len, done.out.splitlines())) <= 80


def test_help_wins_over_whatever_else_is_wrong():
    done = run("export", "--banana", "--help")
    assert done.out == run("help", "export").out


def test_version_names_release_and_libraries():
    done = run("--version")
    assert done.out == run("version").out
    assert done.out.startswith("assay ")
    version = json_of(run("version", "--json").out)
    assert done.out.split()[1] == version["version"]
    assert "sqlite" in version["libraries"], version
    assert "libyaml" in version["libraries"], version


def test_misspelt_words_are_answered_with_the_nearest():
    cases = [
        (["improt"], "assay: there is no command improt; did you mean import?"),
        (["banana"], "assay: there is no command banana"),
        (["help", "exprot"],
         "assay help: there is no command exprot; did you mean export?"),
        (["config", "shwo"], 'assay config: "shwo" is nothing it can do; '
                             "did you mean show?"),
        (["config", "show", "--jsno"],
         "assay config: there is no option --jsno; did you mean --json?"),
        (["config"], "assay config: say what to do: default, show or check"),
        (["config", "show", "x"],
         'assay config: "x" is one argument too many'),
        (["--data", "x", "import"],
         "assay: options stand behind the command, as in: assay COMMAND "
         "--data"),
    ]
    for arguments, sentence in cases:
        done = run(*arguments, code=2)
        assert done.out == "", done
        assert sentence in done.err.splitlines(), done


def test_usage_errors_say_where_usage_is_explained():
    done = run("config", "--banana", code=2)
    assert '"assay help config" says how it is used' in done.err, done


def run_with_output(output, *arguments):
    """Runs assay with OUTPUT as standard output; code and standard error."""
    done = subprocess.run([binary(), *arguments], stdin=subprocess.DEVNULL,
                          stdout=output, stderr=subprocess.PIPE, timeout=60,
                          env=environment(), check=False)
    return done.returncode, done.stderr.decode()


def test_a_full_disk_is_no_success():
    for arguments in (["version"], ["--version"], ["--help"],
                      ["help", "config"], ["config", "default"],
                      ["config", "show"], ["config", "show", "--json"]):
        with open("/dev/full", "wb") as full:
            code, err = run_with_output(full, *arguments)
        assert code == 3, (arguments, code, err)
        assert "standard output: no space left" in err, (arguments, err)


def test_a_reader_that_went_away_is_no_success():
    for arguments in (["version"], ["config", "default"], ["config", "show"]):
        reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
        reader.wait()
        code, err = run_with_output(reader.stdin, *arguments)
        reader.stdin.close()
        assert code == 1, (arguments, code, err)
        assert "closed by its reader" in err, (arguments, err)


def test_closed_standard_files_are_no_success_and_no_crash():
    for closed, wanted in ((">&-", 3), ("<&-", 0), ("2>&-", 0),
                           ("<&- >&- 2>&-", 3)):
        done = subprocess.run(["sh", "-c", f'"$0" version {closed}', binary()],
                              capture_output=True, timeout=60,
                              env=environment(), check=False)
        assert done.returncode == wanted, (closed, done)


# ---- advice -----------------------------------------------------------------


def words_after_assay():
    """(file, COMMAND, next word or "") of every command that a text of app/ or
    a line of README names."""
    for path in sorted((ROOT / "app").rglob("*.[ch]")):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r'"\s*\n\s*"|\n \* ', " ", text)
        for found in re.finditer(r'(?:`|\{"|: )assay +([a-z]+)(?: +([a-z][a-z-]*)(?![a-z_]))?',
                                 text):
            yield path.name, found[1], found[2] or ""
    for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines():
        found = re.match(r"assay ([a-z]+)(?: ([a-z][a-z-]*))?", line)
        if found:
            yield "README.md", found[1], found[2] or ""


def test_every_command_that_a_text_names_exists():
    usages = {command: run("help", command).out.split("\n\n")[0]
              for command in COMMANDS}
    usages["help"] += " ".join(COMMANDS)
    named = list(words_after_assay())
    assert len(named) > 100, named
    for place, command, word in named:
        assert command in COMMANDS, (place, command)
        takes_words = re.search(rf"assay {command} [a-z]", usages[command])
        if word and (takes_words or command in ("help", "metrics")):
            assert re.search(rf"\b{word}\b", usages[command]), (
                place, command, word)


def test_files_that_are_built_in_can_be_printed_and_begun_with():
    for words in (["plan", "workflow"], ["plan", "prompts"],
                  ["metrics", "scorecard"]):
        names = run(*words).out.split()
        assert names == [line["name"]
                         for line in json_lines(run(*words, "--json").out)]
        for name in names:
            text = run(*words, name).out
            assert f"\nname: {name}\n" in "\n" + text, text
            assert json_of(run(*words, name, "--json").out)["file"] == text
        near = run(*words, names[0][:-1], code=2).err
        assert f"did you mean {names[0]}?" in near, near
    with open("mine.yaml", "w", encoding="utf-8") as out:
        out.write(run("metrics", "scorecard", "tester-live").out)
    # It is read before the store is looked for.
    assert "no store" in run("export", "scores", "--scorecard", "mine.yaml",
                             code=3).err
