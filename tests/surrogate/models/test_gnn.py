"""GNN and GNN+: the public GNN with the same weights, and what stands between the two."""

from surrogate.models.gnn import GNN, GNNConfig
from surrogate.models.gnn_plus import GNNPlus
from tests.surrogate.models.cases import BROKEN, awake, distance, made, outputs, shifting_error, states
from tests.surrogate.models.public_code import stored, with_ruled_weights


def test_gnn_equals_the_public_code() -> None:
    found = stored("gnn")
    model = with_ruled_weights(GNN(GNNConfig(hidden=16, layers=3)))
    assert distance(outputs(model, *(found[name] for name in "xvq")), [found["x_hat"]]) < 1e-12


def test_gnn_plus_is_the_gnn_of_centred_states_with_displacements() -> None:
    plus = awake(made("gnn+")).double()
    assert isinstance(plus, GNNPlus)
    plain = GNN(GNNConfig()).double()
    plain.load_state_dict(plus.state_dict())
    x, v, q = states()
    (moved,) = outputs(plain, x - x.mean(1, keepdim=True), v, q)
    assert distance(outputs(plus, x, v, q), [x + moved]) < 1e-14
    assert shifting_error(plus, x, v, q) < 1e-12
    assert shifting_error(plain, x, v, q) > BROKEN
