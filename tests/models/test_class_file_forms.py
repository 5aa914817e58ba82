"""What programs write around class names is never a part of one: it is taken off, or refused in words."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.errors import UsageError
from lumiscope.models._class_names import class_names

NAMES = ("tench", "goldfish", "great white shark", "hen")
NUMBERED = list(enumerate(NAMES))


def lines(form):
    return "".join(f"{form.format(i=i, name=name, wnid=f'n0144076{i}', count=7 + i % 2)}\n" for i, name in NUMBERED)


FORMS = {
    "a further column": "index,name,n_images\n" + lines("{i},{name},{count}"),
    "gtsrb": "ClassId,SignName\n" + lines("{i},{name}"),
    "gtsrb with more": "ClassId,SignName,ShapeId,ColorId\n" + lines("{i},{name},1,0"),
    "unknown words": "Nr;Klasse\n" + lines("{i};{name}"),
    "name and wnid": lines("{name},{wnid}"),
    "index, name and count": lines("{i},{name},{count}"),
    "wnid, index and name": lines("{wnid}\t{i}\t{name}"),
    "markdown": "| index | name |\n|---|---|\n" + lines("| {i} | {name} |"),
    "pandas": "    index  name\n" + lines("{i}    {i}  {name}"),
    "words parted by a space": "ClassId SignName\n" + lines("{i} {name}"),
    "tuple": repr(NAMES),
    "assigned tuple": f"CLASSES = {NAMES!r}",
    "assigned map": f"idx2label = {dict(NUMBERED)!r}",
    "annotated": f"CLASSES: tuple[str, ...] = {NAMES!r}",
    "over lines": "classes = [\n" + lines('  "{name}",  # {i}') + "]\n",
    "python file": f'"""Classes."""\nimport os\n\nPALETTE = [[1, 2], [3, 4]]\nCLASS_NAMES = {NAMES!r}\n',
    "openmmlab": f"METAINFO = dict(\n    classes={NAMES!r},\n    palette=[[1, 2], [3, 4]])\n",
    "javascript": "export const CLASSES = {\n" + lines("  {i}: '{name}',") + "};\n",
    "php": "array(\n" + lines("  {i} => '{name}',") + ")",
    "json lines": lines('{{"id": {i}, "name": "{name}"}}'),
    "ordered dict": f"OrderedDict({NUMBERED!r})",
    "numpy's repr": "array(['tench', 'goldfish',\n       'great white shark', 'hen'], dtype='<U17')",
    "numpy's print": str(np.array(NAMES)),
    "numpy's print of bytes": str(np.array(NAMES, "S")),
    "yolo": "path: ../d\nnc: 4\nnames:\n" + lines("  {i}: {name}  # {i}") + "train: images\n",
    "yolo list": "names:\n" + lines("- {name}") + "nc: 4\n",
    "yaml's flow": "nc: 4\nnames: [tench, goldfish,\n  great white shark, hen]\n",
    "toml": 'title = "x"\n[names]\n' + lines('{i} = "{name}"') + "[train]\nepochs = 3\n",
    "->": lines("{i} -> {name}"),
    "=>": lines("{i} => {name}"),
    "name -> index": lines("{name} -> {i}"),
    "[i]": lines("[{i}] {name}"),
    "C": lines('labels[{i}] = "{name}";'),
    "word and index": lines("class {i}: {name}"),
}


@pytest.mark.parametrize("form", FORMS)
def test_syntax_is_taken_off(tmp_path, form):
    (tmp_path / "names.txt").write_text(FORMS[form])
    names = class_names(tmp_path / "names.txt")
    assert names.names == NAMES
    assert names.note.startswith("class names read from")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tench,1300\nhen,1300\n", "looks like a table of 2 columns, of which none is known"),
        ("index,fine,coarse\n0,tench,fish\n1,hen,bird\n", "not sure which column .*: there are 'fine', 'coarse'"),
        ("image,label\na.jpg,tench\nb.jpg,hen\n", "looks like a table of pictures"),
        ("a,name,b\n0,tench,1\n1,hen,0\n", r"several columns of indices \('a', 'b'\)"),
        ("{'tench', 'hen'}", "names in braces alone have no order"),
        ("['tench' 'hen' ... 'cat' 'dog']", "names were left out where it was printed"),
        ("['tench' 'hen', 'cat']", "a comma is missing between two names"),
        ("CLASSES = ('tench', 'hen'\n", "looks like a list or map, but cannot be read"),
        ("CLASSES = [c for c in open('x')]", r"open\(…\) would have to be run"),
        ("A_CLASSES = ['a', 'b']\nB_CLASSES = ['c', 'd']\n", r"several lists .*\(A_CLASSES, B_CLASSES\)"),
        ("names:\n  - id: 0\n    name: tench\n", "looks like YAML or TOML, but has no names"),
        ("[[classes]]\nname = 'hen'\n", "would be called '\\[\\[classes\\]\\]'"),
        ("classes=4\nnames=data/coco.names\n", "looks like settings"),
        ("tench,\nhen\n", "would be called 'tench,'"),
        ("tench\n...\n", "would be called '...'"),
        ("|\n", r"would be called '\|'"),
        ("|---|\n", r"would be called '\|---\|'"),
        ("| index | name |\n|---|---|\n|\n| 0 | tench |\n", r"would be called '\| index \| name \|'"),
        ("0,tench,fish\n1, hen, bird\n", "not sure which column .*: there are 'tench', 'fish'"),
        ("tench\nhen\x1b[2J\n", "would be called"),
        ("index,name\n0," + "x" * 200_000 + "\n", "cannot be read as a row"),
    ],
)
def test_what_is_not_sure_is_refused(tmp_path, text, said):
    (tmp_path / "names.txt").write_text(text)
    with pytest.raises(UsageError, match=said):
        class_names(tmp_path / "names.txt")


@pytest.mark.parametrize(
    "names",
    [
        ("great white shark, white shark", "tench, Tinca tinca"),
        ("great white shark, white shark, man-eater", "hen"),
        ("crane (bird)", "crane (machine)"),
        ("(none)", "[unknown]"),
        ("'s-Hertogenbosch", "lion's mane"),
        ("C#", "#dog"),
        ("other", "1 apple", "2 pears"),
        ("12 Monkeys", "101 Dalmatians"),
        ("animal: dog", "animal: cat"),
    ],
)
def test_signs_that_belong_to_names_stay(tmp_path, names):
    (tmp_path / "names.txt").write_text("\n".join(names))
    assert class_names(tmp_path / "names.txt").names == names


def test_commas_in_the_cells_of_a_table(tmp_path):
    path = tmp_path / "names.csv"
    for text in (
        "great white shark, white shark,n01484850\nhen,n01514859\n",
        "index,name,n\n0,great white shark, white shark,9\n1,hen,9\n",
        'name,wnid\n"great white shark, white shark",n01484850\nhen,n01514859\n',
    ):
        path.write_text(text)
        assert class_names(path).names == ("great white shark, white shark", "hen")
    path.write_text("great white shark, white shark\ntench, Tinca tinca\n")  # rows of two cells, where a name says .csv
    with pytest.raises(UsageError, match="looks like a table of 2 columns"):
        class_names(path)


def test_lists_in_python():
    assert class_names(np.array(["tench", "hen"])).names == ("tench", "hen")
    assert class_names([("n01440764", "tench"), ("n01514859", "hen")]).names == ("tench", "hen")
    assert class_names([(1, "hen"), (0, "tench")]).names == ("tench", "hen")
    for other in ({"tench", "hen"}, b"tench", 5, [0, 1], [], ["tench", ""]):
        with pytest.raises(UsageError):
            class_names(other)
