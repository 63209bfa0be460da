"""Used tokens in a real Redis: one use each over processes, forgotten in time, and a no when it can't be told."""

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from redis import Redis

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.client_authentication.redis_tokens import RedisUsedTokens
from tests.builders.client_tokens import ISSUER, NOW
from tests.builders.redis_server import redis_server

LATER = NOW + timedelta(seconds=90, microseconds=1)


def test_a_token_is_used_once_and_remembered_as_long_as_it_could_be_used(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        used = RedisUsedTokens(server.url)
        assert used.use_once(ISSUER, "one", LATER, NOW)
        assert not used.use_once(ISSUER, "one", LATER, NOW)
        assert not RedisUsedTokens(server.url).use_once(ISSUER, "one", LATER, NOW), "another worker knows it too"
        assert used.use_once(ISSUER, "two", NOW, NOW), "at its very end it is kept for the shortest time there is"
        assert used.use_once("https://other.example.org", "one", LATER, NOW)
        redis = Redis(port=server.port)
        lives = {name: redis.ttl(name) for name in redis.scan_iter()}
        assert not any(word in name for name in lives for word in (b"example", b"one"))
        assert max(lives.values()) in {90, 91}


def test_of_eight_at_once_one_succeeds(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        workers = [RedisUsedTokens(server.url) for _ in range(8)]
        together = Barrier(8)

        def use(worker: RedisUsedTokens) -> bool:
            together.wait(20)
            return worker.use_once(ISSUER, "one", LATER, NOW)

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(use, workers)) == [False] * 7 + [True]


def test_a_redis_that_is_gone_tells_nothing_and_works_once_it_is_back(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        used = RedisUsedTokens(server.url)
        assert used.answers()
        assert used.use_once(ISSUER, "one", LATER, NOW)
        server.stop()
        assert not used.answers()
        with pytest.raises(StoreUnavailable) as refused:
            used.use_once(ISSUER, "two", LATER, NOW)
        assert ISSUER not in refused.value.message
        with redis_server(tmp_path, server.port):
            assert used.use_once(ISSUER, "two", LATER, NOW)


def test_a_redis_that_hangs_or_refuses_tells_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging, pytest.raises(StoreUnavailable):
        RedisUsedTokens(f"redis://127.0.0.1:{hanging.getsockname()[1]}/0").use_once(ISSUER, "one", LATER, NOW)
    with redis_server(tmp_path) as server:
        Redis(port=server.port).config_set("requirepass", "secret-word")
        with pytest.raises(StoreUnavailable) as refused:
            RedisUsedTokens(server.url).use_once(ISSUER, "one", LATER, NOW)
        assert "secret" not in refused.value.message
        assert RedisUsedTokens(server.url.replace("//", "//:secret-word@")).use_once(ISSUER, "one", LATER, NOW)
        Redis(port=server.port, password="secret-word").config_set("maxmemory", "1")
        with pytest.raises(StoreUnavailable):
            RedisUsedTokens(server.url.replace("//", "//:secret-word@")).use_once(ISSUER, "two", LATER, NOW)
