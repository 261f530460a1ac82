"""An analytics service on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.funnel.recorder import Recorder


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    started = Recorder()
    yield started
    started.stop()
