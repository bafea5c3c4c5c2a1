"""Full-text search in Chinese and in languages with spaces, alike on both databases."""

from yinxin.search.index import Hits, missing, put
from yinxin.search.marks import Marked, marked, passage
from yinxin.search.words import terms

__all__ = ["Hits", "Marked", "marked", "missing", "passage", "put", "terms"]
