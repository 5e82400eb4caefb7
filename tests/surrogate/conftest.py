"""Light by default: one thread, so that tests share a machine with training runs and give the same bytes."""

import torch

torch.set_num_threads(1)
