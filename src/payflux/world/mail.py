"""Mail: written from a template as text and as HTML, and handed to the mail server that the settings name."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from functools import cache

import aiosmtplib
import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from payflux.kit.messages import gettext, language, ngettext
from payflux.settings import Settings
from payflux.world.delivery_reports import status_in

_TIMEOUT = 20.0  # seconds
_REFUSED_FOR_GOOD = 500  # SMTP reply codes from here on, RFC 5321 section 4.2.1
_NOT_LET_IN = (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPConnectResponseError, aiosmtplib.SMTPHeloError)


class MailFailure(Exception):
    """A mail was not taken by the mail server; the message holds no address."""


class MailRefused(MailFailure):
    """The mail server will never take it: the recipient or the sender is wrong. Where it is the recipient, `status` is
    what the server said of it (RFC 3463), if it did."""

    def __init__(self, message: str, *, status: str = "") -> None:
        super().__init__(message)
        self.status = status


class MailUnavailable(MailFailure):
    """The mail server cannot be reached, asks to try again later, or takes no mail at all, as with a wrong password:
    that is put right while the mail waits."""


class InlineImage(msgspec.Struct, frozen=True):
    """A PNG that a mail's HTML shows as ``cid:NAME``."""

    name: str
    data: bytes


class Mail(msgspec.Struct, frozen=True):
    """One written mail; whoever posts to `unsubscribe_url` gets no more of its kind."""

    subject: str
    text: str
    html: str
    images: tuple[InlineImage, ...] = ()
    unsubscribe_url: str = ""


def write_mail(template: str, **context: object) -> Mail:
    """The mail `template` of payflux.emails: its first line is the subject, then the text; beside it its HTML.
    It is in the language of the task at hand."""
    environment, context = _templates(), context | {"language": language()}
    subject, _, text = environment.get_template(f"{template}.txt").render(context).partition("\n")
    html = environment.get_template(f"{template}.html").render(context, subject=subject)
    return Mail(subject.strip(), text.strip() + "\n", html)


async def deliver(settings: Settings, mail: Mail, *, to: str, message_id: str = "", return_path: str = "") -> None:
    """Hand `mail` to the mail server. `message_id` makes a mail that is delivered twice recognisable as one;
    `return_path` is where it comes back to when it cannot be delivered, by default the address that it is from.

    Raises MailRefused, or MailUnavailable when trying again later may help.
    """
    if not settings.smtp_host:
        raise MailRefused("no mail server is set; PAYFLUX_SMTP_HOST names one")
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = settings.smtp_from, to, mail.subject
    domain = parseaddr(settings.smtp_from)[1].rpartition("@")[2] or "localhost"
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{message_id}@{domain}>" if message_id else make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices in return
    if mail.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"  # RFC 2369
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    _, html = message.iter_parts()
    for image in mail.images:
        assert isinstance(html, EmailMessage)
        html.add_related(image.data, "image", "png", cid=f"<{image.name}>", disposition="inline")
    try:
        await aiosmtplib.send(
            message,
            sender=return_path or None,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username or None,
            password=settings.smtp_password.get_secret_value() or None,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            timeout=_TIMEOUT,
        )
    except (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPConnectResponseError, aiosmtplib.SMTPHeloError) as error:
        raise MailUnavailable(
            f"the mail server does not let PayFlux in (reply {error.code}); see PAYFLUX_SMTP_*"
        ) from None
    except aiosmtplib.SMTPResponseException as error:
        raise _failure(error.code) from None
    except aiosmtplib.SMTPRecipientsRefused as error:
        refusal = max(error.recipients, key=lambda each: each.code)
        raise _failure(refusal.code, status_in(refusal.message)) from None
    except ssl.SSLCertVerificationError:
        raise MailUnavailable("the mail server's certificate is not valid for PAYFLUX_SMTP_HOST") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise MailUnavailable(f"the mail server does not answer ({type(error).__name__})") from None


def _failure(code: int, status: str = "") -> MailFailure:
    if code >= _REFUSED_FOR_GOOD:
        return MailRefused(f"the mail server refuses the mail (reply {code})", status=status)
    return MailUnavailable(f"the mail server asks to try again (reply {code})")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("payflux", "emails"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.filters["translate"] = gettext
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # ty: ignore[missing-attribute] -- i18n's
    return environment
