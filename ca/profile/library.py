"""The profiles of an installation: those that ship, and those of its own folder, which add to them or replace them.

A profile's file is reviewed like code. Its hash stands in every intent, and the profile's text is kept in the
database from its first use, so that years later anyone can see by which rules a certificate was made.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from ca.errors import BadPlan, UnknownProfile
from ca.profile.model import Profile
from yinxin.faults import first_fault
from yinxin.text import Text

FOLDER = Path(__file__).parents[1] / "profiles"


class Profiles(Mapping[str, Profile]):
    """The profiles of an installation, by name."""

    def __init__(self, own: Path | None = None, *, shipped: Path = FOLDER) -> None:
        """Read every `*.toml` of `shipped`, then of `own`; raises BadPlan naming file and field."""
        if own is not None and not own.is_dir():
            raise BadPlan(file=str(own), field="ca.profiles", reason=Text("没有该目录", "no such folder"))
        files = {path.stem: path for path in sorted(shipped.glob("*.toml"))}
        #: names of the profiles that this installation wrote itself
        self.own = frozenset(path.stem for path in own.glob("*.toml")) if own else frozenset()
        files |= {name: own / f"{name}.toml" for name in self.own if own}
        self._profiles = {name: _read(files[name]) for name in sorted(files)}
        for name, profile in self._profiles.items():
            other = self._profiles.get(profile.pair_of or name)
            if other is None or (other.escrow and profile.pair_of):
                reason = Text(
                    f"没有签名证书模板“{profile.pair_of}”", f"there is no signing profile {profile.pair_of}"
                )
                raise BadPlan(file=f"{name}.toml", field="pair_of", reason=reason)

    def __getitem__(self, name: str) -> Profile:
        """The profile of this name; raises UnknownProfile with those that may be asked for."""
        try:
            return self._profiles[name]
        except KeyError:
            known = [each.name for each in self.values() if not each.ceremony_only and not each.escrow]
            raise UnknownProfile(profile=name[:60], known=", ".join(known)) from None

    def __contains__(self, name: object) -> bool:
        """Whether there is a profile of this name."""
        return name in self._profiles

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - given by Mapping
        return iter(self._profiles)

    def __len__(self) -> int:
        return len(self._profiles)


def _read(path: Path) -> Profile:
    try:
        profile = Profile.model_validate({"name": path.stem, **tomllib.loads(path.read_text("utf-8"))})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPlan(file=path.name, field="*", reason=str(error)) from error
    except ValidationError as error:
        place, reason = first_fault(error)
        raise BadPlan(file=path.name, field=".".join(map(str, place)), reason=reason) from error
    if profile.name != path.stem:
        reason = Text(f"与文件名不同（{profile.name}）", f"{profile.name} is not the file's own name")
        raise BadPlan(file=path.name, field="name", reason=reason)
    return profile
