"""From a checkpoint to a forecast in the units, shapes and dtypes users come with."""
