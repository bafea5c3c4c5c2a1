"""The signature of a view, read once as a contract, and each request fitted to it."""

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast, get_args, get_origin, get_type_hints

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import FileStorage, MultiDict

from yinxin.crypto.suite import INTL
from yinxin.faults import sentence
from yinxin.web._stored import Stored
from yinxin.web.caller import Caller
from yinxin.web.errors import Fault, InvalidRequest, TooLarge, UnsupportedMediaType
from yinxin.web.faults import NUL, Place, faults_of, with_nul

JSON = "application/json"
OCTETS = "application/octet-stream"
MULTIPART = "multipart/form-data"
_PARAMETER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is no JSON: its bytes, all at once or as they come, media type and further headers."""

    data: bytes | Iterable[bytes]
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent: its bare name (no path), media type as the sender claims, size in octets, and content.

    `stream` may be read and sought; it ends with the request.
    """

    name: str
    media_type: str
    size: int
    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class Incoming:
    """A body of octets as it arrives: `stream` is read once, and nothing of it has been held before."""

    stream: BinaryIO


ViewAnswer = BaseModel | Raw | Stored | None


@dataclass(frozen=True, slots=True)
class Contract:
    """What a view asks for and gives. `path` maps a path parameter to its type."""

    path: Mapping[str, Any]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    #: name → whether it must be there
    uploads: Mapping[str, bool]
    caller: bool
    answer: Any
    #: the parameter that takes the body as it arrives, if there is one
    incoming: str | None = None
    #: those of `uploads` that take any number of parts of that name
    several: frozenset[str] = frozenset()

    def bind(
        self, path: Mapping[str, Any], caller: Caller | None
    ) -> tuple[dict[str, Any], Callable[[], str]]:
        """The view's arguments for the present request, and how to digest it; raises InvalidRequest with every fault."""
        faults: list[Fault] = list(with_nul(path, "path"))
        arguments: dict[str, Any] = dict(path)
        if self.caller:
            arguments["caller"] = caller
        if self.query is not None:
            arguments["query"] = _fit(self.query, query_values(self.query, request.args), "query", faults)
        if self.incoming is not None:
            _demand(OCTETS)
            arguments[self.incoming] = Incoming(cast("BinaryIO", request.stream))
        elif self.uploads:
            _demand(MULTIPART)
            if self.body is not None:
                arguments["body"] = _fit_json(self.body, request.form.get("body", "{}").encode(), faults)
            arguments |= self._files(faults)
        elif self.body is not None:
            _demand(JSON)
            arguments["body"] = _fit_json(self.body, request_body(), faults)
        if faults:
            raise InvalidRequest(faults=faults)
        return arguments, self._digest

    def bind_form(
        self, path: Mapping[str, Any], caller: Caller | None
    ) -> tuple[dict[str, Any], Callable[[], str]]:
        """As `bind`, for the fields of an HTML form: an empty field is one that was not filled in."""
        faults: list[Fault] = list(with_nul(path, "path"))
        arguments: dict[str, Any] = dict(path)
        if self.caller:
            arguments["caller"] = caller
        if self.body is not None:
            filled = MultiDict((name, value) for name, value in _fields() if value.strip())
            arguments["body"] = _fit(self.body, query_values(self.body, filled), "form", faults)
        arguments |= self._files(faults)
        if faults:
            raise InvalidRequest(faults=faults)
        return arguments, self._digest

    def _files(self, faults: list[Fault]) -> dict[str, Upload | tuple[Upload, ...] | None]:
        files: dict[str, Upload | None] = {}
        several: dict[str, tuple[Upload, ...]] = {}
        for name, needed in self.uploads.items():
            if name in self.several:
                several[name] = tuple(
                    upload_of(each) for each in request.files.getlist(name) if each.filename
                )
                continue
            file = request.files.get(name)
            if file is not None and file.filename:
                files[name] = upload_of(file)
            elif needed:
                missing = {"type": "missing", "msg": "A file is needed here"}
                faults.append(Fault("form", f"/{name}", "missing", sentence(missing)))
            else:
                files[name] = None
        return {**files, **several}

    def _digest(self) -> str:
        """What makes two requests the same: method, address and content; hexadecimal."""
        return digest_of(request.method, request.full_path, self._content())

    def _content(self) -> Iterator[bytes]:
        if not request.form and not request.files:
            yield request_body()
        for name, value in sorted(_fields()):
            yield f"{name}={value}".encode()
        files = ((name, each) for name in sorted(request.files) for each in request.files.getlist(name))
        for name, file in files:
            yield name.encode()
            file.stream.seek(0)
            while chunk := file.stream.read(_CHUNK):
                yield chunk
            file.stream.seek(0)


def digest_of(method: str, address: str, content: Iterable[bytes]) -> str:
    """What makes two requests the same, hexadecimal; the address is a path, a question mark, and the query if there is one."""
    state = hashlib.new(INTL.hash.name)
    state.update(f"{method} {address}\n".encode())
    for part in content:
        state.update(len(part).to_bytes(8) + part)
    return state.hexdigest()


def _fields() -> list[tuple[str, str]]:
    """The form's own fields; those of the kit begin with an underscore."""
    return [(name, value) for name, value in request.form.items(multi=True) if not name.startswith("_")]


def contract_of(view: Callable[..., ViewAnswer], path: str, *, public: bool) -> Contract:
    """Read the view's signature; raises TypeError where it contradicts the path or the conventions."""
    hints = get_type_hints(view)
    if "return" not in hints:
        raise TypeError(f"{view.__qualname__} declares no answer")
    answer = hints.pop("return")
    in_path = _PARAMETER.findall(path)
    asked = list(inspect.signature(view).parameters)
    uploads = {name: hints[name] is Upload for name in asked if hints[name] in (Upload, Upload | None)}
    several = frozenset(name for name in asked if hints[name] == tuple[Upload, ...])
    uploads |= dict.fromkeys(several, False)
    incoming = next((name for name in asked if hints[name] is Incoming), None)
    known = {*in_path, *uploads, "body", "query", "caller", *((incoming,) if incoming else ())}
    if not set(in_path) <= set(asked) or not set(asked) <= known:
        raise TypeError(f"{view.__qualname__}{asked} does not fit {path}")
    if public and "caller" in asked:
        raise TypeError(f"{view.__qualname__} is public and asks for the caller")
    if incoming is not None and (uploads or "body" in asked):
        raise TypeError(f"{view.__qualname__} takes its body as it arrives, and as something else")
    return Contract(
        path={name: hints[name] for name in in_path},
        body=_model(view, hints, "body"),
        query=_model(view, hints, "query"),
        uploads=uploads,
        caller="caller" in asked,
        answer=None if answer is type(None) else answer,
        incoming=incoming,
        several=several,
    )


def _model(view: Callable[..., ViewAnswer], hints: Mapping[str, Any], name: str) -> type[BaseModel] | None:
    model = hints.get(name)
    if model is None:
        return None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError(f"{view.__qualname__}: {name} is no model")
    if model.model_config.get("extra") != "forbid":
        raise TypeError(f"{model.__qualname__} must refuse unknown fields: extra='forbid'")
    return model


def request_body() -> bytes:
    """The whole body; raises TooLarge. A body of unstated length is silently cut at the limit by werkzeug: not here."""
    data = request.get_data()
    limit = request.max_content_length
    if limit is not None and request.content_length is None and len(data) >= limit:
        raise TooLarge(limit=limit)
    return data


def query_values(model: type[BaseModel], values: MultiDict[str, str]) -> dict[str, Any]:
    """Query or form values as the model wants them: lists where it has lists. `lang` belongs to the kit."""
    out: dict[str, Any] = {}
    for name in values:
        info = model.model_fields.get(name)
        if info is not None and _is_list(info.annotation):
            out[name] = values.getlist(name)
        elif name != "lang" or info is not None:
            out[name] = values[name]
    return out


def _is_list(annotation: Any) -> bool:
    candidates = (annotation, *get_args(annotation))
    return any(get_origin(each) in (list, tuple, set, frozenset) for each in candidates)


def upload_of(file: FileStorage) -> Upload:
    """The file of a multipart part."""
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    bare = re.split(r"[/\\]", file.filename or "")[-1]
    name = "".join(character for character in bare if character.isprintable()) or "file"
    return Upload(name, file.mimetype or "application/octet-stream", size, file.stream)  # type: ignore[arg-type]


def _demand(media_type: str) -> None:
    if request.mimetype != media_type:
        raise UnsupportedMediaType(given=request.mimetype or "-", wanted=media_type)


def _fit(
    model: type[BaseModel], values: Mapping[str, Any], place: Place, faults: list[Fault]
) -> BaseModel | None:
    try:
        fitted = model.model_validate(values)
    except ValidationError as error:
        faults.extend(faults_of(error, place))
        return None
    faults.extend(with_nul(values, place))
    return fitted


def _fit_json(model: type[BaseModel], data: bytes, faults: list[Fault]) -> BaseModel | None:
    try:
        fitted = model.model_validate_json(data)
    except ValidationError as error:
        faults.extend(faults_of(error, "body"))
        return None
    if NUL in data:
        faults.extend(with_nul(json.loads(data), "body"))
    return fitted
