"""The sample readout of the landing page: a simulated merchant, computed by the product's own core and kept in a file.

`payflux admin sample-readout` computes it anew; a test holds the file against that.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.risk.surface import RiskSurface


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A readout, with what its merchant is in one sentence. Of surface and projection only what the page shows."""

    story: str
    surface: RiskSurface
    projection: ReserveProjection


@cache
def sample_readout() -> Sample:
    """The readout that comes with PayFlux."""
    return msgspec.json.decode((files("payflux.web") / "sample.json").read_bytes(), type=Sample)
