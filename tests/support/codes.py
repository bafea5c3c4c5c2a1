"""QR codes read by a decoder that is not ours: printed as a page, then read by ZBar, as a scanner would."""

import subprocess
import tempfile
import warnings
from pathlib import Path


def read_code(svg: Path) -> bytes:
    """The octets of the one code on a printed picture of it."""
    from weasyprint import HTML

    page = f"<style>@page {{ size: 210mm 297mm; margin: 15mm }} img {{ width: 170mm }}</style><img src='{svg.as_uri()}'>"
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder, "printed.pdf")
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ResourceWarning
            )  # the engine leaves its colour profile to the collector
            HTML(string=page, base_url=str(svg.parent)).write_pdf(printed)
        subprocess.run(["pdftoppm", "-r", "200", "-gray", "-png", printed, Path(folder, "seen")], check=True)
        (seen,) = Path(folder).glob("seen*.png")
        # the octets as they are: without it they would be guessed to be in some character set, and a line added
        read = ["zbarimg", "--quiet", "--raw", "--oneshot", "-Sbinary", seen]
        return subprocess.run(read, check=True, capture_output=True).stdout
