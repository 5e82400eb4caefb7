"""`isotwin COMMAND ...`: every command under one name; the same as `python -m` and the module of the command.

A command's module is imported when it is called, so that it starts as fast as by itself.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from physics.cli import CommandParser, run_command
from physics.errors import InputError, unknown_name

COMMANDS: Mapping[str, tuple[str, str]] = {
    "app": ("app.__main__", "open the window"),
    "generate": ("physics.generate", "simulate a data set"),
    "convert": ("physics.convert", "make a data set of files of others"),
    "graphs": ("surrogate.graphs", "draw a set of random graphs"),
    "molecules": ("surrogate.molecules", "make a data set of QM9"),
    "train": ("surrogate.train", "fit a model to a data set"),
    "evaluate": ("surrogate.evaluate", "measure a model on a data set"),
    "compare": ("surrogate.compare", "export truth and forecast side by side"),
    "benchmark": ("surrogate.benchmark", "measure models beside baselines at equal cost"),
    "recover": ("surrogate.recover", "compare a learned pair force with the true one"),
    "demo": ("surrogate.demo", "simulate, forecast, rotate and export one comparison"),
}
"""Module and one line of each."""


def dispatch(argv: Sequence[str]) -> None:
    """Call the command that is named first, with the arguments after it."""
    if argv and not argv[0].startswith("-"):
        name = argv[0]
        if name not in COMMANDS:
            raise unknown_name("command", name, COMMANDS)
        import_module(COMMANDS[name][0]).main(argv[1:])
        return
    parser = CommandParser("app.command", "Learned surrogates of particle dynamics; `isotwin COMMAND --help`.")
    parser.prog, parser.usage = "isotwin", "isotwin COMMAND ..."
    parser.epilog = "commands:\n" + "\n".join(f"  {name:10} {line}" for name, (_, line) in COMMANDS.items())
    parser.parse_args(argv)
    raise InputError("no command is named; see isotwin --help")


def main() -> int:
    """The console script: its exit status."""
    return run_command(dispatch)


if __name__ == "__main__":
    sys.exit(main())
