"""Make the pictures in the docs from the built-in study: docs/report.png, docs/world.png.

    python tools/picture_report.py

Needs Chromium (`chromium`, `chromium-browser` or `google-chrome`) and runs the study first if it has not been run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SIZE = (1280, 1250)


def main() -> None:
    """Run the study, photograph its report, and draw a contact sheet."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        sys.exit(f"expected a browser: one of {', '.join(BROWSERS)}")
    lumiscope = [sys.executable, "-m", "lumiscope"]
    subprocess.run([*lumiscope, "run"], cwd=ROOT, check=True)
    report = ROOT / "runs" / "world" / "report.html"
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        window = f"--window-size={SIZE[0]},{SIZE[1]}"
        subprocess.run(
            [browser, *QUIET, f"--user-data-dir={folder}", "--hide-scrollbars", f"--screenshot={shot}", window,
             report.as_uri()],
            check=True,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        save_small(shot, "report.png")
        sheet = Path(folder) / "sheet.png"
        subprocess.run([*lumiscope, "world", "--sheet", str(sheet), "--count", "36"], cwd=ROOT, check=True)
        save_small(sheet, "world.png")


def save_small(path: Path, name: str) -> None:
    """Keep a picture in docs/ with 256 colours: enough to look at, and a third of the bytes."""
    Image.open(path).convert("RGB").quantize(256).save(ROOT / "docs" / name, optimize=True)


if __name__ == "__main__":
    main()
