"""``python -m tui [DATA_DIR | TARGET]``: the console alone, as ``andon tui`` starts it."""

from __future__ import annotations

import sys

from bus.address import default_data_dir
from tui.run import run

if __name__ == "__main__":
    words = [w for w in sys.argv[1:] if w != "--view"]
    sys.exit(run(words, default_data_dir(), "--view" in sys.argv))
