"""What a provider's word is worth, and who gets which account for it."""

from __future__ import annotations

from itertools import product

import pytest

from payflux.frontdoor.accounts.providers.rules import (
    CONSUMER_TENANT,
    SIGN_IN_STEPS,
    Holder,
    LinkStep,
    Provider,
    SignInStep,
    UnusableProfile,
    link_step,
    profile_of,
)

WORK_TENANT = "3aa4a235-b6e2-48d5-9195-7fcf05b459b0"
GOOGLE = {"iss": "https://accounts.google.com", "sub": "1100", "email": "alice@shop.example", "name": "Alice"}
MICROSOFT = {
    "iss": f"https://login.microsoftonline.com/{WORK_TENANT}/v2.0",
    "sub": "differs for each application",
    "oid": "00aa",
    "tid": WORK_TENANT,
    "email": "alice@shop.example",
    "name": "Alice",
}


@pytest.mark.parametrize(
    ("provider", "claims", "attested"),
    [
        (Provider.GOOGLE, GOOGLE, False),
        (Provider.GOOGLE, GOOGLE | {"email_verified": True}, True),
        (Provider.GOOGLE, GOOGLE | {"email_verified": "true"}, True),
        (Provider.GOOGLE, GOOGLE | {"email_verified": False}, False),
        (Provider.GOOGLE, GOOGLE | {"email_verified": "false"}, False),
        (Provider.GOOGLE, GOOGLE | {"hd": "shop.example"}, False),
        (Provider.GOOGLE, GOOGLE | {"xms_edov": True}, False),
        (Provider.MICROSOFT, MICROSOFT, False),
        (Provider.MICROSOFT, MICROSOFT | {"email_verified": True}, False),
        (Provider.MICROSOFT, MICROSOFT | {"xms_edov": True}, True),
        (Provider.MICROSOFT, MICROSOFT | {"xms_edov": 1}, True),
        (Provider.MICROSOFT, MICROSOFT | {"xms_edov": "1"}, True),
        (Provider.MICROSOFT, MICROSOFT | {"xms_edov": False}, False),
        (Provider.MICROSOFT, MICROSOFT | {"xms_edov": "0"}, False),
        (Provider.MICROSOFT, MICROSOFT | {"tid": CONSUMER_TENANT}, True),
    ],
)
def test_an_address_is_proven_only_where_the_provider_attests_it(
    provider: Provider, claims: dict[str, object], attested: bool
) -> None:
    assert profile_of(provider, claims).attested is attested


def test_a_person_is_the_subject_at_google_and_the_object_id_in_the_tenant_at_microsoft() -> None:
    assert profile_of(Provider.GOOGLE, GOOGLE).subject == "1100"
    found = profile_of(Provider.MICROSOFT, MICROSOFT)
    assert (found.issuer, found.subject) == (MICROSOFT["iss"], "00aa")


def test_a_sign_in_name_of_microsoft_is_where_to_write_to_but_never_proof() -> None:
    nameless = {key: value for key, value in MICROSOFT.items() if key != "email"}
    found = profile_of(Provider.MICROSOFT, nameless | {"preferred_username": "a@shop.example", "xms_edov": True})
    assert (found.email, found.attested) == ("a@shop.example", False)


@pytest.mark.parametrize("email", ["", "not an address", "+31 6 1234", 7, None])
def test_what_is_no_address_is_none_and_attests_nothing(email: object) -> None:
    found = profile_of(Provider.GOOGLE, GOOGLE | {"email": email, "email_verified": True})
    assert (found.email, found.attested) == ("", False)


@pytest.mark.parametrize(
    ("provider", "claims", "missing"), [(Provider.GOOGLE, GOOGLE, "sub"), (Provider.MICROSOFT, MICROSOFT, "oid")]
)
def test_nobody_is_who_has_no_subject(provider: Provider, claims: dict[str, object], missing: str) -> None:
    with pytest.raises(UnusableProfile):
        profile_of(provider, {key: value for key, value in claims.items() if key != missing})


@pytest.mark.parametrize(
    ("holder", "attested", "step"),
    [
        (Holder.NOBODY, True, SignInStep.CREATE_VERIFIED),
        (Holder.NOBODY, False, SignInStep.CREATE_UNVERIFIED),
        (Holder.VERIFIED, True, SignInStep.CONFIRM),
        (Holder.VERIFIED, False, SignInStep.TELL_BY_MAIL),
        (Holder.PROTECTED, True, SignInStep.SIGN_IN_FIRST),
        (Holder.PROTECTED, False, SignInStep.TELL_BY_MAIL),
        (Holder.CONNECTED, True, SignInStep.REFUSE),
        (Holder.CONNECTED, False, SignInStep.TELL_BY_MAIL),
        (Holder.UNVERIFIED, True, SignInStep.CLAIM),
        (Holder.UNVERIFIED, False, SignInStep.TELL_BY_MAIL),
    ],
)
def test_what_follows_when_a_stranger_comes_back(holder: Holder, attested: bool, step: SignInStep) -> None:
    assert SIGN_IN_STEPS[holder, attested] is step


def test_every_case_of_signing_in_is_decided() -> None:
    assert set(SIGN_IN_STEPS) == set(product(Holder, (True, False)))


def test_an_address_that_nobody_attests_opens_no_account_that_exists() -> None:
    unproven = {step for (holder, attested), step in SIGN_IN_STEPS.items() if not attested and holder != Holder.NOBODY}
    assert unproven == {SignInStep.TELL_BY_MAIL}


@pytest.mark.parametrize(
    ("mine", "taken", "has_another", "verified", "step"),
    [
        (False, False, False, True, LinkStep.CONNECT),
        (False, False, False, False, LinkStep.UNVERIFIED),
        (False, False, True, True, LinkStep.ANOTHER),
        (False, False, True, False, LinkStep.UNVERIFIED),
        (False, True, False, True, LinkStep.TAKEN),
        (False, True, False, False, LinkStep.UNVERIFIED),
        (False, True, True, True, LinkStep.TAKEN),
        (False, True, True, False, LinkStep.UNVERIFIED),
        (True, False, True, True, LinkStep.NOTHING),
        (True, False, True, False, LinkStep.NOTHING),
    ],
)
def test_what_follows_when_a_member_comes_back_to_connect(
    mine: bool, taken: bool, has_another: bool, verified: bool, step: LinkStep
) -> None:
    assert link_step(mine=mine, taken=taken, has_another=has_another, verified=verified) is step
