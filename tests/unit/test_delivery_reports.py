"""Reports of mails that were not delivered, as different mail servers write them."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payflux.sandbox.mailbox.bouncing import report, status_of
from payflux.world.delivery_reports import DeliveryReport, is_permanent, meaning_of, read_report, status_in

MAIL_ID = UUID("0193a2b4-0000-7000-8000-00000000002a")
OURS = f"From: PayFlux <alerts@payflux.example>\nTo: alice@shop.example\nMessage-ID: <{MAIL_ID}@payflux.example>\n"

POSTFIX = f"""\
From: MAILER-DAEMON@mx.payflux.example (Mail Delivery System)
To: bounces+code@payflux.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B8E1"

This is a MIME-encapsulated message.

--B8E1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

<alice@shop.example>: host mx.shop.example said: 550 5.1.1 User unknown

--B8E1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.payflux.example
X-Postfix-Queue-ID: 4F2A1B
Arrival-Date: Sat, 21 Nov 2026 10:59:00 +0000 (UTC)

Final-Recipient: rfc822; alice@shop.example
Original-Recipient: rfc822;alice@shop.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.shop.example
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--B8E1
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

{OURS}
--B8E1--
""".replace("\n", "\r\n")

WHOLE_MAIL_RETURNED = POSTFIX.replace("text/rfc822-headers", "message/rfc822").replace(
    "\r\n--B8E1--", "\r\nHello\r\n--B8E1--"
)


def test_the_reports_of_usual_servers_are_read() -> None:
    wanted = DeliveryReport("5.1.1", MAIL_ID)
    assert read_report(POSTFIX.encode()) == wanted
    assert read_report(POSTFIX.replace("\r\n", "\n").encode()) == wanted
    assert read_report(WHOLE_MAIL_RETURNED.encode()) == wanted
    assert wanted.permanent
    without_status = POSTFIX.replace("Status: 5.1.1\r\n", "").encode()
    assert read_report(without_status) == wanted, "from the server's own words"
    without_mail = POSTFIX.replace(f"<{MAIL_ID}@", "<somebody-else@").encode()
    assert read_report(without_mail) == DeliveryReport("5.1.1", None)


@pytest.mark.parametrize(
    ("action", "status", "read", "permanent"),
    [
        ("failed", "5.2.2", "5.2.2", True),
        ("failed", "5.0.0", "5.0.0", True),
        ("Failed", "5.7.1", "5.7.1", False),
        ("failed", "5.2.3", "5.2.3", False),
        ("failed", "4.4.7", "4.4.7", False),
        ("delayed", "4.4.1", "4.4.1", False),
        ("delayed", "5.1.1", "4.1.1", False),
    ],
)
def test_only_a_lasting_failure_of_the_address_itself_is_permanent(
    action: str, status: str, read: str, permanent: bool
) -> None:
    changed = POSTFIX.replace("Action: failed", f"Action: {action}").replace("5.1.1", status)
    found = read_report(changed.encode())
    assert found is not None
    assert (found.status, found.permanent) == (read, permanent)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", ""])
def test_what_was_delivered_is_no_failure(action: str) -> None:
    assert read_report(POSTFIX.replace("Action: failed", f"Action: {action}").encode()) is None


def test_of_several_recipients_the_one_whose_address_does_not_work_counts() -> None:
    late = "\r\nFinal-Recipient: rfc822; bob@shop.example\r\nAction: failed\r\nStatus: 4.2.2\r\n"
    place = "\r\n\r\n--B8E1\r\nContent-Description: Undelivered"
    found = read_report(POSTFIX.replace(place, f"\r\n{late}{place}").encode())
    assert found is not None
    assert found.status == "5.1.1"


def test_a_holiday_notice_is_no_report() -> None:
    assert read_report(b"From: alice@shop.example\r\nSubject: Out of office\r\n\r\nBack on Monday. 5.1.1\r\n") is None


@given(st.binary(max_size=2000))
@example(b"Content-Type: message/delivery-status\n\nAction: failed\nStatus: \xff\n")
@example(b"Content-Type: multipart/report; boundary=a\n\n" + b"--a\nContent-Type: multipart/x; boundary=a\n\n" * 900)
def test_nothing_that_comes_in_breaks_the_reader(raw: bytes) -> None:
    found = read_report(raw)
    assert found is None or meaning_of(found.status)


@given(st.data())
def test_a_report_that_was_damaged_on_its_way_does_not_break_the_reader(data: st.DataObject) -> None:
    raw = bytearray(POSTFIX.encode())
    for _ in range(data.draw(st.integers(1, 30))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for each in (bytes(raw), bytes(raw[:cut]), bytes(raw[cut:])):
        found = read_report(each)
        assert found is None or meaning_of(found.status)


@given(
    st.sampled_from("45"),
    st.integers(0, 99),
    st.integers(0, 999),
    st.text(st.characters(categories=["Ll", "Nd"], max_codepoint=127), min_size=1, max_size=40),
)
def test_what_the_sandbox_sends_back_is_read_as_it_was_asked_for(
    kind: str, subject: int, detail: int, shop: str
) -> None:
    status, mail_id = f"{kind}.{subject}.{detail}", uuid4()
    address = f"bounce-{status}@{shop}.example"
    assert status_of(address) == status
    raw = f"To: {address}\r\nMessage-ID: <{mail_id}@localhost>\r\n\r\nHello".encode()
    back = report(raw, return_path="bounces+code@localhost", recipient=address, status=status)
    assert read_report(back) == DeliveryReport(status, mail_id)
    assert not (is_permanent(status) and kind == "4")


def test_a_status_is_found_in_a_reply_and_meant_in_words() -> None:
    assert status_in("5.1.1 no such user") == "5.1.1"
    assert status_in("no such user at 192.5.1.1.9") == ""
    assert status_in("mailbox unavailable") == ""
    assert (meaning_of("5.1.1"), meaning_of("5.2.2")) == ("there is no such address", "the mailbox is full")
    assert meaning_of("5.5.0") == "its mail server refuses it"
    asked = ("bounce@shop.example", "bouncer@shop.example", "alice@bounce.example")
    assert [status_of(address) for address in asked] == ["5.1.1", None, None]
