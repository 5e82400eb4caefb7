"""Frozen dataclasses as JSON and back, with every value checked: preferences and session files.

A new field of a dataclass needs nothing here: it is written, and a file without it gets the default. A field that
had another name in older files says so in the `OLD_NAMES` of its class; a class may have had another name as well.
"""

import json
import types
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from physics.errors import InputError
from physics.files import atomic_write, bounded_text

T = TypeVar("T")

LIMIT = 2**20
"""Bytes of a file that is read."""


def plain(value: Any) -> Any:
    """Dataclasses as dicts (with their class name as `kind`), tuples as lists; numbers and text as they are."""
    if is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__} | {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return [plain(v) for v in value] if isinstance(value, tuple) else value


def checked(wanted: Any, value: Any, where: str) -> Any:
    """The value of type `wanted` that `plain` made `value` of.

    Raises
    ------
    InputError
        Naming where and what was expected.
    """
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        return _one_of(arguments, value, where)
    if origin is Literal:
        if value not in arguments:
            raise InputError(f"{where}: {value!r}; expected one of {', '.join(map(repr, arguments))}")
        return value
    if origin is tuple:
        return _checked_tuple(arguments, value, where)
    if is_dataclass(wanted):
        return _checked_dataclass(wanted, value, where)
    if wanted is float and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            raise InputError(f"{where}: a whole number of {value.bit_length()} bits; expected a number") from None
    if type(value) is not wanted:
        raise InputError(f"{where}: {value!r}; expected {_name(wanted)}")
    if wanted is float and not abs(value) < float("inf"):
        raise InputError(f"{where}: {value!r}; expected a finite number")
    return value


def _one_of(wanted: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in wanted:
        return None
    kinds = [w for w in wanted if w is not type(None)]
    if len(kinds) == 1:
        return checked(kinds[0], value, where)
    if not isinstance(value, dict):
        for kind in (k for k in kinds if not is_dataclass(k)):
            try:
                return checked(kind, value, where)
            except InputError:
                continue
    by_name = {w.__name__: w for w in kinds}
    name = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(name, str) or name not in by_name:
        raise InputError(f"{where}: {value!r}; expected a kind of {', '.join(by_name)}")
    return checked(by_name[name], value, where)


def _checked_tuple(wanted: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise InputError(f"{where}: {value!r}; expected a list")
    if wanted[-1] is Ellipsis:
        return tuple(checked(wanted[0], v, f"{where}[{k}]") for k, v in enumerate(value))
    if len(value) != len(wanted):
        raise InputError(f"{where}: {len(value)} entries; expected {len(wanted)}")
    return tuple(checked(w, v, f"{where}[{k}]") for k, (w, v) in enumerate(zip(wanted, value, strict=True)))


def _checked_dataclass(wanted: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise InputError(f"{where}: {value!r}; expected an object with the fields of {_name(wanted)}")
    known = get_type_hints(wanted)
    hints = {field.name: known[field.name] for field in fields(wanted)}
    old_names = getattr(wanted, "OLD_NAMES", {})
    value = {old_names.get(name, name): item for name, item in value.items()}
    unknown = set(value) - set(hints) - {"kind"}
    if unknown:
        raise InputError(f"{where}: unknown field {min(unknown)!r}; expected {', '.join(hints)}")
    given = {k: checked(hints[k], v, f"{where}.{k}" if where else k) for k, v in value.items() if k != "kind"}
    try:
        return wanted(**given)
    except TypeError:
        needed = ", ".join(sorted(set(hints) - set(given)))
        raise InputError(f"{where}: incomplete; expected also {needed}") from None


def _name(wanted: Any) -> str:
    return {str: "text", int: "a whole number", float: "a number", bool: "true or false"}.get(
        wanted, getattr(wanted, "__name__", str(wanted))
    )


def write_document(path: Path, kind: str, version: int, value: Any) -> None:
    """Write a dataclass atomically, with its kind and version."""
    text = json.dumps({"isotwin": kind, "version": version} | {"content": plain(value)}, indent=1)
    atomic_write(path, (text + "\n").encode())


def read_content(path: Path, kind: str, version: int) -> Any:
    """The content of a file that `write_document` wrote, as JSON has it: not checked yet.

    Raises
    ------
    InputError
        One line with the path and what was expected.
    """
    text = bounded_text(path, LIMIT)
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno}: {error.msg}; expected JSON") from None
    except ValueError as error:  # a whole number of thousands of digits
        raise InputError(f"{path}: {str(error).split(':')[0]}; expected an Isotwin {kind} file") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply; expected an Isotwin {kind} file") from None
    if not isinstance(found, dict) or found.get("isotwin") != kind:
        raise InputError(f'{path}: expected an Isotwin {kind} file ("isotwin": "{kind}")')
    if found.get("version") != version:
        raise InputError(f"{path}: version {found.get('version')!r}; expected {version}")
    return found.get("content")


def read_document(path: Path, kind: str, version: int, wanted: type[T]) -> T:
    """The dataclass in a file that `write_document` wrote; InputError names the path and the place in it."""
    return document_of(path, read_content(path, kind, version), wanted)


def document_of(path: Path, content: Any, wanted: type[T]) -> T:
    """The dataclass in the content of a file; InputError as for `read_document`."""
    try:
        made: T = checked(wanted, content, "content")
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return made
