"""The run of ``groot-bench``: its sections one after the other, and what is written of them."""

from collections.abc import Iterator
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from groot_wrappers.errors import ContractError
from groot_wrappers.installation.isaaclab_release import has_isaaclab3
from runners.bench.control_step import measure_control_step
from runners.bench.figures import Row, table, write_rows
from runners.bench.model.section import measure_model
from runners.bench.plot import write_plot
from runners.bench.processes import rows_of
from runners.bench.schedulers import measure_schedulers
from runners.bench.steps import measure_steps
from runners.bench.wire import measure_wire
from runners.config.composed import Composition, resolved
from runners.config.schema import BenchSection
from runners.config.validation import BENCH, require_within
from runners.run_folder.manifest import provenance
from runners.simulation.devices import require_simulator
from runners.utils.exit_codes import DONE
from runners.utils.terminal import say

__all__ = ["run_bench"]

WITHOUT_SIMULATOR = (BenchSection.wire, BenchSection.model)


def run_bench(composition: Composition) -> int:
    """Measure the sections of ``conf/bench.yaml``; return the exit code.

    What was measured is written after each row, so that an interruption or a failure leaves it.
    """
    config, folder = composition.config, composition.folder
    require_within(config, BENCH)
    for section in ("schedulers", "steps"):
        shortest, longest = config[section].shortest, config[section].longest
        if not 1 <= shortest <= longest:
            raise ContractError(
                f"{section}.shortest={shortest} was asked for with {section}.longest={longest}, but the shortest "
                f"episode has a step at least, and no more than the longest. Set {section}.shortest={max(1, longest)}."
            )
    sections = _possible(list(config.bench))
    resolved(composition)
    require_simulator(OmegaConf.to_object(config.sim))  # type: ignore[arg-type]
    facts = provenance(config.sim.device)
    rows: list[Row] = []
    try:
        for section in sections:
            say(f"Measuring: {section}")
            for row in _measure(section, config, folder):
                rows.append(row)
                write_rows(folder / "bench.json", rows, facts)
    finally:
        if rows:
            say("", *table(rows), f"\nResults: {folder / 'bench.json'}")
            if write_plot(folder / "bench.png", rows):
                say(f"Plot:    {folder / 'bench.png'}")
    return DONE


def _possible(sections: list[BenchSection]) -> list[BenchSection]:
    """Return the sections that can be measured here, and tell of the others.

    Raises:
        ContractError: None can.
    """
    if not sections:
        raise ContractError('bench=[] was asked for, but then nothing is measured. Name a section: "bench=[wire]".')
    if has_isaaclab3():
        return sections
    possible = [section for section in sections if section in WITHOUT_SIMULATOR]
    told = ", ".join(section for section in sections if section not in possible)
    if told:
        say(f"Left out, as IsaacLab 3 is not installed here (pip install '.[isaaclab]'): {told}")
    if not possible:
        raise ContractError('Nothing is left to measure. Install IsaacLab 3, or measure "bench=[wire]".')
    return possible


def _measure(section: BenchSection, config: DictConfig, folder: Path) -> Iterator[Row]:
    log = folder / "simulator.log"
    match section:
        case BenchSection.wire:
            yield from measure_wire(list(config.wire.batches), config.wire.rounds)
        case BenchSection.control_step:
            yield from rows_of(measure_control_step, config, folder, log=log)
        case BenchSection.schedulers:
            yield from rows_of(measure_schedulers, config, folder, log=log)
        case BenchSection.steps:
            for num_envs in config.steps.num_envs:
                yield from rows_of(measure_steps, config, num_envs, log=log)
        case BenchSection.model:
            yield from measure_model(config, folder / "model.log")
