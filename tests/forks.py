"""Processes that are forked from one which has imported the product: to import it takes seconds."""

from __future__ import annotations

import multiprocessing

from payflux.cli.admin import ADMIN
from payflux.cli.commands import COMMANDS

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        *dict.fromkeys(place.where.partition(":")[0] for place in (*COMMANDS.values(), *ADMIN.values())),
        "tests.integration.commands",
        "tests.integration.killed_worker",
    ]
)
