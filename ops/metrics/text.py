"""Figures as OpenMetrics 1.0 text: families in order, each with its type, its help and all its samples, and the end said."""

from collections.abc import Iterable, Mapping, Sequence

from yinxin.metrics import Figure, Sample

MEDIA_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
#: what the name of a sample has behind its family's, by kind
_SUFFIX: Mapping[str, str] = {"counter": "_total", "info": "_info"}


def written(figures: Sequence[Figure], samples: Iterable[Sample]) -> str:
    """The text; a family without samples is told with its type and help alone. Raises KeyError for a sample of another figure."""
    of: dict[str, list[str]] = {each.name: [] for each in figures}
    for each in samples:
        of[each.figure.name].append(_line(each))
    parts = []
    for figure in figures:
        parts.append(f"# TYPE {figure.name} {figure.kind}\n# HELP {figure.name} {_escaped(figure.text.en)}\n")
        parts += of[figure.name]
    return "".join((*parts, "# EOF\n"))


def _line(sample: Sample) -> str:
    figure = sample.figure
    labels = [*zip(figure.labels, sample.labels, strict=True), *sample.more]
    told = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    name = figure.name + (sample.suffix or _SUFFIX.get(figure.kind, ""))
    return f"{name}{{{told}}} {_number(sample.value)}\n" if told else f"{name} {_number(sample.value)}\n"


def _number(value: float) -> str:
    """Whole numbers as such: a count of more than 2^53 would lose by a point."""
    return str(int(value)) if value == int(value) else repr(round(value, 6))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
