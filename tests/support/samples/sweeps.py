"""Sweeps as groot-play leaves them, without a simulator: jobs that are done, cut off, failed or not begun."""

from hydra.core.override_parser.overrides_parser import OverridesParser

from runners.sweeps.folder import JobEnd, write_jobs
from runners.sweeps.jobs import jobs_of
from tests.support.samples.runs import make_run


def make_sweep(folder, *overrides, episodes=20, unfinished=()):
    """Write the folder of a sweep, and return its job folders.

    Args:
        folder: Where to.
        overrides: Of its command line. A job's success rate follows from its seed and the length of its instruction.
        episodes: Of a whole evaluation.
        unfinished: Which of the last jobs are not done: "not begun", "cut off", "failed".
    """
    jobs = jobs_of(overrides, None)
    write_jobs(folder, jobs)
    states = ["done"] * (len(jobs) - len(unfinished)) + list(unfinished)
    for job, state in zip(jobs, states, strict=True):
        parsed = OverridesParser.create().parse_overrides(list(job.overrides))
        settings = {each.get_key_element(): each.value() for each in parsed}
        if state == "not begun":
            continue
        if state == "failed":
            (folder / job.name).mkdir()
            JobEnd(1, "The server and the embodiment do not fit:\n- a key").write(folder / job.name)
            continue
        text = settings.get("instruction.text", "pick up the cube")
        seed = settings.get("seed", 0)
        make_run(
            folder / job.name,
            episodes,
            rate=(len(text) * 7 + seed * 13) % 10 / 9,
            seed=seed,
            instructions=(text,),
            overrides=job.overrides,
            shard=(settings.get("shard.index", 0), settings.get("shard.count", 1)),
            varied=(settings["variation"], [0.0, 1.0]) if "variation" in settings else None,
        )
        if state == "cut off":
            (folder / job.name / "summary.json").unlink()
            rows = (folder / job.name / "episodes.jsonl").read_bytes().splitlines(keepends=True)
            (folder / job.name / "episodes.jsonl").write_bytes(b"".join(rows[:7]) + rows[7][:20])
            (folder / job.name / "report.html").unlink()
        else:
            JobEnd(0).write(folder / job.name)
    return [folder / job.name for job in jobs]
