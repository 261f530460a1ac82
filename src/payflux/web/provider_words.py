"""What is said to somebody whom a provider did not sign in, or did not connect. `{provider}` stands for its name."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from payflux.frontdoor.accounts.providers.rules import LinkStep, SignInStep
from payflux.kit.messages import mark


@dataclass(frozen=True)
class Words:
    """A page's worth: its status and title, what happened, what is safe, what to do."""

    status: HTTPStatus
    title: str
    happened: str
    todo: str
    safe: str = mark("Nothing was changed, and PayFlux keeps nothing that {provider} sent.")


LOST = Words(
    HTTPStatus.BAD_REQUEST,
    mark("This sign-in cannot be finished"),
    mark("It was begun in another browser, took longer than ten minutes, or was finished before."),
    mark("Start again from here."),
)
DECLINED = Words(
    HTTPStatus.BAD_REQUEST,
    mark("You did not agree at {provider}"),
    mark("{provider} told us that you chose not to go on."),
    mark("Start again, or use another way."),
)
UNPROVEN = Words(
    HTTPStatus.BAD_REQUEST,
    mark("{provider} did not confirm who you are"),
    mark("Its answer does not prove who sent it, so nobody was signed in."),
    mark("Start again. If it stays so, use another way and tell us."),
)
UNAVAILABLE = Words(
    HTTPStatus.SERVICE_UNAVAILABLE,
    mark("{provider} does not answer"),
    mark("{provider} cannot sign anybody in at the moment."),
    mark("Try again in a minute, or use another way."),
)

SIGN_IN_WORDS = {
    SignInStep.NOT_OPEN: Words(
        HTTPStatus.FORBIDDEN,
        mark("PayFlux is not open to everybody yet"),
        mark("New businesses come in step by step, and the address that {provider} told us is not on the list yet."),
        mark("Ask a colleague who uses PayFlux for an invite, and open it before you choose {provider}."),
    ),
    SignInStep.SIGN_IN_FIRST: Words(
        HTTPStatus.CONFLICT,
        mark("Sign in first, then connect {provider}"),
        mark("The account with this address is signed in to by two steps, and {provider} would only be one."),
        mark("Sign in as before, then connect {provider} under Security."),
    ),
    SignInStep.REFUSE: Words(
        HTTPStatus.CONFLICT,
        mark("Another {provider} account is connected"),
        mark("The PayFlux account with this address is connected to a different {provider} account."),
        mark("Choose that {provider} account, or sign in another way."),
    ),
}
LINK_WORDS = {
    LinkStep.UNVERIFIED: Words(
        HTTPStatus.FORBIDDEN,
        mark("Your address is not verified"),
        mark("A provider can be connected once you have shown that your e-mail address is yours."),
        mark("Open the link in the mail we sent you, then connect {provider} again."),
    ),
    LinkStep.TAKEN: Words(
        HTTPStatus.CONFLICT,
        mark("This {provider} account is in use"),
        mark("It signs in to another PayFlux account, and can only sign in to one."),
        mark("Choose another {provider} account, or disconnect it there first."),
    ),
    LinkStep.ANOTHER: Words(
        HTTPStatus.CONFLICT,
        mark("Another {provider} account is connected"),
        mark("Your PayFlux account is connected to a different {provider} account, and can have one."),
        mark("Disconnect that one first."),
    ),
}
