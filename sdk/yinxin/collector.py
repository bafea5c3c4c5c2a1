"""Python's collector of rubbish, spared in a process that goes on for long after it was loaded."""

import gc

#: objects made since the last look for rubbish after which the collector looks again
_YOUNG = 20_000


def spare() -> None:
    """What was loaded stays for good, and is not looked through again and again for what nobody refers to any more.

    What requests leave behind is nearly all gone with its last reference; the rest is looked for when there is more of it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
