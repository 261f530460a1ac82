"""The landing page's sample is what the product computes, not what somebody wrote."""

from __future__ import annotations

import pytest

from payflux.cli.sample import compute_sample
from payflux.web.sample import sample_readout


def test_the_sample_of_the_landing_page_is_what_the_core_computes_of_the_simulated_merchant() -> None:
    kept, computed = sample_readout(), compute_sample()
    again = "run `payflux admin sample-readout > src/payflux/web/sample.json`"
    assert (kept.story, kept.surface.model_version) == (computed.story, computed.surface.model_version), again
    assert kept.surface.risk_tier == computed.surface.risk_tier, again
    assert kept.surface.event_count == computed.surface.event_count, again
    assert [reason.sentence for reason in kept.surface.reasons] == [each.sentence for each in computed.surface.reasons]
    for old, new in zip(kept.projection.windows, computed.projection.windows, strict=True):
        # another processor rounds the simulation's logarithms differently in the last place
        assert (old.trapped, old.low, old.high) == pytest.approx((new.trapped, new.low, new.high), rel=1e-3), again
