"""The product as a file: static, stripped, small, and the same bytes from any
folder it is built in."""
import hashlib
import pathlib
import shutil
import struct
import subprocess

from harness import ROOT, binary, folder, soaking

PRODUCT_ALONE = True
PT_DYNAMIC, PT_INTERP, PT_GNU_STACK = 2, 3, 0x6474e551
SHT_SYMTAB = 2


def product():
    return pathlib.Path(binary()).read_bytes()


def headers(image, offset_at, size_at, count_at, form):
    """One of the two tables of a 64-bit ELF file, an entry a tuple."""
    offset, = struct.unpack_from("<Q", image, offset_at)
    size, = struct.unpack_from("<H", image, size_at)
    count, = struct.unpack_from("<H", image, count_at)
    return [struct.unpack_from(form, image, offset + size * at)
            for at in range(count)]


def test_it_needs_no_library_and_no_loader():
    kinds = [entry[0] for entry in headers(product(), 32, 54, 56, "<II6Q")]
    assert PT_INTERP not in kinds and PT_DYNAMIC not in kinds, kinds


def test_its_stack_is_not_executable_and_its_threads_have_two_mebibytes():
    stack = [entry for entry in headers(product(), 32, 54, 56, "<II6Q")
             if entry[0] == PT_GNU_STACK]
    assert len(stack) == 1 and not stack[0][1] & 1, stack
    assert stack[0][6] == 2 << 20, stack


def test_it_is_stripped_and_under_twelve_megabytes():
    image = product()
    kinds = [entry[1] for entry in headers(image, 40, 58, 60, "<II4QII2Q")]
    assert SHT_SYMTAB not in kinds
    assert len(image) < 12e6, len(image)


def test_it_names_no_folder_of_the_build():
    image = product()
    for part in ("app", "build", "vendor"):
        assert f"{ROOT}/{part}/".encode() not in image, part


def copy_tree(target):
    """The sources with the fetched archives, and, unless the whole way is to
    be gone, the libraries already built, which keep their times."""
    def left_out(place, names):
        top = pathlib.Path(place) == ROOT
        return [name for name in names
                if name == "__pycache__" or
                (top and name in ("build", ".git", "assay-data"))]

    shutil.copytree(ROOT, target, ignore=left_out)
    (target / "build").mkdir()
    parts = ["vendor-cache"]
    if not soaking():
        parts += ["src", "release/lib", "release/musl", "release/runtime"]
    for part in parts:
        if (ROOT / "build" / part).exists():
            shutil.copytree(ROOT / "build" / part, target / "build" / part,
                            symlinks=True)


def test_another_folder_gives_the_same_bytes():
    wanted = hashlib.sha256(product()).hexdigest()
    target = folder() / "a-tree-elsewhere"
    copy_tree(target)
    done = subprocess.run(["./build.sh"], cwd=target, capture_output=True,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    built = (target / "build" / "assay").read_bytes()
    assert hashlib.sha256(built).hexdigest() == wanted
