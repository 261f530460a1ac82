from datetime import UTC, date, datetime
from html import unescape
from typing import get_args

import pytest

from payflux.monitor.projections.rules.reserves import SCENARIOS
from payflux.monitor.risk.rules.bands import BANDINGS
from payflux.monitor.risk.rules.programmes import REGISTRY
from payflux.monitor.risk.rules.programmes.programme import Quantity
from payflux.web.explaining import rolling_example, signal_rows, tier_rows
from payflux.web.programmes import MARKS, QUANTITIES, REGIONS, programme_rows, step_needs
from tests.unit.web.samples import NOW, render

TODAY = date(2026, 11, 21)


def test_every_quantity_region_and_degree_of_confidence_has_its_words() -> None:
    assert set(QUANTITIES) == set(get_args(Quantity))
    assert {region for phase in REGISTRY for region in phase.scope.regions} <= set(REGIONS)
    assert {phase.confidence for phase in REGISTRY} <= set(MARKS)
    assert all(step_needs(step, phase.currency) for phase in REGISTRY for step in phase.steps)


def test_the_page_has_every_phase_that_lasts_and_none_that_is_over() -> None:
    rows = programme_rows(TODAY)
    assert len(rows) == sum(phase.valid_to is None or phase.valid_to > TODAY for phase in REGISTRY)
    assert {row.source for row in rows} <= {phase.source for phase in REGISTRY}
    assert all(row.name != "Visa Dispute Monitoring Program" for row in rows)
    assert "Visa Dispute Monitoring Program" in {row.name for row in programme_rows(date(2025, 1, 1))}


def test_what_is_only_reported_or_announced_is_marked_and_said_never_to_set_tier_5() -> None:
    rows = {row.name: row for row in programme_rows(TODAY)}
    assert rows["Mastercard GMAP"].marks == ("reported, not confirmed", "never sets tier 5")
    assert rows["Mastercard GMAP"].dates == "From 1\xa0Apr\xa02027"
    assert rows["Visa MERP"].marks[0].startswith("unconfirmed")
    assert rows["Mastercard Excessive Chargeback Program"].marks == ()
    assert rows["Visa Acquirer Monitoring Program: the acquirer's own lines"].marks[0] == "about the processor, not you"


def test_a_step_is_told_with_its_conditions_and_its_fines() -> None:
    [row] = [row for row in programme_rows(TODAY) if row.name == "Mastercard Excessive Chargeback Program"]
    name, needs, fines = row.steps[0]
    assert name == "ECM"
    assert needs == "disputes at least 1.5\xa0% of the payments of the month before and at least 100 disputes"
    assert fines.startswith("$1,000 from month 2; $5,000 from month 4")
    assert fines.endswith("$5 for each event above 300 from month 4")


def test_the_tiers_state_the_scenarios_that_projections_assume() -> None:
    assert [row.scenario for row in tier_rows()] == list(SCENARIOS.values())
    assert rolling_example(tier=3) == [(30, 300_000), (60, 600_000), (90, 900_000)]


@pytest.mark.parametrize("moment", [NOW, datetime(2024, 2, 29, tzinfo=UTC)])
def test_every_signal_of_a_score_is_listed_with_its_own_thresholds(moment: datetime) -> None:
    rows = signal_rows(moment)
    judged = [row for row in rows if row.thresholds]
    assert {row.label for row in judged} == {banding.label for banding in BANDINGS.values()}
    assert all(row.source for row in rows)
    [activity] = [row for row in rows if row.label == "Dispute activity"]
    assert activity.thresholds == ("0.4\xa0%", "0.75\xa0%", "1\xa0%")
    page = unescape(render("how-it-works"))
    assert all(row.label in page for row in rows)
