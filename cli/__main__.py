"""`python -m cli`, the same as `codehub`."""

from cli.main import main

if __name__ == "__main__":
    main(prog_name="codehub")
