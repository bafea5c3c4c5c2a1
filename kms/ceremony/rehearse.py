"""The dry run: the same keys in software tokens that nobody keeps. The register and the real tokens are only read."""

import secrets
import tempfile
from contextlib import ExitStack
from pathlib import Path

from kms.ceremony.errors import KeyPlanRefused
from kms.ceremony.plan import KeyPlan, PreparePlan
from kms.engine.engine import Engine, KeyReference
from kms.engine.gcm import NONCE
from kms.engine.mirror import MirroredEngine
from kms.engine.process import ProcessEngine
from kms.initialise import SoftToken, make_token
from kms.mechanisms import NATIVE, WRAPPABLE, known_to
from kms.secrets import HSM_PIN, SecretFiles
from kms.settings import KmsSettings
from yinxin.text import Text

_FIRST = KeyReference("rehearsal-kek", "aes-256", b"rehearsal-kek")


def rehearse(settings: KmsSettings, plan: PreparePlan) -> dict[str, str]:
    """Where each key of the plan would lie, `hsm` or `wrapped`, by label; raises whatever is wrong with it.

    What the real tokens can do is not known before they are there: this is said of SoftHSM2.
    """
    demand_fitting(settings, plan)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yinxin-ceremony-")))
        labels = [each.label for each in (plan.token, plan.mirror) if each is not None]
        members = [
            _token(stack, settings, folder / str(number), label) for number, label in enumerate(labels)
        ]
        engine: Engine = members[0] if len(members) == 1 else MirroredEngine(members)
        engine.make_key(_FIRST)
        native = known_to(engine.facts().mechanisms)
        return {each.label: _make(engine, each, native) for each in plan.key}


def demand_fitting(settings: KmsSettings, plan: PreparePlan) -> None:
    """Raise KeyPlanRefused unless the plan names the tokens and the wrapping key that the configuration names."""
    _same("token.label", plan.token.label, settings.token)
    _same("token.serial", plan.token.serial, settings.serial)
    mirror = settings.mirror[0] if settings.mirror else None
    if (plan.mirror is None) != (mirror is None):
        raise KeyPlanRefused(field="mirror", reason=Text("与 kms.mirror 不符", "it does not fit kms.mirror"))
    if plan.mirror is not None and mirror is not None:
        _same("mirror.label", plan.mirror.label, mirror.token)
        _same("mirror.serial", plan.mirror.serial, mirror.serial)
    for number, each in enumerate(plan.key):
        if each.purpose == "kek":
            _same(f"key.{number}.label", each.label, settings.kek)


def _same(field: str, planned: str, configured: str) -> None:
    if planned and configured and planned != configured:
        reason = Text(f"配置为 {configured}", f"the configuration says {configured}")
        raise KeyPlanRefused(field=field, reason=reason)


def _token(stack: ExitStack, settings: KmsSettings, folder: Path, label: str) -> ProcessEngine:
    folder.mkdir(mode=0o700)
    pins = SecretFiles(folder / "secrets")
    make_token(SoftToken(label, folder, pins))
    one = settings.model_copy(
        update={"library": "", "token": label, "serial": "", "mirror": (), "processes": 1}
    )
    engine = ProcessEngine(one, folder, lambda: pins.read(HSM_PIN), 1)
    stack.callback(engine.close)
    return engine


def _make(engine: Engine, key: KeyPlan, native: list[str]) -> str:
    if key.algorithm in NATIVE and key.algorithm in native:
        engine.make_key(KeyReference(key.label, key.algorithm, key.label.encode("ascii")))
        return "hsm"
    if key.algorithm not in WRAPPABLE:
        reason = Text(f"令牌不支持 {key.algorithm}", f"the token knows no {key.algorithm}")
        raise KeyPlanRefused(field=f"key.{key.label}", reason=reason)
    engine.make_protected(_FIRST, key.algorithm, secrets.token_bytes(NONCE), b"rehearsal")
    return "wrapped"
