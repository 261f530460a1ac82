from urllib.parse import parse_qs, urlsplit

from payflux.monitor.processors.permissions import (
    CAPABILITIES,
    KEY_PERMISSIONS,
    key_creation_url,
    missing_capabilities,
    resource_label,
)
from payflux.monitor.processors.resources import RESOURCES


def test_everything_that_a_pull_reads_is_asked_for_when_a_key_is_connected() -> None:
    assert set(RESOURCES) <= set(CAPABILITIES)
    assert {name for name, resource in RESOURCES.items() if resource.essential} <= {
        name for name, capability in CAPABILITIES.items() if capability.essential
    }
    for name, resource in RESOURCES.items():
        assert CAPABILITIES[name].path == resource.path


def test_the_link_asks_for_reading_and_for_writing_webhooks_alone() -> None:
    fields = parse_qs(urlsplit(key_creation_url()).query)
    names = [value for key, (value,) in fields.items() if key.startswith("permissions")]
    assert len(names) == len(set(names))
    assert [name for name in names if not name.endswith("_read")] == ["rak_webhook_write"]
    assert {"rak_review_read", "rak_event_read", "rak_charge_read"} <= set(names)
    assert ("Webhook endpoints", "Write") in KEY_PERMISSIONS


def test_a_connection_is_degraded_by_what_has_no_substitute() -> None:
    allowed = dict.fromkeys(CAPABILITIES, "ok")
    assert missing_capabilities(allowed) == []
    assert missing_capabilities(allowed | {"webhook_endpoints": "forbidden", "reserve_holds": "forbidden"}) == []
    assert missing_capabilities(allowed | {"reviews": "not_enabled"}) == []
    assert missing_capabilities(allowed | {"disputes": "forbidden", "balance": "forbidden"}) == ["balance", "disputes"]


def test_an_unknown_resource_still_has_a_name() -> None:
    assert resource_label("charges") == "Charges"
    assert resource_label("some_new_thing") == "Some new thing"
