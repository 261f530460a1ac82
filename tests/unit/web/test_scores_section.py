from payflux.monitor.projections.scorebook import Scorebook
from tests.unit.web.samples import SCORED, render
from tests.unit.web.test_templates import text_of


def test_before_the_first_horizon_is_over_the_page_says_when_it_will_be_scored() -> None:
    text = text_of(render("dashboard"))
    assert "How good were our projections The first horizon, T+60 of 12 Oct 2026, is scored when 11 Dec 2026" in text


def test_a_scored_horizon_shows_what_was_said_beside_what_came() -> None:
    text = text_of(render("dashboard", scorebook=SCORED))
    assert "came inside the stated 80 % range in 0 of 1 scored horizons" in text
    assert (
        "T+30 of 12 Oct 2026 $138,000 $142,100 inside the 80 % range $13,800 $14,210 outside the 80 % range $0 3 2"
    ) in text
    assert "T+25 of 12 Oct 2026 Not scored. The history is known without a gap until 3 Nov 2026 only." in text
    assert "Next: T+60 of 12 Oct 2026, when 11 Dec 2026 is over (UTC)." in text


def test_a_workspace_without_a_stored_horizon_is_told_what_will_come() -> None:
    assert "scored when its horizon is over" in text_of(render("dashboard", scorebook=Scorebook()))
