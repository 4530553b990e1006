"""What the builds need from Maven Central: pinned with SHA-256 in artifacts.lock, kept in Maven's own repository.

python -m android_demo.tools.maven classpath tflite kotlin   # for java -cp
python -m android_demo.tools.maven lock                      # resolve GROUPS again and write artifacts.lock
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from android_demo.tools.common import CACHE, BuildError, main, require, run

LOCK = Path(__file__).with_name("artifacts.lock")
REPOSITORY = Path.home() / ".m2" / "repository"
RESOLVER = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"

# group:artifact:type:version. artifacts.lock holds these and, but for ALONE, all that they depend on.
GROUPS = {
    "tflite": ("org.tensorflow:tensorflow-lite:aar:2.16.1", "org.tensorflow:tensorflow-lite-api:aar:2.16.1"),
    "android": ("org.robolectric:android-all:jar:15-robolectric-12650502",),
    "kotlin": ("org.jetbrains.kotlin:kotlin-stdlib:jar:2.1.21",),
    "kotlinc": ("org.jetbrains.kotlin:kotlin-compiler-embeddable:jar:2.1.21",),
    "r8": ("com.android.tools:r8:jar:9.5.28",),
    "apktool": ("org.apktool:apktool-lib:jar:2.12.1",),  # a newer aapt2 than Debian's lies in it
    "junit": ("junit:junit:jar:4.13.2",),
    "robolectric": ("org.robolectric:robolectric:jar:4.16.1", "junit:junit:jar:4.13.2"),
    "robolectric-android": (
        "org.robolectric:android-all-instrumented:jar:14-robolectric-10818077-i7",
        "org.robolectric:android-all-instrumented:jar:15-robolectric-13954326-i7",
    ),
}
ALONE = {"tflite", "android", "r8", "apktool", "robolectric-android"}


@dataclass(frozen=True)
class Artifact:
    group: str
    name: str
    type: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Artifact:
        """
        >>> Artifact.parse("junit:junit:jar:4.13.2").path.name
        'junit-4.13.2.jar'
        """
        return cls(*text.split(":"))

    def __str__(self) -> str:
        return f"{self.group}:{self.name}:{self.type}:{self.version}"

    @property
    def path(self) -> Path:
        folder = REPOSITORY.joinpath(*self.group.split("."), self.name, self.version)
        return folder / f"{self.name}-{self.version}.{self.type}"

    @property
    def dependency(self) -> str:
        """As an element of a POM, without what it depends on itself."""
        fields = {"groupId": self.group, "artifactId": self.name, "type": self.type, "version": self.version}
        inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in fields.items())
        return f"<dependency>{inner}%s</dependency>"


NOTHING_ELSE = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _maven(goal: str, artifacts: Iterable[Artifact], exclusions: str, *options: str) -> None:
    """Runs a goal on a project that needs nothing but these artifacts."""
    require("mvn", "maven")
    dependencies = "".join(artifact.dependency % exclusions for artifact in artifacts)
    with tempfile.TemporaryDirectory() as folder:
        pom = Path(folder) / "pom.xml"
        pom.write_text(
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>org.tflbnn</groupId><artifactId>fetch</artifactId><version>1</version>"
            f"<dependencies>{dependencies}</dependencies></project>"
        )
        run("mvn", "-q", "-B", "-f", pom, f"-Dmaven.repo.local={REPOSITORY}", f"{RESOLVER}:{goal}", *options)


def _lock() -> dict[str, dict[Artifact, str]]:
    """The SHA-256 of every artifact of every group."""
    groups: dict[str, dict[Artifact, str]] = {}
    for line in LOCK.read_text().splitlines():
        group, coordinates, digest = line.split()
        groups.setdefault(group, {})[Artifact.parse(coordinates)] = digest
    return groups


def fetch(*groups: str) -> list[Path]:
    """The groups' files, in order, downloaded where they are missing.

    Raises:
        BuildError: no mvn, no network, or a file that is not the pinned one.
    """
    locked = _lock()
    pinned = {artifact: digest for group in groups for artifact, digest in locked[group].items()}
    missing = [artifact for artifact in pinned if not artifact.path.exists()]
    while missing:  # a project can have one version of an artifact
        batch = {(artifact.group, artifact.name): artifact for artifact in reversed(missing)}
        _maven("resolve", batch.values(), NOTHING_ELSE)
        missing = [artifact for artifact in missing if artifact not in batch.values()]
    for artifact, digest in pinned.items():
        if (received := sha256(artifact.path)) != digest:
            raise BuildError(
                f"{artifact} must have the SHA-256 {digest}. Received: {received}. "
                f"Remove {artifact.path} and run this again"
            )
    return [artifact.path for artifact in pinned]


def unpack(archive: Path, member: str) -> Path:
    """One file of an archive, kept in the cache."""
    target = CACHE / archive.stem / member
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        with zipfile.ZipFile(archive) as files, files.open(member) as source, open(fresh, "wb") as copy:
            shutil.copyfileobj(source, copy)
        fresh.replace(target)
    return target


def jars(*groups: str) -> list[Path]:
    """What a Java classpath can hold of the groups: an .aar's classes.jar stands for it."""
    return [path if path.suffix == ".jar" else unpack(path, "classes.jar") for path in fetch(*groups)]


def classpath(*groups: str) -> str:
    return os.pathsep.join(map(str, jars(*groups)))


def robolectric_offline() -> Path:
    """The folder for -Drobolectric.dependency.dir: Android's own classes, made ready for Robolectric."""
    folder = CACHE / "robolectric"
    folder.mkdir(parents=True, exist_ok=True)
    for path in fetch("robolectric-android"):
        link = folder / path.name
        if not link.exists():
            link.symlink_to(path)
    return folder


def _resolved(group: str) -> list[Artifact]:
    roots = [Artifact.parse(text) for text in GROUPS[group]]
    if group in ALONE:
        fetchable = [[root] for root in roots]  # there may be two versions of one
        for batch in fetchable:
            _maven("resolve", batch, NOTHING_ELSE)
        return roots
    with tempfile.NamedTemporaryFile("r") as listing:
        _maven("list", roots, "", f"-DoutputFile={listing.name}", "-DincludeScope=runtime")
        # group:artifact:type:version:scope
        found = re.findall(r"^ +([\w.-]+:[\w.-]+:[\w.-]+:[\w.-]+):(?:compile|runtime)", listing.read(), re.MULTILINE)
    return [Artifact.parse(text) for text in found]


def write_lock() -> None:
    lines = [f"{group} {artifact} {sha256(artifact.path)}\n" for group in GROUPS for artifact in _resolved(group)]
    LOCK.write_text("".join(lines))


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["classpath", "lock"])
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    arguments = parser.parse_args()
    if unknown := set(arguments.groups) - set(GROUPS):
        parser.error(f"unknown group. Received: {', '.join(unknown)}. Known: {', '.join(GROUPS)}")
    if arguments.action == "lock":
        write_lock()
    else:
        print(classpath(*arguments.groups))


if __name__ == "__main__":
    main(_main)
