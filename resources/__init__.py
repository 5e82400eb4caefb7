"""Data that ships: configurations, scenarios, trained models, icons. This module only says where they are."""

from pathlib import Path

ROOT = Path(__file__).parent
CONFIGS = ROOT / "configs"
SCENARIOS = ROOT / "scenarios"
ZOO = ROOT / "zoo"
ICONS = ROOT / "icons"
