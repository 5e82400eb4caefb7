"""Data that ships: configurations, scenarios, models, icons, lessons. This module only says where they are."""

from pathlib import Path

ROOT = Path(__file__).parent
CONFIGS = ROOT / "configs"
SCENARIOS = ROOT / "scenarios"
ZOO = ROOT / "zoo"
ICONS = ROOT / "icons"
LESSONS = ROOT / "lessons"
EXAMPLES = ROOT / "examples"
FIRST_RUN = ROOT / "first-run.npz"
