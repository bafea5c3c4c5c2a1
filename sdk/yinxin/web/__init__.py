"""The web kit: typed operations, problems, idempotent acts, sessions, pages. For services; outsiders use `yinxin.client`."""

from yinxin.web._contract import Incoming, Raw, Upload, request_body
from yinxin.web._kit import (
    Kit,
    bearer,
    caller_or_none,
    current_caller,
    kit,
    own_origin,
    reader_language,
    request_id,
    session_token,
)
from yinxin.web._stored import Stored, sent
from yinxin.web.api import Api, Operation
from yinxin.web.app import create_app
from yinxin.web.caller import Authenticator, Caller, Knowing, Known, Named, Names
from yinxin.web.cursors import Page, Paged, cursor, page_of, position
from yinxin.web.idempotency import Answers, answering
from yinxin.web.pages import Form, NavItem, Pages
from yinxin.web.peer import PeerLayer, peer_certificate
from yinxin.web.problems import problem_of
from yinxin.web.quick import (
    QUICK,
    Begun,
    Bid,
    Plain,
    Quick,
    QuickAnswer,
    QuickLayer,
    Wished,
    status_line,
)
from yinxin.web.settings import WebSettings
from yinxin.web.signed import (
    SIGNED,
    Brought,
    Held,
    Reply,
    SignedBegun,
    SignedFace,
    SignedLayer,
    SignedRequest,
)
from yinxin.web.signin import core, forget_session, hold_session, signature_of

__all__ = [
    "QUICK",
    "SIGNED",
    "Answers",
    "Api",
    "Authenticator",
    "Begun",
    "Bid",
    "Brought",
    "Caller",
    "Form",
    "Held",
    "Incoming",
    "Kit",
    "Knowing",
    "Known",
    "Named",
    "Names",
    "NavItem",
    "Operation",
    "Page",
    "Paged",
    "Pages",
    "PeerLayer",
    "Plain",
    "Quick",
    "QuickAnswer",
    "QuickLayer",
    "Raw",
    "Reply",
    "SignedBegun",
    "SignedFace",
    "SignedLayer",
    "SignedRequest",
    "Stored",
    "Upload",
    "WebSettings",
    "Wished",
    "answering",
    "bearer",
    "caller_or_none",
    "core",
    "create_app",
    "current_caller",
    "cursor",
    "forget_session",
    "hold_session",
    "kit",
    "own_origin",
    "page_of",
    "peer_certificate",
    "position",
    "problem_of",
    "reader_language",
    "request_body",
    "request_id",
    "sent",
    "session_token",
    "signature_of",
    "status_line",
]
