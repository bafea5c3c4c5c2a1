"""Pages rendered on the server: what a module declares, and the forms that tell every fault at once.

    pages = Pages("portal", __name__, prefix="/portal", navigation=(NavItem(Text("公文", "Documents"), "portal.index"),))

    @pages.get("/")
    def index(caller: Caller) -> str:
        return render_template("portal/index.html", …)

    @pages.act("/<id>/closing")                       # a button: macro `act`
    def close(id: str, caller: Caller) -> Response: …

    @pages.form("/new", "portal/new.html")
    def new(body: Draft, attachment: Upload, caller: Caller) -> Response:
        …
        return redirect(url_for("portal.index"))

A view's signature is its contract, as in `yinxin.web.api`; in a form `body` is made of its fields. The template gets
`form` and uses the macros of yinxin/macros.html. A form or button sent twice is carried out once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Blueprint, Response, current_app, make_response, render_template, request
from flask.sansio.blueprints import BlueprintSetupState

from yinxin.errors import Invalid, NotFound, Untrue, YinxinError
from yinxin.text import Text
from yinxin.web._babel import add_catalogue, words
from yinxin.web._contract import Contract, contract_of
from yinxin.web._kit import EXTENSION, current_caller, kit
from yinxin.web.caller import Caller
from yinxin.web.errors import InvalidRequest
from yinxin.web.once import once
from yinxin.web.recording import record_refusal

if TYPE_CHECKING:
    from flask import Flask

V = TypeVar("V", bound=Callable[..., Any])
#: name of the hidden field that makes a form's second sending the same act
KEY_FIELD = "_key"


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the navigation: shown to callers with one of `roles`, or to everybody signed in when there are none.

    A `public` one is shown to strangers too; one of the `house`, about the installation itself, to nobody of a tenant.
    """

    text: Text
    endpoint: str
    roles: frozenset[str] = frozenset()
    public: bool = False
    house: bool = False

    def shown_to(self, caller: Caller) -> bool:
        """Whether `caller` sees it. Showing is a courtesy; the page itself asks for permission."""
        if self.house and caller.tenant is not None:
            return False
        return not self.roles or bool(self.roles & caller.roles)


@dataclass(frozen=True)
class Form:
    """A form as it is shown: what was filled in, and what is wrong with each field, by its name."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problem: YinxinError | None = None

    @property
    def wrong(self) -> bool:
        """Whether there is anything to put right."""
        return bool(self.faults) or self.problem is not None


class Pages:
    """The pages of one package, whose folders templates, static and locale stand beside the module named `package`."""

    def __init__(
        self, name: str, package: str, *, prefix: str = "", navigation: tuple[NavItem, ...] = ()
    ) -> None:
        self.navigation = navigation
        self.blueprint = Blueprint(
            name,
            package,
            url_prefix=prefix or None,
            template_folder="templates",
            static_folder="static",
            static_url_path=f"/static/{name}",
        )
        self._limits: dict[str, int | None] = {}
        self.blueprint.record(self._join)

    def get(self, path: str, *, public: bool = False) -> Callable[[V], V]:
        """Declare a page to read; who is not signed in is sent to sign in unless it is `public`."""

        def declare(view: V) -> V:
            contract = contract_of(view, path, public=public)

            def serve(**values: Any) -> Any:
                arguments, _ = contract.bind(values, None if public else current_caller())
                return view(**arguments)

            self.blueprint.add_url_rule(path, view.__name__, serve, methods=["GET"])
            return view

        return declare

    def form(
        self,
        path: str,
        template: str,
        *,
        context: Callable[..., Mapping[str, Any]] | None = None,
        limit: int | None = None,
        public: bool = False,
        secret: Text | None = None,
        unkept: bool = False,
    ) -> Callable[[V], V]:
        """Declare a form: `template` shows it, the view carries it out and answers with where to go next.

        `context(**path)` gives what else the template needs; `limit` is the largest body in octets. What the query
        says is filled in. A `public` form is for strangers too: its view only looks and answers with a page, so that
        nothing is to be done once or recorded. With `secret` the answer holds one: it is given once and kept nowhere, and
        the text says what whoever lost it does. An `unkept` form asks for a secret that has few values, such as a PIN: it is
        carried out each time it is sent, and nothing of it is kept, not even its digest.
        """

        def declare(view: V) -> V:
            contract = contract_of(view, path, public=public)
            self.declare(
                path,
                view.__name__,
                contract,
                view,
                template,
                context=context,
                limit=limit,
                public=public,
                secret=secret,
                unkept=unkept,
            )
            return view

        return declare

    def declare(
        self,
        path: str,
        name: str,
        contract: Contract,
        view: Callable[..., Any],
        template: str,
        *,
        context: Callable[..., Mapping[str, Any]] | None = None,
        limit: int | None = None,
        public: bool = False,
        secret: Text | None = None,
        unkept: bool = False,
    ) -> None:
        """As `form`, for a view whose contract is known: of an endpoint's name."""
        if contract.uploads or limit is not None:
            self._limits[name] = limit

        def serve(**values: Any) -> Any:
            caller = None if public else current_caller()
            return _Sent(contract, view, template, context, values, secret, unkept).serve(caller)

        self.blueprint.add_url_rule(path, name, serve, methods=["GET", "POST"])

    def act(self, path: str, *, secret: Text | None = None) -> Callable[[V], V]:
        """Declare what a button does: `POST` with the macro `act`, carried out once, answered with where to go next.

        `secret` as in `form`.
        """

        def declare(view: V) -> V:
            contract = contract_of(view, path, public=False)

            def serve(**values: Any) -> Any:
                caller = current_caller()
                arguments, digest = contract.bind_form(values, caller)
                key = request.form.get(KEY_FIELD, "")
                return once(caller, key, digest(), lambda: make_response(view(**arguments)), secret=secret)

            self.blueprint.add_url_rule(path, view.__name__, serve, methods=["POST"])
            return view

        return declare

    def _join(self, state: BlueprintSetupState) -> None:
        parts = state.app.extensions[EXTENSION]
        parts.navigation.extend(self.navigation)
        for view, limit in self._limits.items():
            parts.limits[f"{self.blueprint.name}.{view}"] = limit or parts.settings.upload_limit
        add_catalogue(cast("Flask", state.app), Path(self.blueprint.root_path) / "locale")


@dataclass(frozen=True)
class _Sent:
    """One showing or sending of a form."""

    contract: Contract
    view: Callable[..., Any]
    template: str
    context: Callable[..., Mapping[str, Any]] | None
    path: Mapping[str, Any]
    secret: Text | None
    unkept: bool

    def serve(self, caller: Caller | None) -> Response:
        if request.method == "GET":
            return self._show(self._filled(), 200)
        try:
            arguments, digest = self.contract.bind_form(self.path, caller)
            if caller is None or self.unkept:
                return make_response(self.view(**arguments))
            return once(
                caller,
                request.form.get(KEY_FIELD, ""),
                digest(),
                lambda: make_response(self.view(**arguments)),
                secret=self.secret,
            )
        except InvalidRequest as error:
            record_refusal(error)
            return self._show(self._filled(faults=_by_field(error)), 422)
        except (Invalid, NotFound, Untrue) as error:  # the writer can put these right in the form itself
            record_refusal(error)
            return self._show(self._filled(problem=error), error.status)

    def _filled(self, **wrong: Any) -> Form:
        """What was sent or asked for, under a new key: the old one belongs to what was refused."""
        lists = (request.form if request.method == "POST" else request.args).to_dict(flat=False)
        values = {
            name: sent if len(sent) > 1 else sent[0] for name, sent in lists.items() if name != KEY_FIELD
        }
        return Form(kit().store.identifier(), values, **wrong)

    def _show(self, form: Form, status: int) -> Response:
        more = self.context(**self.path) if self.context else {}
        return current_app.make_response((render_template(self.template, form=form, **more), status))


def _by_field(error: InvalidRequest) -> dict[str, tuple[str, ...]]:
    faults: dict[str, tuple[str, ...]] = {}
    for fault in error.faults:
        name = fault.pointer.split("/")[1] if fault.pointer else ""
        faults[name] = (*faults.get(name, ()), words(fault.text))
    return faults
