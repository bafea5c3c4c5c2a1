"""Texts that are being written in the browser: kept as they are typed, seen as they will print, saved as versions of drafts."""
