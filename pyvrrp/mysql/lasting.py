"""Tasks that last as long as what they serve: one that ends by a mistake of ours leaves what it saw last for true.

Nobody waits for such a task, so it is the loop that is told. The daemon then hands over and ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


def begin(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Have it done."""
    task = loop.create_task(work)
    task.add_done_callback(_tell)
    return task


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        message = "what looks after a database server has ended"
        task.get_loop().call_exception_handler({"message": message, "exception": error, "task": task})
