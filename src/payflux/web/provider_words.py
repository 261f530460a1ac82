"""What is said to somebody whom a provider did not sign in, or did not connect. `{provider}` stands for its name."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from payflux.frontdoor.accounts.providers.rules import LinkStep, SignInStep


@dataclass(frozen=True)
class Words:
    """A page's worth: its status and title, what happened, what is safe, what to do."""

    status: HTTPStatus
    title: str
    happened: str
    todo: str
    safe: str = "Nothing was changed, and PayFlux keeps nothing that {provider} sent."


LOST = Words(
    HTTPStatus.BAD_REQUEST,
    "This sign-in cannot be finished",
    "It was begun in another browser, took longer than ten minutes, or was finished before.",
    "Start again from here.",
)
DECLINED = Words(
    HTTPStatus.BAD_REQUEST,
    "You did not agree at {provider}",
    "{provider} told us that you chose not to go on.",
    "Start again, or use another way.",
)
UNPROVEN = Words(
    HTTPStatus.BAD_REQUEST,
    "{provider} did not confirm who you are",
    "Its answer does not prove who sent it, so nobody was signed in.",
    "Start again. If it stays so, use another way and tell us.",
)
UNAVAILABLE = Words(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "{provider} does not answer",
    "{provider} cannot sign anybody in at the moment.",
    "Try again in a minute, or use another way.",
)

SIGN_IN_WORDS = {
    SignInStep.NOT_OPEN: Words(
        HTTPStatus.FORBIDDEN,
        "PayFlux is not open to everybody yet",
        "New businesses come in step by step, and the address that {provider} told us is not on the list yet.",
        "Ask a colleague who uses PayFlux for an invite, and open it before you choose {provider}.",
    ),
    SignInStep.SIGN_IN_FIRST: Words(
        HTTPStatus.CONFLICT,
        "Sign in first, then connect {provider}",
        "The account with this address is signed in to by two steps, and {provider} would only be one.",
        "Sign in as before, then connect {provider} under Security.",
    ),
    SignInStep.REFUSE: Words(
        HTTPStatus.CONFLICT,
        "Another {provider} account is connected",
        "The PayFlux account with this address is connected to a different {provider} account.",
        "Choose that {provider} account, or sign in another way.",
    ),
}
LINK_WORDS = {
    LinkStep.UNVERIFIED: Words(
        HTTPStatus.FORBIDDEN,
        "Your address is not verified",
        "A provider can be connected once you have shown that your e-mail address is yours.",
        "Open the link in the mail we sent you, then connect {provider} again.",
    ),
    LinkStep.TAKEN: Words(
        HTTPStatus.CONFLICT,
        "This {provider} account is in use",
        "It signs in to another PayFlux account, and can only sign in to one.",
        "Choose another {provider} account, or disconnect it there first.",
    ),
    LinkStep.ANOTHER: Words(
        HTTPStatus.CONFLICT,
        "Another {provider} account is connected",
        "Your PayFlux account is connected to a different {provider} account, and can have one.",
        "Disconnect that one first.",
    ),
}
