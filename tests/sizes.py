"""How long the long tests are: `MAINTENWORKS_TEST_SIZE` is `small` (the default) or `large`."""

import os


def size(small: int, large: int) -> int:
    """The number to use in this run."""
    return large if os.environ.get("MAINTENWORKS_TEST_SIZE", "small") == "large" else small
