"""What the database itself holds of the library of encryption keys, whoever writes to it."""

_STAYS = ("id", "algorithm", "spki", "spki_digest", "created")
_ONE_HOLDERS = ("reference", "holder_kind", "holder", "organ", "given")
_ENDED = ("ended", "why", "certificate")


def _sound(same: str) -> str:
    """The condition of a change; `same` compares two values of which either may be NULL."""

    def unchanged(columns: tuple[str, ...]) -> str:
        return " AND ".join(f"NEW.{each} {same} OLD.{each}" for each in columns)

    moves = (
        "NEW.standing = OLD.standing"
        " OR (OLD.standing = 'standby' AND NEW.standing = 'in-use')"
        " OR (OLD.standing = 'in-use' AND NEW.standing = 'history')"
    )
    ended = f"{unchanged(_ENDED)} AND NEW.keep_until >= OLD.keep_until"
    return (
        f"{unchanged(_STAYS)} AND ({moves})"
        f" AND (OLD.standing = 'standby' OR ({unchanged(_ONE_HOLDERS)}))"
        f" AND (OLD.standing <> 'history' OR ({ended}))"
    )


#: by dialect, in order; a migration executes them after the table
TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        (
            f"CREATE TRIGGER kms_user_key_moves_on BEFORE UPDATE ON kms_user_key WHEN NOT ({_sound('IS')}) "  # noqa: S608 - constants of this file
            "BEGIN SELECT RAISE(ABORT, 'a key in escrow goes from standby to use to history, and stays its holder''s'); END"
        ),
        (
            "CREATE TRIGGER kms_user_key_stays BEFORE DELETE ON kms_user_key "
            "BEGIN SELECT RAISE(ABORT, 'a key in escrow is not deleted'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE OR REPLACE FUNCTION kms_user_key_moving() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {_sound('IS NOT DISTINCT FROM')} THEN RETURN NEW; END IF; "
            "RAISE EXCEPTION 'a key in escrow goes from standby to use to history, and stays its holder''s'; END $$"
        ),
        (
            "CREATE OR REPLACE FUNCTION kms_user_key_staying() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'a key in escrow is not deleted'; END $$"
        ),
        (
            "CREATE TRIGGER kms_user_key_moves_on BEFORE UPDATE ON kms_user_key "
            "FOR EACH ROW EXECUTE FUNCTION kms_user_key_moving()"
        ),
        (
            "CREATE TRIGGER kms_user_key_stays BEFORE DELETE ON kms_user_key "
            "FOR EACH ROW EXECUTE FUNCTION kms_user_key_staying()"
        ),
    ),
}
