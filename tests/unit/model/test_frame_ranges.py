from pipeline.model.frame_ranges import FrameNames


def named(*frames: int) -> str:
    names = FrameNames()
    for frame in frames:
        names.add(frame)
    return str(names)


def test_ranges():
    assert named() == ""
    assert named(4) == "4"
    assert named(0, 1, 2, 5, 7, 8) == "0-2, 5, 7-8"


def test_many_ranges_are_counted():
    assert named(*range(0, 60, 2)).endswith("36, 38 and 10 more")
    assert len(named(*range(0, 1_000_000, 2))) < 200
