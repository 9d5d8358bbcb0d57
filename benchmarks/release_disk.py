"""What releases cost on disk: some that differ in one folder, before and after `cradle prune`.

Belongs here: bytes below the publish folder, each file counted once however many names it has, by kind of file.
Does not: which releases are pruned (lib/publish/release/retention.py), the lake, which keeps every raw byte.

    python -m benchmarks.release_disk --home HOME --seeds SEEDS --today DAY [--releases 10] [--kept 3]

HOME has been run already; what is measured is a copy of it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks._homes import environment

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
ADDED = "school_year,indicator,dimension,group,numerator,denominator\n2019,graduation_4yr_pct,all,all,{number},1000\n"


def on_disk(folder: Path) -> Counter[str]:
    """Bytes by what a file is: the database, pages of the report, everything else."""
    found: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        about = path.stat()
        if (about.st_dev, about.st_ino) not in seen:
            seen.add((about.st_dev, about.st_ino))
            kind = "databases" if path.suffix == ".duckdb" else "reports" if "report" in path.parts else "the rest"
            found[kind] += about.st_size
    return found


def shared(folder: Path) -> int:
    """Bytes of released files whose very content lies in an earlier release under the same path."""
    known: set[tuple[str, bytes]] = set()
    bytes_again = 0
    for release in sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime_ns):
        for path in sorted(each for each in release.rglob("*") if each.is_file()):
            content = (path.relative_to(release).as_posix(), path.read_bytes())
            bytes_again += len(content[1]) if content in known else 0
            known.add(content)
    return bytes_again


def _cradle(settings: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([str(BIN / "cradle"), *arguments], cwd=ROOT, env=settings, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _told(what: str, publish: Path) -> None:
    found = on_disk(publish)
    kinds = ", ".join(f"{kind} {size / 1e6:.1f}" for kind, size in sorted(found.items()))
    held = sum(1 for _ in publish.glob("releases/*/internal.duckdb"))
    pages = [path.stat().st_ino for path in publish.glob("releases/*/report/**/*") if path.is_file()]
    print(
        f"{what}: {sum(found.values()) / 1e6:.1f} MB ({kinds}), {held} releases with data, "
        f"{len(set(pages)):,} files under {len(pages):,} names in their reports",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--seeds", type=Path, default=ROOT / "seeds")
    parser.add_argument("--today", required=True)
    parser.add_argument("--releases", type=int, default=10)
    parser.add_argument("--kept", type=int, default=3, help="CRADLE_RELEASES_KEPT of the pruning")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        shutil.copytree(options.home, home)
        publish = home / "publish"
        shutil.rmtree(publish / "releases")
        (publish / "current").unlink()
        (publish / "current.duckdb").unlink()
        settings = environment(home, options.today, CRADLE_SEEDS=options.seeds.resolve(), CRADLE_PUBLIC="off")
        folder = min(path for path in (home / "drop").glob("[!_]*/*") if path.is_dir())
        for number in range(options.releases):
            (folder / "counted_again.csv").write_text(ADDED.format(number=number + 1), encoding="utf-8")
            _cradle(settings, "run")
            if number == 0:
                _told("one release", publish)
        _told(f"{options.releases} releases that differ in one folder", publish)
        print(f"of it the same bytes as in an earlier release: {shared(publish / 'releases') / 1e6:.1f} MB", flush=True)
        _cradle({**settings, "CRADLE_RELEASES_KEPT": str(options.kept)}, "prune")
        _told(f"after prune, the newest {options.kept} kept", publish)


if __name__ == "__main__":
    main()
