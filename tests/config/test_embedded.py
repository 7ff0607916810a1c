import os
import re
import signal
import time
from pathlib import Path

import psycopg
import pytest

from config import embedded, postgres_binaries
from config.postgres_binaries import EmbeddedError
from tests.config.conftest import Start

START = "import pathlib, sys; from config import embedded; print(embedded.start(pathlib.Path(sys.argv[1])))"


def connect(folder: Path) -> psycopg.Connection:
    return psycopg.connect(
        host=str(embedded.socket_folder(folder)), user="ratecard", dbname="ratecard", autocommit=True
    )


def cluster(folder: Path) -> Path:
    return folder / f"pg{postgres_binaries.major()}"


def server_pid(folder: Path) -> int:
    return int((cluster(folder) / "postmaster.pid").read_text().split()[0])


def kill_and_wait(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    for _ in range(100):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:
            return
        if re.search(r"\) Z ", stat):
            return
        time.sleep(0.02)


def test_four_starts_at_once_give_one_server(folder: Path, start: Start) -> None:
    starts = [start("-c", START, str(folder)) for _ in range(4)]
    said = [process.communicate(timeout=60)[0].strip() for process in starts]
    assert sorted(said) == ["False", "False", "False", "True"]
    assert embedded.answers(folder)


def test_a_killed_server_starts_again_with_its_data(folder: Path) -> None:
    embedded.start(folder)
    with connect(folder) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS figure")
    kill_and_wait(server_pid(folder))
    assert embedded.start(folder) is True
    with connect(folder) as connection:
        assert connection.execute("SELECT figure FROM kept").fetchone() == (7,)


def test_a_pid_file_that_names_a_stranger_is_not_believed(folder: Path, start: Start) -> None:
    embedded.start(folder)
    stranger = start("-c", "import time; time.sleep(300)")
    pid_file = cluster(folder) / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    kill_and_wait(int(lines[0]))
    pid_file.write_text("\n".join([str(stranger.pid), *lines[1:6], "0 0", *lines[7:]]) + "\n")
    assert embedded.start(folder) is True


@pytest.mark.parametrize("name", ["x" * 150, 'it\'s a "data", $HOME folder'])
def test_any_folder_name_will_do(name: str, folder: Path) -> None:
    where = folder / name
    try:
        embedded.start(where)
        assert len(os.fsencode(embedded.socket_folder(where))) < 100
        assert embedded.answers(where)
    finally:
        embedded.stop(where)


def test_the_last_user_stops_a_server_that_was_started_on_demand(folder: Path) -> None:
    with embedded.serving(folder):
        with embedded.serving(folder):
            pass
        assert embedded.answers(folder), "the inner user must not stop it under the outer one"
    assert not embedded.listening(folder)


def test_a_server_that_was_started_on_purpose_stays(folder: Path) -> None:
    embedded.start(folder)
    with embedded.serving(folder):
        pass
    assert embedded.answers(folder)
    assert embedded.stop(folder) is True
    assert embedded.stop(folder) is False


def test_the_data_of_another_version_is_left_alone_with_a_sentence(folder: Path) -> None:
    (folder / "pg14").mkdir(parents=True)
    (folder / "pg14" / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedError, match=r"was written by PostgreSQL 14.*set RATECARD_POSTGRES_BIN"):
        embedded.start(folder)


def test_a_folder_of_programs_without_initdb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATECARD_POSTGRES_BIN", str(tmp_path))
    postgres_binaries.folder.cache_clear()
    try:
        with pytest.raises(EmbeddedError, match="holds no initdb"):
            postgres_binaries.folder()
    finally:
        postgres_binaries.folder.cache_clear()


def test_text_sorts_and_folds_the_same_on_every_system(folder: Path) -> None:
    embedded.start(folder)
    with connect(folder) as connection:
        row = connection.execute("SELECT lower('ÄÖ'), 'Zebra' < 'apple', current_setting('TimeZone')").fetchone()
    assert row == ("äö", True, "UTC")


def test_nothing_listens_on_the_network_and_only_the_owner_may_connect(folder: Path) -> None:
    embedded.start(folder)
    with connect(folder) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert (embedded.socket_folder(folder) / ".s.PGSQL.5432").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs somebody else to run the server")
def test_without_user_namespaces_root_hands_the_cluster_to_an_existing_user(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.postgres_binaries.shutil.which", lambda name: None)
    before = folder.parent.stat().st_mode
    try:
        embedded.start(folder)
    except EmbeddedError as error:
        pytest.skip(f"the programs are not open to others here: {error}")
    assert cluster(folder).stat().st_uid != 0
    assert folder.parent.stat().st_mode == before
    embedded.stop(folder)
    assert embedded.start(folder) is True


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs somebody else to run the server")
def test_where_nobody_can_run_the_server_root_reads_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.postgres_binaries.shutil.which", lambda name: None)
    folder.parent.chmod(0o700)
    with pytest.raises(EmbeddedError, match=r"^PostgreSQL will not run as root.*run Ratecard as an ordinary user"):
        embedded.start(folder)
    assert folder.parent.stat().st_mode & 0o777 == 0o700, "no folder above the data is ever opened"


def test_a_cluster_whose_making_was_cut_short_is_made_anew(folder: Path) -> None:
    half = folder / f"new-{cluster(folder).name}"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    embedded.initialise(folder)
    assert not half.exists()
    assert not embedded.answers(folder)
    assert embedded.start(folder) is True
