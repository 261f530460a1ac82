from __future__ import annotations

import msgspec
import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payflux.monitor.processors.events import EVENT_DTYPE, event_columns
from payflux.monitor.processors.models import StoredEvent
from payflux.monitor.processors.resources import OBJECTS
from tests.unit.processors.generated import SECRET, encoded

CLASSES = {
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "radar.early_fraud_warning": stripe.radar.EarlyFraudWarning,
    "payout": stripe.Payout,
    "review": stripe.Review,
    "balance_transaction": stripe.BalanceTransaction,
}


@pytest.mark.parametrize("name", CLASSES)
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_object_that_stripe_may_send_is_read_and_only_what_is_needed_is_kept(
    name: str, data: st.DataObject
) -> None:
    body = data.draw(encoded(CLASSES[name]))
    events = OBJECTS[name].read(body)
    assert all(event.amount >= 0 and event.settled_amount >= 0 for event in events)
    assert len(event_columns(events)) == len(events)
    assert SECRET.encode() not in msgspec.json.encode(events)


def test_the_only_texts_that_are_stored_are_ids_and_an_unknown_reason() -> None:
    columns = StoredEvent.__table__.columns
    texts = {column.name for column in columns if column.type.python_type is str}
    assert texts == {"source_id", "charge_id", "detail"}
    others = {"account_id", "connection_id", "workspace_id", "read_at"}
    assert {column.name for column in columns} == texts | others | set(EVENT_DTYPE.names or ())
