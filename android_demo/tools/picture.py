"""docs/android.png: some of the app's screens side by side, as make test-android has drawn them.

python -m android_demo.tools.picture
"""

from __future__ import annotations

import io

from PIL import Image

from android_demo.tools.app_tests import SCREENSHOTS
from android_demo.tools.common import ROOT, BuildError, main
from tflbnn._files import atomic_write

SCREENS = ("phone-light-en-camera", "phone-dark-de-pictures", "phone-light-en-models")
HEIGHT, GAP = 800, 24  # pixels


def compose() -> bytes:
    """A PNG file; between the screens it is white."""
    if missing := [name for name in SCREENS if not (SCREENSHOTS / f"{name}.png").exists()]:
        raise BuildError(f"The picture is made of screenshots. Missing: {', '.join(missing)}. Run: make test-android")
    screens = [Image.open(SCREENSHOTS / f"{name}.png").convert("RGB") for name in SCREENS]
    screens = [screen.resize((screen.width * HEIGHT // screen.height, HEIGHT), Image.LANCZOS) for screen in screens]
    whole = Image.new("RGB", (sum(screen.width + GAP for screen in screens) - GAP, HEIGHT), "white")
    left = 0
    for screen in screens:
        whole.paste(screen, (left, 0))
        left += screen.width + GAP
    file = io.BytesIO()
    whole.save(file, "PNG", optimize=True)
    return file.getvalue()


def _main() -> None:
    path = ROOT / "docs" / "android.png"
    atomic_write(path, compose())
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(_main)
