"""Ways to damage a data set: each returns a function that takes its folder."""

import json

import pyarrow.parquet as pq


def edit_json(file, change):
    def damage(folder):
        content = json.loads((folder / file).read_text())
        change(content)
        (folder / file).write_text(json.dumps(content))

    return damage


def edit_lines(file, change):
    def damage(folder):
        rows = [json.loads(line) for line in (folder / file).read_text().splitlines()]
        change(rows)
        (folder / file).write_text("".join(json.dumps(row) + "\n" for row in rows))

    return damage


def edit_table(file, change):
    def damage(folder):
        pq.write_table(change(pq.read_table(folder / file)), folder / file)

    return damage


def drop_columns(file, names):
    return edit_table(file, lambda table: table.drop_columns(names))


def cut(file, share):
    def damage(folder):
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: int(len(content) * share)])

    return damage
