"""Writing scenarios: a TOML file that `load_scenario` reads back to the same state, bit for bit."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from physics.fields import Fields
from physics.files import atomic_write
from physics.scenarios import Scenario, scenario_from_tree


def scenario_tree(scenario: Scenario) -> dict[str, Any]:
    """The scenario as the tables of its file; numbers as plain floats, empty ones left out."""
    tree: dict[str, Any] = {"title": scenario.title, "description": scenario.description, "law": scenario.law}
    for name in ("duration", "frame_interval", "start", "dt"):
        if getattr(scenario, name) is not None:
            tree[name] = float(getattr(scenario, name))
    for name in ("parameters", "particles", "random"):
        if getattr(scenario, name):
            tree[name] = dict(getattr(scenario, name))
    if scenario.fields.any:
        tree["fields"] = fields_tree(scenario.fields)
    return tree


def fields_tree(fields: Fields) -> dict[str, Any]:
    """Fields as the table of a scenario file; what is zero is left out."""
    tree: dict[str, Any] = {
        key: getattr(fields, key).tolist() for key in ("electric", "magnetic") if np.any(getattr(fields, key))
    }
    return tree | {key: getattr(fields, key) for key in ("drag", "trap") if getattr(fields, key)}


def scenario_text(scenario: Scenario) -> str:
    """The scenario as TOML; every float with the digits that give it back."""
    tree = scenario_tree(scenario)
    plain = {key: value for key, value in tree.items() if not isinstance(value, dict)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for name, table in tree.items():
        if isinstance(table, dict):
            lines += [f"[{name}]", *(f"{_key(key)} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def write_scenario(path: Path, scenario: Scenario) -> None:
    """Write it whole or not at all, once it has been found to be one that is read back.

    Raises
    ------
    InputError
        Where the reader would refuse it.
    """
    scenario_from_tree(scenario_tree(scenario), path.stem, str(path))
    atomic_write(path, scenario_text(scenario).encode())


def _key(name: str) -> str:
    """A key as TOML: a bare dot would open a table."""
    return f'"{name}"' if "." in name else name


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        # JSON is TOML but for escapes: TOML knows no surrogate pairs and allows no bare DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
