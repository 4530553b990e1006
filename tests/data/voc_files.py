"""PASCAL VOC's layout with a few images, each with a dog."""

from pathlib import Path

from PIL import Image

ANNOTATION = """<annotation><size><width>100</width><height>50</height></size>
<object><name>dog</name><difficult>0</difficult>
<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>30</xmax><ymax>50</ymax></bndbox></object></annotation>"""


def write_voc(root: Path, number: int) -> None:
    """`number` images in each list of both years."""
    for year, parts in (("VOC2007", ("trainval", "test")), ("VOC2012", ("trainval",))):
        for part in ("Annotations", "ImageSets/Main", "JPEGImages"):
            (root / year / part).mkdir(parents=True)
        for part in parts:
            names = [f"{part}_{index}" for index in range(number)]
            (root / year / f"ImageSets/Main/{part}.txt").write_text("\n".join(names))
            for name in names:
                (root / year / f"Annotations/{name}.xml").write_text(ANNOTATION)
                Image.new("RGB", (100, 50), (200, 100, 50)).save(root / year / f"JPEGImages/{name}.jpg")
