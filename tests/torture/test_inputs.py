"""R9 to R12: mutated files, hostile files, and code that a file might bring along."""

import re
from pathlib import Path

import pytest

from tests.torture.rows import is_full
from tests.torture.scripts import ran

ROOT = Path(__file__).parents[2]
SECONDS, MEMORY = 2.0, 512 << 20
HOSTILE_SECONDS, HOSTILE_MEMORY = 1.0, 100 << 20

RUNS_CODE = re.compile(
    r"\b(pickle|cPickle|dill|cloudpickle|shelve|marshal)\.loads?\(|\btorch\.load\(|allow_pickle\s*=\s*True"
    r"|(?<![.\w])(eval|exec)\(|\bos\.system\(|shell\s*=\s*True|\byaml\.(unsafe_)?load\("
)
"""What would run a file's code, or a shell's."""


@pytest.mark.torture("R9")
def test_R9_R10_mutated_inputs(row):
    found = ran("mutated_inputs", row.size)
    inputs, refused = (sum(reader[key] for reader in found.values()) for key in ("inputs", "refused"))
    wrong = [f"{name}: {how}" for name, reader in found.items() for how in reader["wrong"]]
    changed = [f"{name}: {how}" for name, reader in found.items() for how in reader["changed"]]
    seconds, memory = (max(reader[key] for reader in found.values()) for key in ("seconds", "memory"))
    row.got(f"{inputs:,} inputs of {len(found)} readers, {refused:,} refused, {len(wrong)} tracebacks")
    row.got(f"at most {seconds:.2f} s and {memory >> 20} MB more")
    row.got(f"R10, checksummed: {len(changed)} loaded with another content")
    assert wrong == []
    assert changed == []
    assert memory <= MEMORY
    assert seconds <= SECONDS or not is_full()


@pytest.mark.torture("R11")
def test_R11_hostile_files(row):
    found = ran("hostile_files", row.size)
    row.got(f"{found['files']} files, {found['refused']} refused")
    row.got(f"at most {found['seconds']:.2f} s and {found['memory'] >> 20} MB more")
    assert found["wrong"] == []
    assert found["refused"] == found["files"] == row.size
    assert found["memory"] <= HOSTILE_MEMORY
    assert found["seconds"] <= HOSTILE_SECONDS or not is_full()


@pytest.mark.torture("R12")
def test_R12_no_file_can_run_code(row):
    files = [
        p for name in ("physics", "surrogate", "app", "resources") for p in sorted((ROOT / name).rglob("*.py"))
    ]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if RUNS_CODE.search(line)
    ]
    row.got(f"{len(files)} files scanned, {len(found)} places that run code from a file")
    assert found == []
