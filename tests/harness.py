"""harness.py: what the black-box cases share, and what runs one file of them.

A case is a function test_*() in tests/cases/*_test.py:

    from harness import folder, run, json_lines

    def test_an_import_twice_changes_nothing():
        for _ in range(2):
            run("import", sample("small.ndjson"))
        rows = json_lines(run("export", "sla", "--format", "ndjson").out)
        assert len(rows) == 3, rows

It gets an empty folder, in which it and the program run, so that the default
data directory is its own. $ASSAY_BIN is the program, in turn the product and
its sanitised twin. Timings belong into the product (`if not sanitised(): ...`); a
file that says PRODUCT_ALONE = True is not run with the twin at all.

    harness.py FILE [PATTERN]

prints "ok", "not ok" or "skip" for every test of FILE whose name contains
PATTERN.
"""
import contextlib
import importlib.util
import inspect
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"
SAMPLE_LOG = DATA / "event-logs-streaming-events-2026-01-08.json"
TIME_LIMIT_SECONDS = 300


class Skip(Exception):
    """A test that cannot be done here."""


def skip(reason):
    raise Skip(reason)


def binary():
    return os.environ["ASSAY_BIN"]


def sanitised():
    return "asan" in pathlib.Path(binary()).parts


def soaking():
    """True in ./build.sh soak, where long checks take their full size."""
    return os.environ.get("ASSAY_SOAK") == "1"


def sample(name):
    """The path of a file in tests/data."""
    return str(DATA / name)


def folder():
    """The running test's own folder."""
    return pathlib.Path.cwd()


def certificate(name="localhost", kind="ec"):
    """Self-signed certificate and key by openssl."""
    algorithm = (["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
                 if kind == "ec" else ["rsa:2048"])
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey",
         *algorithm, "-keyout", f"{name}.key", "-out", f"{name}.pem",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True)
    return f"{name}.pem", f"{name}.key"


# ---- running the program to its end ------------------------------------------


class Result:
    """How the program ended: code, out and err as text, out_bytes."""

    def __init__(self, arguments, done):
        self.arguments = arguments
        self.code = done.returncode
        self.out_bytes = done.stdout
        self.out = done.stdout.decode("utf-8", "surrogateescape")
        self.err = done.stderr.decode("utf-8", "surrogateescape")

    def __str__(self):
        return (f"assay {' '.join(self.arguments)}\nended with {self.code}\n"
                f"standard output: {self.out[-3000:]}\n"
                f"standard error: {self.err[-3000:]}")


def environment(extra=None):
    """The program's environment: the machine's, without what is the tests'
    own, with a test's additions."""
    values = {name: value for name, value in os.environ.items()
              if not name.startswith("ASSAY_")}
    values["UBSAN_OPTIONS"] = "print_stacktrace=1"
    return dict(values, **(extra or {}))


def run(*arguments, input=None, code=0, timeout=120, env=None):
    """Runs assay; CODE is the exit code it must have, None any.

    INPUT is text or bytes for standard input. A sanitizer's finding is a
    failure whatever CODE says.
    """
    arguments = [str(argument) for argument in arguments]
    if isinstance(input, str):
        input = input.encode()
    done = subprocess.run([binary(), *arguments], input=input or b"",
                          capture_output=True, timeout=timeout,
                          env=environment(env), check=False)
    result = Result(arguments, done)
    refuse_findings(result.err)
    assert code is None or result.code == code, f"not {code}: {result}"
    return result


def refuse_findings(text):
    """Fails where TEXT holds a report of ASan, LSan or UBSan."""
    for mark in ("AddressSanitizer", "LeakSanitizer", "runtime error:"):
        assert mark not in text, text[-6000:]


def json_of(text):
    return json.loads(text)


def json_lines(text):
    return [json.loads(line) for line in text.split("\n") if line]


def export(what, *arguments, data=None):
    """The rows of `assay export WHAT` as dictionaries."""
    where = ["--data", data] if data else []
    done = run("export", what, "--format", "ndjson", *arguments, *where)
    return json_lines(done.out)


def allow_descriptors(count):
    """So many for this process and those it starts, or the test is skipped.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < count:
        skip(f"this user may have {most} descriptors; {count} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, most))


# ---- running the program beside the test -------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds=20, what="the condition"):
    """The first true value of CONDITION(), asked again and again."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not come in {seconds} s"
        time.sleep(0.02)


class Server:
    """A running `assay serve`; .url, .process, get(), stop()."""

    def __init__(self, arguments, env):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open("serve.log", "w+b")
        self.process = subprocess.Popen(
            [binary(), "serve", "--listen", f"127.0.0.1:{self.port}",
             *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env=environment(env))
        wait_until(self.is_up, what="the server")

    def is_up(self):
        assert self.process.poll() is None, "serve ended: " + self.text()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def text(self):
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def get(self, path, method="GET", body=None, headers=None):
        """Status, headers and bytes of the answer; also of a refusal."""
        if isinstance(body, str):
            body = body.encode()
        request = urllib.request.Request(self.url + path, data=body,
                                         method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.headers, refusal.read()

    def json(self, path):
        status, _, body = self.get(path)
        assert status == 200, (path, status, body[:500])
        return json.loads(body)

    def stop(self, code=0, number=signal.SIGTERM, seconds=30):
        if self.process.poll() is None:
            self.process.send_signal(number)
        ended = self.process.wait(seconds)
        refuse_findings(self.text())
        assert code is None or ended == code, (ended, self.text()[-3000:])


@contextlib.contextmanager
def serving(*arguments, env=None):
    """`with serving("--data", d) as server:`; stopped and checked after."""
    server = Server(arguments, env)
    try:
        yield server
        if server.process.poll() is None:
            server.stop()
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        server.log.close()


# ---- running one file of tests -----------------------------------------------


def load(path):
    for place in (path.parent, ROOT / "tests"):
        sys.path.insert(0, str(place))
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def out_of_time(*_):
    raise TimeoutError(f"took longer than {TIME_LIMIT_SECONDS} s")


def place_of(error, path):
    """FILE:LINE where the test, not a helper, met the error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == str(path)]
    return f"{path.relative_to(ROOT)}:{own[-1].lineno if own else 0}"


def words_of(error):
    """The error in words; of a bare assertion the line that made it."""
    line = traceback.extract_tb(error.__traceback__)[-1].line
    text = str(error).strip() or line
    return f"{type(error).__name__}: {text}"


def run_test(name, function, path):
    """Runs one test in its folder; False where it failed."""
    place = tempfile.mkdtemp(prefix="assay-case-")
    os.chdir(place)
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(TIME_LIMIT_SECONDS * (20 if soaking() else 1))
    try:
        function()
    except Skip as reason:
        print(f"skip {name}: {reason}")
    except Exception as error:
        for line in words_of(error).splitlines():
            print(f"#   {line}")
        print(f"not ok {name}: {place_of(error, path)}")
        return False
    else:
        print(f"ok {name}")
    finally:
        signal.alarm(0)
        os.chdir(ROOT)
        shutil.rmtree(place, ignore_errors=True)
        sys.stdout.flush()
    return True


def main(path, pattern=""):
    sys.modules["harness"] = sys.modules["__main__"]
    path = pathlib.Path(path).resolve()
    label = path.stem.removesuffix("_test")
    passed = True
    module = load(path)
    if sanitised() and getattr(module, "PRODUCT_ALONE", False):
        return 0
    functions = inspect.getmembers(module, inspect.isfunction)
    functions.sort(key=lambda pair: pair[1].__code__.co_firstlineno)
    for name, function in functions:
        full = f"{label}: {name.removeprefix('test_')}"
        own = function.__code__.co_filename == str(path)
        if name.startswith("test_") and own and pattern in full:
            passed = run_test(full, function, path) and passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
