"""Where caches are kept: in the user's own directories, or where these cannot be written in a temporary folder."""

import os
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

VARIABLE = "ISOTWIN_CACHE"
"""Environment variable that names another folder; set for child processes where a temporary one is used."""


def home_folder() -> Path:
    """The user's home; a path that cannot be written for a user without one, as in some containers."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(os.devnull) / "home"


def own_cache_folder() -> Path:
    """Where caches of ours belong, whether it can be written or not."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or home_folder() / ".cache") / "isotwin"


@cache
def cache_folder() -> Path | None:
    """A folder for caches that can be written, made; None for none. Another than the own one is said once."""
    own, folder = own_cache_folder(), _writable_folder()
    if folder is None:
        sys.stderr.write(f"isotwin: {own} cannot be written; nothing is kept, so every start compiles anew\n")
    elif folder != own:
        sys.stderr.write(f"isotwin: {own} cannot be written; what is compiled is kept in {folder}\n")
        os.environ[VARIABLE] = str(folder)  # child processes say nothing
    return folder


@cache
def _writable_folder() -> Path | None:
    own = own_cache_folder()
    return own if usable(own) else _temporary_folder()


def usable(folder: Path) -> bool:
    """Whether files can be written into a folder, which is made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def could_be_written(folder: Path) -> bool:
    """Whether files could be written into a folder, which need not be there yet and is not made."""
    with suppress(OSError):
        while not folder.exists():
            folder = folder.parent
        return folder.is_dir() and os.access(folder, os.W_OK)
    return False


def _temporary_folder() -> Path | None:
    """A folder of this user alone, the same in every process: compiled code is loaded from it."""
    try:
        user = os.getuid() if hasattr(os, "getuid") else 0
        folder = Path(tempfile.gettempdir()) / f"isotwin-{user}"
        folder.mkdir(mode=0o700, exist_ok=True)
        made = folder.lstat()
        if hasattr(os, "getuid") and (made.st_uid != user or made.st_mode & 0o077 or folder.is_symlink()):
            folder = Path(tempfile.mkdtemp(prefix="isotwin-"))  # somebody else's
    except OSError:
        return None
    return folder if usable(folder) else None


FOLDERS_OF_OTHERS = {
    "MPLCONFIGDIR": ("XDG_CONFIG_HOME", ".config", "matplotlib"),
    "MESA_SHADER_CACHE_DIR": ("XDG_CACHE_HOME", ".cache", "mesa_shader_cache"),
}
"""By the variable that names another: where matplotlib and Mesa look for a folder of their own."""


def use_writable_folders() -> None:
    """Give matplotlib and Mesa a folder where they would find none and say so at length, in every process."""
    for variable, (base, default, name) in FOLDERS_OF_OTHERS.items():
        named = os.environ.get(variable)
        own = Path(os.environ.get(base) or home_folder() / default) / name
        if could_be_written(Path(named) if named else own):
            continue
        folder = _writable_folder()
        if folder is not None:
            os.environ[variable] = str(folder / name)
