"""Serves the pack by itself, for `pulumi preview --policy-pack policies/pack`.

Pulumi starts it through ``pulumi-analyzer-policy-python``, in the pack's folder and by path, so
the project's own packages are put on the path first.
"""

import sys
from pathlib import Path


def main() -> None:
    """Serve until ended."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
    from policies.pack.pack import serve  # noqa: PLC0415

    serve()


if __name__ == "__main__":
    main()
