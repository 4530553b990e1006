"""PASCAL VOC in its own format, small; and files that are not what they should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tflbnn import data
from tflbnn.data import voc
from tflbnn.errors import UserError
from tflbnn.recipes import Data

OBJECT = """
    <object>
        <name>{name}</name><pose>Left</pose><truncated>1</truncated><difficult>{difficult}</difficult>
        <bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>
        <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>
    </object>"""
ANNOTATION = """<annotation>
    <folder>VOC2007</folder><filename>{name}.jpg</filename>
    <size><width>{width}</width><height>{height}</height><depth>3</depth></size><segmented>0</segmented>{objects}
</annotation>"""
DOG = {"name": "dog", "difficult": 0, "xmin": 11, "ymin": 21, "xmax": 30, "ymax": 50}
PERSON = {"name": "person", "difficult": 1, "xmin": 1, "ymin": 1, "xmax": 100, "ymax": 50}


def annotation(*objects, width=100, height=50):
    return ANNOTATION.format(
        name="000001", width=width, height=height, objects="".join(OBJECT.format(**given) for given in objects)
    )


@pytest.fixture
def root(tmp_path):
    """Three images in each list; the second of each has no object at all."""
    for year, parts in (("VOC2007", ("trainval", "test")), ("VOC2012", ("trainval",))):
        folder = tmp_path / "VOCdevkit" / year
        for part in ("Annotations", "ImageSets/Main", "JPEGImages"):
            (folder / part).mkdir(parents=True)
        for part in parts:
            names = [f"{year[3:]}_{part}_{number}" for number in range(3)]
            (folder / f"ImageSets/Main/{part}.txt").write_text("".join(f"{name}\n" for name in names))
            for name, objects in zip(names, [(DOG, PERSON), (), (DOG,)], strict=True):
                (folder / f"Annotations/{name}.xml").write_text(annotation(*objects))
                Image.new("RGB", (100, 50), (200, 100, 50)).save(folder / f"JPEGImages/{name}.jpg")
    return tmp_path


def test_reads_all_three_lists(root):
    raw = voc.read(root, side=32)
    assert (len(raw.train), len(raw.test)) == (6, 3)
    assert raw.train.x.shape == (6, 32, 32, 3)
    assert raw.train.y.shape == (6, 2, 6)
    dog, person = voc.LABELS.index("dog"), voc.LABELS.index("person")
    np.testing.assert_allclose(raw.train.y[0], [[0.4, 0.1, 1, 0.3, dog, 0], [0, 0, 1, 1, person, 1]])
    assert (raw.train.y[1, :, 4] == -1).all()


def test_images_are_decoded_when_looked_at(root):
    files = voc.read(root, side=32).train.x
    last = files[np.array([5, 0])]
    assert last.shape == (2, 32, 32, 3)
    pixels = np.asarray(last)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - [200, 100, 50]).max() < 5
    last.paths[0].unlink()
    with pytest.raises(UserError, match="Cannot read the image"):
        np.asarray(last)


def test_as_a_data_set(root):
    dataset = data.load(Data("voc", validation=0.5), root)
    assert dataset.task == "detection"
    assert dataset.input_shape == (512, 512, 3)
    assert dataset.classes == 20
    assert dataset.normalization == voc.NORMALIZATION
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (3, 3, 3)


@settings(deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from(voc.LABELS),
    st.booleans(),
)
def test_boxes_are_in_shares_of_the_image(left, top, width, height, label, difficult):
    import tempfile
    from pathlib import Path

    given_object = {"name": label, "difficult": int(difficult), "xmin": left, "ymin": top}
    given_object |= {"xmax": left + width, "ymax": top + height}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xml"
        path.write_text(annotation(given_object, width=80, height=90))
        ((ymin, xmin, ymax, xmax, number, hard),) = voc.read_annotation(path)
    assert (ymax - ymin) * 90 == pytest.approx(height + 1, abs=1e-4)
    assert (xmax - xmin) * 80 == pytest.approx(width + 1, abs=1e-4)
    assert (xmin * 80, ymin * 90) == (pytest.approx(left - 1, abs=1e-4), pytest.approx(top - 1, abs=1e-4))
    assert (number, hard) == (voc.LABELS.index(label), difficult)


LAUGHS = '<!DOCTYPE lolz [<!ENTITY a "lol">{}]>'.format(
    "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS + "<annotation>&i;</annotation>", "document type"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "document type"),
        ('<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><a/>', "document type"),
        ("<annotation>&x;</annotation>", "undefined entity"),
        ("", "no element found"),
        ("<annotation>", "no element found"),
        ("not XML", "syntax error"),
        ("<annotation/>", "size/width is missing"),
        (annotation(DOG, width=10**9), "1e\\+09×50 pixels"),
        (annotation(DOG, width="nan"), "nan×50 pixels"),
        (annotation(DOG, width="ten"), "size/width is 'ten'"),
        (annotation(DOG | {"name": "dogg"}), "no class 'dogg'; Did you mean 'dog'"),
        (annotation(DOG | {"xmax": 5}), r"from \(11, 21\) to \(5, 50\)"),
        (annotation(DOG | {"xmax": "inf", "xmin": "inf"}), "from"),
        (annotation(DOG | {"ymin": 900, "ymax": 950}), "from"),
        (annotation(*[DOG] * 1001), "1001 objects"),
        ("<a>" * 10_000, "no element found"),
    ],
)
def test_what_is_no_annotation(tmp_path, text, message):
    path = tmp_path / "a.xml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        voc.read_annotation(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_huge_annotation_is_not_read(tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(b" " * (voc._LARGEST_XML + 1))
    with pytest.raises(UserError, match="at most 1024 KiB"):
        voc.read_annotation(path)


def test_a_year_is_missing(root):
    (root / "VOCdevkit" / "VOC2012").rename(root / "elsewhere")
    with pytest.raises(UserError, match=r"needs the folders VOC2007 and VOC2012. Received: .*VOC2007"):
        data.load(Data("voc"), root)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("ImageSets/Main/trainval.txt", "../../etc/passwd\n", "letters, digits"),
        ("ImageSets/Main/trainval.txt", "\n\n", "which is empty"),
        ("ImageSets/Main/trainval.txt", "2007_missing\n", "no .*2007_missing.jpg"),
        ("ImageSets/Main/trainval.txt", None, "Cannot read the list of images"),
        ("Annotations/2007_trainval_0.xml", None, "Cannot read the annotation"),
    ],
)
def test_damaged_folders(root, file, content, message):
    path = root / "VOCdevkit" / "VOC2007" / file
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(UserError, match=message):
        voc.read(root)
