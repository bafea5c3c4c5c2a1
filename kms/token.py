"""The security module: one logged-in session of this process, shared by its threads.

One thread at a time may be in the module (`yinxin.crypto.cryptoki`), so every call goes through `Token.use`.

SoftHSM reads where its tokens lie when it is initialised. So a library is one token's at a time: another one that is used in the same
process takes it over, initialised anew for its own token, and the one before opens again when it is next used. Nobody finds keys of
the other's, or loses the session that is in use. A library that was open before a fork is the parent's: no token is opened in the child.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pkcs11
from pkcs11 import exceptions as cryptoki

from kms.engine.engine import TokenFacts
from kms.errors import (
    HsmFull,
    HsmGone,
    HsmMissing,
    HsmRefused,
    HsmSlow,
    KeyLost,
    OpenedBeforeFork,
    PinExpired,
    PinLocked,
    PinNotTried,
    TokenAmbiguous,
    TokenBlank,
    WrongPin,
)
from kms.folder import CONFIGURATION, TOKENS, configuration_for, has_room
from kms.secrets import Secret
from kms.settings import KmsSettings
from yinxin import files
from yinxin.crypto.cryptoki import Library, library_at
from yinxin.crypto.libcrypto import library
from yinxin.errors import YinxinError
from yinxin.text import Text

T = TypeVar("T")

#: tries at one state of a PIN: the first; and one more when a crash kept its answer from us
TRIES = 2
#: what a module says at the log-in that is no matter of trying again
_OF_LOGIN = {
    cryptoki.PinLocked: PinLocked,
    cryptoki.PinExpired: PinExpired,
    cryptoki.UserPinNotInitialized: TokenBlank,
}
#: the module has no room, and trying again does not make any
_FULL = (cryptoki.DeviceMemory, cryptoki.HostMemory)

#: where Debian, Ubuntu, Fedora and openEuler put SoftHSM2
USUAL_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
#: the module answers, and says that it will not: opening it again cannot help
_REFUSALS = (
    cryptoki.MechanismInvalid,
    cryptoki.MechanismParamInvalid,
    cryptoki.AttributeTypeInvalid,
    cryptoki.AttributeValueInvalid,
    cryptoki.AttributeReadOnly,
    cryptoki.TemplateIncomplete,
    cryptoki.TemplateInconsistent,
    cryptoki.KeyTypeInconsistent,
    cryptoki.KeySizeRange,
    cryptoki.FunctionNotSupported,
    cryptoki.DataLenRange,
    cryptoki.TokenWriteProtected,
)


class Token:
    """A PKCS#11 token. Nothing is opened before the first use; safe to share between threads, never across a fork."""

    def __init__(self, settings: KmsSettings, folder: Path, pin: Callable[[], Secret]) -> None:
        """`folder` holds the software token, if there is one, and this class's notes; `pin` reads the user PIN."""
        self.label = settings.token
        self._pin = pin
        self._library = settings.library
        self._serial = settings.serial
        self._deadline = settings.deadline
        self._folder = folder
        self._module: Any = None
        self._session: Any = None
        self._process = 0
        #: the library, while this token is in it
        self._shared = Library()
        #: whether it has been open: then a token that is not there is one that was taken away
        self._known = False
        self._handles: dict[tuple[bytes, pkcs11.ObjectClass], Any] = {}

    def open(self) -> None:
        """Log in unless that is done; raises HsmMissing, TokenBlank, WrongPin, PinLocked, PinExpired, PinNotTried, or what the PIN's source raises."""
        self.use(lambda _session: None)

    def close(self) -> None:
        """Log out and let the library go; afterwards this process may fork, and every process may open again."""
        with self._entered():
            self.let_go()

    def use(self, operation: Callable[[Any], T]) -> T:
        """Run `operation` on the session, alone; it must be safe to repeat.

        A lost session is opened once more and the operation repeated. Raises HsmGone when that does not help,
        HsmRefused when the module will not do it, HsmFull when it has no room, HsmSlow when others have been in it for
        longer than the deadline, and what `open` raises.
        """
        with self._entered():
            try:
                return self._operate(operation)
            except HsmMissing as error:
                if not self._known:
                    raise
                raise HsmGone(token=self.label, reason=type(error).__name__) from error
            except cryptoki.PKCS11Error:
                self.let_go()
            try:
                return self._operate(operation)
            except cryptoki.NoSuchKey:
                raise
            except (HsmMissing, cryptoki.PKCS11Error) as error:
                self.let_go()
                # SoftHSM says CKR_FUNCTION_FAILED when the disk under it is full
                kind = HsmGone if has_room(self._folder) else HsmFull
                raise kind(token=self.label, reason=type(error).__name__) from error

    def _operate(self, operation: Callable[[Any], T]) -> T:
        try:
            return operation(self._opened())
        except _REFUSALS as error:
            raise HsmRefused(token=self.label, reason=type(error).__name__) from error
        except _FULL as error:
            raise HsmFull(token=self.label, reason=type(error).__name__) from error

    def use_key(
        self, label: str, identifier: bytes, kind: pkcs11.ObjectClass, operation: Callable[[Any], T]
    ) -> T:
        """Run `operation` on the one object of this CKA_ID and class; raises as `use`, and KeyLost for its absence."""
        try:
            return self.use(lambda session: operation(self._handle(session, identifier, kind)))
        except cryptoki.NoSuchKey:
            raise KeyLost(label=label) from None

    def facts(self) -> TokenFacts:
        """What the token says of itself; raises as `use`."""

        def ask(session: Any) -> TokenFacts:
            token = session.token
            slot = token.slot
            known = slot.get_mechanisms()
            hardware = [
                each for each in known if slot.get_mechanism_info(each).flags & pkcs11.MechanismFlag.HW
            ]
            return TokenFacts(
                label=token.label,
                serial=token.serial.decode("ascii", "replace").strip(),
                manufacturer=token.manufacturer_id,
                library=self._path(),
                mechanisms=frozenset(map(_name, known)),
                hardware=frozenset(map(_name, hardware)),
            )

        return self.use(ask)

    def forget(self, identifier: bytes) -> None:
        """Look for this key anew when it is next used."""
        with self._entered():
            for known in [each for each in self._handles if each[0] == identifier]:
                del self._handles[known]

    def _handle(self, session: Any, identifier: bytes, kind: pkcs11.ObjectClass) -> Any:
        cached = self._handles.get((identifier, kind))
        if cached is None:
            found = objects(session, identifier, kind)
            if len(found) != 1:
                raise cryptoki.NoSuchKey
            cached = self._handles[identifier, kind] = found[0]
        return cached

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """Alone in the module, and in the process that opened it."""
        library_ = library_at(self._path())
        if library_.inherited or self._process not in (0, os.getpid()):
            raise OpenedBeforeFork(token=self.label, process=os.getpid())
        lock = library_.lock  # a fork meanwhile gives the child another
        if not lock.acquire(timeout=self._deadline):
            raise HsmSlow(token=self.label, seconds=self._deadline)
        try:
            self._shared = library_
            if library_.holder is not self:
                self._forget()
            yield
        finally:
            # what a library leaves in this thread's queue, the thread's next TLS connection would take for its own
            library().ERR_clear_error()
            lock.release()

    def _opened(self) -> Any:
        if self._session is None:
            try:
                token = self._find()
                self._process = os.getpid()
                self._session = self._log_in(token)
                self._known = True
            except YinxinError:
                # a library that is initialised sees no token that comes later, and none that is put back as it was
                self.let_go()
                raise
        return self._session

    def let_go(self) -> None:
        """Forget session and handles and finalise the library: a token that went away and came back needs both."""
        module = self._module
        self._forget()
        if module is not None:
            self._shared.holder = None
            with suppress(cryptoki.PKCS11Error):  # a lost module may no longer know that it was initialised
                module.finalize()

    def _forget(self) -> None:
        """Session and handles are not this token's any more."""
        self._module = self._session = None
        self._handles.clear()
        self._process = 0

    def _path(self) -> str:
        if self._library:
            return self._library
        return next((place for place in USUAL_PLACES if Path(place).exists()), USUAL_PLACES[0])

    def _find(self) -> Any:
        path, tokens = self._path(), self._folder / TOKENS
        if tokens.is_dir():
            # The configuration is derived, not kept: the folder may have been restored to another place.
            configuration, content = self._folder / CONFIGURATION, configuration_for(tokens)
            if not configuration.exists() or configuration.read_bytes() != content:
                files.replace(configuration, content, mode=0o600)
            os.environ["SOFTHSM2_CONF"] = str(configuration.absolute())
        if not Path(path).exists():
            raise HsmMissing(what=path, reason=Text("文件不存在", "no such file"))
        try:
            if (other := self._shared.holder) is not None and other is not self:
                other.let_go()  # whoever uses it next opens it again
            self._module = pkcs11.lib(path)
            self._shared.holder = self
            return self._chosen()
        except cryptoki.NoSuchToken as error:
            raise HsmMissing(what=f"{self.label} @ {path}", reason=type(error).__name__) from error
        except cryptoki.PKCS11Error as error:
            raise HsmMissing(what=path, reason=str(error) or type(error).__name__) from error

    def _chosen(self) -> Any:
        """The token of our label, and of our serial number where one is given."""
        named: list[Any] = list(self._module.get_tokens(token_label=self.label))
        serials = [each.serial.decode("ascii", "replace").strip() for each in named]
        fitting = [each for each, serial in zip(named, serials, strict=True) if self._serial in ("", serial)]
        if len(fitting) > 1:
            raise TokenAmbiguous(token=self.label, serials=", ".join(serials))
        if not fitting:
            raise cryptoki.NoSuchToken
        return fitting[0]

    def _log_in(self, token: Any) -> Any:
        """One try for each state of the PIN where it stands, counted over all processes: modules lock after a few.

        The try is on disk before it is made, so that neither a full disk nor a crash makes many of it.
        """
        note = self._folder / "pin-refused"
        with locked(self._folder / "login.lock"), self._pin() as pin:
            begun = _tries(note, pin.state)
            if begun >= TRIES:
                raise WrongPin(token=self.label, place=pin.place)
            self._note(note, pin.state, begun + 1)
            try:
                session = token.open(rw=True, user_pin=pin.text())
            except cryptoki.UserAlreadyLoggedIn:
                session = token.open(rw=True)  # login is per process and token (PKCS#11 v3.1, 5.6.8)
            except (cryptoki.PinIncorrect, cryptoki.PinInvalid, cryptoki.PinLenRange):
                self._note(note, pin.state, TRIES)
                raise WrongPin(token=self.label, place=pin.place) from None
            except cryptoki.PKCS11Error as error:
                note.unlink(missing_ok=True)  # it was not the PIN that was refused
                if said := _OF_LOGIN.get(type(error)):
                    raise said(token=self.label) from None
                raise
            note.unlink(missing_ok=True)
            return session

    def _note(self, note: Path, state: str, tries: int) -> None:
        try:
            files.replace(note, f"{state}\n{tries}".encode("ascii"), mode=0o600)
        except OSError as error:
            raise PinNotTried(token=self.label, file=str(note), reason=error.strerror) from error


def _tries(note: Path, state: str) -> int:
    """How often this state of the PIN was tried without success, as far as is known."""
    if not note.exists():
        return 0
    noted, _, tries = note.read_text("ascii").partition("\n")
    return int(tries or TRIES) if noted == state else 0


def _name(mechanism: Any) -> str:
    return str(getattr(mechanism, "name", hex(mechanism)))


def objects(session: Any, identifier: bytes, kind: pkcs11.ObjectClass) -> list[Any]:
    """Every object of this CKA_ID and class."""
    return list(session.get_objects({pkcs11.Attribute.CLASS: kind, pkcs11.Attribute.ID: identifier}))


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Alone among all threads and processes of this machine; the lock dies with its holder."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
