"""Refusals on the wire: SCIM's own error message (RFC 7644 3.12), in the reader's language."""

from typing import Any

from pydantic import ValidationError
from scim2_models import Error as ScimMessage
from scim2_models import SCIMException
from werkzeug.exceptions import HTTPException

from authz.directory.errors import AlreadyThere
from authz.scim import errors
from yinxin.errors import Invalid, YinxinError
from yinxin.faults import sentence
from yinxin.text import Language, Text
from yinxin.web.errors import MalformedRequest, TooLarge

SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"
#: seconds after which a part that did not answer is worth another try
RETRY_AFTER = 5
_BY_KEYWORD: dict[str, type[errors.ScimError]] = {
    "invalidFilter": errors.BadFilter,
    "invalidSyntax": errors.BadSyntax,
    "invalidPath": errors.BadPath,
    "noTarget": errors.NoTarget,
    "invalidValue": errors.BadAttribute,
    "mutability": errors.NotMutable,
}


def status_of(error: YinxinError) -> int:
    """The HTTP status it leaves with: the codes of RFC 7644 table 8, so 400 for whatever is wrong with the input."""
    return 400 if isinstance(error, Invalid) and error.status == 422 else error.status


def message(error: YinxinError, language: Language) -> dict[str, Any]:
    """The error message."""
    keyword = getattr(error, "scim_type", "")
    if isinstance(error, AlreadyThere):
        keyword = "uniqueness"
    elif not keyword and isinstance(error, Invalid) and status_of(error) == 400:
        keyword = "invalidValue"
    document = {"schemas": [SCHEMA], "status": str(status_of(error)), "detail": error.text(language)}
    return document | ({"scimType": keyword} if keyword else {})


def from_library(error: ValidationError | SCIMException) -> YinxinError:
    """What the library found wrong with a message, as an error of ours."""
    if isinstance(error, SCIMException):
        known = {**error.context, **vars(error)}
        about = known.get("attribute") or known.get("path") or ""
        said = f"{about}: {error.detail}" if about and str(about) not in error.detail else error.detail
        return _refusal(error.scim_type, Text(said, said))
    first = error.errors(include_url=False, include_input=False)[0]
    told = ScimMessage.from_validation_error(first)
    where = ".".join(str(each) for each in first["loc"] if "[" not in str(each))
    if first["type"].startswith("scim_"):
        said = told.detail or ""
        return _refusal(told.scim_type or "", Text(said, said))
    reason = sentence(first)
    return _refusal(
        told.scim_type or "",
        Text(f"{where}：{reason.zh}", f"{where}: {reason.en}") if where else reason,
    )


def _refusal(keyword: str, reason: Text) -> YinxinError:
    return _BY_KEYWORD.get(keyword, errors.BadAttribute)(reason=reason)


def from_http(error: HTTPException, limit: int) -> YinxinError:
    """What the HTTP layer refused, as an error of ours."""
    return TooLarge(limit=limit) if error.code == 413 else MalformedRequest()
