"""The pieces of an HTML page that stands alone: escaping, tables, tiles, style. No network, no script."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from physics.files import plain
from surrogate.render.captions import short_number
from surrogate.render.theme import DARK, LIGHT, Theme

LONGEST_LIST = 24


def escaped(text: object) -> str:
    """Text made safe for HTML, inside quotes too."""
    return escape(str(text), quote=True)


def data_uri(data: bytes, kind: str) -> str:
    """A file as an address that holds the file itself."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def section(title: str, content: str) -> str:
    """A titled part of the page; `content` is HTML."""
    return f"<section><h2>{escaped(title)}</h2>{content}</section>"


def tiles(cards: Sequence[tuple[str, str, str]]) -> str:
    """Headline numbers: name, number, remark."""
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><span>{escaped(name)}</span><b>{escaped(number)}</b>'
            f"<small>{escaped(remark)}</small></div>"
            for name, number, remark in cards
        )
        + "</div>"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column names the rows."""
    top = "".join(f'<th scope="col">{escaped(name)}</th>' for name in head)
    body = ""
    for name, *numbers in rows:
        cells = "".join(f"<td>{escaped(number)}</td>" for number in numbers)
        body += f'<tr><th scope="row">{escaped(name)}</th>{cells}</tr>'
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def definitions(value: Any) -> str:
    """Nested mappings and lists as nested tables."""
    value = plain(value)
    if isinstance(value, Mapping):
        cells = [(escaped(key), definitions(item)) for key, item in value.items()]
        rows = "".join(f'<tr><th scope="row">{key}</th><td>{item}</td></tr>' for key, item in cells)
        return f'<table class="definitions">{rows}</table>' if rows else "–"
    if isinstance(value, list):
        if any(isinstance(item, dict | list) for item in value):
            return "".join(f"<div>{definitions(item)}</div>" for item in value[:LONGEST_LIST])
        more = f" … ({len(value)} in all)" if len(value) > LONGEST_LIST else ""
        return ", ".join(definitions(item) for item in value[:LONGEST_LIST]) + more
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return escaped(short_number(value))
    return escaped(value)


def _variables(theme: Theme) -> str:
    names = ("background", "panel", "line", "text", "muted", "forecast", "warning")
    return "".join(f"--{name}:{getattr(theme, name)};" for name in names)


STYLE = f"""
:root {{ color-scheme: light dark; {_variables(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--background); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }}
main {{ max-width: 1120px; margin: 0 auto; padding: 44px 28px 72px; }}
.eyebrow {{ margin: 0; color: var(--forecast); font-weight: 650; font-size: .82rem; letter-spacing: .06em;
  text-transform: uppercase; }}
h1 {{ margin: 4px 0 10px; font-size: clamp(1.6rem, 4vw, 2.3rem); line-height: 1.15; letter-spacing: -.015em;
  overflow-wrap: anywhere; }}
.lead {{ margin: 0 0 26px; max-width: 46em; color: var(--muted); font-size: 1.08rem; }}
h2 {{ margin: 0 0 14px; font-size: 1.2rem; letter-spacing: -.01em; }}
section {{ margin-top: 40px; }}
.warning {{ margin: 0 0 22px; padding: 12px 16px; border-left: 4px solid var(--warning); border-radius: 4px;
  background: color-mix(in srgb, var(--warning) 12%, transparent); }}
.remark {{ margin: 0 0 22px; color: var(--muted); }}
.tiles {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(168px, 1fr)); gap: 12px;
  margin-bottom: 26px; }}
.tile {{ display: flex; flex-direction: column; padding: 14px 16px; background: var(--panel);
  border: 1px solid var(--line); border-radius: 10px; }}
.tile span, .tile small {{ color: var(--muted); font-size: .84rem; }}
.tile b {{ font-size: 1.6rem; line-height: 1.3; font-variant-numeric: tabular-nums; }}
.video {{ margin: 0; }}
.video video {{ display: block; width: 100%; border-radius: 10px; background: {DARK.background}; }}
figcaption, .note {{ margin: 10px 0 0; color: var(--muted); font-size: .9rem; }}
dl {{ display: grid; grid-template-columns: 11em 1fr; gap: 10px 20px; margin: 0; }}
dt {{ font-weight: 600; }}
dd {{ margin: 0; max-width: 44em; color: var(--muted); }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 7px 18px 7px 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }}
th {{ font-weight: 600; }}
thead th {{ color: var(--muted); font-size: .88rem; }}
th[scope=row] {{ text-align: left; font-weight: 500; }}
.matrix {{ border-left: 2px solid var(--text); border-right: 2px solid var(--text); }}
.matrix td {{ border: 0; padding: 3px 14px; font: .9rem ui-monospace, Menlo, Consolas, monospace; }}
.definitions th, .definitions td {{ text-align: left; white-space: normal; vertical-align: top; font-size: .9rem;
  overflow-wrap: anywhere; }}
.definitions th {{ min-width: 9em; color: var(--muted); }}
.figures {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 20px;
  align-items: start; }}
.figures img {{ display: block; width: 100%; border: 1px solid var(--line); border-radius: 10px; }}
pre {{ margin: 0; padding: 14px 16px; overflow-x: auto; background: var(--panel); border: 1px solid var(--line);
  border-radius: 10px; font-size: .9rem; }}
details {{ margin-top: 14px; border-top: 1px solid var(--line); padding-top: 14px; }}
details:first-of-type {{ margin-top: 40px; }}
summary {{ cursor: pointer; font-weight: 600; }}
details > table {{ margin-top: 10px; }}
@media (max-width: 640px) {{ dl {{ grid-template-columns: 1fr; gap: 2px; }} dd {{ margin-bottom: 10px; }} }}
"""


def document(title: str, content: str) -> str:
    """A whole page; `content` is HTML. A content policy forbids it to load anything from elsewhere."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self' data: file:"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>\n{content}\n</main></body></html>\n"
    )
