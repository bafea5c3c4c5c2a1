"""The lock that dies with its process."""

import pytest

from yinxin.store import StoreUnavailable, alone, open_engine


@pytest.mark.engines("any")
def test_a_database_that_cannot_be_reached_is_said_to_be(tmp_path):
    """Seen to fail (the engine's own error, a fault of the platform to whoever asked) while it was not translated."""
    engine = open_engine(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    with pytest.raises(StoreUnavailable), alone(engine, "work"):
        pass
    engine.dispose()
