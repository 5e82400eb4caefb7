"""The compile cache, and the kernels without compilation: the same numbers."""

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from physics import State, System, simulate
from physics.integrators import INTEGRATORS
from physics.kernels import jit as engine_jit
from physics.laws import LAWS
from physics.observables import total_energy
from physics.simulate import simulate_batch
from physics.stepping.schedule import Schedule
from physics.sums.large_systems import LARGE
from tests.physics.tolerances import tolerance

SCRIPT = """
import json, numba
assert numba.config.DISABLE_JIT
from tests.physics.kernels.test_jit import tiny_runs
print(json.dumps(tiny_runs()))
"""


def tiny_runs():
    """A few steps of every law and integrator, as numbers."""
    state = State([[0.5, 0.0], [-0.5, 0.2]], [[0.0, 0.3], [0.1, -0.3]])
    runs = {}
    for law in LAWS:
        for integrator in INTEGRATORS:
            system = System([1.0, -1.0], [1.0, 2.0], law)
            path = simulate(system, state, 0.02, n_frames=3, dt=0.005, integrator=integrator)
            runs[f"{law} {integrator}"] = [path.positions.tolist(), total_energy(path).tolist()]
    return runs


def test_same_numbers_without_compilation():
    root = Path(__file__).parents[3]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    plain, compiled = json.loads(done.stdout), tiny_runs()
    assert plain.keys() == compiled.keys()
    assert len(plain) == len(LAWS) * len(INTEGRATORS)
    for name, (positions, energies) in plain.items():
        np.testing.assert_allclose(positions, compiled[name][0], rtol=tolerance("disabled_jit"), err_msg=name)
        np.testing.assert_allclose(energies, compiled[name][1], rtol=tolerance("disabled_jit"), err_msg=name)


def test_cache_folder_is_keyed_by_every_source(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # or loading the copy would redirect this process
    copy = tmp_path / "physics"
    shutil.copytree(Path(engine_jit.__file__).parents[1], copy, ignore=shutil.ignore_patterns("__pycache__"))
    spec = importlib.util.spec_from_file_location("copied_jit", copy / "kernels" / "jit.py")
    copied = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copied)

    monkeypatch.delenv("ISOTWIN_CACHE", raising=False)  # which would come first
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = copied.cache_folder()
    assert folder.parent == tmp_path / "cache" / "isotwin" / "kernels"
    assert folder == engine_jit.cache_folder()
    for source in copy.rglob("*.py"):
        text = source.read_text()
        source.write_text(text + "# edited\n")
        assert copied.cache_folder() != folder, source
        source.write_text(text)
        assert copied.cache_folder() == folder
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert copied.cache_folder().parent == tmp_path / ".cache" / "isotwin" / "kernels"


@pytest.mark.parametrize("folder", ["lib", "lib/deep/cpu"])
def test_an_edited_callee_or_constant_in_the_package_of_a_kernel_is_compiled_again(folder, tmp_path):
    (tmp_path / folder).mkdir(parents=True)
    for package in {"lib", "lib/deep", folder}:
        if (tmp_path / package).is_dir():
            (tmp_path / package / "__init__.py").write_text("")
    callee, caller = tmp_path / folder / "callee.py", tmp_path / "lib" / "caller.py"
    name = f"{folder.replace('/', '.')}.callee"
    (tmp_path / "lib" / "constants.py").write_text("SHIFT = 1.0\n")
    callee.write_text(
        "from lib.constants import SHIFT\nfrom physics.kernels.jit import kernel\n"
        "@kernel\ndef f(x):\n    return x + SHIFT\n"
    )
    caller.write_text(
        f"from physics.kernels.jit import kernel\nfrom {name} import f\n"
        "@kernel\ndef g(x):\n    return 2.0 * f(x)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "ISOTWIN_CACHE")}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[3]), str(tmp_path)])

    def called():
        command = [sys.executable, "-c", "from lib.caller import g; print(g(3.0))"]
        return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    assert called() == 8.0
    before = set((tmp_path / "cache" / "isotwin" / "kernels").iterdir())
    assert called() == 8.0
    assert set((tmp_path / "cache" / "isotwin" / "kernels").iterdir()) == before
    callee.write_text(callee.read_text().replace("x + SHIFT", "x + SHIFT + 1.0"))
    assert called() == 10.0
    (tmp_path / "lib" / "constants.py").write_text("SHIFT = 4.0\n")  # compiled into the callee
    assert called() == 16.0
    (tmp_path / "lib" / "other.py").write_text("no = 'kernels here'\n")
    kept = set((tmp_path / "cache" / "isotwin" / "kernels").iterdir())
    assert called() == 16.0
    assert set((tmp_path / "cache" / "isotwin" / "kernels").iterdir()) == kept


@engine_jit.leaf_kernel
def scaled_row(x, factor):
    row = x[1]
    for k in range(len(row)):
        row[k] *= factor
    return row[0]


def test_leaf_kernels_neither_keep_nor_free_the_arrays_they_are_given():
    x = np.ones((2, 3))
    before = sys.getrefcount(x)
    for _ in range(20):
        last = scaled_row(x, 2.0)
    assert sys.getrefcount(x) == before
    assert last == 2.0**20
    np.testing.assert_array_equal(x, [[1.0] * 3, [2.0**20] * 3])


def test_kernels_have_no_fastmath():
    assert engine_jit.kernel_options["fastmath"] is False
    assert engine_jit.kernel_options["nogil"] is True


MADE = """
from physics.kernels.jit import kernel
def folding(n):
    @kernel
    def fold(x):
        for i in range(len(x)):
            for j in range(len(x)):
                x[i] = (x[i] * x[j] + n) % 7.0 if x[i] > x[j] else (x[i] + n * x[j]) % 5.0
        return x.sum()
    return fold
folds = {n: folding(n) for n in (1, 2)}
first, second = folds[1], folds[2]
@kernel
def with_first(x):
    return first(x) + first(x)
@kernel
def with_second(x):
    return second(x) + second(x)
"""


def test_kernels_of_one_factory_compiled_by_two_processes_stay_two(tmp_path):
    """Each process counts its own kernels from zero; a third loads what both have stored."""
    (tmp_path / "made.py").write_text(MADE)
    call = "import sys, numpy as np, made; print([float(getattr(made, n)(np.arange(9.0))) for n in sys.argv[1:]])"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[3]), str(tmp_path)])

    def called(*names, **variables):
        command = [sys.executable, "-c", call, *names]
        return subprocess.run(
            command, env=environment | variables, capture_output=True, text=True, check=True
        ).stdout

    called("with_first")
    called("with_second")
    assert called("with_first", "with_second") == called("with_first", "with_second", NUMBA_DISABLE_JIT="1")


def test_compiled_code_of_sources_nobody_runs_any_more_is_removed(tmp_path):
    current, recent, old = (tmp_path / name for name in ("current", "recent", "old"))
    for folder, days in ((current, 400), (recent, 30), (old, 61)):
        folder.mkdir()
        (folder / "kernel.nbi").write_bytes(b"x")
        os.utime(folder, (time.time() - days * 86400,) * 2)
    engine_jit.mark_used(current)
    assert (current.is_dir(), recent.is_dir(), old.is_dir()) == (True, True, False)
    assert time.time() - current.stat().st_mtime < 60
    engine_jit.mark_used(tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder").is_dir()


CACHED = """
from tests.physics.kernels.test_jit import lane_bits
from physics.integrators import INTEGRATORS
print(lane_bits())
steps = [INTEGRATORS[name].step for name in ("leapfrog", "symplectic-euler")]
missed = sum(sum(step.stats.cache_misses.values()) for step in steps)
print(missed, sum(bool(step.stats.cache_hits) for step in steps))
"""


def lane_bits():
    """A digest of short runs in lanes and in tiles under laws without exponentials, which libraries differ in."""
    rng = np.random.default_rng(0)
    digest = hashlib.sha256()
    for d, n in ((2, 5), (3, 5), (5, 4), (3, LARGE)):
        x, v = rng.standard_normal((2, 19 if n < LARGE else 1, n, d))
        schedule = Schedule(np.array([3]), np.array([1e-2]))
        for law, integrator in (
            ("coulomb", "leapfrog"),
            ("reference", "symplectic-euler"),
            ("spring", "leapfrog"),
        ):
            path = simulate_batch(x, v, x[..., 0], law=law, integrator=integrator, schedule=schedule)
            digest.update(np.stack(path).tobytes())
    return digest.hexdigest()


def elsewhere(**variables):
    """What CACHED prints in another process."""
    done = subprocess.run(
        [sys.executable, "-c", CACHED],
        cwd=Path(__file__).parents[3],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_second_start_compiles_nothing():
    assert elsewhere() == [lane_bits(), "0 2"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "features"), [("haswell", "+avx2,+fma"), ("generic", "")])
def test_other_processors_give_the_same_bits(name, features, tmp_path):
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("names of x86-64 processors")
    digest, counts = elsewhere(NUMBA_CACHE_DIR=str(tmp_path), NUMBA_CPU_NAME=name, NUMBA_CPU_FEATURES=features)
    assert digest == lane_bits()
    assert counts != "0 2"  # compiled for that processor
