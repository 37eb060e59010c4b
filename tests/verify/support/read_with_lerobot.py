"""Reads a data set with LeRobot's own reader, in an environment of its own, and prints as JSON what it gave.

``python read_with_lerobot.py DIR``; it imports nothing of this project. Every frame of every episode is asked for.
LeRobot 0.3.3 reads v2.1, and 0.6.1 v3.0.
"""

import hashlib
import json
import sys
from importlib.metadata import version

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

dataset = LeRobotDataset("local/dataset", root=sys.argv[1], video_backend="pyav")
episodes = []
for index in range(dataset.num_episodes):
    if hasattr(dataset, "episode_data_index"):  # 0.3.3
        first, end = (int(dataset.episode_data_index[key][index]) for key in ("from", "to"))
    else:
        first, end = (dataset.meta.episodes[index][f"dataset_{key}_index"] for key in ("from", "to"))
    items = [dataset[row] for row in range(first, end)]
    numbers = {
        key: hashlib.sha256(np.stack([item[key].numpy() for item in items]).astype("<f4").tobytes()).hexdigest()
        for key in ("observation.state", "action")
    }
    means = {key: [(255 * item[key]).mean(dim=(1, 2)).tolist() for item in items] for key in dataset.meta.video_keys}
    pixels = {
        key: hashlib.sha256(
            np.stack([(255 * item[key]).round().byte().numpy() for item in items]).tobytes()
        ).hexdigest()
        for key in dataset.meta.video_keys
    }
    tasks = sorted({item["task"] for item in items})
    episodes.append({"length": len(items), "tasks": tasks, "numbers": numbers, "pixels": pixels, "means": means})
stats = {key: {name: np.ravel(v).tolist() for name, v in s.items()} for key, s in dataset.meta.stats.items()}
print(json.dumps({"lerobot": version("lerobot"), "fps": dataset.fps, "episodes": episodes, "stats": stats}))
