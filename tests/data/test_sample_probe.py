"""A probe on the image expert's words recovers what the pictures of the sample contribute."""

from random import Random

from textcentric.data.sample.drawing import COATS, SUBJECTS, draw, random_look
from textcentric.experts.pixels import describe_looks, look_at


def described(seed: int) -> tuple[str, str]:
    """Return what the expert says of one drawn picture, and its points."""
    rng = Random(seed)
    look = random_look(rng)
    picture = draw(rng.choice(list(SUBJECTS)), look, rng.choice(list(COATS)), rng)
    return describe_looks([look_at(picture)]), str(look.points())


def test_a_probe_on_the_experts_words_recovers_the_points_nine_times_in_ten() -> None:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # threads only slow down products as small as these
        words, points = zip(*(described(seed) for seed in range(330)), strict=True)
    probe = make_pipeline(CountVectorizer(), LogisticRegression(max_iter=3000))
    probe.fit(words[:220], points[:220])
    assert len(set(points)) == 7
    assert probe.score(words[220:], points[220:]) >= 0.9
