"""One running product and one browser for all journeys."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import open_folder
from tests.running import Running, running_product

_NETWORKS = count(1)


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with open_folder() as folder, running_product(folder, tmp_path_factory.mktemp("log") / "run.log") as product:
        yield product


@pytest.fixture
def page(browser: Browser, product: Running, tmp_path: Path) -> Iterator[Page]:
    """A fresh browser window that fails the test for an error in a script or a refused resource.

    Each comes from a network address of its own, as a proxy on this machine would tell it: all who register from one
    share a budget.
    """
    address = f"127.1.{next(_NETWORKS)}.1"
    context = browser.new_context(
        base_url=product.url, viewport={"width": 1280, "height": 900}, extra_http_headers={"X-Forwarded-For": address}
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert [text for text in complaints if "status of 4" not in text] == []
