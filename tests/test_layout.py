"""The house itself: few files at each root, no import cycle, no long file, no reference to what is not there.

Only files are read; nothing of the project is imported.
"""

import ast
import graphlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("physics", "surrogate", "app", "resources")

AT_ROOT = {"surrogate": 12, "app/viewmodel": 8}
"""Most Python files beside each other at these folders' roots; what is one question goes into a folder."""

LONGEST = 400
"""Lines of a Python file; about 300 is the habit."""


def sources(root, folders=(*PACKAGES, "tests")):
    """Every Python file, as a path relative to the root."""
    return [path.relative_to(root) for folder in folders for path in sorted((root / folder).rglob("*.py"))]


# -- folders -----------------------------------------------------------------------------------------------------


def crowded(root, most):
    """Folders with more Python files at their root than they may have."""
    counts = {folder: len(list((root / folder).glob("*.py"))) for folder in most}
    return {folder: count for folder, count in counts.items() if count > most[folder]}


def test_few_files_at_the_root():
    assert crowded(ROOT, AT_ROOT) == {}


def test_a_file_too_many_at_the_root_is_seen(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.py").touch()
    assert crowded(tmp_path, {".": 1}) == {".": 2}


def silent(root):
    """Folders of Python files whose package has no docstring, or one that does not say a thing."""
    folders = {path.parent for path in sources(root, PACKAGES)}
    said = {folder: root / folder / "__init__.py" for folder in folders}
    return sorted(
        str(folder)
        for folder, file in said.items()
        if not file.is_file() or len((ast.get_docstring(ast.parse(file.read_text())) or "").split()) < 5
    )


def test_every_package_says_its_question():
    assert silent(ROOT) == []


def test_a_package_that_says_nothing_is_seen(tmp_path):
    for name, text in (("physics", '"""What moves, and how it is moved."""'), ("app", '"""The app."""')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    (tmp_path / "physics" / "laws").mkdir()
    (tmp_path / "physics" / "laws" / "gravity.py").touch()
    assert silent(tmp_path) == ["app", "physics/laws"]


def long(root):
    """Files with too many lines."""
    return {str(path) for path in sources(root) if len((root / path).read_text().splitlines()) > LONGEST}


def test_no_long_file():
    assert long(ROOT) == set()


def test_a_line_too_many_is_seen(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "good.py").write_text("\n" * LONGEST)
    (tmp_path / "app" / "bad.py").write_text("\n" * (LONGEST + 1))
    assert long(tmp_path) == {"app/bad.py"}


# -- imports -----------------------------------------------------------------------------------------------------


def module_name(path):
    """The dotted name of a file; of a package's `__init__` the package's."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(root):
    """What each module imports of the packages, anywhere in its file: for type checking and in functions too."""
    files = {module_name(path): root / path for path in sources(root, PACKAGES)}
    graph = {}
    for name, file in files.items():
        found = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {dotted if dotted in files else node.module for dotted in whole}
        graph[name] = (found & set(files)) - {name}
    return graph


def cycle(graph):
    """Modules that import each other, in a ring; empty where there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def test_no_import_cycle():
    graph = imports(ROOT)
    assert sum(map(len, graph.values())) > 500  # else nothing was read
    assert cycle(graph) == []


@pytest.mark.parametrize(
    "back",
    [
        "from physics import one",
        "from physics.one import law",
        "import physics.one",
        "def f():\n    from physics.one import law",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from physics.one import law",
    ],
)
def test_an_import_cycle_is_seen(back, tmp_path):
    (tmp_path / "physics").mkdir()
    (tmp_path / "physics" / "__init__.py").touch()
    (tmp_path / "physics" / "one.py").write_text("from physics.two import energy")
    two = tmp_path / "physics" / "two.py"
    two.touch()
    assert cycle(imports(tmp_path)) == []
    two.write_text(back)
    assert set(cycle(imports(tmp_path))) == {"physics.one", "physics.two"}


# -- references --------------------------------------------------------------------------------------------------

OURS = (*PACKAGES, "tests", "docs", ".ci", ".github")
FILE = re.compile(r"`{1,2}([\w.*/-]+\.(?:py|md|toml)|(?:" + "|".join(map(re.escape, OURS)) + r")/[\w.*/-]+)`")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
COMMAND = re.compile(r"python -m ((?:physics|surrogate|app|tests)(?:\.\w+)*)")
ROLE = re.compile(r":(?:mod|func|class|data|meth|attr|exc):`[~!]?((?:physics|surrogate|app|resources)(?:\.\w+)+)`")

OF_USERS = {"config.toml", "small.toml", "table.md"}
"""Files of the reader, or of a run, as all below out/ are. NAME stands for any."""


def is_there(root, name, beside):
    """Whether a path, or a bare file name, is one of the repository's; `*` stands for anything."""
    name = name.rstrip("/")
    if any(list(place.glob(name)) for place in {root, beside}):
        return True
    return any(list((root / folder).glob(f"**/{name}")) for folder in OURS if (root / folder).is_dir())


def is_module(root, dotted, runs=False):
    """Whether a dotted name is a module (with `runs`, one that runs), or a name that stands in the last one."""
    place, parts = root, dotted.split(".")
    for index, part in enumerate(parts):
        place = place / part
        if place.is_dir():
            continue
        file = place.with_suffix(".py")
        if file.is_file():
            return len(parts) == index + 1 or (
                not runs and re.search(rf"\b{parts[index + 1]}\b", file.read_text())
            )
        init = place.parent / "__init__.py"
        return not runs and init.is_file() and re.search(rf"\b{part}\b", init.read_text())
    return (place / "__main__.py").is_file() if runs else True


def missing(root, path):
    """What a text refers to and the repository does not have."""
    text, beside = (root / path).read_text(), (root / path).parent
    files = {name for name in FILE.findall(text) if name not in OF_USERS and "NAME" not in name}
    files = {name for name in files if not name.startswith("out/")}
    if path.suffix == ".md":
        files |= set(LINK.findall(text))
    return sorted(
        [name for name in files if not is_there(root, name, beside)]
        + [name for name in set(ROLE.findall(text)) if not is_module(root, name)]
        + [
            name
            for name in set(COMMAND.findall(text))
            if "NAME" not in name and not is_module(root, name, runs=True)
        ]
    )


def texts(root):
    """All that refers to files; CHANGELOG.md names those of its time."""
    pages = [root / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
    pages += [*(root / "docs").rglob("*.md"), *(root / "resources").rglob("*.md")]
    own = Path("tests") / Path(__file__).name
    return [page.relative_to(root) for page in pages] + [path for path in sources(root) if path != own]


def test_what_is_referred_to_is_there():
    found = {str(path): missing(ROOT, path) for path in texts(ROOT)}
    assert {path: names for path, names in found.items() if names} == {}


def test_a_reference_to_nothing_is_seen(tmp_path):
    (tmp_path / "physics" / "laws").mkdir(parents=True)
    (tmp_path / "physics" / "laws" / "__init__.py").write_text("LAWS = {}")
    (tmp_path / "physics" / "laws" / "gravity.py").write_text("def energy(): ...")
    good = (
        "`physics/laws/gravity.py` `gravity.py` `physics/laws/` `physics/*/gravity.py` `v.mean` "
        "[x](physics/laws/gravity.py#y) [z](https://example.org) :data:`physics.laws.LAWS` "
        ":func:`physics.laws.gravity.energy` python -m physics.laws.gravity"
    )
    (tmp_path / "good.md").write_text(good)
    assert missing(tmp_path, Path("good.md")) == []
    (tmp_path / "bad.md").write_text(
        "`physics/force.py` `force.py` `docs/laws` [x](laws.md) :func:`physics.laws.gravity.force` "
        ":mod:`physics.forces.gravity` python -m physics.laws"
    )
    files, modules = {"docs/laws", "force.py", "laws.md", "physics/force.py"}, {"physics.forces.gravity"}
    assert set(missing(tmp_path, Path("bad.md"))) == {
        *files,
        *modules,
        "physics.laws.gravity.force",
        "physics.laws",
    }
