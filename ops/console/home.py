"""The home page: what this is, for strangers; the way to their work, for people signed in."""

from flask import render_template

from yinxin.web import Pages


def add(pages: Pages) -> None:
    """Declare the page."""

    @pages.get("/", public=True)
    def home() -> str:
        return render_template("console/home.html")
