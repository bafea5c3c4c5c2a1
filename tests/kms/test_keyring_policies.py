"""Who may do what with service keys: the policies with the real engine, against an oracle written plainly."""

from itertools import product

import pytest

from authz.policy_set import PolicySet
from yinxin.authz import PLATFORM, Resource

from .test_policies import ABOVE, ROLES, allowed

pytestmark = pytest.mark.engines("any")
MANAGING = (
    "kms.create-service-key",
    "kms.rotate-service-key",
    "kms.limit-service-key",
    "kms.import-service-key",
    "kms.keep-service-key",
)
#: what needs a grant, whoever asks
GRANTED = (
    "kms.encrypt",
    "kms.decrypt",
    "kms.rewrap-ciphertext",
    "kms.make-data-key",
    "kms.sign",
    "kms.mac",
    "kms.verify-mac",
)


def expected(role: str, organ: str, action: str, owner: str) -> bool:
    own = organ in ABOVE[owner]
    if action in MANAGING:
        return role == "security-officer" and (own or owner == PLATFORM)
    if action == "kms.read-service-keys":
        return own or (role in ("security-officer", "auditor") and owner == PLATFORM)
    return action == "kms.verify" and own


def test_the_policies_are_the_oracle(policies: PolicySet) -> None:
    """Seen to fail when an officer may use what she manages."""
    actions = (*MANAGING, *GRANTED, "kms.read-service-keys", "kms.verify")
    for role, organ, owner, action in product(ROLES, ("province", "city", "county"), ABOVE, actions):
        attributes = {"purpose": "records", "algorithm": "sm4-gcm"}
        resource = Resource("ServiceKey", "k", organ=owner, attributes=attributes)
        answer = allowed(policies, role, organ, action, resource)
        assert answer is expected(role, organ, action, owner), (role, organ, owner, action)


def test_using_a_key_is_a_template_of_its_own(policies: PolicySet) -> None:
    """Four grants: encrypting, decrypting, signing, rotating; none of them opens another's."""
    templates = {
        name: set(each.actions) for name, each in policies.templates.items() if name.startswith("kms.")
    }
    rotating = templates.pop("kms.grant-rotating")
    assert rotating == {"kms.read-service-keys", "kms.rotate-service-key"}
    assert set().union(*templates.values()) == {*GRANTED, "kms.read-service-keys", "kms.verify"}
    assert "kms.decrypt" not in templates["kms.grant-encrypting"] | templates["kms.grant-signing"]
    assert "kms.sign" not in templates["kms.grant-encrypting"] | templates["kms.grant-decrypting"]
