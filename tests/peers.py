"""Databases that ./build.sh bench measures beside the program: PostgreSQL where
the machine has it, DuckDB where npm can unpack it under build/. What is not
there is None.
"""
import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import subprocess

from measuring import ROOT, cpu_of_call, say

DUCKDB = ROOT / "build" / "duckdb"
DUCKDB_PACKAGE = "@duckdb/node-api@1.5.6-r.1"

SCRIPT = """
import { DuckDBInstance } from '@duckdb/node-api';
const [file, ...statements] = process.argv.slice(2);
const instance = await DuckDBInstance.create(file, { threads: '1' });
const connection = await instance.connect();
for (const statement of statements) {
    const began = process.hrtime.bigint();
    const reader = await connection.runAndReadAll(statement);
    console.log(reader.currentRowCount,
                Number(process.hrtime.bigint() - began) / 1e6);
}
connection.closeSync();
"""


def duckdb():
    """The folder it lies in, after fetching it if need be; or None."""
    script = DUCKDB / "run.mjs"
    if not (DUCKDB / "node_modules" / "@duckdb" / "node-api").is_dir():
        if not shutil.which("npm"):
            return None
        say("fetching DuckDB")
        DUCKDB.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "install", "--prefix", str(DUCKDB), "--no-save",
             "--no-audit", "--no-fund", "--ignore-scripts", DUCKDB_PACKAGE],
            capture_output=True)
        if done.returncode:
            return None
    script.write_text(SCRIPT)
    return DUCKDB


def duckdb_command(file, *statements):
    return ["node", str(duckdb() / "run.mjs"), file, *statements]


def duckdb_times_ms(file, *statements):
    """How long each took in the program, in ms."""
    done = subprocess.run(duckdb_command(file, *statements), check=True,
                          capture_output=True, text=True)
    return [float(line.split()[1]) for line in done.stdout.splitlines()]


def postgres_programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    return pathlib.Path(found[-1]).parent if found else None


def as_nobody():
    """Options that run a program as somebody whom PostgreSQL lets start it."""
    if os.getuid():
        return {}
    user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid}


@contextlib.contextmanager
def postgres(place):
    """A command that runs SQL in a cluster of its own, under PLACE; or None."""
    programs = postgres_programs()
    if not programs:
        yield None
        return
    cluster = pathlib.Path(place) / "postgres"
    cluster.mkdir()
    options = as_nobody()
    for folder in (pathlib.Path(place), cluster):
        folder.chmod(0o755)
    if options:
        os.chown(cluster, options["user"], options["group"])
    cluster.chmod(0o700)
    subprocess.run([programs / "initdb", "-D", cluster, "-U", "bench", "-A",
                    "trust", "-N"], check=True, capture_output=True,
                   cwd=cluster, **options)
    server = subprocess.Popen(
        [programs / "postgres", "-D", cluster, "-k", cluster, "-h", "", "-c",
         "max_wal_size=4GB"], cwd=cluster, stderr=subprocess.DEVNULL, **options)
    command = [programs / "psql", "-q", "-h", cluster, "-U", "bench",
               "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c"]
    try:
        while subprocess.run([*command, "SELECT 1"],
                             capture_output=True).returncode:
            if server.poll() is not None:
                break
        yield command if server.poll() is None else None
    finally:
        server.terminate()
        server.wait()


def postgres_cpu(place, *statements):
    """Processor seconds of the cluster for STATEMENTS, its start left out; or
    None."""
    if not postgres_programs():
        return None

    def run(some):
        with postgres(place) as command:
            for statement in some:
                subprocess.run([*command, statement], check=True,
                               capture_output=True)
        shutil.rmtree(pathlib.Path(place) / "postgres")

    return (cpu_of_call(lambda: run(statements))
            - cpu_of_call(lambda: run(["SELECT 1"])))
