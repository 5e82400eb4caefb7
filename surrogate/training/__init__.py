"""How is anything trained? The loop, its step, its files; what is learned is a task (surrogate/tasks).

A training starts in `launch` (one run, a sweep, the learning-rate finder). `run` is a run in its folder, `loop`
its stages, epochs and validations from top to bottom, `step` one update of the weights, `divergence` the verdict
on it, `state` the run itself, `progress` how far it is. `restart` and `checkpoint` keep files; `sources` says
which source files a resumed run must have in common with the run it goes on with.

The same for epochs made as one on a device: `whole_epoch_loop`, `whole_epochs`, `flat_state`; `stacked` trains
several seeds so. `sweep`, `lr_finder`; `distributed` (torchrun); `compiled` (torch.compile); `machine`. What is
shown: `progress_bar`, `plan` (how long it takes), `tensorboard`. `config` reads settings.
"""
