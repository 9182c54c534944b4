"""The container without a container engine: the Dockerfile is read, and what
its last stage says is done in an empty root: its copies, its user, its
variables, its commands. What starts there starts in the image."""
import contextlib
import ctypes
import errno
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

from harness import (ROOT, SAMPLE_LOG, binary, certificate, folder, free_port,
                     skip, wait_until)

PRODUCT_ALONE = True

# sched.h and sys/mount.h
CLONE_NEWNS = 0x20000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 1 << 14, 1 << 18


def may_mount():
    return subprocess.run(["unshare", "-m", "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


def mount(source, target, flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(os.fsencode(source), os.fsencode(target), None,
                  ctypes.c_ulong(flags), None) != 0:
        raise OSError(ctypes.get_errno(), "mount", target)


def mount_as_engines_do(root, volume):
    """In a mount namespace of this process: ROOT read-only, VOLUME not."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mount("none", "/", MS_REC | MS_PRIVATE)
    mount(root, root, MS_BIND)
    mount(volume, volume, MS_BIND)
    mount("none", root, MS_REMOUNT | MS_BIND | MS_RDONLY)


def instructions():
    """The Dockerfile as (word, rest), lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text()
    text = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines()
            if line.strip()]


class Image:
    """What the last stage of the Dockerfile makes."""

    def __init__(self):
        steps = instructions()
        last = max(at for at, step in enumerate(steps) if step[0] == "FROM")
        self.build = steps[:last]
        self.base = steps[last][1]
        self.copies, self.environment = [], {}
        for word, rest in steps[last + 1:]:
            getattr(self, "take_" + word.lower())(rest)

    def take_copy(self, rest):
        options = dict(re.findall(r"--(\w+)=(\S+)", rest))
        source, target = re.sub(r"--\S+\s+", "", rest).split()
        assert options["from"] == "build", rest
        self.copies.append((source, target, options.get("chown", "0:0")))

    def take_user(self, rest):
        self.user, self.group = map(int, rest.split(":"))

    def take_env(self, rest):
        self.environment.update(pair.split("=", 1) for pair in rest.split())

    def take_volume(self, rest):
        self.volume = rest.strip()

    def take_expose(self, rest):
        self.port = int(rest)

    def take_stopsignal(self, rest):
        self.signal = getattr(signal, rest.strip())

    def take_healthcheck(self, rest):
        self.check = json.loads(rest[rest.index("CMD") + 3:])

    def take_entrypoint(self, rest):
        self.entry = json.loads(rest)

    def take_cmd(self, rest):
        self.command = json.loads(rest)

    def lay_out(self, root):
        """The image's files under ROOT, which only root may write."""
        for source, target, owner in self.copies:
            place = root / target.lstrip("/")
            if source == "/src/build/assay":
                place.write_bytes(pathlib.Path(binary()).read_bytes())
                place.chmod(0o755)
            else:
                place.mkdir()
            os.chown(place, *map(int, owner.split(":")))
        os.chown(root, 0, 0)
        root.chmod(0o555)

    def enter(self, root):
        if may_mount():
            mount_as_engines_do(root, root / self.volume.lstrip("/"))
        os.chroot(root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(self.group)
        os.setuid(self.user)

    def start(self, root, command, extra, **streams):
        return subprocess.Popen(
            command, preexec_fn=lambda: self.enter(root),
            env={**self.environment, **extra}, stdin=subprocess.DEVNULL,
            **streams)

    def run(self, root, *words, extra=None):
        process = self.start(root, [*self.entry, *words], extra or {},
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate(timeout=60)
        return process.returncode, out.decode(), err.decode()


def test_the_image_is_built_as_anybody_builds():
    image = Image()
    assert image.base == "scratch"
    words = [word for word, _ in image.build]
    assert words == ["FROM", "WORKDIR", "COPY", "RUN"], words
    assert image.build[0][1].startswith("debian:")
    run = image.build[-1][1]
    assert run.startswith("./build.sh "), run
    # Everything that the last stage takes is made by the first.
    places = [source for source, _, _ in image.copies]
    assert places == ["/src/build/assay", "/data"], places
    assert image.build[1][1] == "/src" and "mkdir /data" in run


def test_the_image_needs_no_rights():
    image = Image()
    assert image.user > 0 and image.group > 0
    assert image.volume == image.environment["ASSAY_DATA"] == "/data"
    owners = {target: owner for _, target, owner in image.copies}
    assert owners == {"/assay": "0:0", "/data": f"{image.user}:{image.group}"}
    assert image.environment["ASSAY_LISTEN"] == f"0.0.0.0:{image.port}"
    assert image.entry == image.check[:1] == ["/assay"]
    assert image.check[1:] == ["healthcheck"] and image.command == ["serve"]


@contextlib.contextmanager
def laid_out():
    """The image and its root, which holds nothing else."""
    if os.geteuid() != 0:
        skip("only root may change the root directory")
    image = Image()
    root = folder() / "root"
    root.mkdir()
    # The way to it must be open for the user inside.
    folder().chmod(0o755)
    image.lay_out(root)
    yield image, root


def get(port, path):
    url = f"http://127.0.0.1:{port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()
    except OSError:
        return 0, b""


def test_it_starts_serves_and_stops_in_an_empty_root():
    with laid_out() as (image, root):
        (root / "data" / "in.json").write_bytes(
            pathlib.Path(SAMPLE_LOG).read_bytes())
        code, _, err = image.run(root, "import", "--org", "cloudspe",
                                 "/data/in.json")
        assert code == 0, err
        port = free_port()
        extra = {"ASSAY_LISTEN": f"0.0.0.0:{port}",
                 "ASSAY_PUBLIC_READ": "true"}
        with open("log", "w+b") as log:
            server = image.start(root, [*image.entry, *image.command], extra,
                                 stdout=log, stderr=log)
            try:
                wait_until(lambda: get(port, "/readyz")[0] == 200,
                           what="the server")
                status, body = get(port, "/v1/health")
                assert status == 200, body
                assert json.loads(body)["store"]["sessions"] == 1, body
                code, _, err = image.run(root, *image.check[1:], extra=extra)
                assert code == 0, err
                code, out, err = image.run(root, "backup", "/data/copy.db")
                assert code == 0, err
                code, _, err = image.run(root, "doctor", extra=extra)
                assert code == 0, err
                check_process(server.pid, image, root)
                started = time.monotonic()
                server.send_signal(image.signal)
                assert server.wait(20) == 0
                assert time.monotonic() - started < 10
            finally:
                server.kill()
                server.wait()
        code, _, err = image.run(root, *image.check[1:], extra=extra)
        assert code == 4, err
        assert sorted(path.name for path in root.iterdir()) == ["assay",
                                                                "data"]


def check_process(pid, image, root):
    """It is the user it should be, in the root it should be in."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    ids = re.search(r"^Uid:\s+(.*)$", status, re.M).group(1).split()
    assert set(ids) == {str(image.user)}, ids
    inside = os.stat(f"/proc/{pid}/root")
    assert os.path.samestat(inside, os.stat(root))
    if may_mount():
        mounts = pathlib.Path(f"/proc/{pid}/mounts").read_text().split("\n")
        options = {row.split()[1]: row.split()[3] for row in mounts if row}
        assert options["/"].startswith("ro,"), mounts
        assert options["/data"].startswith("rw,"), mounts


def test_the_root_is_mounted_read_only():
    """Not by rights alone: root itself cannot write there."""
    if os.geteuid() != 0 or not may_mount():
        skip("no file system may be mounted here; the other tests have a root "
             "that is read-only by its rights")
    with laid_out() as (image, root):
        child = os.fork()
        if child == 0:
            mount_as_engines_do(root, root / "data")
            (root / "data" / "written").touch()
            try:
                (root / "written").touch()
            except OSError as error:
                os._exit(0 if error.errno == errno.EROFS else 2)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert (root / "data" / "written").exists()


def test_it_does_not_start_open_to_all_by_itself():
    with laid_out() as (image, root):
        code, _, err = image.run(root, *image.command)
        assert code == 2 and "public_read" in err, err


def test_tls_needs_nothing_but_its_files():
    """No /dev, no /etc: randomness comes from the kernel."""
    with laid_out() as (image, root):
        pem, key = certificate(kind="rsa")
        both = root / "data" / "both.pem"
        both.write_bytes(pathlib.Path(pem).read_bytes() +
                         pathlib.Path(key).read_bytes())
        os.chown(both, image.user, image.group)
        port = free_port()
        extra = {"ASSAY_LISTEN": f"0.0.0.0:{port}",
                 "ASSAY_PUBLIC_READ": "true",
                 "ASSAY_TLS_CERTIFICATE_FILE": "/data/both.pem"}
        server = image.start(root, [*image.entry, *image.command], extra,
                             stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: image.run(root, "healthcheck",
                                         extra=extra)[0] == 0,
                       what="the server")
        finally:
            server.send_signal(image.signal)
            assert server.wait(20) == 0


def test_authorities_are_in_the_program_or_on_the_volume():
    with laid_out() as (image, root):
        pem, _ = certificate("own")
        (root / "data" / "own.pem").write_bytes(pathlib.Path(pem).read_bytes())
        for path, word in (("", "Mozilla"), ("/data/own.pem", "own.pem (1 "),
                           ("/data/absent.pem", "No such file")):
            _, out, err = image.run(root, "doctor", "--fast", extra={
                "ASSAY_TLS_CA_FILE": path})
            line, = [line for line in out.splitlines() if "authorities" in line]
            assert word in line, (path, out, err)
