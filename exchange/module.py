"""The exchange's registration."""

from datetime import timedelta
from pathlib import Path

from exchange.metrics import METRICS
from exchange.proposals import ADMIT, STOP
from exchange.service import Exchange
from exchange.settings import ExchangeSettings
from yinxin.module import Job, Module, Verb
from yinxin.text import Text

MODULE: Module[Exchange] = Module(
    name="exchange",
    title=Text("跨站点交换", "Exchange between sites"),
    settings=ExchangeSettings,
    verbs=(
        Verb("exchange.send", Text("向其他站点发送消息", "Send a message to another site")),
        Verb("exchange.sign", Text("签署一批待发消息", "Sign a run of messages")),
        Verb("exchange.receive", Text("接收其他站点的消息", "Receive messages of another site")),
        Verb("exchange.hold", Text("暂存提前到达的消息", "Keep messages that came early")),
        Verb("exchange.confirm", Text("采纳对方的签名回执", "Take a peer's signed receipt")),
        Verb("exchange.deliver", Text("向应用交付消息", "Deliver a message to its application")),
        Verb("exchange.suspect-peer", Text("对方同号消息前后不一", "A peer contradicts itself")),
        Verb("exchange.reconcile", Text("与其他站点对账", "Reconcile with another site")),
        Verb("exchange.find-difference", Text("对账发现不符", "Reconciling found a difference")),
        Verb("exchange.issue-card", Text("更新站点名片", "Issue the site's card")),
        Verb("exchange.show-card", Text("出具站点名片", "Give out the site's card")),
        Verb("exchange.publish-directory", Text("发布交换名录", "Publish the directory of the exchange")),
        Verb("exchange.read", Text("查看交换情况", "See how the exchange stands")),
        Verb("exchange.fetch", Text("领取消息", "Fetch a message")),
        Verb("exchange.acknowledge", Text("确认已领取消息", "Acknowledge a message that was fetched")),
        Verb("exchange.export", Text("导出消息证据", "Export the evidence of a message")),
        Verb("exchange.carry-out", Text("导出移动介质文件", "Write a file to be carried")),
        Verb("exchange.carry-in", Text("导入移动介质文件", "Take in a file that was carried")),
        Verb("exchange.check", Text("核对交换存储", "Check what is stored of the exchange")),
        Verb("exchange.call", Text("立即呼叫对方站点", "Call a peer now")),
    ),
    models=("exchange.models",),
    commands="exchange.cli:group",
    routes=("exchange.face:routes", "exchange.api:routes", "exchange.desk_api:routes"),
    jobs=(
        Job("exchange.carry-on", timedelta(seconds=1), Exchange.carry_on),
        Job("exchange.publish", timedelta(minutes=1), Exchange.publish),
        Job("exchange.sweep", timedelta(days=1), Exchange.sweep),
    ),
    health=Exchange.health,
    metrics=METRICS,
    policies=Path(__file__).parent / "policies",
    backup=lambda exchange: (exchange.folder.root,) if exchange.folder.root.is_dir() else (),
    proposals=(ADMIT, STOP),
)
