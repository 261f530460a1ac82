"""What the staff's tests and the pages' share."""

from __future__ import annotations

from tests.integration.launch.conftest import stored
from tests.integration.staff.conftest import joined, sam

__all__ = ["joined", "sam", "stored"]
