"""Entries past their period leave the log as sealed archives; their hashes stay, and any of them can still be proved."""
