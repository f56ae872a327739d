"""The end of the interpreter, ``-X dev`` and ``-W error``: no noise, whatever state the client is in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import redis

FOLDER = Path(next(iter(redis.__path__))).parent
BEGIN = """
import gc, os, sys, threading, time
import redis
from redis.connection import BlockingConnectionPool, PythonParser
options = {options!r}
def client(**more):
    made = redis.StrictRedis(**{{**options, **more}})
    made.get("a")
    return made
"""
END = """
gc.collect()
print("done")
"""
ENDS = {
    "closed": "r = client(); r.close()",
    "in a with block": "with client() as r: r.ping()",
    "dropped": "client()",
    "dropped in a cycle": "r = client(); r.myself = r; del r",
    "dropped in cycles": """
for number in range(50):
    r = client()
    r.myself = r
    gc.collect(number % 3)
del r
""",
    "open to the end": "r = client(); s = client(parser_class=PythonParser)",
    "one connection": "r = client(single_connection_client=True); s = client(single_connection_client=True); s.close()",
    "a pool that waits": """
kwargs = dict(client().connection_pool.connection_kwargs)
pool = BlockingConnectionPool(connection_class=client().connection_pool.connection_class, **kwargs)
redis.StrictRedis(connection_pool=pool).ping()
""",
    "borrowed": """
connection = client().connection_pool.get_connection("PING")
connection.send_command("PING")
""",
    "an error is kept": """
r = client()
try: r.incr("text")
except redis.ResponseError as error: kept = error
r.set_response_callback("GET", lambda reply: 1 / 0)
try: r.get("a")
except ZeroDivisionError as error: kept_too = error
""",
    "nobody there": """
try: redis.StrictRedis(host="127.0.0.1", port=1).ping()
except redis.ConnectionError as error: kept = error
""",
    "a thread in the middle": """
r = client()
threading.Thread(target=lambda: r.execute_command("BLPOP", "nothing", 30), daemon=True).start()
time.sleep(0.1)
""",
    "an exit function": """
import atexit
r = client()
atexit.register(lambda: (r.ping(), r.close()))
""",
    "a child": """
r = client()
if not os.fork():
    r.ping()
    sys.exit()
os.wait()
""",
    "a server that closed": """
r = client()
r.execute_command("CLIENT", "KILL", "ID", r.execute_command("CLIENT", "ID"), "SKIPME", "no")
""",
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_no_noise(transport, end: str) -> None:
    client = redis.StrictRedis(**transport.options)
    client.set("text", "no number")
    client.close()
    script = BEGIN.format(options=transport.options) + end + END
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
    )
    assert ended.stderr == ""
    assert set(ended.stdout.split()) == {"done"}
    assert ended.returncode == 0
