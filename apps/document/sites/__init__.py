"""Official documents between sites: they leave by the exchange, come in by it, and what became of them goes back by it."""
