"""``bench.png``: a panel a section, drawn from the rows."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg  # of no window, on any machine
from matplotlib.figure import Figure

from runners.bench.figures import Row

__all__ = ["write_plot"]

COLOURS = {
    "ours": "#2b6cb0",
    "other": "#b7bdc6",
    "floor": "#2f855a",
    "physics": "#2f855a",
    "renders": "#d69e2e",
    "inference": "#2b6cb0",
    "resets": "#805ad5",
    "rest": "#c53030",
}


def write_plot(path: Path, rows: Sequence[Row]) -> bool:
    """Draw the sections that the rows hold; return whether there is any to draw."""
    by_section: dict[str, dict[tuple[str, ...], Row]] = defaultdict(dict)
    for row in rows:
        section, _, told = row.name.partition(": ")
        by_section[section][tuple(told.partition(" / ")[0].split(", "))] = row
    panels: list[tuple[Callable[..., None], Mapping[tuple[str, ...], Row]]] = []
    drawers = {"wire": _draw_wire, "model": _draw_model, "schedulers": _draw_schedulers, "steps": _draw_steps}
    for section, draw in drawers.items():
        if section in by_section:
            panels.append((draw, by_section[section]))
    if not panels:
        return False
    figure = Figure(figsize=(11, 4.2 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(panels), 1, squeeze=False)
    for (draw, found), axis in zip(panels, axes[:, 0], strict=True):
        draw(axis, found)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.savefig(path, dpi=120)
    return True


def _draw_wire(axis: Any, rows: Mapping[tuple[str, ...], Row]) -> None:
    """Round trips: bare, ours and plain, a group a batch size."""
    bars: dict[str, dict[str, float]] = {
        "bare request": {},
        "npy": {},
        "plain npy": {},
        "msgpack_numpy": {},
        "plain msgpack_numpy": {},
    }
    for (what, who, batch), row in rows.items():
        if what == "round trip":
            bars[who][batch] = row.value
            if who == "npy":
                bars["bare request"][batch] = row.baseline or 0.0
    batches = list(bars["npy"])
    colours = [COLOURS["floor"], COLOURS["ours"], COLOURS["other"], "#63a4e0", "#dfe3e8"]
    width = 0.8 / len(bars)
    for place, ((who, found), colour) in enumerate(zip(bars.items(), colours, strict=True)):
        at = [group + (place - 2) * width for group in range(len(batches))]
        drawn = axis.bar(at, [found.get(batch, 0) for batch in batches], width, color=colour, label=_label(who))
        axis.bar_label(drawn, fmt="%.3g", fontsize=8, padding=2)
    axis.set_yscale("log")
    axis.set_xticks(range(len(batches)), batches)
    axis.set_xlabel("observations a request, of two pictures of 224 x 224")
    axis.set_ylabel("ms")
    axis.set_title("Round trip of a request", loc="left")


def _label(who: str) -> str:
    return who if who == "bare request" else f"{'plain client' if 'plain' in who else 'ours'}, {who.rpartition(' ')[2]}"


def _draw_model(axis: Any, rows: Mapping[tuple[str, ...], Row]) -> None:
    """Observations a second over the batch size, a line each who answers."""
    lines: dict[str, dict[int, float]] = defaultdict(dict)
    for (who, batch), row in rows.items():
        lines[who][int(batch.partition("=")[2])] = row.value
    styles = {"NVIDIA's get_action": (COLOURS["other"], "-"), "NVIDIA's policy and server": (COLOURS["other"], "--")}
    styles |= {"floor": (COLOURS["floor"], ":"), "over the wire": (COLOURS["ours"], "--")}
    for who, found in lines.items():
        colour, style = styles.get(who, (COLOURS["ours"], "-"))
        axis.plot(list(found), list(found.values()), marker="o", markersize=4, label=who, color=colour, linestyle=style)
    batches = sorted({batch for found in lines.values() for batch in found})
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks(batches, [str(batch) for batch in batches])
    axis.set_xlabel("observations a request")
    axis.set_ylabel("observations a second")
    axis.set_title("The model, by NVIDIA's code and by ours", loc="left")


def _draw_schedulers(axis: Any, rows: Mapping[tuple[str, ...], Row]) -> None:
    """Wall time by what it went into, a bar a scheduler."""
    bars: dict[str, dict[str, float]] = defaultdict(dict)
    for key, row in rows.items():
        if len(key) == 3:
            bars[f"{key[0]}, {key[1]}"][key[2]] = row.value
            if row.baseline is not None:
                bars[f"lower bound, {key[1]}"][key[2]] = row.baseline
    names = sorted(bars, key=lambda name: (int(name.split(", ")[1].split()[0]), sum(bars[name].values())), reverse=True)
    left = [0.0] * len(names)
    for part in ("physics", "renders", "inference", "resets", "rest"):
        values = [bars[name].get(part, 0.0) for name in names]
        axis.barh(names, values, left=left, color=COLOURS[part], label=part)
        left = [a + b for a, b in zip(left, values, strict=True)]
    for name, end in zip(names, left, strict=True):
        axis.text(end, name, f" {end:.1f} s", va="center", fontsize=9)
    axis.margins(x=0.1)
    axis.set_xlabel("seconds of wall time")
    axis.set_title("The same evaluation under several schedulers", loc="left")


def _draw_steps(axis: Any, rows: Mapping[tuple[str, ...], Row]) -> None:
    """Speed over the number of envs, a line a combination."""
    lines: dict[str, dict[int, float]] = defaultdict(dict)
    for (envs, *combination), row in rows.items():
        number = int(envs.partition("=")[2])
        lines[", ".join(combination)][number] = row.value
        lines["env.step alone"][number] = row.baseline or 0.0
    shades = {False: mpl.colormaps["Greens"], True: mpl.colormaps["Blues"]}  # without and with cameras
    drawn = sorted(lines, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])
    for name in drawn:
        is_lit = "cameras=0" not in name
        of_a_kind = [other for other in drawn if "cameras" in other and ("cameras=0" not in other) == is_lit]
        style: dict[str, Any] = {"color": "black", "linestyle": ":"}
        if name in of_a_kind:
            style = {"color": shades[is_lit](0.35 + 0.6 * of_a_kind.index(name) / len(of_a_kind))}
        if "end" in name:
            style = {"color": COLOURS["rest"], "linestyle": "--"}
        axis.plot(list(lines[name]), list(lines[name].values()), marker="o", markersize=4, label=name, **style)
    numbers = list(lines["env.step alone"])
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks(numbers, [str(number) for number in numbers])
    axis.set_xlabel("envs")
    axis.set_ylabel("env-steps a second")
    axis.set_title("Control steps a second, no policy in the loop", loc="left")
