"""The pages that belong to the whole house: home, the public verify page, and the console of the three powers."""

from typing import TYPE_CHECKING

from ops.console import (
    applications,
    authorities,
    authorization,
    calendar,
    certificates,
    clients,
    credential_grant,
    credentials,
    delegations,
    directory,
    exchange,
    grants,
    holder_keys,
    home,
    imports,
    key_centre,
    keys,
    kmip,
    lists,
    matrix,
    others,
    passkeys,
    policies,
    profiles,
    proposals,
    replay,
    reviews,
    seals,
    service_keys,
    sessions,
    show,
    tenants,
    verify,
)
from ops.console.names import DirectoryNames
from yinxin.text import Text
from yinxin.web import NavItem, Pages

if TYPE_CHECKING:
    from flask import Blueprint

    from ops.platform import Platform

__all__ = ["DirectoryNames", "pages"]

NAVIGATION = (
    NavItem(Text("控制台", "Console"), "console.show", show.ROLES, house=True),
    NavItem(Text("证书", "Certificates"), "console.own_certificates"),
    NavItem(Text("密钥", "Keys"), "console.keys"),
    NavItem(Text("印章", "Seals"), "console.seal_list"),
    NavItem(Text("交换", "Exchange"), "console.exchange_list", exchange.ROLES),
    NavItem(Text("名录", "Directory"), "console.organs"),
    NavItem(Text("我的登录", "My sessions"), "console.sessions"),
    NavItem(Text("授权", "Authorization"), "console.authorization", authorization.ROLES),
    NavItem(Text("提案", "Proposals"), "console.proposal_list", proposals.ROLES),
    NavItem(Text("工作日历", "Calendar"), "console.calendar", public=True),
    NavItem(Text("核验", "Verify"), "console.verify", public=True),
)


def pages(platform: "Platform") -> "tuple[Blueprint, ...]":
    """The blueprint of the pages."""
    made = Pages("console", __name__, navigation=NAVIGATION)
    home.add(made)
    verify.add(made, platform)
    calendar.add(made, platform)
    show.add(made, platform)
    certificates.add(made, platform)
    applications.add(made, platform)
    authorities.add(made, platform)
    credentials.add(made, platform)
    credential_grant.add(made, platform)
    lists.add(made, platform)
    profiles.add(made, platform)
    key_centre.add(made, platform)
    keys.add(made, platform)
    proposals.add(made, platform)
    directory.add(made, platform)
    authorization.add(made, platform)
    policies.add(made, platform)
    grants.add(made, platform)
    matrix.add(made, platform)
    reviews.add(made, platform)
    tenants.add(made, platform)
    imports.add(made, platform)
    sessions.add(made, platform)
    passkeys.add(made, platform)
    others.add(made, platform)
    delegations.add(made, platform)
    clients.add(made, platform)
    exchange.add(made, platform)
    service_keys.add(made, platform)
    kmip.add(made, platform)
    seals.add(made, platform)
    holder_keys.add(made, platform)
    replay.add(made, platform)
    return (made.blueprint,)
