"""Which texts are drawn: names in every script, and nothing that only hides in them."""

import pytest

from yinxin.crypto.errors import MalformedName
from yinxin.crypto.names import Name
from yinxin.crypto.shown import is_shown


@pytest.mark.parametrize(
    "text",
    [
        "张喆",
        "𬱖",
        "\U0002ebf0",  # extension I
        "\U000323af",  # the last one of extension H
        "نى\u200cما",  # a letter that would join the next one
        "نى\u0650\u200c\u0650ما",  # marks in between
        "ྐ྄\u200dཀ",  # after a virama
        "क्\u200cष",
        "ᠰᠠᠷ\u180eᠠ",
        "ᠭ\u180dᠠ",
    ],
)
def test_names_of_every_script_are_shown(text: str) -> None:
    """Seen to fail, but the first two and the last, with what was printable to Python alone."""
    assert is_shown(text)
    assert Name.of({"CN": text}).common_name == text
    assert Name.of({"CN": text}).text == f"CN={text}"


@pytest.mark.parametrize(
    "text",
    [
        "张\u200c喆",
        "a\u200cb",
        "a\u200db",
        "\u200cنى",
        "نى\u200c",
        "ا\u200cب",  # the first one joins none
        "ن\u200cء",  # the second one
        "ن\u200dم",  # joined as they are
        "ن\u200c\u200cم",
        "a\u180eb",
        "ᠰ\u180e",
        "a\u180eᠰ",
        "a\u200cن",
        "a\u202eb",
        "张\u200b喆",
        "\U000323b0",  # beyond extension H
        "\ue000",
        "a\nb",
    ],
)
def test_what_only_hides_is_not(text: str) -> None:
    """Seen to fail with each condition of a joiner taken out."""
    assert not is_shown(text)
    with pytest.raises(MalformedName):
        Name.of({"CN": text})
