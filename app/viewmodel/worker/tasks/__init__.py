"""Measurements on request, each in a child process of its own: progress, results as they come, cancel.

A task is a frozen dataclass with `run`, sent to the child whole. What loads PyTorch does so inside functions.
"""
