"""`python -m recsvc`: the same program as the installed `recsvc`."""

from recsvc.cli.starting import main

if __name__ == "__main__":
    main()
