"""跨站点交换 Exchange between sites: see README.md for what it promises."""

from exchange.service import Exchange
from exchange.settings import ExchangeSettings

__all__ = ["Exchange", "ExchangeSettings"]
