"""What is read of a mail, however it was written."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.sandbox.mailbox import messages
from payflux.sandbox.mailbox.messages import KEPT, mail_of, mails, raw_of, read, take
from payflux.sandbox.mailbox.routes import linked
from payflux.sandbox.mailbox.smtp import listen
from payflux.sandbox.store import Store


def written(subject: str = "Willkommen, Zoë", to: str = "alice@shop.example") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "PayFlux <payflux@localhost>", to, subject
    message.set_content("Confirm: http://127.0.0.1:8000/verify?token=a&b=1.\nThanks — Zoë")
    message.add_alternative('<p>Hello <a href="http://127.0.0.1:8000/v?a=1&amp;b=2">there</a></p>', subtype="html")
    return message


def test_a_mail_is_read_in_all_its_parts_and_kept_byte_for_byte() -> None:
    store, message = Store(None), written()
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="invoice.pdf")
    raw = message.as_bytes()
    mail = take(store, raw, ["alice@shop.example"], 7)
    assert (mail.subject, mail.sender) == ("Willkommen, Zoë", "PayFlux <payflux@localhost>")
    assert raw_of(store, mail) == raw
    content = read(raw)
    assert "Thanks — Zoë" in content.text
    assert content.links == ["http://127.0.0.1:8000/verify?token=a&b=1"]
    assert content.attachments == [("invoice.pdf", 4)]
    assert ("Subject", "Willkommen, Zoë") in content.headers


def test_the_links_of_a_mail_without_text_are_those_of_its_html() -> None:
    html = b'Content-Type: text/html\r\n\r\n<a href="http://localhost/v?a=1&amp;b=2">x</a>'
    assert read(html).links == ["http://localhost/v?a=1&b=2"]


@given(raw=st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"Subject: {text}\r\n\r\n{text}".encode()))
def test_whatever_comes_in_is_kept_and_can_be_shown(raw: bytes) -> None:
    store = Store(None)
    mail = take(store, raw, ["a@b.example"], 1)
    read(raw)
    assert raw_of(store, mail) == raw
    assert mails(store) == [mail] == [mail_of(store, mail.id)]


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: text/plain; charset=no-such-charset",
        "Content-Type: multipart/mixed; boundary=",
        "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64",
        "From: =?utf-8?b?!!?= <\r\nTo: ,,@",
    ],
)
def test_a_broken_mail_is_shown_as_far_as_it_can_be_read(head: str) -> None:
    content = read(f"{head}\r\n\r\nbody".encode())
    assert len(content.headers) == head.count(": ")


def test_mails_are_found_by_recipient_and_by_words_the_newest_first() -> None:
    store = Store(None)
    for at, to in enumerate(("alice@shop.example", "bob@shop.example", "alice@shop.example")):
        take(store, written(f"Mail no{at}", to).as_bytes(), [to], 5)
    assert [mail.subject for mail in mails(store)] == ["Mail no2", "Mail no1", "Mail no0"]
    assert [mail.subject for mail in mails(store, recipient=" ALICE@shop.example ", limit=1)] == ["Mail no2"]
    assert [mail.subject for mail in mails(store, words="zoë MAIL NO1")] == ["Mail no1"]
    assert mails(store, words="nowhere") == []


def test_the_oldest_mail_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "KEPT", 3)
    store = Store(None)
    kept = [take(store, f"Subject: {at}\r\n\r\n".encode(), [], at) for at in range(5)]
    assert mails(store, limit=KEPT) == kept[:1:-1]
    assert raw_of(store, kept[0]) == b""
    assert messages.forget_all(store) == 3


def test_only_addresses_become_links() -> None:
    shown = linked("<b> see http://localhost/?a=1&b=2, javascript:alert(1) and https://x.example/a.")
    assert shown == (
        '&lt;b&gt; see <a href="http://localhost/?a=1&amp;b=2" rel="noreferrer">http://localhost/?a=1&amp;b=2</a>, '
        'javascript:alert(1) and <a href="https://x.example/a" rel="noreferrer">https://x.example/a</a>.'
    )


def test_a_port_that_cannot_be_had_is_named_with_the_way_out() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"127.0.0.1:{port} .*choose another --port"):
            listen("127.0.0.1", port)
    with pytest.raises(ValueError, match="there is no such port"):
        listen("127.0.0.1", 65_536)
