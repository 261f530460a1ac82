"""Processes that are forked from one which has imported the product: to import it takes seconds."""

from __future__ import annotations

import multiprocessing

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["payflux.cli.commands", "tests.integration.commands", "tests.integration.killed_worker"])
