"""The pictures of the documentation: ``python tests/tui/pictures.py`` writes them to docs/img (needs cairosvg).

The SVG Textual exports names a font few machines have; DejaVu Sans Mono at the size that gives it the same advance,
scaled so that one cell is a whole number of pixels, keeps every column where it is on a terminal.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from console import settle, shown  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402

CELL_PX, CELL_OUT_PX = 12.2, 15
PICTURES = [
    ("dashboard", "running", "1", (120, 40)),
    ("dashboard-80x24", "running", "1", (80, 24)),
    ("killed", "killing", "0", (120, 40)),
]


async def svg_of(scenario: str, page: str, size: tuple[int, int]) -> str:
    core = SCENARIOS[scenario]()
    async with shown(core, size) as (app, pilot):
        app.goto(page)
        if scenario == "killing":
            app.control.kill("flatten", "all", "", app.moment())
            app.clock.advance(0.009)
            core.reply(core.link.sent[0], "accepted")
            await settle(app, pilot)
            app.clock.advance(1.6)
            counts = {"cancelled": 4, "cancel_total": 5, "flat": 1, "flat_total": 4, "unconfirmed": 1}
            core.reply(core.link.sent[0], "progress", **counts)
            core.heartbeat("FLATTENING")
        await settle(app, pilot)
        return app.export_screenshot()


def write_png(svg: str, path: Path) -> None:
    import cairosvg

    svg = svg.replace("Fira Code", "DejaVu Sans Mono").replace("font-size: 20px", "font-size: 20.264px")
    cairosvg.svg2png(svg.encode(), write_to=str(path), scale=CELL_OUT_PX / CELL_PX)


def main() -> None:
    folder = Path(__file__).parents[2] / "docs" / "img"
    folder.mkdir(parents=True, exist_ok=True)
    for name, scenario, page, size in PICTURES:
        write_png(asyncio.run(svg_of(scenario, page, size)), folder / f"{name}.png")
        print(folder / f"{name}.png")


if __name__ == "__main__":
    main()
