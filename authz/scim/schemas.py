"""What the service describes itself with: resources, extensions, capabilities (RFC 7643 sections 3 to 8).

Of the core schemas stands here what the directory knows; a client finds out at `/Schemas`. What is `readOnly` the
platform keeps, whatever a client sends.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from scim2_models import (
    URN,
    CaseExact,
    ComplexAttribute,
    External,
    Meta,
    Mutability,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimProvider,
    ServiceProviderConfig,
    Uniqueness,
)
from scim2_models import Extension as ScimExtension
from scim2_models.resources.service_provider_config import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ETag,
    Filter,
    Pagination,
    Patch,
    Sort,
)

ROOT = "/scim/v2"
YINXIN = "urn:yinxin:params:scim:schemas:2.0"
_EXTENSION = "urn:yinxin:params:scim:schemas:extension:yinxin:2.0"
_READ_ONLY = Mutability.read_only


class GroupMembership(ComplexAttribute):
    """A post that the person holds."""

    value: Annotated[str | None, _READ_ONLY, CaseExact.true] = None
    """Identifier of the post."""
    ref: Annotated[Reference["Group"] | None, _READ_ONLY] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Address of the post."""
    display: Annotated[str | None, _READ_ONLY] = None
    """Name of the post."""
    type: Annotated[str | None, _READ_ONLY] = None
    """`direct`: no post holds another."""


class User(Resource[Any]):
    """A person of the directory."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true, Mutability.immutable] = None
    """The person's identifier: small letters, digits and hyphens, given once and never to another."""
    display_name: Annotated[str | None, Required.true] = None
    """The person's name."""
    active: bool | None = None
    """Whether the person is in service; `false` is retirement, which ends posts, sessions and certificates."""
    groups: Annotated[list[GroupMembership] | None, _READ_ONLY] = None
    """The posts that the person holds; changed at the posts."""


class HeldPost(ComplexAttribute):
    """A post that the person holds, as the directory knows it."""

    value: Annotated[str | None, _READ_ONLY, CaseExact.true] = None
    """Identifier of the post."""
    display: Annotated[str | None, _READ_ONLY] = None
    """Name of the post."""
    organ: Annotated[str | None, _READ_ONLY, CaseExact.true] = None
    """Identifier of the post's organ."""
    organ_name: Annotated[str | None, _READ_ONLY] = None
    """Name of that organ."""
    division: Annotated[str | None, _READ_ONLY, CaseExact.true] = None
    """Code of the organ's division (GB/T 2260, GB/T 10114)."""
    kind: Annotated[str | None, _READ_ONLY] = Field(None, examples=["substantive", "acting", "delegation"])
    """How the post is held."""
    valid_from: Annotated[datetime | None, _READ_ONLY] = None
    """Since when."""
    valid_to: Annotated[datetime | None, _READ_ONLY] = None
    """Until when, if that is known."""


class YinxinUser(ScimExtension):
    """What the directory knows of a person besides."""

    __schema__ = URN(f"{_EXTENSION}:User")

    organ: Annotated[str | None, _READ_ONLY, CaseExact.true] = None
    """The organ she belongs to: that of her first post, else that of her last one, else the one that entered her."""
    posts: Annotated[list[HeldPost] | None, _READ_ONLY] = None
    """The posts that she holds, acting and delegated ones too."""
    clearance: Annotated[str | None, _READ_ONLY] = Field(
        None, examples=["public", "internal", "confidential", "secret", "top-secret"]
    )
    """Her clearance, for systems that may know it; it is given by the security officer."""


class EnterpriseUser(ScimExtension):
    """Where the person works, in the words of the enterprise extension."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    organization: Annotated[str | None, _READ_ONLY] = None
    """Name of the organ; of a department, the organ above."""
    department: Annotated[str | None, _READ_ONLY] = None
    """Name of the department, if she belongs to one."""


class Member(ComplexAttribute):
    """Somebody who holds the post."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """Identifier of the person."""
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Address of the person."""
    display: Annotated[str | None, _READ_ONLY] = None
    """Name of the person."""
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """`User`: people alone hold posts."""


class Group(Resource[Any]):
    """A post of an organ; its members hold it."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    """Name of the post."""
    members: list[Member] | None = None
    """Who holds the post, substantively or acting; delegations are not members."""


class YinxinGroup(ScimExtension):
    """What the directory knows of a post besides."""

    __schema__ = URN(f"{_EXTENSION}:Group")

    organ: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """Identifier of the organ; the system's own when nothing is said."""
    roles: Annotated[list[str] | None, _READ_ONLY] = None
    """What whoever holds it may be; given by proposal."""


class Organ(Resource[Any]):
    """An organ of the tree; changed by proposal, not by SCIM."""

    __schema__ = URN(f"{YINXIN}:Organ")

    display_name: Annotated[str | None, _READ_ONLY] = None
    """Name (Chinese)."""
    display_name_en: Annotated[str | None, _READ_ONLY] = None
    """Name in English."""
    short_name: Annotated[str | None, _READ_ONLY] = None
    """The prefix of its documents' numbers (机关代字)."""
    level: Annotated[str | None, _READ_ONLY] = Field(
        None, examples=["province", "city", "county", "township", "department"]
    )
    """Level of the organ."""
    division: Annotated[str | None, _READ_ONLY, CaseExact.true] = None
    """Code of its division (GB/T 2260, GB/T 10114)."""
    credit_code: Annotated[str | None, _READ_ONLY, CaseExact.true] = None
    """Unified social credit code (GB 32100)."""
    line: Annotated[str | None, _READ_ONLY] = None
    """Line of business (条线)."""
    parent: Annotated[str | None, _READ_ONLY, CaseExact.true] = None
    """Identifier of the organ above."""
    active: Annotated[bool | None, _READ_ONLY] = None
    """Whether it is still there; an organ that was merged, split or dissolved stays on record."""


#: made by the call that the index stands for: a type checker reads the index of a class as a type
UserResource: Any = User.__class_getitem__(YinxinUser | EnterpriseUser)
GroupResource: Any = Group.__class_getitem__(YinxinGroup)
OrganResource: Any = Organ

#: addresses below the root, and what they serve
ENDPOINTS: dict[str, Any] = {"Users": UserResource, "Groups": GroupResource, "Organs": OrganResource}


def provider(page: int, most: int, documentation: str) -> ScimProvider:
    """What this service offers: pages of `page` resources, of `most` when asked for more."""
    yes, no = True, False
    config = ServiceProviderConfig(
        documentation_uri=Reference[External](documentation),
        patch=Patch(supported=yes),
        bulk=Bulk(supported=no, max_operations=0, max_payload_size=0),
        filter=Filter(supported=yes, max_results=most),
        change_password=ChangePassword(supported=no),
        sort=Sort(supported=yes),
        etag=ETag(supported=yes),
        pagination=Pagination(
            cursor=no,
            index=yes,
            default_pagination_method=Pagination.DefaultPaginationMethod.index,
            default_page_size=page,
            max_page_size=most,
        ),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="OAuth 2.0 client credentials",
                description="A bearer token from /oidc/token (RFC 6749 4.4, RFC 6750), with scim.read, scim.write or scim.clearance",
                spec_uri=Reference[External]("https://www.rfc-editor.org/rfc/rfc6750"),
                primary=yes,
            )
        ],
        meta=Meta(resource_type="ServiceProviderConfig", location=f"{ROOT}/ServiceProviderConfig"),
    )
    return ScimProvider(
        models=[User, YinxinUser, EnterpriseUser, Group, YinxinGroup, Organ],
        resource_types=[ResourceType.from_resource(each) for each in ENDPOINTS.values()],
        config=config,
    )


__all__ = [
    "ENDPOINTS",
    "ROOT",
    "EnterpriseUser",
    "Group",
    "GroupMembership",
    "GroupResource",
    "HeldPost",
    "Member",
    "Organ",
    "OrganResource",
    "User",
    "UserResource",
    "YinxinGroup",
    "YinxinUser",
    "provider",
]
