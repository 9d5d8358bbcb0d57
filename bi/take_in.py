"""What Superset's own interpreter runs: a bundle from standard input becomes databases, tables, charts and a dashboard.

Belongs here: one call of Superset's importer of everything, which replaces what an earlier bundle brought.
Does not: make the bundle or address the marts (load.py), or run in the project's own environment.
"""

from __future__ import annotations

import argparse
import json
import sys

from superset.app import create_app


def main() -> int:
    """Files by name as JSON on standard input; 1 and one line where there is no such user."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--user", required=True)
    user = parser.parse_args().user
    files: dict[str, str] = json.load(sys.stdin)
    with create_app().app_context():
        # What Superset imports is known once its application is made.
        from superset import security_manager
        from superset.commands.importers.v1.assets import ImportAssetsCommand
        from superset.utils.core import override_user

        owner = security_manager.find_user(username=user)
        if owner is None:
            print(f"Superset knows no user {user}; make one with `superset fab create-admin`", file=sys.stderr)
            return 1
        with override_user(owner):
            ImportAssetsCommand(files).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
