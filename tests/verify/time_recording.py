"""What recording a data set costs beyond drawing every step, in one run: a recorder that records by turns.

``python -m runners.apps.play server=expert num_envs=8 horizons=chunked "recorder=[]"
+recorder.lerobot._target_=tests.verify.time_recording.RecordingByTurns``
"""

import time

from runners.recorders.lerobot import LerobotRecorder, _seen

TURN = 8
"""Control steps that are recorded, and then only drawn; requests and resets fall into both alike."""


class RecordingByTurns(LerobotRecorder):
    """Records every other turn of steps and only draws and copies the others; prints what both took.

    What is left to encode is waited for at the end of a recorded turn, and counts there. The end of an episode counts
    as recording whenever it comes, and whole, although its files hold half of its frames.
    """

    def __init__(self):
        super().__init__("all")
        self._steps, self._at_ends_s, self._begun = 0, 0.0, None
        self._took_s, self._played = [0.0, 0.0], [0, 0]

    def on_control_step(self, step):
        recorded = self._steps // TURN % 2
        if recorded:
            super().on_control_step(step)
        else:
            for env_id, episode in self._running.items():
                episode.state, episode.video = _seen(step.observation, env_id)
        self._steps += 1
        if recorded and self._steps % TURN == 0:
            self._background.do(lambda: None).result()
        now = time.perf_counter()
        if self._begun is not None:
            self._took_s[recorded] += now - self._begun
            self._played[recorded] += 1
        self._begun = now

    def on_episode_end(self, row):
        begun = time.perf_counter()
        super().on_episode_end(row)
        took = time.perf_counter() - begun
        self._at_ends_s += took
        self._begun += took

    def on_run_end(self, summary):
        super().on_run_end(summary)
        drawn_s, recorded_s = (took / played for took, played in zip(self._took_s, self._played, strict=True))
        steps = sum(self._played)
        more = (recorded_s / drawn_s - 1) + self._at_ends_s / (drawn_s * steps)
        print(
            f"{steps} control steps: {1e3 * drawn_s:.1f} ms each drawn, {1e3 * recorded_s:.1f} ms recorded, "
            f"{self._at_ends_s:.2f} s at the ends of episodes: {more:+.1%} of the run",
            flush=True,
        )
