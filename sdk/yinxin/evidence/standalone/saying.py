"""What the verifier that is one file says: in Chinese and in English, always."""


class Broken(Exception):
    """What does not hold: Chinese, English."""


Said = list[tuple[str, str]]


class NotJudged(tuple[str, str]):
    """What was not judged, because nothing was given to judge it by: told without a tick."""

    __slots__ = ()
