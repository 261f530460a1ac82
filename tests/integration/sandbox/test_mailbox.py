"""Mails sent to the sandbox over SMTP, read on its pages and as JSON."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from payflux.sandbox.mailbox.smtp import LARGEST, listen
from payflux.sandbox.state import SandboxState
from payflux.settings import Settings
from payflux.world.mail import Mail, deliver
from tests.integration.sandbox.conftest import served
from tests.integration.sandbox.views import problems_in_each_view

NOTICE = Mail(
    "Confirm your address",
    "Open http://127.0.0.1:9/verify?token=abc to confirm.\n",
    '<html><head><title>x</title></head><body><a href="http://127.0.0.1:9/verify?token=abc">Confirm</a>'
    "<script>document.title = 'ran'</script><img src='http://127.0.0.1:9/seen.png' alt=''></body></html>",
)


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[str, int]]:
    """The address of a sandbox, and the port on which it takes mails."""
    listening = listen("127.0.0.1", 0)
    with served(SandboxState(), mailbox=listening) as base:
        yield base, listening.getsockname()[1]


@pytest.fixture
def product(mailbox: tuple[str, int]) -> Settings:
    return Settings(smtp_host="127.0.0.1", smtp_port=mailbox[1], smtp_tls="none", smtp_from="PayFlux <p@localhost>")


@pytest.fixture(autouse=True)
def empty(mailbox: tuple[str, int]) -> None:
    httpx.delete(f"{mailbox[0]}/sandbox/mailbox").raise_for_status()


async def test_a_mail_of_the_product_arrives_whole(mailbox: tuple[str, int], product: Settings) -> None:
    await deliver(product, NOTICE, to="bob@shop.example")
    await deliver(product, NOTICE, to="alice@shop.example", message_id="once")
    async with httpx.AsyncClient(base_url=mailbox[0]) as client:
        assert len((await client.get("/sandbox/mailbox")).json()["data"]) == 2
        mail = (await client.get("/sandbox/mailbox/latest", params={"to": "alice@shop.example"})).json()
        assert (mail["subject"], mail["recipients"]) == (NOTICE.subject, ["alice@shop.example"])
        assert mail["links"] == ["http://127.0.0.1:9/verify?token=abc"]
        assert mail["html"].strip() == NOTICE.html
        assert ["Message-ID", "<once@localhost>"] in mail["headers"]
        assert (await client.get(f"/sandbox/mailbox/{mail['id']}")).json() == mail
        raw = (await client.get(f"/mailbox/{mail['id']}/raw")).content
        assert raw.startswith(b"From: PayFlux <p@localhost>\r\n")
        assert len(raw) == mail["size"]
        assert (await client.delete("/sandbox/mailbox")).json() == {"deleted": 2}
        assert (await client.get("/sandbox/mailbox/latest")).status_code == 404


def test_any_name_and_password_is_right_and_no_encryption_is_offered(mailbox: tuple[str, int]) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox[1]) as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.esmtp_features["size"] == str(LARGEST)
        client.login("anybody", "anything")
        sent = "From: a@b.example\r\nSubject: hi\r\n\r\nhö"
        client.sendmail("a@b.example", ["zoë@shop.example", "b@shop.example"], sent.encode(), ["SMTPUTF8"])
    mail = httpx.get(f"{mailbox[0]}/sandbox/mailbox/latest", params={"to": "zoë@shop.example"}).json()
    assert mail["recipients"] == ["zoë@shop.example", "b@shop.example"]


def test_a_mail_that_is_too_large_is_refused(mailbox: tuple[str, int]) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox[1]) as client, pytest.raises(smtplib.SMTPResponseException) as refused:
        client.sendmail("a@b.example", "c@d.example", b"Subject: x\r\n\r\n" + b"x" * LARGEST)
    assert refused.value.smtp_code == 552
    assert httpx.get(f"{mailbox[0]}/sandbox/mailbox").json()["data"] == []


def test_another_site_sees_and_deletes_nothing(mailbox: tuple[str, int]) -> None:
    base, _ = mailbox
    evil = {"Origin": "https://evil.example"}
    assert httpx.post(f"{base}/mailbox/delete", headers=evil).status_code == 403
    assert httpx.delete(f"{base}/sandbox/mailbox", headers=evil).status_code == 403
    for path in ("mailbox", "sandbox/mailbox", "sandbox/mailbox/latest"):
        assert httpx.get(f"{base}/{path}", headers={"Host": "evil.example"}).status_code == 403
    assert httpx.get(f"{base}/mailbox/mail_none").status_code == 404
    assert httpx.get(f"{base}/sandbox/mailbox", params={"limit": "0"}).json()["error"]["param"] == "limit"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def sends(port: int, *recipients: str) -> None:
    """Send the notice with the standard library's client: the browser tests have no loop of their own."""
    with smtplib.SMTP("127.0.0.1", port) as client:
        for to in recipients:
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = "p@localhost", to, NOTICE.subject
            message.set_content(NOTICE.text)
            message.add_alternative(NOTICE.html, subtype="html")
            client.send_message(message)


def test_a_person_finds_a_mail_and_follows_its_link(page: Page, mailbox: tuple[str, int]) -> None:
    base, port = mailbox
    page.goto(f"{base}/mailbox")
    expect(page.get_by_text("No mail has come in yet")).to_be_visible()
    sends(port, "alice@shop.example", "bob@shop.example")
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("2 mails, the newest first")
    page.get_by_label("To").select_option("alice@shop.example")
    page.get_by_label("With the words").fill("confirm")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("1 of 2 mails")
    assert [*problems_in_each_view(page)] == []
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body="confirmed")

    # a picture that the page refuses is told of as a request too, but never gets here
    page.context.route("http://127.0.0.1:9/**", answer)
    page.get_by_role("link", name="Confirm your address").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your address")
    with page.expect_popup() as popup:
        page.frame_locator("iframe").get_by_role("link", name="Confirm").click()
    expect(popup.value.get_by_text("confirmed")).to_be_visible()
    assert asked == ["http://127.0.0.1:9/verify?token=abc"]
    assert page.frames[1].title() == "x"
    assert [*problems_in_each_view(page)] == []
    page.locator("pre").get_by_role("link").click()
    expect(page.get_by_text("confirmed")).to_be_visible()


def test_a_person_empties_the_mailbox(page: Page, mailbox: tuple[str, int]) -> None:
    base, port = mailbox
    sends(port, "alice@shop.example")
    page.goto(f"{base}/mailbox")
    page.get_by_role("button", name="Delete all").click()
    expect(page.get_by_text("No mail has come in yet")).to_be_visible()
