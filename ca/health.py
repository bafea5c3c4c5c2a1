"""Whether the authority is well: lists, helpers, clock, what is stored, and what ends soon."""

from ca.clock import watch
from ca.context import Context
from ca.errors import RootMissing, StatusUnavailable
from ca.issuer import Issuer
from ca.recheck.service import Recheck
from ca.registration.notices import expiring
from ca.services import service
from ca.status import crl
from ca.trust import believed
from yinxin.clock import rfc3339
from yinxin.errors import YinxinError
from yinxin.module import Health
from yinxin.text import Text


def health(ctx: Context, recheck: Recheck) -> Health:
    """Whether every authority has its list and its helpers, and until when."""
    facts: dict[str, str] = {}
    failed: list[YinxinError] = []
    now = ctx.store.clock.now()
    for name in ctx.issuers.names():
        issuer = ctx.issuers.get(name)
        if issuer.not_after is not None and issuer.not_after < now:
            continue
        try:
            _trusted(ctx, issuer)
            facts[f"{name}.crl"] = rfc3339(crl.current(ctx, name).next_update)
            for profile in _helpers(issuer):
                until = service(ctx, profile, issuer).certificate.not_after
                facts[f"{name}.{profile}"] = rfc3339(until)
        except YinxinError as error:
            failed.append(error)
    try:
        watch(ctx.settings).check(now)
        recheck.sound()
        ctx.outside.sound()
    except YinxinError as error:
        failed.append(error)
    for days in ctx.settings.registration.notice_days:
        facts[f"expiring_{days}"] = str(expiring(ctx, days))
    if not ctx.issuers.names() and not failed:
        failed.append(StatusUnavailable(authority="-", reason="ceremony"))
    facts |= recheck.facts() | {f"outside.{name}": said for name, said in ctx.outside.told().items()}
    if failed:
        return Health(ok=False, text=Text(failed[0].text("zh"), failed[0].text("en")), facts=facts)
    return Health(
        ok=True,
        text=Text("签发、状态与时间戳服务正常", "issuing, status and time services are up"),
        facts=facts,
    )


def _trusted(ctx: Context, issuer: Issuer) -> None:
    """What the authority signs is believed on this machine; raises RootMissing."""
    tops = [each for each in issuer.chain if each.is_self_issued]
    if not believed(ctx.trust, tops or issuer.chain[:1]):
        raise RootMissing(authority=issuer.name, folder=str(ctx.trust))


def _helpers(issuer: Issuer) -> tuple[str, ...]:
    """The services that an authority needs: a root none, the issuing authority of a suite a timestamp unit besides."""
    if issuer.chain[0].is_self_issued:
        return ()
    timestamps = issuer.line == f"{issuer.suite.name}-issuing"
    return ("ocsp-responder", "tsa") if timestamps else ("ocsp-responder",)
