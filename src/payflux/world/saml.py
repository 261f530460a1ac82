"""Signing in at a SAML 2.0 identity provider, as a service provider: the way there, and what its answer proves.

python3-saml reads and checks signatures; what it lets pass where it is missing is asked for here. Sources: SAML 2.0
profiles, section 4.1.4.3 (what a service provider checks), OWASP SAML Security Cheat Sheet. Only an assertion that is
itself signed counts, one that was asked for, for this audience and this address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.authn_request import OneLogin_Saml2_Authn_Request
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

_NAMES = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}
_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_EMAIL = (
    "email",
    "mail",
    "emailaddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
_NAME = (
    "displayname",
    "name",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
)


class ResponseRefused(Exception):
    """The answer does not prove what it says. The message holds no value of it."""


@dataclass(frozen=True)
class IdentityProvider:
    """A provider: its entity id, its sign-in page, and the certificate (PEM) that its assertions are signed by."""

    entity_id: str
    sign_in_url: str
    certificate: str


@dataclass(frozen=True)
class ServiceProvider:
    """What we are to a provider: `entity_id` is where our metadata stands, `consumer` where its answers are sent."""

    entity_id: str
    consumer: str


@dataclass(frozen=True)
class Assertion:
    """What was proven. It is no good from `expires_at` on; `id` is never to be taken twice."""

    id: str
    expires_at: datetime
    subject: str
    email: str
    name: str


def metadata(ours: ServiceProvider) -> bytes:
    """Our metadata, as XML."""
    settings = OneLogin_Saml2_Settings(_settings(ours, None), sp_validation_only=True)
    text = settings.get_sp_metadata()
    return text if isinstance(text, bytes) else text.encode()


def sign_in_address(ours: ServiceProvider, theirs: IdentityProvider, *, request_id: str, relay_state: str) -> str:
    """The provider's page, with our request by its `request_id`; `relay_state` comes back with the answer."""
    auth = OneLogin_Saml2_Auth(_request_data(ours, {}), _settings(ours, theirs))
    request = _Request(auth.get_settings(), request_id)
    fields = {"SAMLRequest": request.get_request(), "RelayState": relay_state}
    return auth.redirect_to(theirs.sign_in_url, fields)


def read_response(ours: ServiceProvider, theirs: IdentityProvider, encoded: str, *, request_id: str) -> Assertion:
    """What the provider's answer to `request_id`, in base 64, proves. Raises ResponseRefused."""
    settings = OneLogin_Saml2_Settings(_settings(ours, theirs))
    try:
        response = OneLogin_Saml2_Response(settings, encoded)
        response.is_valid(_request_data(ours, {"SAMLResponse": encoded}), request_id, raise_exceptions=True)
        signed = _signed(response, ours, request_id)
        return _assertion(response, signed)
    except ResponseRefused:
        raise
    except (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError) as error:
        raise ResponseRefused(f"the answer is not valid (code {error.code})") from None
    except Exception as error:  # noqa: BLE001 -- as the library raises it, for a time that it cannot read
        raise ResponseRefused(f"the answer cannot be read ({type(error).__name__})") from None


class _Request(OneLogin_Saml2_Authn_Request):
    """A request by an id of ours, so that it can be told apart from every other without being stored."""

    def __init__(self, settings: OneLogin_Saml2_Settings, request_id: str) -> None:
        self._given = request_id
        super().__init__(settings)

    def _generate_request_id(self) -> str:
        return self._given


def _signed(response: OneLogin_Saml2_Response, ours: ServiceProvider, request_id: str) -> Any:
    """The assertion, confirmed for us: the library has found that there is one alone, and that it is signed."""
    assertion = response.get_xml_document().find("saml:Assertion", _NAMES)
    if assertion is None or ours.entity_id not in response.get_audiences():
        raise ResponseRefused("the assertion is for another audience")
    confirmed = assertion.findall("saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData", _NAMES)
    if not confirmed or any(
        each.get("Recipient") != ours.consumer or each.get("InResponseTo") != request_id or not each.get("NotOnOrAfter")
        for each in confirmed
    ):
        raise ResponseRefused("the assertion is for another request or another address")
    return assertion


def _assertion(response: OneLogin_Saml2_Response, signed: Any) -> Assertion:
    name_id = response.get_nameid_data()
    if name_id.get("Format", _UNSPECIFIED) == _TRANSIENT:
        raise ResponseRefused("the subject is of this sign-in alone (transient); a lasting one is needed")
    told = {name.lower(): values for name, values in response.get_attributes().items() if values}
    email = next((str(told[name][0]) for name in _EMAIL if name in told), name_id["Value"])
    name = next((str(told[name][0]) for name in _NAME if name in told), "")
    return Assertion(
        id=signed.get("ID") or "",
        expires_at=datetime.fromtimestamp(response.get_assertion_not_on_or_after(), UTC),
        subject=name_id["Value"],
        email=email,
        name=name,
    )


def _settings(ours: ServiceProvider, theirs: IdentityProvider | None) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "strict": True,
        "sp": {
            "entityId": ours.entity_id,
            "assertionConsumerService": {"url": ours.consumer, "binding": _POST},
            "NameIDFormat": _UNSPECIFIED,
        },
        "security": {
            "wantAssertionsSigned": True,
            "rejectDeprecatedAlgorithm": True,
            "wantAttributeStatement": False,
            "requestedAuthnContext": False,
            "allowSingleLabelDomains": True,  # of a network of one's own
        },
    }
    if theirs is not None:
        settings["idp"] = {
            "entityId": theirs.entity_id,
            # the library writes it into its XML as it is
            "singleSignOnService": {"url": escape(theirs.sign_in_url, {'"': "&quot;"}), "binding": _REDIRECT},
            "x509cert": theirs.certificate,
        }
    return settings


def _request_data(ours: ServiceProvider, posted: dict[str, str]) -> dict[str, Any]:
    """The address that the answer came to, as the library wants it told: ours, whatever a header says."""
    parts = urlsplit(ours.consumer)
    return {
        "https": "on" if parts.scheme == "https" else "off",
        "http_host": parts.netloc,
        "script_name": parts.path,
        "get_data": {},
        "post_data": posted,
    }
