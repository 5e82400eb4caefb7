"""Arrays of a small data set."""

import numpy as np
import pytest


@pytest.fixture
def arrays(rng):
    return {
        "positions": rng.standard_normal((5, 4, 3, 2)),
        "velocities": rng.standard_normal((5, 4, 3, 2)),
        "charges": rng.choice([-1.0, 1.0], (5, 3)),
        "times": np.array([0.0, 0.1, 0.3, 0.4]),
        "masses": rng.uniform(1, 2, (5, 3)),
    }
