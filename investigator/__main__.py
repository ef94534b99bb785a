"""`python -m investigator` is the same program as the console script."""

from __future__ import annotations

from investigator.cli import main

if __name__ == "__main__":
    main()
