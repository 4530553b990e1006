"""ImageNet's layouts with a few images of one colour a class, of 40×30 pixels."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("n01440764", "n01443537", "n02085620")


def colour(label: int) -> tuple[int, int, int]:
    return (40 + 60 * label, 200 - 50 * label, 90)


def _jpeg(label: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), colour(label)).save(content, "JPEG", quality=95)
    return content.getvalue()


def write_folder(root: Path, number: int) -> None:
    """`number` JPEGs a class and a part."""
    for part in ("train", "val"):
        for label, name in enumerate(CLASSES):
            (root / part / name).mkdir(parents=True, exist_ok=True)
            for index in range(number):
                (root / part / name / f"{name}_{index}.JPEG").write_bytes(_jpeg(label))


def write_records(root: Path, number: int) -> None:
    """The same as TensorFlow Datasets writes it, in two shards a part."""
    from tflbnn._keras import tf

    def example(label: int, index: int) -> bytes:
        features = {
            "file_name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[f"{label}_{index}.JPEG".encode()])),
            "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[_jpeg(label)])),
            "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
        }
        return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)

    folder = root / "imagenet2012" / "5.1.0"
    folder.mkdir(parents=True)
    (folder / "label.labels.txt").write_text("\n".join(CLASSES) + "\n")
    for part in ("train", "validation"):
        records = [example(label, index) for label in range(len(CLASSES)) for index in range(number)]
        for shard, some in enumerate(np.array_split(np.array(records, object), 2)):
            with tf.io.TFRecordWriter(str(folder / f"imagenet2012-{part}.tfrecord-{shard:05d}-of-00002")) as writer:
                for record in some:
                    writer.write(record)
