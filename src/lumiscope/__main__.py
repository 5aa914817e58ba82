"""`python -m lumiscope`."""

from lumiscope.cli import main

if __name__ == "__main__":
    main()
