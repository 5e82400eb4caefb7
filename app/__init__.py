"""The desktop application: ground truth and forecast side by side, under rotations, in any dimension.

`viewmodel` is pure Python (no Qt, no VTK): what is shown and what can be done. `views` is the only place that
imports Qt. Widgets call Session intents; the Session publishes a new frozen ViewState; views draw it.
"""
