"""``make demo``: see :mod:`demo.main_job`. Ctrl-C ends it without a traceback, also while it is being imported."""

import sys


def main() -> int:
    """Run the demo; 0 if all is well."""
    try:
        from demo.main_job import run

        return run()
    except KeyboardInterrupt:
        print("\nThe demo was stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
