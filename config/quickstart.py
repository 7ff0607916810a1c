"""What `make run` does, phase by phase: as little as possible before the first page can be read."""

import gc
import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import FrameType

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from config import embedded, queues, schema, static_files
from config.environment import text
from config.postgres_binaries import EmbeddedError
from config.supervisor import Part, RunLock, Supervisor
from dashboards import access, first_look
from pricing import catalog, gpu_rates, quality
from usage import sample

READY_SECONDS = 120
LOOK_SECONDS = 0.2
SERVER_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Choices:
    """What the operator asked for on the command line."""

    host: str = "127.0.0.1"
    port: int = 8000
    serve: bool = True
    sample: bool = True
    sources: bool = True

    @property
    def base_url(self) -> str:
        """Where a browser on this machine finds the pages, unless RATECARD_BASE_URL says where they are."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return text("BASE_URL", f"http://{host}:{self.port}").rstrip("/")


@dataclass
class Phases:
    """Prints each phase with the seconds it took."""

    say: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        _heed()
        self.say(f"{time.monotonic() - start:6.1f} s  {name}")


def run(choices: Choices, say: Callable[[str], None]) -> None:
    """Prepare everything and, unless told not to serve, run until SIGINT or SIGTERM."""
    phases = Phases(say)
    with ExitStack() as stack:
        _one_interrupt()
        if not choices.serve:
            if settings.DATA_DIR is not None:
                stack.enter_context(embedded.serving(settings.DATA_DIR))
            _prepare_database(phases)
            _load_catalogue(choices, phases)
            _load_sample(choices, phases)
            _let_go()
            return
        supervisor = _supervisor(choices, say)
        check_port(choices.host, choices.port)
        try:
            _start(choices, phases, supervisor)
            _heed()
            _watch(supervisor, say)
        except KeyboardInterrupt:
            say("Stopping")
        finally:
            _ignore_interrupts()
            start = time.monotonic()
            _stop(supervisor)
            say(f"Stopped in {time.monotonic() - start:.1f} s")


def check_port(host: str, port: int) -> None:
    """Refuse a port that somebody else listens on, before anything is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the last run's closed connections do not count
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise EmbeddedError(
                f"Port {port} on {host} cannot be used ({reason.lower()}): "
                f"stop what listens there, or choose another with `make run PORT={port + 1}`."
            ) from None


def _supervisor(choices: Choices, say: Callable[[str], None]) -> Supervisor:
    folder = settings.DATA_DIR or settings.BASE_DIR / ".data"
    lock = RunLock(folder / "run" / "quickstart.lock", say)
    environment = {**os.environ, "RATECARD_BASE_URL": choices.base_url}
    return Supervisor(lock=lock, say=say, environment=environment)


def _start(choices: Choices, phases: Phases, supervisor: Supervisor) -> None:
    collecting = threading.Thread(target=static_files.collect, daemon=True)
    collecting.start()
    if choices.sources and not _has_run_before():
        # The second core reads the packages while the database is made: 0.8 s of the first start.
        threading.Thread(target=catalog.read_ahead, daemon=True).start()
    if settings.DATA_DIR is not None:
        with phases.phase("PostgreSQL"):
            embedded.start(settings.DATA_DIR)
    _prepare_database(phases)
    with phases.phase("style sheets and scripts"):
        collecting.join()
    supervisor.start(Part("web", web_arguments(choices)))  # imports its code while the catalogue loads
    _load_catalogue(choices, phases)
    with phases.phase("web server"):
        ready = _wait_until_ready(choices, supervisor)
    link = access.first_sign_in_link(choices.base_url)
    total = time.monotonic() - phases.began
    state = "Ready" if ready else "NOT ready yet, see the messages above,"
    phases.say(f"{state} after {total:.1f} s: {choices.base_url}")
    if link:
        phases.say(f"Sign in as the first administrator (works once): {link}")
    if choices.host in {"0.0.0.0", "::"} and not (text("ALLOWED_HOSTS") or text("BASE_URL")):  # noqa: S104
        phases.say("Only this machine's names are answered: set RATECARD_BASE_URL for the name others use.")
    phases.say("Ctrl-C stops everything.")
    supervisor.start(Part("worker", WORKER))
    supervisor.start(Part("beat", ("--loglevel", "WARNING", "--pidfile=")))
    if choices.sample:
        supervisor.start(Part("sample", (), once=True))


def _has_run_before() -> bool:
    return settings.DATA_DIR is not None and (settings.DATA_DIR / "log" / "postgresql.log").exists()


def web_arguments(choices: Choices) -> tuple[str, ...]:
    host = f"[{choices.host}]" if ":" in choices.host else choices.host
    return (
        "config.wsgi:application",
        f"--bind={host}:{choices.port}",
        "--worker-class=gthread",
        "--workers=2",
        "--threads=4",
        "--preload",  # the code is imported once, not once per worker
        "--timeout=60",
        "--graceful-timeout=2",
        "--keep-alive=5",
        "--max-requests=0",
        "--log-level=warning",
        "--no-control-socket",
    )


# Gossip, mingle and heartbeats tell workers of each other; here they would only keep the queue tables busy.
WORKER = ("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat")


def _prepare_database(phases: Phases) -> None:
    with phases.phase("database schema"):
        if settings.DATA_DIR is not None:
            schema.install()
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        queues.install()


def _load_catalogue(choices: Choices, phases: Phases) -> None:
    if not choices.sources:
        return
    with phases.phase("prices"), _uncollected():
        catalog.load_bundled()
    with phases.phase("quality results"):
        quality.load_bundled()
        gpu_rates.load_bundled()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing of a load is garbage before its end, and looking for some took a seventh of it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _load_sample(choices: Choices, phases: Phases) -> None:
    if choices.sample:
        with phases.phase("sample workspace"):
            sample.load()
        with phases.phase("advice and alerts of the sample workspace"):
            first_look.prepare(timezone.now())


def _wait_until_ready(choices: Choices, supervisor: Supervisor) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(choices.host, choices.host)  # noqa: S104
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        supervisor.watch()
        connection = http.client.HTTPConnection(host, choices.port, timeout=10)
        try:
            connection.request("GET", "/readyz", headers={"Host": "localhost"})
            if connection.getresponse().status == 200:
                return True
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        if not choices.sources and _answers_at_all(host, choices.port):
            return True  # without a catalogue /readyz has nothing to be ready with
        time.sleep(0.1)
    return False


def _answers_at_all(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _watch(supervisor: Supervisor, say: Callable[[str], None]) -> None:
    looked = time.monotonic()
    while True:
        supervisor.watch()
        if settings.DATA_DIR is not None and time.monotonic() - looked > SERVER_LOOK_SECONDS:
            if not embedded.listening(settings.DATA_DIR):
                say("PostgreSQL has ended; starting it again")
                embedded.start(settings.DATA_DIR)
            looked = time.monotonic()
        time.sleep(LOOK_SECONDS)


def _stop(supervisor: Supervisor) -> None:
    folder = settings.DATA_DIR
    _let_go()
    # What the server has to write before it ends, it writes while the parts end.
    writing = threading.Thread(target=embedded.checkpoint, args=[folder], daemon=True)
    if folder is not None:
        writing.start()
    supervisor.stop()
    if folder is not None:
        writing.join(timeout=5)
        embedded.stop(folder)


_interrupted = threading.Event()


def _one_interrupt() -> None:
    """The first SIGINT or SIGTERM begins the end; make and the terminal may both send one."""

    def interrupt(_signum: int, _frame: FrameType | None) -> None:
        _interrupted.set()
        _ignore_interrupts()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)


def _heed() -> None:
    """Begin the end where an interrupt came while Python was in a place that swallows what is raised there."""
    if _interrupted.is_set():
        raise KeyboardInterrupt


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _let_go() -> None:
    from config.command_line import let_go

    let_go()
