"""What is learned: how data become batches, the loss, the validation score."""
