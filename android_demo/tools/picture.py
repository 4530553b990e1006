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
HEIGHT, GAP = 900, 24  # pixels
COLOURS = 256


def compose() -> bytes:
    """A PNG file; what lies between the screens is transparent."""
    if missing := [name for name in SCREENS if not (SCREENSHOTS / f"{name}.png").exists()]:
        raise BuildError(f"The picture is made of screenshots. Missing: {', '.join(missing)}. Run: make test-android")
    screens = [Image.open(SCREENSHOTS / f"{name}.png").convert("RGBA") for name in SCREENS]
    screens = [screen.resize((screen.width * HEIGHT // screen.height, HEIGHT), Image.LANCZOS) for screen in screens]
    whole = Image.new("RGBA", (sum(screen.width + GAP for screen in screens) - GAP, HEIGHT))
    left = 0
    for screen in screens:
        whole.paste(screen, (left, 0))
        left += screen.width + GAP
    file = io.BytesIO()
    whole.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _main() -> None:
    path = ROOT / "docs" / "android.png"
    atomic_write(path, compose())
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(_main)
