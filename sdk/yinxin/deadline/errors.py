"""What can be wrong with a period."""

from yinxin.errors import Conflict, Invalid


class BadPeriod(Invalid):
    """Stops or extensions that do not fit together."""

    code = "deadline.bad_period"
    zh = "期限的“{field}”有误（{reason}）；请改正后再算。"
    en = "“{field}” of the period is wrong ({reason}); correct it and count again."


class AlreadyStopped(Conflict):
    """Stopped while it stands still."""

    code = "deadline.already_stopped"
    zh = "该期限自 {since} 起已经中止，不能再次中止；请先恢复计时。"
    en = "This period has stood still since {since} and cannot be stopped again; let it go on first."


class NotStopped(Conflict):
    """Let go on while it runs."""

    code = "deadline.not_stopped"
    zh = "该期限没有中止，无需恢复计时。"
    en = "This period is not stopped; there is nothing to go on from."


class DeadlinePassed(Conflict):
    """Extended or stopped when it is over."""

    code = "deadline.passed"
    zh = "该期限已于 {due} 届满，届满后不能延长或中止；请按逾期办理。"
    en = "This period ended at {due} and cannot be extended or stopped after that; treat it as overdue."
