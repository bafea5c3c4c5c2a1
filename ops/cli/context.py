"""What every command is given: the data directory, the overrides, the language, and the platform opened on first use."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops.data import DataDirectory, NoDataDirectory

if TYPE_CHECKING:
    from kms.secrets import Sources
    from ops.platform import Platform
    from yinxin.act import Actor
    from yinxin.crypto.keys import Identity
    from yinxin.errors import YinxinError
    from yinxin.text import Language, Text

DEFAULT_DATA = Path("yinxin-data")


@dataclass
class Context:
    """One run of the command."""

    data: Path = DEFAULT_DATA
    overrides: list[str] = field(default_factory=list)
    #: None speaks both languages
    language: Language | None = None
    identity: Path | None = None
    password_file: Path | None = None
    closing: ExitStack = field(default_factory=ExitStack)
    #: what was opened for this run already, by custodians who are present or who came to a start
    secrets: Sources | None = None
    _platform: Platform | None = None

    def directory(self, *, make: bool = False) -> DataDirectory:
        """The data directory; raises NoDataDirectory when it is not there and this command does not `make` one."""
        if not make and not self.data.exists():
            raise NoDataDirectory(path=str(self.data.absolute()))
        return DataDirectory(self.data)

    def folder(self) -> Path:
        """The data directory; nothing in it is opened. Raises NoDataDirectory."""
        return self.directory().root

    def unseal(self, key: bytes) -> None:
        """Open what custodians have sealed with the key that those who are present gave; raises SealedFileAltered."""
        from ops.secrets import secrets_of
        from ops.settings import configuration
        from yinxin.clock import SystemClock

        data = self.directory()
        if self.secrets is None:
            self.secrets = secrets_of(data, configuration(data.config, self.overrides), SystemClock())
        self.secrets.sealed.unseal(key)

    def platform(self) -> Platform:
        """The platform on this data directory, opened once and closed when the command ends."""
        if self._platform is None:
            from ops.platform import Platform

            self._platform = self.closing.enter_context(
                Platform.open(self.directory(), self.overrides, secrets=self.secrets)
            )
        return self._platform

    def assembled(self, *, started: bool = False) -> Platform:
        """The platform on this data directory as the key centre's own process has it, with the tokens in this process."""
        from ops.platform import Platform, Seams
        from ops.settings import configuration

        if self._platform is None:
            data = self.directory()
            if started:
                opening = Platform.open(data, self.overrides, secrets=self.secrets, holds_keys=True)
                self._platform = self.closing.enter_context(opening)
            else:
                settings = configuration(data.config, self.overrides)
                self._platform = Platform(data, settings, Seams.real(), self.secrets, holds_keys=True)
                self.closing.callback(self._platform.close)
        return self._platform

    def actor(self) -> Actor:
        """Who acts: the holder of the certificate given with --as, or the demo officer of an embedded installation."""
        from ops.acting import acting_person

        return acting_person(self.platform(), self.identity, self.password_file)

    def holder(self) -> Identity:
        """The key and certificate of who acts."""
        from ops.acting import identity_of

        return identity_of(self.platform(), self.identity, self.password_file)

    def say(self, text: Text) -> None:
        """One line for a person, in the chosen language or in both."""
        click.echo(self.words(text))

    def words(self, text: Text) -> str:
        """The text in the chosen language, or in both."""
        return text(self.language) if self.language else f"{text.zh} / {text.en}"

    def say_apart(self, text: Text) -> None:
        """A sentence for a person, each language on a line of its own."""
        for language in (self.language,) if self.language else ("zh", "en"):
            click.echo(text(language))

    def release(self) -> Sources:
        """Let the platform go: the server opens it anew in its own process, with its secrets, which are given back."""
        secrets = self.platform().secrets
        self.closing.close()
        self._platform = None
        return secrets

    def fail(self, error: YinxinError, *, as_json: bool) -> None:
        """Say what was refused and what to do, on standard error."""
        if as_json:
            body: dict[str, Any] = {
                "code": error.code,
                "zh": error.text("zh"),
                "en": error.text("en"),
                "entry": error.entry,
                "retryable": error.retryable,
            }
            click.echo(json.dumps(body, ensure_ascii=False), err=True)
            return
        for language in (self.language,) if self.language else ("zh", "en"):
            click.echo(f"yinxin: {error.text(language)}", err=True)
        click.echo(f"        [{error.code}]" + (f" entry {error.entry}" if error.entry else ""), err=True)

    def answer(self, value: Any) -> None:
        """A machine-readable answer on standard output."""
        click.echo(json.dumps(value, ensure_ascii=False, indent=None if not sys.stdout.isatty() else 2))
