"""`make validate`: score the engines on field trials, print the tables, write results and figures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from services.model.validation.figures import draw_plumes, draw_pools
from services.model.validation.report import results, text, validate

_DATA = Path("../shared/validation")
_OUT = Path("docs/validation")


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when all went well, 2 when the folder holds no trials in the layout."""
    parser = argparse.ArgumentParser(prog="python -m services.model.validation", description=__doc__)
    parser.add_argument("--data", type=Path, default=_DATA, help="folder of trials (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=_OUT, help="folder for results and figures (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        validation = validate(chosen.data)
    except (OSError, KeyError, ValueError) as error:
        sys.stderr.write(f"validate: {chosen.data}: {error}\n")
        return 2
    sys.stdout.write(text(validation) + "\n")
    chosen.out.mkdir(parents=True, exist_ok=True)
    written = json.dumps(results(validation), indent=1, ensure_ascii=False, allow_nan=False)
    (chosen.out / "results.json").write_text(written + "\n", encoding="utf-8")
    if validation.plumes:
        draw_plumes(validation.plumes, chosen.out)
    if validation.pools is not None and validation.pools.rows:
        draw_pools(validation.pools.rows, chosen.out)
    sys.stdout.write(f"written: {chosen.out}/results.json and figures\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
