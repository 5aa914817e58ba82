"""Class files in the forms that people have: the names in the order of the scores, or an error that says what it is."""

from __future__ import annotations

import json

import pytest

from lumiscope.errors import UsageError
from lumiscope.models._class_names import class_names, read_classes

NAMES = ["tench, Tinca tinca", "goldfish, Carassius auratus", "great white shark", "tiger shark", "hen"]
IDS = ["n01440764", "n01443537", "n01484850", "n01491361", "n01514859"]
FIRST = [name.split(",")[0] for name in NAMES]
NUMBERED = list(enumerate(NAMES))
SHUFFLED = [NUMBERED[number] for number in (3, 0, 4, 1, 2)]


def lines(form, numbered=NUMBERED):
    return "\n".join(form.format(number=number, name=name, id=IDS[number], one=number + 1) for number, name in numbered)


WHOLE = {
    "plain": "\n".join(NAMES),
    "plain with an end": "\n".join(NAMES) + "\n\n",
    "windows": "\ufeff" + "\r\n".join(NAMES),
    "dict dump": "{" + ",\n ".join(f"{number}: {name!r}" for number, name in NUMBERED) + "}",
    "dict dump of numpy order": repr(dict(SHUFFLED)),
    "list dump": repr(NAMES),
    "tuple in a list dump": repr(list(zip(IDS, NAMES, strict=True))),
    "json list": json.dumps(NAMES),
    "json list over lines": json.dumps(NAMES, indent=1),
    "json map": json.dumps(dict(SHUFFLED)),
    "json map of pairs": json.dumps({str(number): [IDS[number], name] for number, name in NUMBERED}),
    "json map of records": json.dumps({str(number): {"id": IDS[number], "name": name} for number, name in NUMBERED}),
    "json from name to index": json.dumps({name: number for number, name in SHUFFLED}),
    "json records": json.dumps([{"id": number, "name": name, "supercategory": "animal"} for number, name in SHUFFLED]),
    "config of transformers": json.dumps({"architectures": ["A"], "id2label": dict(NUMBERED), "label2id": {}}),
    "config with names": json.dumps({"nc": 5, "names": NAMES}),
    "n… name": lines("{id} {name}"),
    "n…,name": lines("{id},{name}"),
    "n…<tab>name": lines("{id}\t{name}"),
    "index: name": lines("{number}: {name}"),
    "index name": lines("{number} {name}"),
    "index<tab>name": lines("{number}\t{name}"),
    "index n… name": lines("{number} {id} {name}"),
    "shuffled": lines("{number}: {name}", SHUFFLED),
    "from 1": lines("{one}: {name}"),
    "from 1 with dots": lines("{one}. {name}"),
    "index - name": lines("{number} - {name}"),
    "(index) name": lines("({number}) {name}"),
    "tuples in lines": lines("({number}, {name!r})"),
    "name: index": lines("{name}: {number}"),
    "name=index": lines("{name}={number}"),
    "an assignment": f"classes = {NAMES!r}",
    "toml": f"names = {json.dumps(NAMES)}",
    "index:'name',": lines("{number}: '{name}',"),
    'index,"name"': lines('{number},"{name}"'),
    "quoted": lines('"{name}",'),
    "in single quotes": lines("'{name}'"),
    "yaml list": "names:\n" + lines("  - {name}"),
    "yaml map": "names:\n" + lines("  {number}: {name}"),
    "csv": "index,name\n" + lines('{number},"{name}"', SHUFFLED),
    "csv without quotes": "index,name\n" + lines("{number},{name}"),
    "tsv": "class_id\tclass_name\n" + lines("{number}\t{name}"),
    "tsv of ids": "wnid\tname\n" + lines("{id}\t{name}"),
    "csv with a semicolon": "id;label\n" + lines("{number};{name}"),
    "csv of pandas": ",name\n" + lines('{number},"{name}"'),
    "csv with more columns": "name,wnid,index\n" + lines('"{name}",{id},{number}', SHUFFLED),
}


@pytest.mark.parametrize("form", WHOLE)
def test_names_in_the_order_of_the_scores(tmp_path, form):
    path = tmp_path / "names.txt"
    path.write_bytes(WHOLE[form].encode())
    names = class_names(path)
    assert names.names == tuple(NAMES)
    assert bool(names.note) == (not form.startswith(("plain", "windows")))
    assert ("begin at 1" in names.note) == ("from 1" in form)


@pytest.mark.parametrize("form", ["{number},{first}", "{first} {number}", "{first},{number}", "/a/{first} {number}"])
def test_short_names_beside_an_index(tmp_path, form):
    text = "\n".join(form.format(number=number, first=FIRST[number]) for number, _ in SHUFFLED)
    (tmp_path / "names.txt").write_text(text)
    assert read_classes(tmp_path / "names.txt") == tuple(FIRST)


def test_a_csv_with_one_column(tmp_path):
    for name in ("names.csv", "names.txt"):
        (tmp_path / name).write_text("name\ncat\ndog\n")
    assert class_names(tmp_path / "names.csv").names == ("cat", "dog")
    plain = class_names(tmp_path / "names.txt")
    assert plain.names == ("name", "cat", "dog")
    assert "'name', looks like a header" in plain.note


@pytest.mark.parametrize(
    "names",
    [
        [str(number) for number in range(10)],
        ["0", "1"],
        ["3 of a kind", "7 of a kind"],
        ["Boeing 707", "Boeing 747"],
        ["dog, hound", "cat"],
        ['the "best"', "rest"],
        ["label", "unlabelled"],
        ["n01440764", "n01443537"],
        ["a: b", "c"],
        ["100 m race", "200 m race"],
    ],
)
def test_plain_names_stay_as_they_are(tmp_path, names):
    (tmp_path / "names.txt").write_text("\n".join(names))
    assert read_classes(tmp_path / "names.txt") == tuple(names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('["cat", "dog"', "looks like JSON, but cannot be read as JSON"),
        ('{"cat": [1, 2]}', "looks like JSON, but is no list of names and no map"),
        ("[]", "looks like JSON, but is no list"),
        ('["cat", 3]', "has 3 in the place of a class name"),
        ('["cat", ""]', "has '' in the place of a class name"),
        ('{"0": "cat", "2": "dog"}', "2 names with 2 indices from 0 to 2, without 1"),
        ('{"0": "cat", "00": "dog"}', "2 names with 1 indices"),
        ("0: cat\n5: dog", "looks like lines with indices, which must run from 0 or 1"),
        ("2,cat\n3,dog", "2 names with 2 indices from 2 to 3"),
        ("index,name\n0,cat\n0,dog", "looks like a table with indices.*2 names with 1 indices"),
        ("index,name,wnid\n0,cat\n", "looks like a table with a header .*; row 2 is shorter"),
        ("item {\n  id: 1\n  name: 'cat'\n}\n", "looks like a label map of TensorFlow"),
        ("[" * 100_000, "looks like JSON"),
        ("{0: __import__('os').mkdir('trap')}", "looks like JSON"),
    ],
)
def test_what_is_no_list_of_names_is_called_what_it_is(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_classes(tmp_path / "names.txt")
    assert not (tmp_path / "trap").exists()


def test_a_map_in_python():
    assert read_classes({1: "dog", 0: "cat"}) == ("cat", "dog")
    assert read_classes(["cat", "dog"]) == ("cat", "dog")


def test_an_enormous_file_is_refused_by_its_size(tmp_path):
    with (tmp_path / "names.txt").open("wb") as file:
        file.truncate(10 * 10**9)
    with pytest.raises(UsageError, match="it has more than 16,777,216 bytes"):
        read_classes(tmp_path / "names.txt")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("label,name\n1,dog\n0,cat\n", ("cat", "dog")),
        ("class,name\n0,cat\n1,dog\n", ("cat", "dog")),
        ("ClassId,Name\n1,dog\n0,cat\n", ("cat", "dog")),
        ("target,name\n0,cat\n1,dog\n", ("cat", "dog")),
        ("index,name\n1.0,dog\n0.0,cat\n", ("cat", "dog")),
        ("nc: 2\nnames: ['cat', 'dog']\n", ("cat", "dog")),
    ],
)
def test_tables_whose_labels_are_numbers(tmp_path, text, names):
    (tmp_path / "classes.csv").write_text(text)
    assert read_classes(tmp_path / "classes.csv") == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("index,name\n-1,void\n0,cat\n", "'-1' is no index"),
        ("0 cat\n2 dog\n", "without 1"),
        ("<!DOCTYPE html>\n<html><body>404</body></html>\n", "is a web page"),
    ],
)
def test_tables_that_are_refused(tmp_path, text, said):
    (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_classes(tmp_path / "classes.txt")


def test_a_single_line_and_comments(tmp_path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("cat, dog,fox\n")
    assert class_names(path).names == ("cat", "dog", "fox")
    assert class_names(path).note == f"class names read from {path} as a single line with separators"
    path.write_text("# mine\ncat\n#dog\n")
    assert class_names(path).names == ("cat", "#dog")
    assert class_names(path).note == f"1 lines of {path} that begin with # were left out"
    path.write_bytes("café\n".encode("latin1"))
    with pytest.raises(UsageError, match=r"it is not UTF-8 .*: save it as UTF-8"):
        class_names(path)
