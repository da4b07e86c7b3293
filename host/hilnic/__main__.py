# SPDX-License-Identifier: Apache-2.0
"""`python -m hilnic`, and the console script: the command line, or a word on what it needs."""

import sys


def main() -> None:
    """Run the command line; exit with 3 when hilnic was installed without the extra `cli`."""
    try:
        from hilnic import cli
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"typer", "rich"}:
            raise
        sys.stderr.write(f"hilnic: the command line needs {error.name}: pip install 'hilnic[cli]'\n")
        sys.exit(3)
    cli.main()


if __name__ == "__main__":
    main()
