"""The directory (RFC 8555 7.1.1): where everything is, and what this server asks for."""

from typing import Any

from ca.acme.parts import Answer, Parts, Urls
from ca.profile import Profile


def directory(parts: Parts, urls: Urls) -> Answer:
    """The addresses, and with them terms, binding and profiles."""
    settings = parts.settings
    meta: dict[str, Any] = {
        "externalAccountRequired": settings.eab == "required",
        "profiles": {
            name: f"{profile.title.zh} / {profile.title.en}"
            for name, profile in parts.ctx.profiles.items()
            if _offered(profile)
        },
    }
    if settings.terms_url:
        meta["termsOfService"] = settings.terms_url
    if settings.website:
        meta["website"] = settings.website
    return Answer(
        {
            "newNonce": urls.of("new-nonce"),
            "newAccount": urls.of("new-account"),
            "newOrder": urls.of("new-order"),
            "revokeCert": urls.of("revoke-cert"),
            "keyChange": urls.of("key-change"),
            "renewalInfo": urls.of("renewal-info"),
            "meta": meta,
        }
    )


def _offered(profile: Profile) -> bool:
    """Whether hosts can have such certificates at all; which of them an account may is the credential's to say."""
    kinds = {str(kind) for kind in profile.san}
    return bool(kinds & {"dns", "ip"}) and not profile.ceremony_only and not profile.escrow
