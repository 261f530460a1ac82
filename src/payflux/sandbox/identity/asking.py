"""What an application asks of the authorize page, checked as OpenID Connect Core section 3.1.2 says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from payflux.sandbox.errors import OAuthError
from payflux.sandbox.identity.providers import SCOPES, Provider
from payflux.sandbox.redirects import leads_here

_CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")
_PROMPTS = {"none", "login", "consent", "select_account"}


def require_client(provider: Provider, query: Mapping[str, str]) -> str:
    """The redirect_uri. Raises OAuthError where the browser must not be sent back: the page itself has to say it."""
    if query.get("client_id") != provider.client_id:
        raise OAuthError("invalid_client", f"client_id must be {provider.client_id}.")
    redirect_uri = query.get("redirect_uri", "")
    if not leads_here(redirect_uri):
        raise OAuthError(
            "redirect_uri_mismatch",
            "redirect_uri must be an absolute http or https address of this machine (127.0.0.1 or localhost).",
        )
    return redirect_uri


def require_sign_in(query: Mapping[str, str], repeated: list[str]) -> list[str]:
    """The scopes asked for. Raises OAuthError, which is for the application; `repeated` names what came twice."""
    if repeated:
        raise OAuthError("invalid_request", f"{repeated[0]} is given more than once.")
    if query.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code.")
    if query.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "response_mode must be query, or left out.")
    scopes = query.get("scope", "").split()
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if "openid" not in scopes or unknown:
        raise OAuthError("invalid_scope", f"scope must be openid and may have {', '.join(SCOPES[1:])} beside it.")
    challenge = query.get("code_challenge", "")
    if (challenge or "code_challenge_method" in query) and query.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method must be S256.")
    if (challenge or "code_challenge_method" in query) and not _CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request", "code_challenge must be 43 letters of base64url, without padding.")
    prompts = query.get("prompt", "").split()
    if not _PROMPTS.issuperset(prompts) or ("none" in prompts and len(prompts) > 1):
        raise OAuthError("invalid_request", "prompt must be none, or of login, consent and select_account.")
    if prompts == ["none"]:
        raise OAuthError("login_required", "Nobody is signed in at the sandbox: somebody has to choose.")
    return scopes
