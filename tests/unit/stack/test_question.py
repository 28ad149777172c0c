"""Nobody waits long for an answer, and nobody is asked twice at once."""

import threading

import pytest
from support.waiting import wait_for

from femtotango.stack.question import Question


def test_an_answer_in_time():
    answers = [True, False]
    question = Question(lambda: answers.pop(0))
    assert question.is_answered(60.0)
    assert not question.is_answered(60.0)
    question.close()


def test_one_who_hangs_is_asked_once_and_keeps_nobody_waiting():
    hangs, asked = threading.Event(), []

    def ask() -> bool:
        asked.append(1)
        return hangs.wait(100.0)

    question = Question(ask)
    assert not any(question.is_answered(0.01) for _ in range(5))
    assert len(asked) == 1
    hangs.set()
    wait_for(lambda: question.is_answered(0.1))
    question.close()


def test_an_error_is_told():
    def ask() -> bool:
        raise KeyError("nobody has thought of it")

    question = Question(ask)
    with pytest.raises(KeyError):
        question.is_answered(60.0)
    question.close()
