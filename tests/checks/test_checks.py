"""Each check on sentences so small that the value is plain."""

from __future__ import annotations

import pytest

from textcentric.checks.change import compare
from textcentric.checks.comparatives import comparisons, kinds, opposites, persons, tenses
from textcentric.checks.edit import Edit
from textcentric.checks.form import garbled, same_sentences, unfinished
from textcentric.checks.languages import language
from textcentric.checks.legibility import misread
from textcentric.checks.likelihood import LOWEST, back_part, back_reading, forward_part
from textcentric.checks.meaning import tails
from textcentric.checks.names import lost_names, lost_values, names, new_names
from textcentric.checks.negation import negation_changed, scope_changed
from textcentric.checks.numbers import invented, lost
from textcentric.checks.parts import moved
from textcentric.checks.thesaurus import alike
from textcentric.checks.words import near, stem, synonyms, words


@pytest.mark.parametrize(
    ("word", "expected"),
    [("boxes", "box"), ("trimmed", "trim"), ("fell", "fall"), ("stories", "story"),
     ("strictly", "strict"), ("bus", "bus"), ("leaves", "leave"), ("leave", "leave")],
)  # fmt: skip
def test_forms_of_a_word_share_their_stem(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_contractions_are_what_they_stand_for() -> None:
    assert words("It isn't his, we'll see.").tokens == words("It is not his, we will see.").tokens
    assert words("He can't").tokens == words("He cannot").tokens == ("he", "can", "not")


def test_new_words_are_told_by_where_they_come_from() -> None:
    change = compare(
        "Send a message and I will answer.", "Please send a mesage, I will respond in Rome.", "Rome"
    )
    assert change.forms == ("respond",)
    assert change.altered == ("mesag",)
    assert change.fillers == ("pleas",)
    assert change.borrowed == ("rom",)
    assert (change.far, change.missing) == ((), ())
    assert compare("He sleeps.", "He dances.").far == ("danc",)
    assert compare("He sleeps.", "He dances.").missing == ("sleep",)


def test_a_word_near_in_meaning_to_a_missing_one_is_told_from_a_far_one() -> None:
    change = compare("The road is hazardous.", "The road is risky.")
    assert (change.alike, change.far, change.missing) == (("risky",), (), ())
    alone = compare("The road is hazardous.", "The road is hazardous and risky.")
    assert (alone.alike, alone.far) == ((), ("risky",)), "nothing is missing that it stands for"
    assert compare("However, he eats.", "Nevertheless, he eats.").alike == ("nevertheless",)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("hazardous", "risky", True),
        ("beefy", "sturdy", False),
        ("dog", "cat", False),
        ("black", "white", False),
        ("bank", "shor", False),
    ],
)
def test_words_are_near_that_mostly_mean_one_thing(one: str, other: str, expected: bool) -> None:
    assert alike(one, other) == alike(other, one) == expected


def test_spellings_are_near_and_synonyms_are_listed() -> None:
    assert near("kitchen", "kichen")
    assert near("has", "hsa")
    assert not near("kitchen", "station")
    assert synonyms(stem("answer"), stem("respond"))
    assert not synonyms(stem("answer"), stem("sleep"))


@pytest.mark.parametrize(
    ("source", "variant", "new", "gone"),
    [
        ("two months old", "2 months old", 0, 0),
        ("2 months", "two-year-old", 1, 1),
        ("It costs 1,000 ringgit.", "It costs 1000 RM.", 0, 0),
        ("It costs 50.", "It costs 60.", 1, 1),
        ("six or 3", "six", 0, 1),
        ("a cat", "a calm cat", 0, 0),
    ],
)
def test_numbers_and_their_units(source: str, variant: str, new: int, gone: int) -> None:
    assert (invented(source, variant), lost(source, variant)) == (new, gone)


def test_names_are_capitalised_inside_a_sentence() -> None:
    assert names("Please meet Roti from Johor. He sleeps.") == {"roti", "johor"}
    assert new_names("Collect it in Kenari.", "Collect it in Melati.", "") == 1
    assert new_names("Collect it in Kenari.", "Collect it in Melati.", "State: Melati.") == 0
    assert new_names("He sleeps.", "He SLEEPS, Wow!", "") == 0
    assert lost_names("Please meet Roti.", "Please meet it.") == 1
    assert lost_names("Please meet Roti.", "Please meet Rotti.") == 0
    assert lost_values("Size: tall.", "The size is tal.", ("tall", "wool")) == 1


@pytest.mark.parametrize(
    ("source", "variant", "changed"),
    [
        ("Resale is strictly not allowed.", "Resale is not allowed.", False),
        ("Resale is not allowed.", "Resale is allowed.", True),
        ("He hides under the bed.", "He does not hide.", True),
        ("It never barks, text me.", "Text me.", False),
        ("Staying is no problem.", "Staying is not a problem.", False),
        ("A home without a chain or cage.", "A home with no cages.", False),
        ("He is not shy but loud.", "He is shy but not loud.", True),
        ("He sleeps.", "He sleeps a lot.", False),
    ],
)
def test_what_is_denied_stays_denied(source: str, variant: str, changed: bool) -> None:
    assert negation_changed(source, variant) is changed


def test_what_bounds_a_statement_stays_with_it() -> None:
    assert scope_changed("He almost fell.", "He fell.") == 1
    assert scope_changed("He sleeps.", "He may sleep.") == 1
    assert scope_changed("Only the vet knows, call us.", "Call us.") == 0


@pytest.mark.parametrize(
    ("source", "variant", "changed"),
    [
        ("My flight leaves on Sunday.", "My flight left on Sunday.", 1),
        ("The tenants arrive soon.", "The tenants arrived soon.", 1),
        ("He is free to be visited.", "He is free to visit.", 1),
        ("He sleeps a lot.", "He is sleeping a lot.", 0),
        ("Her birds fly.", "Her bird flies.", 0),
    ],
)
def test_what_is_told_stays_in_its_time(source: str, variant: str, changed: int) -> None:
    assert tenses(source, variant) == changed


def test_opposites_kinds_comparisons_and_persons() -> None:
    assert opposites("He is shy.", "He is bold.") == 1
    assert opposites("He is shy.", "He is timid.") == 0
    assert kinds("Come on Monday.", "Come on Friday.") == 1
    assert kinds("Come soon.", "Come on Friday.", "Call on Friday.") == 0
    assert kinds("Come soon.", "Come on Friday.", "Call us.") == 1
    assert comparisons("He is fast.", "He is faster.") == 1
    assert persons("The vet sent us home.", "The vet sent him home.") == 2
    assert persons("It is no problem.", "It is no problem for me.") == 1
    assert persons("I sleep.", "We sleep.") == 0


@pytest.mark.parametrize(
    ("source", "variant", "expected"),
    [
        ("When it rains he chews a shell.", "When it rains.", True),
        ("The thing is, it is needed.", "The thing is.", True),
        ("We noted that he hides.", "We noted that.", True),
        ("Her favourite thing is the top.", "Her favourite thing is.", True),
        ("Place of the find: a box.", "Place of the find.", True),
        ("The kettle is always on or simply write.", "The kettle is always on.", False),
        ("She sleeps a lot and comes.", "She sleeps a lot.", False),
        ("According to her carer, Rambo scratches.", "According to her carer.", True),
        ("Most of the time she guards the bowl.", "Most of the time.", True),
        ("At night he sleeps in the house.", "At night he sleeps.", False),
        ("He was taken over from a shelter.", "He was taken over.", True),
        ("He eats rice.", "He eats rice.", False),
        ("There is also a pool on the roof.", "There is also.", True),
        ("Here it is, the best flat in town.", "Here it is.", True),
        ("We would like a home without a chain.", "We would love.", True),
        ("Our team presents Chilli, an orange cat.", "Our team presents.", True),
        ("She has everything she needs, and more.", "She has everything she needs.", False),
        ("The man who cleans here is fond of him.", "The man who cleans here.", True),
        ("Every room has its own bath, and the sea is near.", "Every room has.", True),
        ("Please call me on my phone if you like.", "Please call.", False),
        ("He barks often at night.", "He barks often.", False),
        ("She sleeps in the house at night.", "She sleeps.", False),
        ("She could live with a calm cat.", "She could live.", True),
        ("On my card it says that Oreo plays.", "On my card it says.", True),
        ("The people told me that he barks.", "The people told me.", True),
        ("We only test how many would come.", "We only test.", True),
        ("Around noon she chases a shell.", "Around noon.", True),
        ("There are two of them; what is said here is about Rex.", "There are two of them.", False),
    ],
)
def test_a_cut_that_ends_in_the_middle(source: str, variant: str, expected: bool) -> None:
    assert unfinished(source, variant) is expected


def test_garble_and_sentences_in_another_order() -> None:
    assert garbled("He sleeps.", "He slxxxxps.")
    assert garbled("He sleeps a lot.", "Sleep sleep sleep sleep a lot now.")
    assert not garbled("He sleeps.", "He slept.")
    assert same_sentences("He sleeps. She eats!", "She eats! He sleeps.")
    assert not same_sentences("He sleeps. She eats.", "He sleeps.")


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("Teh dgo is cal m", (0, 0)),
        ("The dogis calm.", (0, 0)),
        ("The dog is green.", (1, 1)),
        ("The dog calm.", (0, 1)),
        ("The day is calm.", (1, 1)),
    ],
)
def test_misspelt_words_are_the_sources_in_their_order(
    variant: str, expected: tuple[int, int]
) -> None:
    assert misread("The dog is calm.", variant) == expected


def test_clauses_may_change_places_and_roles_may_not() -> None:
    assert moved(("dog", "bite", "man"), ("man", "bite", "dog")) == 1.0
    assert moved(("rain", "chew", "shell"), ("chew", "shell", "rain")) == 0.0
    assert moved(("dog", "bite"), ("dog", "bite")) == 0.0


def test_the_language_of_a_text() -> None:
    assert language("He is a calm dog.") == "english"
    assert language("Type: cat. Name: Roti.") == "english"
    assert language("Kucing ini sangat manja dan sihat.") == "malay"
    assert language("Die Katze ist nicht sehr alt.") == "german"
    assert language("Продам велосипед") == "unknown"


def test_likelihoods_are_bounded_and_unknown_where_nobody_said_them() -> None:
    assert forward_part(Edit("a", "b")) is None
    assert forward_part(Edit("a", "b", logprob=-99.0)) == LOWEST
    assert back_part(Edit("a", "b", back=-1.5)) == -1.5


def test_back_reading_asks_for_the_sources_tail_behind_the_shared_words() -> None:
    turns, text = back_reading(Edit("He sleeps a lot.", "He naps a lot.", begin="He"))
    assert [role for role, _ in turns] == ["system", "user", "assistant"]
    assert turns[-1][1].endswith("Sentence: He naps a lot.\nOther words: He")
    assert text == " sleeps a lot."


def test_tails_are_what_follows_the_shared_words() -> None:
    assert tails(Edit("He sleeps.", "He naps.", begin="He")) == ("sleeps.", "naps.")
    assert tails(Edit("He sleeps.", "He naps.")) == ("He sleeps.", "He naps.")
