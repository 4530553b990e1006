"""CIFAR-100: 60,000 colour photographs of 32×32 pixels in 100 classes (Krizhevsky, 2009)."""

from __future__ import annotations

import os

from tflbnn.data.cifar import Layout, read_cifar
from tflbnn.data.dataset import Raw
from tflbnn.data.files import Remote

FACTS = {
    "images": "50,000 + 10,000",
    "size": "32×32×3",
    "classes": "100",
    "files": "cifar-100-python.tar.gz, or cifar-100-python/",
    "source": "Krizhevsky, 2009",
}

# The fine labels, hyphens for the underscores of the set's own file.
_NAMES = """
    apple aquarium-fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
    castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
    elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn-mower leopard lion lizard
    lobster man maple-tree motorcycle mountain mouse mushroom oak-tree orange orchid otter palm-tree pear
    pickup-truck pine-tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal
    shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet-pepper table tank
    telephone television tiger tractor train trout tulip turtle wardrobe whale willow-tree wolf woman worm
"""
LABELS = tuple(_NAMES.split())

LAYOUT = Layout(
    name="cifar100",
    archive="cifar-100-python.tar.gz",
    folder="cifar-100-python",
    train=("train",),
    test=("test",),
    key="fine_labels",
    remote=Remote(
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        "cifar-100-python.tar.gz",
    ),
)


def read(data_dir: str | os.PathLike[str] | None = None) -> Raw:
    """The images of both files and their fine labels."""
    return read_cifar(LAYOUT, LABELS, data_dir)
