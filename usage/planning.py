"""What PostgreSQL must be told before it plans a statement that groups rows by many columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.utils import CursorWrapper

_BY_HASH = {"work_mem": "'128MB'", "enable_sort": "off", "enable_incremental_sort": "off"}


@contextmanager
def grouped_by_hash(cursor: CursorWrapper) -> Iterator[None]:
    """In this transaction: group by hashing, not by sorting, whatever the planner believes of the number of groups.

    It takes each column for 200 different values, so many groups that it would sort all rows by a dozen columns of
    text. Compiling the statement (`jit`) takes longer than running it, and stays off until the transaction ends.
    """
    cursor.execute("; ".join(f"SET LOCAL {name} = {value}" for name, value in {**_BY_HASH, "jit": "off"}.items()))
    yield
    cursor.execute("; ".join(f"SET LOCAL {name} TO DEFAULT" for name in _BY_HASH))
