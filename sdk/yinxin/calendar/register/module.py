"""How calendars register themselves."""

from yinxin.calendar.register.proposal import PUBLISH
from yinxin.calendar.register.service import VERB, Calendars
from yinxin.calendar.register.settings import CalendarSettings
from yinxin.module import Module, Verb
from yinxin.text import Text

MODULE: Module[Calendars] = Module(
    name="calendar",
    title=Text("工作日历", "Working-day calendars"),
    settings=CalendarSettings,
    verbs=(Verb(VERB, Text("公布工作日历", "publish a working-day calendar")),),
    models=("yinxin.calendar.register.models",),
    commands="yinxin.calendar.register.cli:group",
    routes=("yinxin.calendar.register.api:routes",),
    proposals=(PUBLISH,),
)
