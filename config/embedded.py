"""PostgreSQL inside the data folder: made on first use, reached through a socket only its owner may open.

Everything lies below one folder: `pg<major>/` (the cluster), `run/` (socket, locks), `log/`. Several
processes may call `start` at once; there is one server. Neither a pid nor a status file is ever believed: the
server runs when it answers a connection, and only then.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from config import postgres_binaries
from config.postgres_binaries import EmbeddedError, Runner

PORT = "5432"  # part of the socket's name; nothing listens on TCP
NAME = USER = "ratecard"
LONGEST_SOCKET = 107  # bytes; sockaddr_un has 108 with the closing zero
START_SECONDS = 120  # recovery after a crash replays up to max_wal_size

CONFIGURATION = """\
# Written by Ratecard at every start; put your own settings into postgresql.conf below the include.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_folder}'
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
random_page_cost = 1.1
wal_compression = on
max_wal_size = 1GB
checkpoint_completion_target = 0.9
# Nothing replicates or archives from here, so the log need only serve recovery after a crash.
wal_level = minimal
max_wal_senders = 0
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
{extra}"""
# A server that only ever holds test data may lose it when the machine does.
TEST_CONFIGURATION = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


# The servers that this process started, so that it notices their end; they may well outlive it.
_servers: dict[Path, "subprocess.Popen[bytes]"] = {}


@atexit.register
def _leave_servers_running() -> None:
    for server in _servers.values():
        server.returncode = 0  # no ResourceWarning about a child that still runs


def socket_folder(folder: Path) -> Path:
    """Where the socket of `folder`'s server is: inside it, or in the temporary folder.

    The latter where the path is too long for a socket or holds a sign that libpq or PostgreSQL would split at.
    """
    inside = folder / "run"
    if len(os.fsencode(_socket(inside))) <= LONGEST_SOCKET and not set(str(inside)) & set(",'\"\\\n"):
        return inside
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"ratecard-{os.geteuid()}-{digest}"


def answers(folder: Path) -> bool:
    """Whether the server of `folder` accepts connections now."""
    try:
        _connect(folder).close()
    except psycopg.OperationalError:
        return False
    return True


def listening(folder: Path) -> bool:
    """Like `answers`, for asking often: true as well while the server is still recovering."""
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.settimeout(1)
        probe.connect(str(_socket(socket_folder(folder))))
        return True
    return False


def start(folder: Path, *, on_demand: bool = False, for_tests: bool = False) -> bool:
    """Make the server of `folder` answer and hold the database; true if this call started it.

    A server started `on_demand` is stopped by the last `stop_if_idle`; any other start takes that mark away.
    """
    with _lock(folder):
        marker = folder / "run" / "on-demand"
        started = not answers(folder)
        if started:
            _launch(folder, for_tests=for_tests)
        if on_demand and started:
            marker.touch()
        elif not on_demand:
            marker.unlink(missing_ok=True)
        _create_database(folder)
        return started


def initialise(folder: Path) -> None:
    """Make the cluster of `folder` where there is none; `start` does so too, and finds it made."""
    with _lock(folder):
        _initialised(folder)


def stop(folder: Path) -> bool:
    """End the server of `folder` and its connections; true if there was one."""
    if not folder.exists():
        return False
    with _lock(folder):
        return _stop(folder)


def stop_if_idle(folder: Path) -> bool:
    """Stop a server that was started on demand, once nobody is connected to it any more."""
    with _lock(folder):
        if not (folder / "run" / "on-demand").exists() or _others(folder):
            return False
        return _stop(folder)


def checkpoint(folder: Path) -> None:
    """Have a running server write out what it holds, so that its stop is quick."""
    if listening(folder):
        with suppress(psycopg.Error), _connect(folder) as connection:
            connection.execute("CHECKPOINT")


@contextmanager
def serving(folder: Path, *, for_tests: bool = False) -> Iterator[None]:
    """The server of `folder` answers inside; at the end, the last such user stops what was started on demand.

    One connection stays open throughout, so that nobody else's end can stop the server under us.
    """
    while True:
        start(folder, on_demand=True, for_tests=for_tests)
        with suppress(psycopg.OperationalError):  # somebody's end came between our start and our connection
            lease = _connect(folder, NAME)
            break
    try:
        yield
    finally:
        lease.close()
        stop_if_idle(folder)


def _socket(where: Path) -> Path:
    return where / f".s.PGSQL.{PORT}"


def _connect(folder: Path, database: str = "postgres") -> psycopg.Connection:
    return psycopg.connect(
        host=str(socket_folder(folder)),
        port=PORT,
        user=USER,
        dbname=database,
        connect_timeout=10,
        application_name="ratecard embedded",
        autocommit=True,
    )


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "run").mkdir(mode=0o700, exist_ok=True)
        (folder / "log").mkdir(mode=0o700, exist_ok=True)
        file = (folder / "run" / "postgresql.lock").open("w")
    except OSError as error:
        raise EmbeddedError(
            f"{folder} cannot be written ({error.strerror}): give this user the folder, or choose another "
            "with DATA_DIR= or RATECARD_DATABASE_URL."
        ) from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _cluster(folder: Path) -> Path:
    wanted = folder / f"pg{postgres_binaries.major()}"
    others = sorted(path.name for path in folder.glob("pg[0-9]*") if (path / "PG_VERSION").exists())
    if others and wanted.name not in others:
        raise EmbeddedError(
            f"{folder} was written by PostgreSQL {others[-1].removeprefix('pg')}, and "
            f"{wanted.name.removeprefix('pg')} is installed: set RATECARD_POSTGRES_BIN to the old ones, run "
            "`python manage.py database dump FILE`, move the folder away, then restore FILE without it."
        )
    return wanted


def _launch(folder: Path, *, for_tests: bool) -> None:
    killed = _servers.pop(folder, None)
    if killed:
        killed.wait()  # until its parent has seen its end, a killed server's number counts as running
    cluster = _initialised(folder)
    runner = postgres_binaries.runner(cluster)
    _prepare(folder, cluster, runner)
    _configure(cluster, socket_folder(folder), for_tests=for_tests)
    if runner.owner:
        _give(cluster, runner.owner)
    log = folder / "log" / "postgresql.log"
    deadline = time.monotonic() + START_SECONDS
    while True:
        server = _spawn(cluster, runner, log)
        if _wait(folder, server, deadline):
            return
        # After a crash the old server's last processes or its pid file can stand in the way for a moment.
        if time.monotonic() > deadline or not _left_over(folder, cluster, log):
            raise EmbeddedError(f"PostgreSQL did not start; the reason stands at the end of {log}: {_last(log)}")
        time.sleep(0.2)


def _prepare(folder: Path, cluster: Path, runner: Runner) -> None:
    where = socket_folder(folder)
    where.mkdir(mode=0o700, exist_ok=True)
    stat = where.lstat()
    wanted = runner.owner[0] if runner.owner else os.geteuid()
    if stat.st_uid not in {os.geteuid(), wanted} or stat.st_mode & 0o022:
        raise EmbeddedError(f"{where} belongs to somebody else: remove it, or choose a shorter data folder.")
    if runner.owner:
        # The other user has to get through to what is theirs; the folder above stays as it is.
        folder.chmod(0o711)
        cluster.mkdir(mode=0o700, exist_ok=True)
        _give(cluster, runner.owner)
        os.chown(where, *runner.owner)


def _initialised(folder: Path) -> Path:
    cluster = _cluster(folder)
    if not (cluster / "PG_VERSION").exists():
        # Under its own name only once it is whole: initdb may be killed.
        fresh = cluster.with_name(f"new-{cluster.name}")
        shutil.rmtree(fresh, ignore_errors=True)
        runner = postgres_binaries.runner(fresh)
        _prepare(folder, fresh, runner)
        _initialise(fresh, runner)
        fresh.rename(cluster)
    return cluster


def _initialise(cluster: Path, runner: Runner) -> None:
    # The same order and case rules on every system, without ICU; before 17 the C library's are the nearest.
    locale = ["--locale=C.UTF-8"]
    if postgres_binaries.major() >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    program = postgres_binaries.folder() / "initdb"
    command: list[str | Path] = [program, "-D", cluster, f"--username={USER}", "--auth=trust"]
    done = runner.run(*command, "--encoding=UTF8", *locale)
    if done.returncode and postgres_binaries.major() < 17:
        done = runner.run(*command, "--encoding=UTF8", "--locale=C")
    if done.returncode:
        raise EmbeddedError(f"initdb could not make {cluster}: {' '.join(done.stderr.split())}")
    with (cluster / "postgresql.conf").open("a") as file:
        file.write("\ninclude = 'ratecard.conf'\n")


def _configure(cluster: Path, where: Path, *, for_tests: bool) -> None:
    quoted = f'"{where}"'  # socket_folder() saw to it that nothing in it needs an escape
    (cluster / "ratecard.conf").write_text(
        CONFIGURATION.format(port=PORT, socket_folder=quoted, extra=TEST_CONFIGURATION if for_tests else "")
    )


def _give(cluster: Path, owner: tuple[int, int]) -> None:
    for path in (cluster, cluster / "ratecard.conf", cluster / "postgresql.conf"):
        if path.exists():
            os.chown(path, *owner)


def _spawn(cluster: Path, runner: Runner, log: Path) -> "subprocess.Popen[bytes]":
    if log.exists() and log.stat().st_size > 10 << 20:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as file:
        # Its own session: a Ctrl-C at the terminal must not reach it. pg_ctl is not used to start it, as that
        # passes paths through a shell.
        return subprocess.Popen(
            [*runner.prefix, str(postgres_binaries.folder() / "postgres"), "-D", str(cluster)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            **runner.subprocess_options,
        )


def _wait(folder: Path, server: "subprocess.Popen[bytes]", deadline: float) -> bool:
    try:
        while time.monotonic() < deadline:
            if server.poll() is not None:
                return False
            if answers(folder):
                _servers[folder] = server
                return True
            time.sleep(0.02)
        return False
    finally:
        if folder not in _servers and server.poll() is None:  # too slow, or we were interrupted
            server.send_signal(signal.SIGINT)
            server.wait()


def _left_over(folder: Path, cluster: Path, log: Path) -> bool:
    """Whether a start was refused because of what a killed server left; clears what can be cleared."""
    reason = _last(log)
    if "pre-existing shared memory" in reason or "is still in use" in reason:
        return True
    if "lock file" not in reason and "Is another postmaster" not in reason:
        return False
    socket_lock = socket_folder(folder) / f"{_socket(Path()).name}.lock"
    for pid_file in (cluster / "postmaster.pid", socket_lock):
        with suppress(OSError, ValueError, IndexError):
            pid = int(pid_file.read_text().split()[0])
            command = Path(f"/proc/{pid}/cmdline")
            # A zombie's command line is empty, a stranger's that got the same number does not name the folder.
            if command.exists() and os.fsencode(cluster) not in command.read_bytes():
                pid_file.unlink()
    return True


def _last(log: Path) -> str:
    with suppress(OSError):
        lines = log.read_text(errors="replace").splitlines()[-4:]
        return " ".join(lines)
    return ""


def _create_database(folder: Path) -> None:
    try:
        _connect(folder, NAME).close()
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error):
            raise
        with _connect(folder) as connection:
            connection.execute(f'CREATE DATABASE "{NAME}"')


def _others(folder: Path) -> bool:
    """Whether anybody is connected; a connection that is just closing gets a moment to be gone."""
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
    """
    try:
        with _connect(folder) as connection:
            for _ in range(10):
                row = connection.execute(query).fetchone()
                if row is None or row[0] == 0:
                    return False
                time.sleep(0.02)
            return True
    except psycopg.OperationalError:
        return False


def _stop(folder: Path) -> bool:
    (folder / "run" / "on-demand").unlink(missing_ok=True)
    if not listening(folder):
        return False
    cluster = _cluster(folder)
    runner = postgres_binaries.runner(cluster)
    pg_ctl = postgres_binaries.folder() / "pg_ctl"
    done = runner.run(pg_ctl, "stop", "-D", cluster, "-m", "fast", "-t", str(START_SECONDS))
    server = _servers.pop(folder, None)
    if server and not listening(folder):
        server.wait()
    if done.returncode and listening(folder):
        raise EmbeddedError(f"PostgreSQL in {folder} did not stop: {' '.join((done.stderr or done.stdout).split())}")
    return True
