"""The division of an archive into tasks."""

import json

import pytest

from emotion_ray.plan import PlannedFile, TaskSizer, by_root, read_plan


def files(count: int, size: int = 1000, root: str = "/videos") -> list[PlannedFile]:
    return [PlannedFile(root, f"{number}.mp4", size) for number in range(count)]


def test_a_plan_is_what_emotion_tag_list_prints() -> None:
    lines = [
        {"root": "/videos", "path": "a/1.mp4", "size": 5},
        {"root": "https://host/talks", "path": "2.mp4", "size": None},
    ]
    found = read_plan("".join(json.dumps(line) + "\n" for line in lines))
    assert found == [
        PlannedFile("/videos", "a/1.mp4", 5),
        PlannedFile("https://host/talks", "2.mp4", 0),
    ]
    assert found[0].location == "/videos/a/1.mp4"


def test_standard_input_cannot_be_tagged_on_a_cluster() -> None:
    with pytest.raises(ValueError, match="standard input"):
        read_plan('{"root": null, "path": "1.mp4", "size": null}')


def test_before_the_first_result_a_task_has_one_file() -> None:
    sizer = TaskSizer(seconds=60)
    assert len(sizer.take(iter(files(10)))) == 1


def test_tasks_take_about_as_long_as_they_should() -> None:
    sizer = TaskSizer(seconds=60)
    sizer.add(files(2), took=20)
    waiting = iter(files(20))
    assert [len(sizer.take(waiting)) for _ in range(4)] == [6, 6, 6, 2]
    # A file ten times as large takes ten times as long.
    assert len(sizer.take(iter(files(5, size=10_000)))) == 1
    # Where sizes are not known, a file takes at least a tenth of the mean.
    assert len(sizer.take(iter(files(100, size=0)))) == 60


def test_a_task_has_files_of_one_root() -> None:
    mixed = files(3) + files(2, root="/pictures")
    assert [len(list(part)) for part in by_root(mixed)] == [3, 2]


def test_many_small_files_have_a_limit() -> None:
    sizer = TaskSizer(seconds=60, most_files=7)
    sizer.add(files(1000), took=1)
    assert len(sizer.take(iter(files(100)))) == 7
