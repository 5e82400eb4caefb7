"""EGNN forecasts by the fused CPU kernel: when it may be used, its packed weights, and the call.

It takes the place of the PyTorch layers where nothing is to be differentiated: float32 on the CPU. What it does
not cover is left to PyTorch.
"""

import copy
import math
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd import forward_ad

from surrogate.models.egnn.cpu.kernels import forward_at
from surrogate.nn.cpu.threads import for_each
from surrogate.nn.cpu.tiles import LANES, PANEL
from surrogate.nn.cpu.watch import Watch

if TYPE_CHECKING:
    from surrogate.models.egnn.model import EGNN

FloatArray = NDArray[np.float32]

MOST_HIDDEN = 256
"""Wider layers are PyTorch's: their weights leave the caches, and its products are as fast."""
GROUP_NODES = 240
"""Nodes that are worked on together: their rows stay in the second cache, and weights are read once for all."""
EDGES_A_THREAD = 2000
"""Fewer directed edges than this are not worth a thread of their own."""


class Packed:
    """An EGNN's weights in the order in which the kernel reads them: transposed, in panels, filled up with zeros.

    Parameters
    ----------
    model : EGNN

    Attributes
    ----------
    width : int
        Hidden size filled up to a multiple of PANEL.
    values : float32 array
    address : int
        Of the values.
    evaluations : int
    recurrent : bool
        Velocities are carried from layer to layer.
    """

    def __init__(self, model: "EGNN") -> None:
        self._weights = {name: p.detach() for name, p in model.named_parameters(remove_duplicate=False)}
        self._hidden = model.embedding.out_features
        self.evaluations, self.recurrent = model.evaluations, model.form == "recurrent"
        self.width = -(-self._hidden // PANEL) * PANEL
        self._pieces: list[FloatArray] = []
        self._row(self._weights["embedding.weight"][:, 0])
        self._row(self._weights["embedding.bias"])
        for k in range(model.evaluations):
            self._pairs(f"layers.{k}.edge_in", of_speed=k == 0)
            self._matrix(f"layers.{k}.edge_out")
            self._number(f"layers.{k}.phi_x")
            self._number(f"layers.{k}.phi_v", of_speed=k == 0)
            self._row(self._weights[f"layers.{k}.phi_v.2.bias"], LANES)
            if k < model.evaluations - 1:
                self._matrix(f"layers.{k}.phi_h.0", of_speed=k == 0, parts=2)
                self._matrix(f"layers.{k}.phi_h.2")
        if model.velocity_head is not None:
            self._number("velocity_head.node")
            self._row(self._weights["velocity_head.node.2.bias"], LANES)
            self._pairs("velocity_head.pair.0")
            self._row(self._weights["velocity_head.pair.2.weight"][0])
            self._row(self._weights["velocity_head.pair.2.bias"], LANES)
        self.values = aligned(np.concatenate(self._pieces))
        self.address = self.values.ctypes.data
        del self._pieces, self._weights

    def _row(self, values: Tensor, width: int = 0) -> None:
        row = np.zeros(width or self.width, dtype=np.float32)
        row[: len(values)] = values.numpy()
        self._pieces.append(row)

    def _panels(self, *blocks: FloatArray) -> None:
        """Blocks (in, width) below each other, cut into panels."""
        rows = np.concatenate(blocks)
        self._pieces.append(rows.reshape(len(rows), -1, PANEL).swapaxes(0, 1).reshape(-1))

    def _block(self, weight: Tensor) -> FloatArray:
        """The transpose of an (out, in) matrix."""
        block = np.zeros((self.width, self.width), dtype=np.float32)
        block[: weight.shape[1], : weight.shape[0]] = weight.T.numpy()
        return block

    def _speed_block(self, weight: Tensor, bias: Tensor) -> tuple[FloatArray, Tensor]:
        """What a map of embedded speeds is as a map of speeds: its one row, and its bias."""
        row = np.zeros((1, self.width), dtype=np.float32)
        row[0, : len(weight)] = (weight.double() @ self._weights["embedding.weight"][:, 0].double()).numpy()
        return row, bias + (weight.double() @ self._weights["embedding.bias"].double())

    def _matrix(self, name: str, of_speed: bool = False, parts: int = 1) -> None:
        """A map of features, or of `parts` as wide; `of_speed`: what it is of the first layer's features."""
        shares = list(self._weights[f"{name}.weight"].chunk(parts, dim=1))
        bias = self._weights[f"{name}.bias"]
        blocks = []
        if of_speed:
            first, bias = self._speed_block(shares.pop(0), bias)
            blocks.append(first)
        self._panels(*blocks, *map(self._block, shares))
        self._row(bias)

    def _number(self, name: str, of_speed: bool = False) -> None:
        """A hidden layer and the map behind it to one or two numbers, without its bias."""
        self._matrix(f"{name}.0", of_speed)
        for row in self._weights[f"{name}.2.weight"]:
            self._row(row)

    def _pairs(self, name: str, of_speed: bool = False) -> None:
        """A first edge layer: receivers' share with the bias, senders' without, those of three scalars."""
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        biases = []
        for part, given in enumerate((bias, torch.zeros_like(bias))):
            share = weight[:, part * self._hidden : (part + 1) * self._hidden]
            block, moved = self._speed_block(share, given) if of_speed else (self._block(share), given)
            self._panels(block)
            biases.append(moved)
        for row in (*biases, *weight[:, 2 * self._hidden :].T):
            self._row(row)


def aligned(values: FloatArray) -> FloatArray:
    """A copy that starts at a multiple of 64 bytes, so that no vector crosses a cache line."""
    room = aligned_room(len(values))
    room[:] = values
    return room


def aligned_room(*shape: int) -> FloatArray:
    """Room, with anything in it, that starts at a multiple of 64 bytes."""
    count = math.prod(shape)
    room = np.empty(count + LANES, dtype=np.float32)
    start = -(room.ctypes.data // 4) % LANES
    return room[start : start + count].reshape(shape)


_PACKED: WeakKeyDictionary[nn.Module, tuple[Watch, Packed | None]] = WeakKeyDictionary()


def _current(model: "EGNN") -> tuple[Watch, Packed | None]:
    """The model's packed weights, made again where it has changed; None where it is not one for the kernel."""
    known = _PACKED.get(model)
    if known is None or not known[0].unchanged():
        watch = Watch(model)
        fits = watch.usable and is_known(model)
        known = (watch, Packed(model) if fits else None)
        _PACKED[model] = known
    return known


def is_known(model: "EGNN") -> bool:
    """Whether the kernels know all its layers, and none is too wide for them."""
    known_layers = all(type(m) in (nn.Linear, nn.SiLU) for m in model.modules() if not m._modules)
    return known_layers and model.embedding.out_features <= MOST_HIDDEN


def forecast(model: "EGNN", x: Tensor, v: Tensor, q: Tensor) -> tuple[Tensor, Tensor | None] | None:
    """What `model(x, v, q)` returns, without its layers; None where they have to do it.

    Parameters
    ----------
    model : EGNN
        In the forms "init" and "recurrent".
    x, v : (B, N, n) float32 tensor
    q : (B, N) float32 tensor

    Returns
    -------
    positions and velocities, as the model's; or None
        For what is to be differentiated, traced, computed in another precision or on another device, for models
        with hooks, wider than MOST_HIDDEN or of form "none", and where Numba does not compile.

    Notes
    -----
    **Checked by** tests/surrogate/models/test_egnn_inference.py.
    """
    if left_to_torch(model.form, x, v, q) or (torch.is_grad_enabled() and gradients_wanted(model, x, v, q)):
        return None
    packed = _current(model)[1]
    if packed is None:
        return None
    return _run(packed, x, v, q, model.gives_velocity and not model.skip_velocity_head)


class Frozen:
    """An EGNN as it is now, for those who train it no more: no weights are looked at before a forecast.

    It has a copy of them, so what is done to the model later does not reach it.

    Parameters
    ----------
    model : EGNN

    Notes
    -----
    **Checked by** tests/surrogate/models/test_egnn_inference.py.
    """

    def __init__(self, model: "EGNN") -> None:
        with torch.inference_mode(False):  # copies made there could not be differentiated through
            self._model = copy.deepcopy(model).eval().requires_grad_(False)
        self._packed = _current(model)[1]  # is not written to: a change makes another
        self._with_head = model.gives_velocity and not model.skip_velocity_head

    def __call__(
        self, x: Tensor, v: Tensor, q: Tensor, horizon: float = 1.0, masses: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """See SurrogateModel.forward."""
        if (
            self._packed is None
            or left_to_torch(self._model.form, x, v, q)
            or (torch.is_grad_enabled() and of_inputs(x, v, q))
        ):
            forecast: tuple[Tensor, Tensor | None] = self._model(x, v, q)
            return forecast
        return _run(self._packed, x, v, q, self._with_head)


def gradients_wanted(model: nn.Module, x: Tensor, v: Tensor, q: Tensor) -> bool:
    """Whether a forecast would be differentiated, with respect to its inputs or any weight."""
    return of_inputs(x, v, q) or any(weight.requires_grad for weight in model.parameters())


def of_inputs(x: Tensor, v: Tensor, q: Tensor) -> bool:
    """Whether any of a forecast's inputs is to be differentiated."""
    return x.requires_grad or v.requires_grad or q.requires_grad


def _run(packed: Packed, x: Tensor, v: Tensor, q: Tensor, with_head: bool) -> tuple[Tensor, Tensor | None]:
    """The forecast, by as many threads as it is worth."""
    x, v, q = x.contiguous(), v.contiguous(), q.contiguous()
    n_systems, n, n_dims = x.shape
    out_x = torch.empty_like(x)
    out_v = torch.empty_like(v) if with_head else None
    arguments = (
        max(GROUP_NODES // n, 1),
        n_systems,
        n,
        n_dims,
        x.data_ptr(),
        v.data_ptr(),
        q.data_ptr(),
        packed.address,
        packed.width,
        packed.evaluations,
        packed.recurrent,
        with_head,
        out_x.data_ptr(),
        0 if out_v is None else out_v.data_ptr(),
    )
    n_threads = min(torch.get_num_threads(), n_systems, 1 + n_systems * n * (n - 1) // EDGES_A_THREAD)
    if n_threads <= 1:
        forward_at(0, n_systems, *arguments)
    else:
        bounds = np.linspace(0, n_systems, n_threads + 1).round().astype(int).tolist()
        for_each(lambda part: forward_at(bounds[part], bounds[part + 1], *arguments), n_threads, n_threads)
    return out_x, out_v


def left_to_torch(form: str, x: Tensor, v: Tensor, q: Tensor) -> bool:
    """What can be said before anybody looks at the weights."""
    return (
        torch.compiler.is_compiling()
        or not (type(x) is type(v) is type(q) is Tensor)
        or not (x.dtype is v.dtype is q.dtype is torch.float32)
        or not (x.is_cpu and v.is_cpu and q.is_cpu)
        or len(shape := x.shape) != 3
        or shape[1] < 2
        or v.shape != shape
        or q.shape != shape[:2]
        or form == "none"
        or numba.config.DISABLE_JIT
        or torch.is_autocast_enabled("cpu")
        or forward_ad._current_level >= 0
        or torch._C._functorch.maybe_current_level() is not None
    )
