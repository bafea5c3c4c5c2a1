"""Policies beyond what NIST's suite asks: the anchor's constraints, both suites, and trees that would explode."""

import pytest

from yinxin.crypto.constraints import ANY_POLICY, PolicyConstraints
from yinxin.crypto.errors import PathTooComplex, PolicyNotAccepted
from yinxin.crypto.names import Name
from yinxin.crypto.path import Policies

HIGH, LOW, THEIRS = "1.2.3.1", "1.2.3.2", "1.2.4.1"


def authority(hierarchy, name, by=None, **given):
    return hierarchy.issue(hierarchy.authority(Name.of({"CN": name}), **given), by=by or hierarchy.root)


def leaf_of(hierarchy, by, *policies):
    return hierarchy.issue(hierarchy.template(Name.of({"CN": "x"}), policies=policies), by=by).certificate


def test_a_path_tells_its_policies_in_the_anchors_words(hierarchy, at):
    ours = authority(hierarchy, "桥", policies=(HIGH, LOW), policy_mappings=((HIGH, THEIRS),))
    leaf = leaf_of(hierarchy, ours, THEIRS)
    found = hierarchy.judge(leaf, at, intermediates=(ours.certificate,))
    assert (found.authority_policies, found.policies) == (frozenset({HIGH}), frozenset({HIGH}))
    demanded = Policies(frozenset({HIGH, "1.2.9"}), require_explicit=True)
    found = hierarchy.judge(leaf, at, intermediates=(ours.certificate,), policies=demanded)
    assert found.policies == {HIGH}
    with pytest.raises(PolicyNotAccepted, match=LOW):
        hierarchy.judge(
            leaf,
            at,
            intermediates=(ours.certificate,),
            policies=Policies(frozenset({LOW}), require_explicit=True),
        )


def test_without_demands_no_policy_is_needed(hierarchy, at):
    found = hierarchy.judge(hierarchy.person().certificate, at, policies=Policies(frozenset({HIGH})))
    assert found.policies == frozenset()
    with pytest.raises(PolicyNotAccepted):
        hierarchy.judge(hierarchy.person().certificate, at, policies=Policies(require_explicit=True))


def test_the_anchors_constraints_count(intl, at):
    """Seen to fail without `counters.narrow(chain[-1])`."""
    strict = intl.self_signed(
        intl.suite, intl.authority(Name.of({"CN": "严根"}), policy_constraints=PolicyConstraints(0))
    )
    with pytest.raises(PolicyNotAccepted):
        intl.judge(leaf_of(intl, strict), at, anchors=(strict.certificate,))
    assert intl.judge(leaf_of(intl, strict, HIGH), at, anchors=(strict.certificate,)).policies == {HIGH}
    plain = intl.self_signed(intl.suite, intl.authority(Name.of({"CN": "明根"}), inhibit_any_policy=0))
    wanted = Policies(require_explicit=True)
    with pytest.raises(PolicyNotAccepted):
        intl.judge(leaf_of(intl, plain, ANY_POLICY), at, anchors=(plain.certificate,), policies=wanted)


def test_a_tree_that_would_explode_is_a_row(intl, at):
    """Eight authorities that map each of 30 policies to all 30: a tree of 30⁸ nodes, a row of 30.

    RFC 9618 section 2 describes the attack. Seen to fail (never to end) with one entry of the row for each way there.
    """
    policies = tuple(f"1.2.3.{number}" for number in range(30))
    mappings = tuple((one, other) for one in policies for other in policies)
    chain, by = [], intl.root
    for number in range(8):
        by = authority(intl, f"级 {number}", by, policies=policies, policy_mappings=mappings)
        chain.append(by.certificate)
    leaf = leaf_of(intl, by, policies[0])
    found = intl.judge(leaf, at, intermediates=chain, policies=Policies(require_explicit=True))
    assert found.policies == set(policies)


def test_too_many_mappings_end(intl, at):
    policies = tuple(f"1.2.3.{number}" for number in range(120))
    mappings = tuple((one, other) for one in policies for other in policies)
    first = authority(intl, "一", policies=policies, policy_mappings=mappings)
    second = authority(intl, "二", first, policies=policies, policy_mappings=mappings)
    third = authority(intl, "三", second, policies=policies)
    leaf = leaf_of(intl, third, policies[0])
    with pytest.raises(PathTooComplex, match="policies"):
        intl.judge(leaf, at, intermediates=(first.certificate, second.certificate, third.certificate))
