"""`python -m training`: the same program as the installed `recsvc-train`."""

from training.cli import main

if __name__ == "__main__":
    main()
