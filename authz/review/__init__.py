"""Reviews: appointments confirmed again from time to time, accounts nobody uses, who holds what."""

from authz.review.reviews import Campaign, Item, Reviews

__all__ = ["Campaign", "Item", "Reviews"]
