"""What several people decide, and what people do with keys, seals, directory and rules, is in a report of its own kind.

A dossier, the refusals and what auditors did themselves tell everything, and so do not count. Seen to fail without `seal.make`.
"""

import pytest

from audit.report.kinds import KINDS
from ops.modules import MODULES

APART = {"person", "object", "refusals", "auditors", "controls"}
COUNTED = [kind for kind in KINDS.values() if kind.name not in APART]
VERBS = {each.name for module in MODULES for each in module.verbs}
ASKED = {filters.verb for kind in COUNTED for filters in kind.questions if filters.verb}
#: acts that are daily work, by module: they are told by dossiers, and by the registers of their own modules
DAILY = {
    "kms": "call-engine sign list read give-user-key archive-user-key rewrap fail-over keep-service-key read-service-keys "
    "encrypt decrypt rewrap-ciphertext make-data-key verify mac verify-mac give-random read-kmip-clients call-kmip "
    "read-kmip-object create-kmip-object register-kmip-object get-kmip-object change-kmip-attributes "
    "activate-kmip-object revoke-kmip-object destroy-kmip-object create-holder-key sign-as-holder change-holder-pin "
    "add-holder-passkey remove-holder-passkey end-holder-key read-holder-keys",
    "ca": "crl open-lists timestamp timestamp-outside recheck apply vet withdraw expire acme-request acme-register "
    "acme-update-account acme-deactivate-account acme-change-key acme-order acme-fail-order acme-respond "
    "acme-validate acme-deactivate-authorization acme-finalize acme-renew attribute-list enrol notify read "
    "hand-in-list start-list stop-list forget-list",
    "seal": "use sign finish-use read",
    "calendar": "",
}


@pytest.mark.parametrize("module", sorted(DAILY))
def test_every_act_is_in_a_report_or_is_daily_work(module):
    reported = {
        each
        for each in VERBS
        if any(each == verb or (verb.endswith(".") and each.startswith(verb)) for verb in ASKED)
    }
    daily = {f"{module}.{each}" for each in DAILY[module].split()}
    assert {each for each in VERBS - reported if each.startswith(f"{module}.")} == daily - reported
    assert daily <= VERBS
    assert not daily & reported


def test_every_decision_of_several_people_is_in_a_report():
    told = {each for kind in COUNTED for each in kind.proposals}
    missing = {kind.name for module in MODULES for kind in module.proposals} - told
    assert missing <= ASKED, missing - ASKED


def test_every_act_that_a_report_asks_for_is_one():
    """A name that no module records would leave a report silently short."""
    modules = {module.name for module in MODULES}
    for verb in ASKED:
        if verb.partition(".")[0] in modules:
            assert verb in VERBS or (verb.endswith(".") and any(each.startswith(verb) for each in VERBS)), (
                verb
            )
