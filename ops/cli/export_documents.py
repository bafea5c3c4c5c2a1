"""`yinxin export-documents`: everything of the own organ's documents as evidence, for an organ that moves to a site of its own."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ops.cli.context import Context
from yinxin import files
from yinxin.client import Client
from yinxin.command import as_json_option, print_facts
from yinxin.crypto.suite import INTL
from yinxin.documents import DocumentOut
from yinxin.errors import Conflict

#: before it is sealed there is nothing to prove
_PROVED = frozenset({"sealed", "dispatched"})
#: another site's log proves it: its sealed files are kept, which prove themselves
_ELSEWHERE = "document.proved_elsewhere"
LIST = "documents.jsonl"


@click.command("export-documents")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="目录；中断后重新执行即可续导 / the folder; run it again after an interruption, and it goes on",
)
@as_json_option
@click.pass_context
def export_documents(context: click.Context, *, folder: Path, as_json: bool) -> None:
    """导出本机关发出和收到的全部公文的证据与附件 / The evidence and files of every document the own organ issued or received.

    By a registrar. Writes `ID.asice` for each, or the sealed files of one that another site issued, its attached files below `ID/`, and a
    list (`documents.jsonl`).
    """
    own: Context = context.obj
    client = own.platform().client(own.holder())
    client.sign_in()
    folder.mkdir(parents=True, exist_ok=True)
    told = list(exported(client, folder))
    lines = (json.dumps(each, ensure_ascii=False, sort_keys=True) + "\n" for each in told)
    files.replace(folder / LIST, "".join(lines).encode())
    proved = sum(each["evidence"] is not None for each in told)
    print_facts({"documents": len(told), "evidence": proved, "folder": str(folder)}, as_json=as_json)


def exported(client: Client, folder: Path) -> Iterator[Mapping[str, Any]]:
    """Each document that may be read as it is written into the folder; what is there already is not asked for again. Raises Problem."""
    for row in client.documents.list("all"):
        file, digest = folder / f"{row.id}.asice", None
        sealed: dict[str, str] = {}
        if row.state in _PROVED:
            try:
                if not file.exists():
                    files.replace(file, client.documents.evidence(row.id))
                digest = INTL.hash.digest(file.read_bytes()).hex()
            except Conflict as error:
                if error.code != _ELSEWHERE:
                    raise
                sealed = dict(_sealed(client, row.id, folder))
        attached = list(_attached(client, row.id, folder / row.id))
        yield {**_line(row), "evidence": digest, "sealed": sealed, "files": attached}


def _sealed(client: Client, document: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The files under seal of a document of another site, each with its digest."""
    for each in client.documents.show(document).files:
        file = folder / f"{document}.{each.name}"
        if not file.exists():
            files.replace(file, client.documents.file(document, each.name))
        yield file.name, INTL.hash.digest(file.read_bytes()).hex()


def _attached(client: Client, document: str, folder: Path) -> Iterator[Mapping[str, Any]]:
    for number, each in enumerate(client.documents.attachments(document), 1):
        folder.mkdir(exist_ok=True)
        # a name is its sender's, and no path of ours
        file = folder / f"{number:03d}"
        if not file.exists() or file.stat().st_size != each.size:
            client.documents.fetch(document, each, file)
        yield {"file": f"{document}/{file.name}", "name": each.name, "sha256": each.sha256, "size": each.size}


def _line(row: DocumentOut) -> dict[str, Any]:
    return {
        "id": row.id,
        "organ": row.organ,
        "number": row.number,
        "title": row.title,
        "level": row.level,
        "state": row.state,
    }
