"""What monitoring reads, judged by Prometheus' own parser; parts that fail or hang; and who is let in.

Seen to fail when: label values are not escaped; a part that is late is waited for; a proxy's requests count as this machine's.
"""

import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families

from ops.cli.metrics import table
from ops.metrics.admit import BadMetricsToken, MetricsRefused, admit
from ops.metrics.parts import FIGURES, PARTS, Parts
from ops.metrics.settings import MetricsSettings
from ops.metrics.text import written
from ops.modules import MODULES
from yinxin.client.transports import INSIDE
from yinxin.metrics import Figure, Metrics
from yinxin.text import Text
from yinxin.web.counts import ANSWERS, BOUNDS, SECONDS, CountingLayer, Counts

pytestmark = pytest.mark.engines("any")

ROOT = Path(__file__).parents[2]
LEVEL = Figure("yinxin_test_level", Text("量", 'a "level" \\ of\ntwo lines'), ("of",))
SECRET = "s" * 40


def parsed(text):
    return {each.name: each for each in families(text)}


def test_a_hostile_label_is_data():
    value = 'a"} 7\n# EOF\\'
    found = parsed(written([LEVEL], [LEVEL.at(3, value), LEVEL.at(0.25, "北京")]))
    assert [(each.labels, each.value) for each in found["yinxin_test_level"].samples] == [
        ({"of": value}, 3),
        ({"of": "北京"}, 0.25),
    ]
    assert found["yinxin_test_level"].documentation == LEVEL.text.en


def test_every_figure_has_a_name_of_its_module_and_both_languages():
    assert len({each.name for each in FIGURES}) == len(FIGURES)
    names = {module.name for module in MODULES}
    for module, part in PARTS:
        for figure in part.figures:
            assert re.fullmatch(r"[a-z][a-z_]+", figure.name)
            assert figure.text.zh
            assert figure.text.en
            assert not figure.name.endswith(("_total", "_info", "_bucket", "_count", "_sum"))
            if module is not None:
                assert module in names
                assert figure.name.startswith(f"yinxin_{module}_"), figure.name
    assert parsed(written(FIGURES, [])).keys() == {each.name for each in FIGURES}


def test_counts_by_face_and_status_in_classes_of_time():
    counts = Counts()

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/documents/break":
            raise RuntimeError
        start_response("403 Forbidden" if "admin" in environ["PATH_INFO"] else "200 OK", [])
        return [b""]

    layer = CountingLayer(app, counts, lambda: frozenset({"documents", "api/kms"}))
    for path in ("/documents/", "/documents/admin", "/api/kms/v1/keys", "/nobody/serves", "/", ""):
        layer({"PATH_INFO": path}, lambda _status, _headers: None)
    with pytest.raises(RuntimeError):
        layer({"PATH_INFO": "/documents/break"}, lambda _status, _headers: None)
    layer({"PATH_INFO": "/documents/", INSIDE: True}, lambda _status, _headers: None)
    counts.answered("ocsp", "304")
    for seconds in (BOUNDS[0], 3.0, 100.0):
        counts.timed("acme", "201", seconds)
    found = parsed(written([ANSWERS, SECONDS], counts.samples()))
    answers = {tuple(each.labels.values()): each.value for each in found["yinxin_http_answers"].samples}
    assert answers == {
        ("api/kms", "200"): 1,
        ("acme", "201"): 3,
        ("documents", "200"): 1,
        ("documents", "403"): 1,
        ("documents", "500"): 1,
        ("ocsp", "304"): 1,
        ("other", "200"): 3,
    }
    acme = {
        each.labels["le"]: each.value
        for each in found["yinxin_http_answer_seconds"].samples
        if each.labels["face"] == "acme" and "le" in each.labels
    }
    assert [acme[each] for each in ("0.001", "2.5", "5.0", "10.0", "+Inf")] == [1, 1, 2, 2, 3]


def test_a_part_that_fails_or_hangs_keeps_nothing_back():
    free, asked = threading.Event(), []

    def hangs(_service):
        asked.append(1)
        free.wait(30)
        yield LEVEL.at(1, "late")

    def fails(_service):
        raise ZeroDivisionError

    parts = Parts(
        SimpleNamespace(),
        [
            (None, Metrics("slow", (LEVEL,), hangs)),
            (None, Metrics("broken", (LEVEL,), fails)),
            (None, Metrics("well", (LEVEL,), lambda _service: [LEVEL.at(2, "well")])),
        ],
    )

    def told(patience):
        samples = parts.samples(patience)
        up = {each.labels[0]: each.value for each in samples if each.figure.name == "yinxin_part_up"}
        return up, {each.labels[0] for each in samples if each.figure is LEVEL}

    for _ in range(3):
        assert told(0.05) == ({"slow": 0, "broken": 0, "well": 1}, {"well"})
    assert len(asked) == 1
    free.set()
    assert told(30) == ({"slow": 1, "broken": 0, "well": 1}, {"late", "well"})


# --- who may read ---


def platform(**settings):
    return SimpleNamespace(settings=SimpleNamespace(metrics=MetricsSettings(**settings)))


def refused(platform, **environ):
    with pytest.raises(MetricsRefused):
        admit(platform, environ)


def test_this_machine_and_nobody_that_a_proxy_asks_for():
    for address in ("127.0.0.1", "127.9.8.7", "::1"):
        admit(platform(), {"REMOTE_ADDR": address})
    for address in ("10.0.0.1", "", "localhost", "::2"):
        refused(platform(), REMOTE_ADDR=address)
    for header in ("HTTP_FORWARDED", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP", "HTTP_VIA"):
        refused(platform(), **{"REMOTE_ADDR": "127.0.0.1", header: "10.0.0.1"})
    refused(platform(), **{"REMOTE_ADDR": "127.0.0.1", "yinxin.trusted_hop": True})
    refused(platform(loopback=False), REMOTE_ADDR="127.0.0.1")


def test_a_token_in_a_file_of_our_own(tmp_path):
    file = tmp_path / "token"
    given = platform(loopback=False, token_file=str(file))
    with pytest.raises(BadMetricsToken):
        admit(given, {})
    file.write_text(f"{SECRET}\n")
    file.chmod(0o640)
    with pytest.raises(BadMetricsToken):
        admit(given, {"HTTP_AUTHORIZATION": f"Bearer {SECRET}"})
    file.chmod(0o600)
    admit(given, {"HTTP_AUTHORIZATION": f"Bearer {SECRET}"})
    for shown in ("", "Bearer", "Bearer ", f"Basic {SECRET}", f"Bearer {SECRET}s", "Bearer ümlaut"):
        refused(given, HTTP_AUTHORIZATION=shown)
    file.write_text("t" * 40)
    refused(given, HTTP_AUTHORIZATION=f"Bearer {SECRET}")
    file.write_text("short")
    with pytest.raises(BadMetricsToken):
        admit(given, {"HTTP_AUTHORIZATION": "Bearer short"})


# --- what is written elsewhere about them ---


def names_in(text):
    return set(re.findall(r"\b(?:yinxin|process)_[a-z_]+", text))


def test_the_manual_lists_exactly_these():
    assert table() in (ROOT / "docs" / "metrics.md").read_text("utf-8"), "run: yinxin metrics"


def test_the_sample_rules_ask_for_figures_that_there_are():
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "info": ("_info",)}
    known = {each.name + suffix for each in FIGURES for suffix in suffixes.get(each.kind, ("",))}
    text = (ROOT / "ops" / "prometheus" / "alerts.yml").read_text("utf-8")
    expressions = re.findall(r"^ +expr: (.*)$", text, re.MULTILINE)
    assert len(expressions) > 15
    assert names_in("\n".join(expressions)) <= known
