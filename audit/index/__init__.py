"""The log's search index: which entries speak of a person, a post, an organ, a thing. Derived, and made anew at will."""

from audit.index.check import check_index
from audit.index.errors import IndexBehind, IndexBroken
from audit.index.index import Index
from audit.index.terms import Facet, objects_of, term, terms_of

__all__ = ["Facet", "Index", "IndexBehind", "IndexBroken", "check_index", "objects_of", "term", "terms_of"]
