"""`python -m training` is `orthoscape-train`."""

from training.cli import main

if __name__ == "__main__":
    main()
