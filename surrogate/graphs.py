"""`python -m surrogate.graphs`: sets of random graphs for the autoencoder, as published and repaired."""

import sys
from collections.abc import Sequence
from pathlib import Path

from physics.cli import CommandParser, positive_int, progress_bar, run_command, seed, staged_folder
from physics.errors import InputError, unknown_name
from surrogate.tasks.array_sets import SPLITS, write_npz, write_zarr
from surrogate.tasks.autoencoder.generators import GRAPH_PRESETS, copies

EXAMPLES = (
    "python -m surrogate.graphs --preset erdos-renyi --out data/er.zarr",
    "python -m surrogate.graphs --preset community-small --split test --out data/community-test.npz",
    "python -m surrogate.graphs --list",
)


def main(argv: Sequence[str]) -> None:
    """Parse the command line, draw the graphs, write them."""
    parser = CommandParser("surrogate.graphs", "Draw sets of random graphs for the task `autoencoder`.", EXAMPLES)
    parser.add_argument("--preset", metavar="NAME", help="see --list")
    parser.add_argument(
        "--out", type=Path, metavar="SET", help="a .zarr with all three parts, or an .npz with one"
    )
    parser.add_argument("--split", metavar="PART", help="train, valid or test alone, as an .npz")
    parser.add_argument("--seed", type=seed, default=0, help="0 (default) gives the published graphs")
    parser.add_argument(
        "--graphs", type=positive_int, default=0, metavar="G", help="of each part; default 5000/500/500"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing set")
    parser.add_argument("--list", action="store_true", help="list the presets and stop")
    options = parser.parse_args(argv)
    if options.list:
        for name, preset in GRAPH_PRESETS.items():
            sys.stdout.write(f"{name:26} {preset.description}\n")
        return
    if not (options.preset and options.out):
        parser.error("--preset and --out are required")
    if options.preset not in GRAPH_PRESETS:
        raise unknown_name("preset of graphs", options.preset, GRAPH_PRESETS)
    if options.split is not None and options.split not in SPLITS:
        raise unknown_name("split", options.split, SPLITS)
    ending = ".npz" if options.split else ".zarr"
    if options.out.suffix != ending:
        raise InputError(f"{options.out}: expected a name that ends in {ending} ({_why(options.split)})")
    if options.out.exists() and not options.overwrite:
        raise InputError(f"{options.out}: already exists; choose another name or use --overwrite")
    preset, parts = GRAPH_PRESETS[options.preset], {}
    with progress_bar("drawing", 1) as advance:
        for name in [options.split] if options.split else SPLITS:
            parts[name] = preset.part(name, options.seed, options.graphs)
        advance(1)
    if options.split:
        write_npz(options.out, parts[options.split].arrays)
    else:
        with staged_folder(options.out, options.overwrite) as folder:
            write_zarr(folder, {name: part.arrays for name, part in parts.items()})
    for name, graphs in parts.items():
        n = graphs.n_nodes
        pooled = graphs.adjacency.sum() / (n * (n - 1)).sum()
        same = copies(graphs, parts["train"]) if name != "train" and "train" in parts else 0
        sys.stdout.write(
            f"{name}: {len(graphs)} graphs of {n.min()} to {n.max()} nodes, {100 * pooled:.2f} % of pairs joined "
            f"({100 * graphs.densities().mean():.2f} %, mean over graphs)"
            f"{f'; {same} are in train, too' if same else ''}\n"
        )


def _why(split: str | None) -> str:
    return "one part" if split else "three parts; --split for one of them as an .npz"


if __name__ == "__main__":
    sys.exit(run_command(main))
