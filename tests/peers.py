"""Databases that ./build.sh bench measures beside the program: PostgreSQL where
the machine has it, DuckDB where npm can unpack it under build/. The figure of
one that is not there, or fails, is None, and a line says why.
"""
import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import subprocess

from measuring import ROOT, cpu_of, cpu_of_call, say

DUCKDB = ROOT / "build" / "duckdb"
DUCKDB_PACKAGE = "@duckdb/node-api@1.5.6-r.1"

SCRIPT = """
import { DuckDBInstance } from '@duckdb/node-api';
process.on('uncaughtException', (error) => {
    console.error(error.message.split('\\n')[0]);
    process.exit(1);
});
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


def reason(failure):
    """In one line, without the command, which may be pages long."""
    if not isinstance(failure, subprocess.CalledProcessError):
        return str(failure)
    told = failure.stderr or ""
    if isinstance(told, bytes):
        told = told.decode(errors="replace")
    lines = told.strip().splitlines()
    return lines[-1] if lines else f"exit code {failure.returncode}"


def figure_of(peer, measure):
    """What MEASURE() gives; None where the peer fails."""
    try:
        return measure()
    except (OSError, subprocess.SubprocessError) as failure:
        say(f"no figure of {peer}: {reason(failure)}")
        return None


def install_duckdb():
    if (DUCKDB / "node_modules" / "@duckdb" / "node-api").is_dir():
        return
    say("fetching DuckDB")
    DUCKDB.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["npm", "install", "--prefix", str(DUCKDB), "--no-save", "--no-audit",
         "--no-fund", "--ignore-scripts", DUCKDB_PACKAGE],
        check=True, capture_output=True)


def duckdb_command(file, *statements):
    install_duckdb()
    (DUCKDB / "run.mjs").write_text(SCRIPT)
    return ["node", str(DUCKDB / "run.mjs"), file, *statements]


def duckdb_cpu(file, *statements):
    """Processor seconds of the program; or None."""
    return figure_of("DuckDB", lambda: cpu_of(duckdb_command(file,
                                                             *statements)))


def duckdb_times_ms(file, *statements):
    """How long each took in the program, in ms; or None."""
    def measure():
        done = subprocess.run(duckdb_command(file, *statements), check=True,
                              capture_output=True, text=True)
        return [float(line.split()[1]) for line in done.stdout.splitlines()]

    return figure_of("DuckDB", measure)


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
            if not command:
                raise OSError("its server did not start")
            for statement in some:
                subprocess.run([*command, statement], check=True,
                               capture_output=True)
        shutil.rmtree(pathlib.Path(place) / "postgres")

    return figure_of("PostgreSQL", lambda: (
        cpu_of_call(lambda: run(statements))
        - cpu_of_call(lambda: run(["SELECT 1"]))))
