"""Images that speak against a label, of units that err on known images."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.dissection.evidence.counter_examples import counter_examples


@pytest.mark.parametrize(("images", "strong"), [(100, 10), (200, 10), (400, 20)])
def test_strongly_active_are_five_in_a_hundred_images_or_ten(images, strong):
    """Activity falls from image to image; the concept is on all that count but one, and then on all of them."""
    activation = np.linspace(2, 1, images)[:, np.newaxis]
    presence = (np.arange(images) < strong - 1).astype(float)[:, np.newaxis]
    assert counter_examples(activation, presence, np.array([0]))[0].tolist() == [[strong - 1, -1, -1]]
    presence[strong - 1] = 1
    assert counter_examples(activation, presence, np.array([0]))[0].tolist() == [[-1, -1, -1]]


@pytest.mark.parametrize(("images", "present"), [(40, 5), (100, 5), (400, 20)])
def test_a_soft_concept_is_on_the_five_in_a_hundred_images_of_the_highest_scores_or_five(images, present):
    """Scores fall from image to image, and the unit is silent on one: the last that counts, or the next."""
    scores = np.linspace(0.4, 0.2, images)[:, np.newaxis]
    for silent_on, expected in ((present - 1, [present - 1, -1, -1]), (present, [-1, -1, -1])):
        activation = np.linspace(2, 1, images)
        activation[silent_on] = 0
        assert counter_examples(activation[:, np.newaxis], scores, np.array([0]))[1].tolist() == [expected]


def test_the_three_most_silent_images_stand_in_the_order_of_their_scores():
    scores = np.linspace(0.4, 0.2, 100)[:, np.newaxis]
    activation = np.linspace(2, 1, 100)
    activation[[0, 1, 2, 3, 4]] = [0.4, 0.1, 0.3, 0.5, 0.2]
    assert counter_examples(activation[:, np.newaxis], scores, np.array([0]))[1].tolist() == [[1, 2, 4]]


def test_units_without_a_concept_have_no_counter_examples():
    rng = np.random.default_rng(0)
    examples = counter_examples(rng.random((50, 3)), rng.random((50, 2)), np.array([-1, 1, -1]))
    for kind in examples:
        assert (kind[[0, 2]] == -1).all()
    assert (examples[0][1] >= 0).any()


@pytest.mark.parametrize(
    ("zeros", "absent"), [(9, [25, 28, -1]), (10, [-1, -1, -1]), (30, [25, 28, -1]), (95, [25, 28, 60])]
)
def test_a_concept_that_takes_no_share_of_an_image_is_absent_from_it(zeros, absent):
    """Its share is 0 on the first images and rises on the others; the unit is most active on three images."""
    shares = np.concatenate([np.zeros(zeros), np.linspace(0.05, 0.6, 100 - zeros)])
    activation = np.linspace(0, 1, 100) ** 2
    activation[[25, 28, 60]] = [4.0, 3.0, 2.0]
    active_without, _ = counter_examples(activation[:, np.newaxis], shares[:, np.newaxis], np.array([0]))
    assert active_without.tolist() == [absent], "a small share is a share"


def test_images_without_any_share_do_not_show_a_concept():
    """It is on 2 of 100 images, so the third to fifth highest scores are 0."""
    shares = np.zeros(100)
    shares[[40, 70]] = [0.2, 0.1]
    activation = np.linspace(1, 2, 100)
    activation[40] = 0
    assert counter_examples(activation[:, np.newaxis], shares[:, np.newaxis], np.array([0]))[1].tolist() == [
        [40, -1, -1]
    ]


def test_a_score_scaled_to_the_unit_interval_has_one_lowest_image_and_goes_by_its_median():
    scores = np.linspace(0, 1, 100)
    activation = np.linspace(0, 1, 100)
    activation[30] = 3.0
    assert counter_examples(activation[:, np.newaxis], scores[:, np.newaxis], np.array([0]))[0].tolist() == [
        [30, -1, -1]
    ]


@pytest.mark.parametrize(("image", "beside"), [(49, [49, -1, -1]), (50, [-1, -1, -1])])
def test_silent_and_absent_are_below_the_median(image, beside):
    """Of numbers that rise over 101 images that of the image 50 is the median."""
    rising, alone = np.linspace(0, 1, 101)[:, np.newaxis], (np.arange(101) == image) * 1.0
    assert counter_examples(rising, alone[:, np.newaxis], np.array([0]))[1].tolist() == [beside]
    soft = 0.5 + rising / 10
    assert counter_examples(alone[:, np.newaxis], soft, np.array([0]))[0].tolist() == [beside]


def test_silent_is_what_is_lowest_where_that_is_the_median():
    activation = np.where(np.arange(100) < 70, 0.0, 1.0)
    presence = np.isin(np.arange(100), [5, 90]) * 1.0
    without, silent = counter_examples(activation[:, np.newaxis], presence[:, np.newaxis], np.array([0]))
    assert silent.tolist() == [[5, -1, -1]]
    assert without.tolist() == [[70, 71, 72]]
    assert (counter_examples(presence[:, np.newaxis], presence[:, np.newaxis], np.array([0]))[0] == -1).all(), (
        "on images on which it is lowest a unit is not active"
    )
