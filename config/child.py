"""One part of Ratecard, started by the supervisor: `python -m config.child PARENT web|worker|beat|sample …`.

It ends when its parent does, however that ended: a supervisor killed with SIGKILL leaves nothing running.
"""

import ctypes
import importlib
import os
import signal
import sys
import warnings

PR_SET_PDEATHSIG = 1
# The worker ends at once on SIGQUIT; its tasks are idempotent and come back to the next worker.
AT_PARENTS_DEATH = {"web": signal.SIGTERM, "worker": signal.SIGQUIT, "pool": signal.SIGKILL, "beat": signal.SIGTERM}


def end_with_parent(parent: int, name: str) -> None:
    """Ask the kernel for a signal at the parent's death; where it cannot (not Linux), nothing is asked."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(AT_PARENTS_DEATH.get(name, signal.SIGTERM)))
    if os.getppid() != parent:  # it died before we could ask; a fork of the worker would wait for its queues to leave
        os._exit(1)


def main(argv: list[str]) -> None:
    parent, name, *arguments = argv
    # What is started in the background of a script inherits that these are ignored: it would outlive its parent.
    for signum in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_DFL)
    end_with_parent(int(parent), name)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if name == "web":
        from gunicorn.app.wsgiapp import run

        sys.argv = ["gunicorn", *arguments]
        run(prog="gunicorn")
    elif name == "sample":
        import django

        django.setup()
        fill_sample()
    else:
        # In a container root is the only user there is, and no pickle is ever read.
        warnings.filterwarnings("ignore", message=r"(?s).*superuser privileges")
        from celery.__main__ import main as celery
        from celery.signals import worker_process_init

        # A fork does not inherit the wish to end with one's parent: the worker's own processes ask for it again.
        worker = os.getpid()
        worker_process_init.connect(lambda **_: end_with_parent(worker, "pool"), weak=False)
        sys.argv = ["celery", "--quiet", "-A", "config", name, *arguments]
        celery()


def fill_sample() -> None:
    """The sample workspace, with the decisions and alerts of its first day: a look minutes later has all of them."""
    from django.utils import timezone

    importlib.import_module("usage.sample").load()
    importlib.import_module("dashboards.first_look").prepare(timezone.now())


if __name__ == "__main__":
    main(sys.argv[1:])
