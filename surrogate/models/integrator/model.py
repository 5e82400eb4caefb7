"""The flagship: a learned pair law, stepped by exact two-body motions; one set of weights for every n, N and K."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numba
import torch
from torch import Tensor, nn

from physics.errors import InputError
from surrogate.models.base import Accelerated, SurrogateModel
from surrogate.models.integrator.conserved import (
    angular_momentum,
    centred,
    kinetic_energy,
    with_angular_momentum,
    with_energy,
)
from surrogate.models.integrator.couplings import Couplings
from surrogate.models.integrator.cpu.autograd import rounds_in_numba
from surrogate.models.integrator.cpu.pair_chunks import PAIRS
from surrogate.models.integrator.cpu.potentials import potentials_of_many_bodies
from surrogate.models.integrator.cpu.rounds import MOST_SUBSTEPS
from surrogate.models.integrator.external_fields import GIVEN, ExternalFields
from surrogate.models.integrator.node_features import FEATURE_CHANNELS, NodeFeatures
from surrogate.models.integrator.one_body import one_body
from surrogate.models.integrator.pair_law import FARTHEST, PairLaw
from surrogate.models.integrator.rounds import LimitedGrowth, rounds_in_torch

Rounds = Callable[..., tuple[Tensor, Tensor, Any]]
"""Of the arguments of `rounds_in_torch`: positions, velocities, evaluations of the law."""
TRAPS = ("none", "always", "at-rest")
AT_REST = 1e-3
"""A system is at rest where its centre of mass moves slower than this fraction of the RMS speed."""
SLOWEST = 1e-15
"""Slower RMS speeds count as this one there: gradients stay finite where nothing moves."""


@dataclass(frozen=True)
class IntegratorConfig:
    """What the integrator may learn.

    Attributes
    ----------
    hidden : int
        Width of the radial network.
    evaluations : int
        Rounds per unit of time where the caller does not choose.
    couplings : str
        Comma-separated channels of the pair law, each with its own radial function times k_i k_j:
        "constant" (1), "charges", "masses"; "species" has one for each kind of particles and each two kinds,
        "edges" one whose pairs scale with the given e_ij.
    kinds : str
        Comma-separated species (integers) there are, for a channel "species".
    powers : str
        Digits p of the prefactors (r^2 + s^2)^(-p/2) on offer; "3" is Coulomb's alone, "0" none.
    softening : float
        s of the law's own variable [length]: smaller distances look alike.
    reach : float
        The radial network is asked no farther [length].
    pull : str
        A learned harmonic trap about the centre of mass: "none", "always", or "at-rest" (only systems whose centre
        of mass does not move: so data of a free and of a trapped law are distinguished).
    fields : str
        Comma-separated uniform fields that act on each particle by itself, learned: "uniform" (an acceleration),
        "electric" (a force per charge), "magnetic" (an antisymmetric matrix B: a force q B v); or given with the
        data and learned in strength: "given-uniform" (per mass and per charge), "given-magnetic".
    dims : int
        The one dimension it is for, which learned fields need; 0 runs in any.
    conserve : bool
        Whether momentum and angular momentum are kept. False adds a learned drag, for data that loses both.
    energy : bool
        Whether forecasts also keep the energy of the learned law (not while training, and only with
        `conserve`).
    most_substeps : int
        Steps a close pair may take within a round; a power of two, 1 for none of its own.
    order : int
        What a round gets wrong falls with its length as dt^2, or as dt^4 with no more evaluations of the law.
        Drag and fields stay of second order.
    features : int
        Width of node features h that carry history from round to round; 0 for none. They give each particle
        further couplings, proportional to dt: a correction that vanishes as the rounds get shorter.
    component_limit : float
        Where positive: each Cartesian component of a pair force stays within a learned limit, which starts
        here. Not equivariant: for the audit of the published set. Much slower (PyTorch).
    gradient_growth : float
        In training, the gradient of a (chaotic) system may grow so many times in a backward pass; beyond, it is
        scaled down. 0 is no limit.
    """

    hidden: int = 64
    evaluations: int = 16
    couplings: str = "constant,charges"
    kinds: str = ""
    powers: str = "0123"
    softening: float = 0.1
    reach: float = 30.0
    pull: str = "none"
    fields: str = ""
    dims: int = 0
    conserve: bool = True
    energy: bool = True
    most_substeps: int = MOST_SUBSTEPS
    order: int = 2
    features: int = 0
    component_limit: float = 0.0
    gradient_growth: float = 10.0


class Integrator(SurrogateModel):
    """E(n)-equivariant integrator with a learned pair law.

    Each round is one EGNN layer with velocities whose pair message is the motion of two bodies under the
    learned law L over dt, less their free flight: a force that sees (r, q_i, q_j) alone, and a correction
    that vanishes with dt. So one round is right for any two bodies (to the 1e-4 of its sub-steps), what it gets
    wrong is three-body, and that falls as dt^2 with more rounds; as dt^4 where each pair also sees how far the
    others move it (`order`).

    Notes
    -----
    Exact to round-off: E(n) and permutations; momentum; angular momentum and the energy of the learned law
    (restored at the end of a forecast, see `conserved.py`). Not exact: the energy of the
    true law, time reversal; it is not symplectic. Arithmetic is float64 whatever the input.

    **Source** the equation-7 layer of Satorras et al. 2021 in its recurrent reading; pairs solved as two-body
    problems and summed, in the spirit of Hernandez & Bertschinger 2015 (who compose them one after another).
    **Deviations** the message is not a free network of the invariants but an integral of a learned law.
    **Checked by** tests/surrogate/models/test_integrator.py.
    """

    Config = IntegratorConfig
    gives_velocity = True
    sees: tuple[str, ...] = ("positions", "velocities", "charges", "masses")
    chooses_evaluations = True
    any_horizon = True

    def __init__(self, config: IntegratorConfig) -> None:
        super().__init__()
        self._couplings = Couplings(config.couplings, config.kinds)
        self.couplings = self._couplings.channels
        if config.dims < 0:
            raise InputError(f"model.dims must be >= 0; got {config.dims}")
        terms = tuple(name.strip() for name in config.fields.split(",") if name.strip())
        self.fields = ExternalFields(terms, config.dims) if terms else None
        self.dims = config.dims or None
        self.sees = (*self.sees, *self._couplings.takes)
        if self.fields is not None:
            self.group = "Sym" if self.fields.learned else self.group
            self.sees = (*self.sees, *self.fields.takes)
        if config.pull not in TRAPS:
            raise InputError(f"model.pull must be one of {', '.join(TRAPS)}; got {config.pull!r}")
        if not config.powers.isdecimal():
            raise InputError(f"model.powers must be digits such as 3 or 0123; got {config.powers!r}")
        if not 0 < config.softening < min(config.reach, FARTHEST):
            raise InputError(f"model.softening must be positive and below model.reach and {FARTHEST:g}")
        if config.most_substeps < 1 or config.most_substeps.bit_count() > 1:
            raise InputError(f"model.most_substeps must be a power of two; got {config.most_substeps}")
        if config.order not in (2, 4) or (config.order == 4 and config.component_limit):
            raise InputError(f"model.order must be 2, or 4 without model.component_limit; got {config.order}")
        for name in ("gradient_growth", "features", "component_limit"):
            if getattr(config, name) < 0:
                raise InputError(f"model.{name} must be >= 0; got {getattr(config, name)}")
        self.order = config.order
        self.most_substeps, self.gradient_growth = config.most_substeps, config.gradient_growth or math.inf
        self.pull, self.conserve, self.energy = config.pull, config.conserve, config.energy
        self.evaluations = config.evaluations
        powers = tuple(int(digit) for digit in config.powers)
        channels = len(self.couplings) + (FEATURE_CHANNELS if config.features else 0)
        self.law = PairLaw(channels, powers, config.hidden, config.softening, config.reach)
        self.features = NodeFeatures(config.features) if config.features else None
        self.log_limit = None
        if config.component_limit:
            self.log_limit = nn.Parameter(torch.tensor(math.log(config.component_limit)))
            self.group = "Sym"
        if config.pull != "none":
            self.log_kappa = nn.Parameter(torch.tensor(math.log(0.1)))
        if not config.conserve:
            self.drag = nn.Parameter(torch.tensor(0.0))
        self.force_evaluations: float | Tensor = 0.0
        """Evaluations of the law per pair in the last forecast (close pairs take more than one a round)."""

    def rounds_for(self, horizon: float) -> int:
        """Rounds of a forecast over `horizon` where the caller does not choose."""
        return max(round(self.evaluations * abs(horizon)), 1)

    def forward(
        self,
        x: Tensor,
        v: Tensor,
        q: Tensor,
        horizon: float = 1.0,
        masses: Tensor | None = None,
        evaluations: int | None = None,
        **given: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """See SurrogateModel.forward; `evaluations` rounds, and any horizon: a negative one goes back in time."""
        return self._forecast(rounds_in_torch, x, v, q, horizon, masses, evaluations, **given)

    def for_inference(self) -> Accelerated:
        """See SurrogateModel.for_inference."""
        if numba.config.DISABLE_JIT:
            reason = "Numba does not compile"
        elif self.log_limit is not None:
            reason = "the kernels know no component limit"
        else:
            device = self.law.phi[0].weight.device
            reason = "" if device.type == "cpu" else f"on {device.type}"
        if reason:
            return Accelerated(self, f"PyTorch: {reason}", differentiable=True)
        return Accelerated(partial(self._forecast, rounds_in_numba), "Numba rounds", differentiable=True)

    def for_training(self) -> Accelerated:
        """See SurrogateModel.for_training."""
        return self.for_inference()

    def _forecast(
        self,
        rounds: Rounds,
        x: Tensor,
        v: Tensor,
        q: Tensor,
        horizon: float = 1.0,
        masses: Tensor | None = None,
        evaluations: int | None = None,
        **given: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """`forward` by one or the other implementation of the rounds."""
        if horizon < 0 and not self.conserve:
            raise InputError("a law with drag cannot be run back in time; the horizon must be positive")
        back, horizon = horizon < 0, abs(horizon)
        n_rounds = evaluations or self.rounds_for(horizon)
        start_x, start_v, charge = x.double(), (-v if back else v).double(), q.double()
        m = torch.ones_like(charge) if masses is None else masses.double()
        if missing := [name for name in self.takes if name not in given]:
            raise InputError(f"this model needs {' and '.join(missing)}, and none is given")
        couplings, rows = self._couplings(charge, m, given)
        table, kappa = self.law.table(), self.trap_strength(start_v, m)
        if rows is not None:  # those of node features come last
            table = table[[*rows, *range(len(self.couplings), len(table))]]
        gamma = self.drag.double() if not self.conserve else start_x.new_zeros(())
        acceleration, magnetic = self._of_fields(charge, m, given)
        limit = {} if self.log_limit is None else {"limit": self.log_limit.double().exp()}
        growth, dt = self.gradient_growth if self.training else math.inf, horizon / n_rounds
        one = one_body(kappa, gamma, dt, acceleration, (-charge if back else charge) / m, magnetic)

        def run(x: Tensor, v: Tensor, couplings: Tensor, n_rounds: int) -> tuple[Tensor, Tensor, Any]:
            facts = (x, v, couplings, m, one, table, self.law.u0, self.law.softening, dt, n_rounds)
            return rounds(*facts, most=self.most_substeps, growth=growth, order=self.order, **limit)

        if self.features is None:
            out_x, out_v, calls = run(start_x, start_v, couplings, n_rounds)
        else:
            out_x, out_v, calls, h = start_x, start_v, x.new_zeros(()).double(), self.features.first(charge, m)
            limited = LimitedGrowth(growth)
            for _ in range(n_rounds):
                out_x, out_v = limited(out_x, out_v)
                h = self.features(h, out_x, out_v, charge, dt)
                more = torch.cat([couplings, dt * self.features.couplings(h)])
                out_x, out_v, new = run(out_x, out_v, more, 1)
                calls = calls + new
            out_x, out_v = limited(out_x, out_v)
            couplings = torch.cat([couplings, torch.zeros_like(more[len(couplings) :])])  # the law's energy alone
        self.force_evaluations = calls / max(len(x) * x.shape[1] * (x.shape[1] - 1) / 2, 1)
        lost = None
        if not self.training:  # a state that is not finite has nothing to conserve, and must not stop the others
            lost = ~(torch.isfinite(out_x).all(2).all(1) & torch.isfinite(out_v).all(2).all(1))[:, None, None]
            out_x, out_v = torch.where(lost, start_x, out_x), torch.where(lost, start_v, out_v)
        if self.conserve and (self.fields is None or self.fields.acts_on_all_alike):
            kept = angular_momentum(centred(start_x, m), centred(start_v, m), m)
            out_x, out_v = with_angular_momentum(out_x, out_v, m, kept)
        if self.conserve and self.energy and not self.training:
            # both at once: the law is integrated for each call
            twice = (couplings.repeat(1, 2, 1), m.repeat(2, 1), kappa.repeat(2))
            watched = torch.is_grad_enabled() and any(t.requires_grad for t in (out_x, start_x, charge, m, table))
            many = rounds is rounds_in_numba and x.shape[1] * (x.shape[1] - 1) // 2 > PAIRS and not watched
            potential = self._potential_of_many if many else self.potential
            before, after = potential(torch.cat([start_x, out_x]), *twice, table).chunk(2)
            wanted = kinetic_energy(start_v, m) + (before - after)
            if acceleration is not None:  # the work of constant forces; a magnetic field does none
                wanted = wanted + (m.unsqueeze(-1) * acceleration * (out_x - start_x)).sum((1, 2))
            out_v = with_energy(out_x, out_v, m, wanted)
        if lost is not None:
            out_x, out_v = (out.masked_fill(lost, math.nan) for out in (out_x, out_v))
        return out_x.to(x), (-out_v if back else out_v).to(x)

    def _of_fields(self, q: Tensor, m: Tensor, given: Mapping[str, Tensor]) -> tuple[Tensor | None, Tensor | None]:
        """Acceleration of each particle and magnetic field, where there are fields: see ExternalFields."""
        if self.fields is None:
            return None, None
        uniform, magnetic = (given[name].double() if name in given else None for name in GIVEN.values())
        return self.fields.acceleration(q, m, uniform), self.fields.magnetic_field(magnetic)

    def potential(self, x: Tensor, couplings: Tensor, m: Tensor, kappa: Tensor, table: Tensor) -> Tensor:
        """Energy of the learned law, up to a constant of the system: (B,)."""
        first, second = torch.triu_indices(x.shape[1], x.shape[1], 1, device=x.device)
        r2 = (x[:, first] - x[:, second]).square().sum(-1)
        factors = couplings[:, :, first] * couplings[:, :, second]
        # one dimension after the other: the order of a joint sum depends on the size of the batch
        pairs = (factors * self.law.potentials(table, r2)).sum(2).sum(0)
        return pairs + kappa * kinetic_energy(centred(x, m), m)

    def _potential_of_many(self, x: Tensor, couplings: Tensor, m: Tensor, kappa: Tensor, table: Tensor) -> Tensor:
        """As `potential`, by kernels whose memory does not grow with the pairs; not differentiable."""
        values, slopes, step = self.law.nodes(table)
        x_, c, u, du = (t.detach().contiguous().numpy() for t in (x, couplings, values, slopes))
        pairs = potentials_of_many_bodies(x_, c, u, du, self.law.softening**2, self.law.u0, step)
        return torch.from_numpy(pairs) + kappa * kinetic_energy(centred(x, m), m)

    def trap_strength(self, v: Tensor, m: Tensor) -> Tensor:
        """Strength of the trap for each system: (B,)."""
        if self.pull == "none":
            return v.new_zeros(len(v))
        kappa = self.log_kappa.double().exp().expand(len(v))
        if self.pull == "always":
            return kappa
        weight = (m / m.sum(1, keepdim=True)).unsqueeze(-1)
        drift = (weight * v).sum(1).square().sum(-1)
        speed = (weight * v.square()).sum((1, 2)).clamp_min(SLOWEST**2)
        return kappa * torch.exp(-drift / (AT_REST**2 * speed))
