"""Formulas and their parameters as rich text."""

import re

from app.viewmodel.state.formula import FormulaReport
from surrogate.evaluation.formula.digits import with_error

SIGNS = {"-": "−", "*": "·", "<": "&lt;", ">": "&gt;"}
SYMBOLS = {"length": "λ", "cutoff": "r<sub>c</sub>", "rest": "r<sub>0</sub>"}


def rich_formula(text: str) -> str:
    """A formula of `recover` with raised exponents, lowered indices and the signs of mathematics."""
    text = "".join(SIGNS.get(letter, letter) for letter in text)
    text = re.sub(r"(?<=[\d)])e([−+]?)0*(\d+)", lambda found: f"·10^{found[1].strip('+')}{found[2]}", text)
    text = re.sub(r"([A-Za-z])_([a-z]+)", r"\1<sub>\2</sub>", text)
    return _raised(text)


def _raised(text: str) -> str:
    """What stands after ^, a number or a bracket, as an exponent."""
    made, at = "", 0
    while at < len(text):
        if text[at] != "^":
            made += text[at]
            at += 1
            continue
        end = at + 1
        if text[end] == "(":
            depth = 0
            while True:
                depth += {"(": 1, ")": -1}.get(text[end], 0)
                end += 1
                if not depth:
                    break
        else:
            while end < len(text) and (text[end].isdigit() or text[end] in ".−"):
                end += 1
        made += f"<sup>{text[at + 1 : end]}</sup>"
        at = end
    return made


def parameter_rows(report: FormulaReport) -> list[tuple[str, str]]:
    """Symbol, and value with its standard error, of each parameter, as rich text."""
    rows = []
    for name, value, error in report.parameters:
        base = name.rstrip("0123456789")
        index = name[len(base) :]
        symbol = SYMBOLS.get(base, f"<i>{base}</i>") + (f"<sub>{index}</sub>" if index else "")
        rows.append((symbol, rich_formula(with_error(value, error).replace("+-", "±"))))
    return rows
