"""Workers that race, are killed, are stopped, whose database is locked: nothing is lost, nothing is scored twice."""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import threading
import time
from collections import Counter

import pytest
from sqlalchemy import func, select

from lumiscope.errors import StoreError
from lumiscope.server.database import Database, Score, Transition
from lumiscope.server.queue import Claimed, Pulse, Queue, State, Worker
from queued_hand_ins import facts, new_queue, scored

LEASE = 0.5
FORK = multiprocessing.get_context("fork")  # which has nothing to import


def work(url: str) -> None:
    def run(claimed: Claimed, pulse: Pulse) -> dict[str, object]:
        for done in range(3):
            pulse(done, 3)
            time.sleep(0.01)
        return scored()

    queue = Queue(Database(url), lease_seconds=LEASE)
    Worker(queue, run, poll_seconds=0.02).run_forever(threading.Event())


def worker_process(queue: Queue, url: str) -> multiprocessing.process.BaseProcess:
    queue.database.close()  # no connection is shared
    process = FORK.Process(target=work, args=[url], daemon=True)
    process.start()
    return process


def wait_until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def all_ended(queue: Queue) -> bool:
    return all(State(row.state).is_final for row in queue.submissions(most=1000))


def how_often_scored(queue: Queue) -> Counter[int]:
    with queue.database.reading() as session:
        query = select(Transition.submission_id).where(Transition.after == State.SCORED)
        times = Counter(session.scalars(query))
        assert session.scalar(select(func.count()).select_from(Score)) == sum(times.values())
    return times


def test_workers_killed_at_random_points_lose_nothing_and_score_nothing_twice(url: str, database: Database) -> None:
    queue = new_queue(database, lease_seconds=LEASE, most_attempts=1000, users=[f"u{n}" for n in range(8)])
    queue.register(facts(scored_a_day=100))
    numbers = [queue.receive(f"u{n % 8}", "world", "a", b"%d" % n).id for n in range(40)]
    generator = random.Random(0)
    processes = [worker_process(queue, url) for _ in range(2)]
    kills = 0
    try:
        while not all_ended(queue) and kills < 8:
            time.sleep(generator.uniform(0.02, 0.2))
            index = generator.randrange(2)
            processes[index].kill()
            processes[index].join()
            processes[index] = worker_process(queue, url)
            kills += 1
        wait_until(lambda: all_ended(queue))
    finally:
        for process in processes:
            process.kill()
            process.join()
    assert kills > 0
    assert how_often_scored(queue) == dict.fromkeys(numbers, 1)
    assert {queue.submission(number).state for number in numbers} == {State.SCORED}
    assert all(queue.quota(f"u{n}", "world").scored == 5 for n in range(8))


def test_many_workers_racing_take_each_submission_once(url: str, database: Database) -> None:
    users = [f"u{n}" for n in range(4)]
    queue = new_queue(database, users=users)
    queue.register(facts(scored_a_day=100))
    numbers = [queue.receive(users[n % 4], "world", "a", b"%d" % n).id for n in range(24)]
    claims: list[Claimed] = []
    most: list[int] = []
    busy: Counter[str] = Counter()
    lock = threading.Lock()

    def run(claimed: Claimed, pulse: Pulse) -> dict[str, object]:
        with lock:
            claims.append(claimed)
            busy[claimed.user] += 1
            most.append(busy[claimed.user])
        time.sleep(0.002)
        with lock:
            busy[claimed.user] -= 1
        return scored()

    stop = threading.Event()
    threads = []
    for name in "abcdef":
        worker = Worker(Queue(Database(url)), run, name=name, poll_seconds=0.005)
        threads.append(threading.Thread(target=worker.run_forever, args=[stop]))
    for thread in threads:
        thread.start()
    wait_until(lambda: all_ended(queue))
    stop.set()
    for thread in threads:
        thread.join()
    assert sorted(claimed.submission_id for claimed in claims) == numbers
    assert {claimed.claim for claimed in claims} == {1}
    assert max(most) <= 2
    assert how_often_scored(queue) == dict.fromkeys(numbers, 1)


def in_a_thread(queue: Queue, run, stop: threading.Event, **options: object) -> threading.Thread:
    worker = Worker(queue, run, poll_seconds=0.01, **options)
    thread = threading.Thread(target=worker.run_forever, args=[stop])
    thread.start()
    return thread


def test_a_stopped_worker_gives_back_what_it_has(database: Database) -> None:
    queue = new_queue(database)
    number = queue.receive("ada", "world", "a", b"1").id
    stop, begun = threading.Event(), threading.Event()

    def run(claimed: Claimed, pulse: Pulse) -> None:
        begun.set()
        while pulse(1, 2):
            time.sleep(0.005)

    thread = in_a_thread(queue, run, stop)
    assert begun.wait(30)
    stop.set()
    thread.join(30)
    submission = queue.submission(number)
    assert (submission.state, submission.attempt) == (State.QUEUED, 0)
    assert queue.timeline(number).steps[-1].why == "the worker was stopped"


def test_a_scoring_that_is_cancelled_ends(database: Database) -> None:
    queue = new_queue(database)
    number = queue.receive("ada", "world", "a", b"1").id
    stop, begun, ended = threading.Event(), threading.Event(), threading.Event()

    def run(claimed: Claimed, pulse: Pulse) -> None:
        begun.set()
        while pulse(1, 2):
            time.sleep(0.005)
        ended.set()

    thread = in_a_thread(queue, run, stop)
    assert begun.wait(30)
    queue.cancel(number, "ada")
    assert ended.wait(30)
    stop.set()
    thread.join(30)
    assert queue.submission(number).state == State.CANCELLED


def test_a_scorer_that_raises_is_tried_three_times(database: Database) -> None:
    queue = new_queue(database)
    number = queue.receive("ada", "world", "a", b"1").id
    stop = threading.Event()

    def run(claimed: Claimed, pulse: Pulse) -> None:
        raise MemoryError("too large")

    thread = in_a_thread(queue, run, stop)
    wait_until(lambda: all_ended(queue))
    stop.set()
    thread.join(30)
    assert queue.submission(number).state == State.FAILED
    assert queue.timeline(number).steps[-1].why.startswith("MemoryError: too large; given up after 3 attempts")


def test_a_scorer_that_hangs_loses_its_claim(database: Database) -> None:
    queue = new_queue(database, lease_seconds=0.3, most_attempts=1)
    number = queue.receive("ada", "world", "a", b"1").id
    stop = threading.Event()
    thread = in_a_thread(queue, lambda claimed, pulse: stop.wait(60), stop, longest_seconds=0.1)

    def reaped() -> bool:
        queue.reap()
        return all_ended(queue)

    wait_until(reaped)
    stop.set()
    thread.join(30)
    assert "was silent for 0.3 s" in queue.timeline(number).steps[-1].why


def test_a_result_is_told_when_the_database_is_free_again(new_urls) -> None:
    url = next(new_urls["sqlite"])
    queue = new_queue(Database(url, patience_seconds=0.05), lease_seconds=60)
    number = queue.receive("ada", "world", "a", b"1").id
    locker = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    locked, stop = threading.Event(), threading.Event()

    def run(claimed: Claimed, pulse: Pulse) -> dict[str, object]:
        locker.execute("BEGIN IMMEDIATE")
        locked.set()
        return scored()

    thread = in_a_thread(queue, run, stop)
    assert locked.wait(30)
    time.sleep(0.3)
    assert queue.submission(number).state == State.RUNNING
    with pytest.raises(StoreError, match="locked by another process"):
        queue.receive("bob", "world", "a", b"2")
    locker.execute("ROLLBACK")
    wait_until(lambda: all_ended(queue))
    stop.set()
    thread.join(30)
    assert how_often_scored(queue) == {number: 1}


def test_a_full_disk_is_told_in_words_and_loses_nothing(new_urls) -> None:
    database = Database(next(new_urls["sqlite"]))
    queue = new_queue(database)
    queue.register(facts(upload_bytes=2**20))
    with database.reading() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="database or disk is full"):
        queue.receive("ada", "world", "a", b"x" * 2**19)
    with database.reading() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert queue.submissions() == []
    assert queue.quota("ada", "world").left == 3
    assert queue.receive("ada", "world", "a", b"x" * 2**19).state == State.QUEUED
