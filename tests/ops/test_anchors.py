"""Whom the platform knows outside: a file that is wrong is told at the start, the system's anchors are read once and late."""

import ssl

import pytest

from ops.anchors import anchors, client
from tests.support.openssl import openssl


@pytest.fixture
def read(monkeypatch):
    """From where contexts were made, as often as one was."""
    made = []
    real = ssl.create_default_context

    def noted(*, cafile=None):
        made.append(cafile)
        return real(cafile=cafile)

    monkeypatch.setattr(ssl, "create_default_context", noted)
    return made


def test_the_systems_are_read_once_and_only_when_somebody_is_called(read):
    """Seen to fail when they are read at once, and when each call reads them."""
    known = anchors("")
    assert read == []
    for _ in range(2):
        client((), known, 1, None).close()
    assert read == [None]


def test_a_file_is_read_at_once_and_alone(read, tmp_path):
    """Seen to fail when it is read late, and when the system's are believed as well."""
    with pytest.raises(FileNotFoundError):
        anchors(str(tmp_path / "none.pem"))
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate", "ascii")
    with pytest.raises(ssl.SSLError):
        anchors(str(wrong))
    right = tmp_path / "right.pem"
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", "/dev/null", "-subj", "/CN=anchor", "-out", right),
    )
    known = anchors(str(right))
    assert read == [str(tmp_path / "none.pem"), str(wrong), str(right)]
    assert known() is known()
    assert len(known().get_ca_certs()) == 1
