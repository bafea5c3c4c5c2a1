"""Timestamps of outside authorities (RFC 3161), such as the national one: asked in order, our own unit behind them."""
