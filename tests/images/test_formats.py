"""Formats that are more than pixels are refused by name, and nothing runs, is read, written or deleted."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest
from PIL import BufrStubImagePlugin, GribStubImagePlugin, Hdf5StubImagePlugin, Image, ImageFile

from lumiscope.errors import ImageError
from lumiscope.images import decode, decode_mask, open_images
from lumiscope.images._formats import FORMATS
from lumiscope.images._raster import upright_size
from lumiscope.images.decode import decode_labels

# Made by Pillow itself, so that without the refusal they would be read (EPS: handed to Ghostscript).
WRITTEN_BY_PILLOW = ("DDS", "EPS", "ICNS", "MSP", "PCX", "SGI", "XBM")

# The first bytes of formats that Pillow cannot write; enough for it to choose the decoder.
BEGINNINGS = {
    "BLP": b"BLP2",
    "CUR": b"\x00\x00\x02\x00",
    "DCX": struct.pack("<I", 0x3ADE68B1),
    "FLI": struct.pack("<IHHHHHH", 128, 0xAF12, 1, 8, 8, 8, 3),
    "FTEX": b"FTEX",
    "GBR": struct.pack(">II", 28, 2),
    "MCIDAS": b"\x00\x00\x00\x00\x00\x00\x00\x04",
    "PIXAR": b"\x80\xe8\x00\x00",
    "SUN": struct.pack(">I", 0x59A66A95),
    "XPM": b"/* XPM */",
    "XVTHUMB": b"P7 332",
    "BUFR": b"BUFR\x00\x00\x00\x04",
    "EPS": struct.pack("<II", 0xC6D3D0C5, 30),  # EPS with a preview, as Windows writes it
    "FITS": b"SIMPLE  =                    T",
    "GRIB": b"GRIB\x00\x00\x00\x01",
    "HDF5": b"\x89HDF\r\n\x1a\n",
    "MPEG": b"\x00\x00\x01\xb3\x01\x00\x10",
    "PSD": b"8BPS\x00\x01",
    "WMF": b"\xd7\xcd\xc6\x9a\x00\x00",
}
# Formats without first bytes of their own, and how their files may begin: they are no image.
WITHOUT_BEGINNING = {
    "IM": b"Image type: Greyscale image\r\nImage size (x*y): 4*4\r\n",
    "IMT": b"\n*width 4\n*height 4\n\x0c",
    "IPTC": b"\x1c\x03\x3c\x00\x02\x01\x01",
    "PCD": b"\x00" * 2048 + b"PCD_" + b"\x00" * 2048,
    "SPIDER": struct.pack(">27f", 1, 4, 0, 0, 1, *[0] * 7, 4, 22, *[0] * 7, 352, 16, 0, 0, 0, 0),
}
READERS = (decode, decode_mask, decode_labels, upright_size)


def program_in_postscript(folder: Path) -> bytes:
    """EPS that copies the first bytes of folder/secret to folder/stolen and deletes folder/victim."""
    return (
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n%%EndComments\n"
        f"({folder}/secret) (r) file 6 string readstring pop ({folder}/stolen) (w) file dup 3 -1 roll writestring\n"
        f"closefile ({folder}/victim) deletefile\nshowpage\n"
    ).encode()


@pytest.fixture
def started_programs(monkeypatch) -> list[object]:
    """What was started while the test ran: nothing is, since every way to start a program only adds to this list."""
    started: list[object] = []

    def refuse(*arguments: object, **options: object) -> None:
        started.append((arguments, options))
        raise OSError("no program is started in this test")

    for module, name in ((subprocess, "Popen"), (os, "system"), (os, "posix_spawn"), (os, "execv"), (os, "execve")):
        monkeypatch.setattr(module, name, refuse)
    return started


@pytest.mark.parametrize("read", READERS)
class TestRefused:
    def test_a_program_in_postscript(self, tmp_path, read, started_programs):
        (tmp_path / "secret").write_text("secret")
        (tmp_path / "victim").write_text("precious")
        picture = tmp_path / "x.jpg"
        picture.write_bytes(program_in_postscript(tmp_path))
        with pytest.raises(ImageError, match=r"^it begins like EPS, .* convert it to PNG \(read are JPEG, PNG, "):
            read(picture)
        assert started_programs == []
        assert sorted(path.name for path in tmp_path.iterdir()) == ["secret", "victim", "x.jpg"]

    @pytest.mark.parametrize("name", WRITTEN_BY_PILLOW)
    def test_a_whole_file(self, tmp_path, read, name, started_programs):
        Image.new("1" if name in {"MSP", "XBM"} else "RGB", (16, 16)).save(tmp_path / "a.png", name)
        with pytest.raises(ImageError, match=f"^it begins like {name}, a format that is not read"):
            read(tmp_path / "a.png")
        assert started_programs == []

    @pytest.mark.parametrize("name", BEGINNINGS)
    def test_first_bytes(self, tmp_path, read, name, started_programs):
        (tmp_path / "a.png").write_bytes(BEGINNINGS[name].ljust(64, b"\0"))
        names = "X[BP]M" if name == "XPM" else name  # XBM begins alike
        with pytest.raises(ImageError, match=f"^it begins like {names}, a format that is not read"):
            read(tmp_path / "a.png")
        assert started_programs == []

    @pytest.mark.parametrize("name", WITHOUT_BEGINNING)
    def test_formats_without_first_bytes(self, tmp_path, read, name, started_programs):
        (tmp_path / "a.png").write_bytes(WITHOUT_BEGINNING[name].ljust(64, b"\0"))
        with pytest.raises(ImageError, match=r"^not an image \(none of the formats that are read"):
            read(tmp_path / "a.png")
        assert started_programs == []

    @pytest.mark.parametrize(
        ("plugin", "name"),
        [(BufrStubImagePlugin, "BUFR"), (GribStubImagePlugin, "GRIB"), (Hdf5StubImagePlugin, "HDF5")],
    )
    def test_a_handler_that_a_package_registered_is_not_asked(self, tmp_path, read, plugin, name):
        asked: list[str] = []

        class Handler(ImageFile.StubHandler):
            def open(self, image: ImageFile.StubImageFile) -> None:
                asked.append(name)

            def load(self, image: ImageFile.StubImageFile) -> Image.Image:
                asked.append(name)
                return Image.new("RGB", (1, 1))

        plugin.register_handler(Handler())
        (tmp_path / "a.png").write_bytes(BEGINNINGS[name].ljust(64, b"\0"))
        try:
            with pytest.raises(ImageError, match=f"^it begins like {name}"):
                read(tmp_path / "a.png")
        finally:
            plugin.register_handler(None)
        assert asked == []

    def test_pdf_is_no_image(self, tmp_path, read, started_programs):
        Image.new("RGB", (16, 16)).save(tmp_path / "a.png", "PDF")
        with pytest.raises(ImageError, match=r"^not an image \(none of the formats that are read .*: JPEG, PNG, "):
            read(tmp_path / "a.png")
        assert started_programs == []


def test_every_format_of_pillow_is_read_or_tested_to_be_refused():
    Image.init()
    assert {*WRITTEN_BY_PILLOW, *BEGINNINGS, *WITHOUT_BEGINNING} == set(Image.OPEN) - set(FORMATS)


@pytest.mark.parametrize("name", [name for name in FORMATS if name in Image.SAVE])
def test_every_format_is_read_whatever_the_file_is_called(tmp_path, name):
    path = tmp_path / "a.eps"
    Image.new("RGB", (16, 24), "white").save(path, name)
    assert decode(path).shape == (24, 16, 3)
    assert decode(path).min() == 255
    assert upright_size(path) == (24, 16)


def test_two_pictures_in_one_jpeg(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (16, 24), "white").save(path, "MPO", save_all=True, append_images=[Image.new("RGB", (16, 24))])
    assert decode(path).min() == 255


class TestFolder:
    def test_a_picture_that_is_refused_is_named(self, tmp_path):
        Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
        (tmp_path / "x.jpg").write_bytes(program_in_postscript(tmp_path))
        images = open_images(tmp_path)
        assert [item.id for item in images] == ["a"]
        assert [(skipped.name, skipped.reason.split(":")[0]) for skipped in images.skipped] == [
            ("x.jpg", "it begins like EPS, a format that is not read")
        ]

    def test_named_as_a_picture_it_counts_as_one(self, tmp_path):
        for name in ("x.jpg", "y.jpg"):
            (tmp_path / name).write_bytes(program_in_postscript(tmp_path))
        (tmp_path / "below").mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / "below" / "a.png")
        with pytest.raises(ImageError, match=r"no image could be used: x\.jpg: it begins like EPS"):
            open_images(tmp_path)

    def test_a_figure_beside_folders_of_classes_does_not_hide_them(self, tmp_path):
        (tmp_path / "figure.eps").write_bytes(program_in_postscript(tmp_path))
        (tmp_path / "cat").mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / "cat" / "a.png")
        images = open_images(tmp_path)
        assert [item.name for item in images] == ["cat/a.png"]
        assert [skipped.name for skipped in images.skipped] == ["figure.eps"]

    def test_a_mask_that_is_refused_costs_the_mask_alone(self, tmp_path):
        Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
        (tmp_path / "mask.png").write_bytes(program_in_postscript(tmp_path))
        (tmp_path / "list.csv").write_text("image,mask\na.png,mask.png\n")
        images = open_images(tmp_path / "list.csv")
        assert [item.has_mask for item in images] == [False]
        assert [(skipped.kind, skipped.name) for skipped in images.skipped] == [("mask", "a.png")]
