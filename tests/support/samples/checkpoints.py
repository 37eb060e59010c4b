"""Checkpoints as trainers leave them, without a model: LeRobot's, GR00T's, and others of Hugging Face's Trainer."""

import json


def make_lerobot_checkpoint(checkpoints, name, **config):
    """Write one of LeRobot as of its training ``name``, and return its folder, which a server does not load itself."""
    model = checkpoints / name / "pretrained_model"
    model.mkdir(parents=True)
    write_json(model / "config.json", {"type": "act", **config})
    write_tensors(model / "model.safetensors")
    write_json(model / "train_config.json", {"steps": 20000})
    for processor in ("policy_preprocessor", "policy_postprocessor"):
        state = f"{processor}_step_1_normalizer.safetensors"
        write_tensors(model / state)
        write_json(model / f"{processor}.json", {"steps": [{"registry_name": "to_batch"}, {"state_file": state}]})
    return checkpoints / name


def make_gr00t_checkpoint(checkpoints, name, shards=2):
    """Write one of GR00T, whose weights are in several files, and return its folder."""
    folder = make_trainer_checkpoint(checkpoints, name, shards=shards, architectures=["Gr00tN1d6"])
    write_json(folder / "processor_config.json", {"processor_class": "Gr00tN1d6Processor"})
    write_json(folder / "statistics.json", {})
    return folder


def make_trainer_checkpoint(checkpoints, name, shards=1, **config):
    """Write one of Hugging Face's Trainer, and return its folder."""
    folder = checkpoints / name
    folder.mkdir(parents=True)
    write_json(folder / "config.json", config)
    files = [f"model-{shard + 1:05}-of-{shards:05}.safetensors" for shard in range(shards)]
    for file in files if shards > 1 else ["model.safetensors"]:
        write_tensors(folder / file)
    if shards > 1:
        index = {"metadata": {}, "weight_map": {f"layer.{number}": file for number, file in enumerate(files)}}
        write_json(folder / "model.safetensors.index.json", index)
    write_json(folder / "trainer_state.json", {"global_step": 1})
    return folder


def write_json(path, content):
    path.write_text(json.dumps(content))


def write_tensors(path, floats=64):
    """Write a safetensors file of one tensor."""
    tensor = {"dtype": "F32", "shape": [floats], "data_offsets": [0, 4 * floats]}
    header = json.dumps({"__metadata__": {"format": "pt"}, "layer": tensor}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4 * floats))
